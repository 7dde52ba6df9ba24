from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.choosing import BLIND, EVERY, ORACLE, Line, lines, main, saving_text, share_text, table
from benchmarks.choosing_searches import (
    LONGEST_SEARCH,
    MACHINES,
    SEASONS,
    SHORTEST_PAST,
    Asked,
    Row,
    Start,
    searched,
    starts,
    write_search,
)
from carbonnas.record import StopReason
from carbonnas.report.simulation_model import SimulatedRun
from carbonnas.testing.searches import write_trace

NEW_YEAR = datetime(2022, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def _trace(folder: Path, days: int) -> str:
    path = folder / "sun.csv"
    write_trace(path, start=NEW_YEAR, hours=24 * days)
    return str(path)


def _run(kg: float, hours: float = 15.0, *, missed: bool = False, unpriced_kwh: float = 0.0) -> SimulatedRun:
    return SimulatedRun(
        seed=1,
        stop_reason=StopReason.DEADLINE if missed else StopReason.PLAN_DONE,
        finish_h=hours,
        emissions_kg=kg,
        energy_kwh=1.0,
        unpriced_kwh=unpriced_kwh,
        scorings=0,
        search_trainings=0,
        full_trainings=0,
        share=0.0,
        curve=(),
        suspensions=0,
        longest_wait_h=0.0,
        budget_violations=0,
        overshoot_g=0.0,
        training_slots=(),
    )


def _rows(zone: str, season: str, day: int, **runs: SimulatedRun) -> list[Row]:
    start = Start(zone.lower(), season, NEW_YEAR + day * DAY, 1)
    return [Row(zone, start, "machine", 48, scheduler, run) for scheduler, run in runs.items()]


def _found(rows: list[Row], zone: str, season: str, scheduler: str) -> Line:
    (line,) = [line for line in lines(rows) if (line.zone, line.season, line.scheduler) == (zone, season, scheduler)]
    return line


def test_searches_begin_in_every_season_at_different_times_of_the_day(tmp_path: Path) -> None:
    trace = _trace(tmp_path, 365)
    found = starts(f"{trace}:2022-01-01", 3)
    assert [start.season for start in found] == [season for season in SEASONS for _ in range(3)]
    assert [start.at.hour for start in found] == [0, 8, 16] * 4
    summer = [start.at for start in found if start.season == "Jun-Aug"]
    # Of 92 days those at a sixth, a half and five sixths: 15, 46 and 76 days after the first of June.
    assert [(at - datetime(2022, 6, 1, tzinfo=UTC)).days for at in summer] == [15, 46, 76]
    assert min(start.at for start in found) >= NEW_YEAR + SHORTEST_PAST
    assert max(start.at for start in found) <= NEW_YEAR + 365 * DAY - LONGEST_SEARCH + DAY


def test_dates_limit_the_span(tmp_path: Path) -> None:
    found = starts(f"{_trace(tmp_path, 120)}:2022-02-01:2022-03-01", 2)
    # 24 days from the first of February on leave room for a search: those at a quarter and at three quarters.
    assert [start.at for start in found] == [
        datetime(2022, 2, 7, tzinfo=UTC),
        datetime(2022, 2, 19, 12, tzinfo=UTC),
    ]


def test_a_bundled_trace_may_be_named_with_dates() -> None:
    found = starts("bundled:DK_2019:2019-06-01:2019-08-01", 1)
    assert [(start.trace, start.season) for start in found] == [("bundled:DK_2019", "Jun-Aug")]


def test_a_span_without_room_for_a_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no search of up to 4 days fits into the span"):
        starts(_trace(tmp_path, 16), 2)


def test_savings_are_told_by_zone_and_season_and_over_all() -> None:
    rows = [
        *_rows("A", "Jun-Aug", 1, carbon_blind=_run(4.0), own=_run(3.0, 20.0), oracle=_run(2.0)),
        *_rows("A", "Dec-Feb", 2, carbon_blind=_run(4.0), own=_run(4.4, 18.0, missed=True), oracle=_run(4.0)),
        *_rows("B", "Jun-Aug", 3, carbon_blind=_run(1.0), own=_run(0.5, 16.0), oracle=_run(0.4)),
    ]
    every = _found(rows, EVERY, EVERY, "own")
    # Savings of 25, -10 and 50 %; 1 - 0.4 + 0.5 kg of the clairvoyant 2 + 0 + 0.6 kg.
    assert (every.saving_pct.median, every.saving_pct.low) == pytest.approx((25.0, -10.0))
    assert every.clairvoyant_share_pct == pytest.approx(100 * 1.1 / 2.6)
    assert (every.missed, every.later_h, every.starts) == (1, 3.0, 3)
    assert _found(rows, "B", EVERY, "own").saving_pct.median == pytest.approx(50.0)
    assert _found(rows, EVERY, "Jun-Aug", "own").saving_pct.median == pytest.approx(37.5)
    assert _found(rows, "A", "Jun-Aug", ORACLE).clairvoyant_share_pct == pytest.approx(100.0)
    assert _found(rows, "A", "Dec-Feb", "own").clairvoyant_share_pct is None
    assert BLIND not in {line.scheduler for line in lines(rows)}


def test_hours_that_the_trace_does_not_know_leave_a_search_out_of_the_savings() -> None:
    unknown = _run(0.1, unpriced_kwh=0.5)
    rows = [
        *_rows("A", "Jun-Aug", 1, carbon_blind=_run(4.0), own=unknown, oracle=_run(2.0)),
        *_rows("A", "Jun-Aug", 2, carbon_blind=_run(4.0), own=_run(3.0), oracle=_run(2.0)),
    ]
    line = _found(rows, "A", EVERY, "own")
    assert line.saving_pct.median == pytest.approx(25.0)
    assert (line.saving_pct.known, line.starts) == (1, 2)
    assert saving_text(_found(rows[:3], "A", EVERY, "own")) == "unknown"


def test_a_table_has_a_row_for_each_scheduler_and_a_column_for_each_zone() -> None:
    rows = _rows("A", "Jun-Aug", 1, carbon_blind=_run(4.0), own=_run(3.0, 20.0, missed=True), oracle=_run(2.0))
    chosen = [line for line in lines(rows) if line.season == EVERY]
    heads, own, oracle = table(chosen, lambda line: line.zone, saving_text).splitlines()
    assert heads.split() == [EVERY, "A"]
    assert own.split("  ")[-1].strip() == "25.0 (25.0..25.0, 25.0) !1"
    assert oracle.split()[0] == ORACLE
    assert share_text(chosen[0]) == "50 %, +5.0 h"


AVERAGING = """
import numpy as np
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast


class Averaging(Forecaster):
    def fit(self, history): ...

    def predict(self, history, hours):
        clock = (history.end.hour + np.arange(hours)) % 24
        sun = 200 * np.cos(2 * np.pi * clock / 24)
        quantiles = np.tile(np.linspace(0, 600, len(LEVELS)), (hours, 1))
        return HourlyForecast(300 - sun, quantiles, None if history.end.hour % 6 == 5 else 300 + sun)
"""


@pytest.fixture
def averaging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a forecaster that is right on average, wrong in the mean, and at some hours tells no average; return its name."""
    info = tmp_path / "site" / "averaging-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: averaging\nVersion: 1.0\n", encoding="utf-8")
    points = "[carbonnas.forecasters]\naveraging = averaging_forecaster:Averaging\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    (tmp_path / "site" / "averaging_forecaster.py").write_text(AVERAGING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "averaging_forecaster", raising=False)
    return "averaging"


@pytest.mark.slow
def test_kept_forecasts_give_the_same_searches(tmp_path: Path, averaging: str) -> None:
    start = starts(f"{_trace(tmp_path, 40)}:2022-02-01", 1)[0]
    for machine in MACHINES:
        write_search(tmp_path, machine)
    asked = Asked(("suspend_resume",), averaging, (24,), tmp_path, tmp_path / "kept")
    made = searched(start, replace(asked, keep=None))
    assert searched(start, asked) == made
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == f"sun-averaging-{start.at:%Y%m%dT%H%M}-averages.npz"
    with np.load(kept) as file:
        # Of any 48 hours in a row 8 are the sixth of six.
        assert np.isnan(file["average"]).all(axis=1).sum() == len(file["issued"]) / 6 == 8
    assert searched(start, asked) == made
    assert [row.scheduler for row in made] == [BLIND, "suspend_resume", ORACLE] * 2


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    options = ["--per-season", "1", "--scheduler", "suspend_resume", "--due", "48", "--forecaster", "seasonal"]
    main([f"{_trace(tmp_path, 40)}:2022-02-01", *options, "--json", str(figures)])
    assert "rest is free, due in 48 h: saving" in capsys.readouterr().out
    told = json.loads(figures.read_text())
    assert len(told["searches"]) == 2 * 3  # on two machines, by three schedulers
    free = [line for line in told["lines"] if line["machine"] == "rest is free" and line["zone"] == "SUN"]
    # Where each day is like the ones before, who expects that knows as much as the oracle.
    assert {line["scheduler"] for line in free} == {"suspend_resume", ORACLE}
    assert all(line["clairvoyant_share_pct"] == pytest.approx(100.0, abs=2.0) for line in free)
    assert all(line["missed"] == 0 for line in told["lines"])
