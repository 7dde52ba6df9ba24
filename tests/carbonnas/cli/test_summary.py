"""What a search came to, on a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carbonnas.cli.summary import print_summary
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target
from carbonnas.report.document import build_document
from carbonnas.report.testing import made_up_record


def test_limits_and_devices_stand_in_it_with_what_became_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    limit = Limit("nothing[b]", at_most=5)
    record = replace(
        made_up_record(), limits=(limit,), targets=(Target("phone", "latency_ms.phone", 4.0),), pruned={str(limit): 7}
    )
    done = sum(t.fidelity.name == "search" and t.state.value == "completed" for t in record.trials)
    print_summary(build_document(record))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"limit nothing[b] at most 5: 7 dropped before any work, {done} trainings do not keep it" in lines
    assert any(line.startswith("target phone: At most 4 ms.") for line in lines)
