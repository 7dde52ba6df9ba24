"""The chaos, short: `tests/end_to_end/chaos.py` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.chaos import run_chaos

pytestmark = pytest.mark.slow


def test_eight_faults_at_random_instants_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    told: list[str] = []
    assert run_chaos(tmp_path, 8, seed=2, torch=False, say=told.append) == [], "\n".join(told)
