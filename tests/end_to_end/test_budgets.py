"""Budgets hold in whole searches."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carbon_sources.units import J_PER_KWH
from carbonnas.driver import run_search
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.report.render import ReportFormat, render
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialKind, TrialState

ONE_MINUTE_G = (2 * 300 + 50) * 60 / J_PER_KWH * 500
"""What one metering interval can emit: two trainings of 300 W and 50 W idle for a minute in the dirtiest hour, 500 g/kWh."""


def run(path: Path, state: Path) -> SearchRecord:
    return run_search(path.read_text(encoding="utf-8"), state, folder=path.parent)


def emissions_g(record: SearchRecord) -> float:
    return sum(entry.emissions_g or 0.0 for entry in record.entries)


@pytest.mark.parametrize("limit_g", [150.0, 700.0, 1500.0])
def test_a_search_stops_at_its_budget_and_overshoots_by_no_more_than_one_metering_interval(
    tmp_path: Path, limit_g: float
) -> None:
    path = write_simulated_search(tmp_path, rounds=12, budgets=[{"limit": f"{limit_g} g"}])
    record = run(path, tmp_path / "state")
    assert (record.state, record.stop_reason) == (SearchState.STOPPED, StopReason.BUDGET_EXHAUSTED)
    assert emissions_g(record) <= limit_g + ONE_MINUTE_G
    assert all(trial.state.final for trial in record.trials)


def test_score_only_goes_on_scoring_within_what_is_left(tmp_path: Path) -> None:
    path = write_simulated_search(
        tmp_path,
        rounds=12,
        budgets=[{"limit": "700 g", "at_limit": "score_only"}],
        search={"lookahead_rounds": 12},
        scheduler={"use": "carbon_blind", "percentile": None},
    )
    record = run(path, tmp_path / "state")
    assert record.stop_reason is StopReason.BUDGET_EXHAUSTED
    last = {
        kind: max(
            t.ended_at for t in record.trials if t.kind is kind and t.state is TrialState.COMPLETED and t.ended_at
        )
        for kind in TrialKind
    }
    assert last[TrialKind.SCORE] > last[TrialKind.TRAIN]
    assert emissions_g(record) <= 700 + ONE_MINUTE_G


def test_a_daily_budget_waits_for_the_next_day_and_the_plan_is_done_in_the_end(tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, rounds=4, budgets=[{"limit": "900 g", "window": "day", "at_limit": "wait"}])
    record = run(path, tmp_path / "state")
    assert record.state is SearchState.COMPLETED
    spent: dict[str, float] = {}
    for entry in record.entries:
        day = entry.priced.sample.interval.start.date().isoformat()
        if entry.owner.account is Account.TRIAL:
            spent[day] = spent.get(day, 0.0) + (entry.emissions_g or 0.0)
    assert len(spent) > 1
    assert max(spent.values()) <= 900 + ONE_MINUTE_G


def test_the_grams_of_every_report_add_up(tmp_path: Path) -> None:
    record = run(write_simulated_search(tmp_path, rounds=3), tmp_path / "state")
    document: dict[str, Any] = json.loads(render(record, ReportFormat.JSON))
    totals = document["totals"]
    trials_g = sum(trial["emissions_g"] for trial in document["trials"])
    assert totals["emissions_g"] == pytest.approx(trials_g + totals["overhead_g"] + totals["idle_g"], rel=1e-9)
    assert totals["energy_kwh"] == pytest.approx(document["measurement"]["measured_kwh"], rel=1e-9)


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, rounds=3)
    first = run(path, tmp_path / "one")
    second = run(path, tmp_path / "two")
    assert render(first, ReportFormat.JSON) == render(second, ReportFormat.JSON)


def test_another_schedule_does_the_same_work(tmp_path: Path) -> None:
    aware = run(write_simulated_search(tmp_path / "aware"), tmp_path / "state")
    blind = run(
        write_simulated_search(tmp_path / "blind", scheduler={"use": "carbon_blind", "percentile": None}),
        tmp_path / "state",
    )
    assert [(t.number, t.key, t.metrics) for t in aware.trials] == [(t.number, t.key, t.metrics) for t in blind.trials]
    assert emissions_g(aware) < emissions_g(blind)


@pytest.mark.parametrize("at_limit", ["wait", "score_only"])
def test_a_window_that_can_hold_no_work_ends_the_search_in_the_end(tmp_path: Path, at_limit: str) -> None:
    slow = {"score_seconds": 7200.0}
    path = write_simulated_search(
        tmp_path,
        rounds=2,
        budgets=[{"limit": "5 g", "window": "day", "at_limit": at_limit}],
        scoring=slow,
        training=slow,
        scheduler={"use": "carbon_blind", "percentile": None},
    )
    record = run(path, tmp_path / "state")
    assert record.stop_reason is StopReason.BUDGET_EXHAUSTED
    assert record.ended_at is not None
    assert record.ended_at - record.started_at < timedelta(days=14)
    assert not any(trial.state is TrialState.COMPLETED for trial in record.trials)


def test_score_only_is_a_hard_limit_too(tmp_path: Path) -> None:
    slow = {"score_seconds": 36000.0}
    budgets = [{"limit": "100 g", "at_limit": "score_only"}]
    record = run(write_simulated_search(tmp_path, budgets=budgets, scoring=slow, training=slow), tmp_path / "state")
    assert emissions_g(record) <= 100 + ONE_MINUTE_G
