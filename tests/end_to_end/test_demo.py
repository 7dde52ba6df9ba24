"""What `carbonnas demo` promises."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_demo_searches_trains_and_reports(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "carbonnas", "demo", "--state", str(tmp_path), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    done = [trial for trial in report["trials"] if trial["state"] == "completed"]
    assert sum(trial["kind"] == "score" for trial in done) >= 60
    assert sum(trial["kind"] == "train" for trial in done) >= 8
    assert any(decision["train_slots"] > 0 for decision in report["decisions"])
    assert any(decision["score_slots"] > 0 for decision in report["decisions"])
    assert report["best"]["metrics"]["test_accuracy"] >= 0.98
    assert Path(report["report"]).is_file()
    totals = report["totals"]
    assert totals["emissions_g"] == pytest.approx(
        totals["trials_g"] + totals["overhead_g"] + totals["idle_g"], rel=1e-9
    )
    assert totals["energy_kwh"] == pytest.approx(report["measurement"]["measured_kwh"], rel=1e-9)
    times = [datetime.fromisoformat(decision["time"]) for decision in report["decisions"]]
    assert times == sorted(times)
