"""Budgets hold in whole searches."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carbon_sources.units import J_PER_KWH
from carbonnas.driver import run_search
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.report.render import ReportFormat, render
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
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


def run_with_a_gap(folder: Path, *, hours: int) -> SearchRecord:
    """Run a search under 2 kg on a grid that was at 10 g/kWh, of which nothing is known for hours from its third on: it is expected to go on like that."""
    path = write_simulated_search(
        folder,
        rounds=12,
        budgets=[{"limit": "2 kg"}],
        forecaster={"use": "seasonal"},
        accounting={"bound_g_per_kwh": 1000.0, "poll_interval": "1 h"},
        scheduler={"use": "carbon_blind", "percentile": None},
    )
    header, *rows = (folder / "trace.csv").read_text(encoding="utf-8").splitlines()
    first, last = (f"{STARTS_AT + h * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}" for h in (2, 2 + hours))
    clean = [re.sub(r",[0-9.]+,SUN", ",10,SUN", row) for row in rows if not first <= row.split(",")[0] < last]
    (folder / "trace.csv").write_text("\n".join([header, *clean]) + "\n", encoding="utf-8")
    return run(path, folder / "state")


def test_a_forecast_can_not_make_a_search_pass_its_limit_while_the_grid_is_unknown(tmp_path: Path) -> None:
    record = run_with_a_gap(tmp_path, hours=100)
    assert record.stop_reason is StopReason.BUDGET_EXHAUSTED
    worked_until = max(
        entry.priced.sample.interval.end for entry in record.entries if entry.owner.account is Account.TRIAL
    )
    drawn_j = [entry.priced.sample for entry in record.entries if entry.priced.sample.interval.end <= worked_until]
    known = STARTS_AT + timedelta(hours=2)
    most_g = sum(sample.joules * (10 if sample.interval.end <= known else 1000) for sample in drawn_j) / J_PER_KWH
    # A metering interval at the bound, 1000 g/kWh, is twice one at 500 g/kWh.
    assert 2000 * 0.9 < most_g <= 2000 + 2 * ONE_MINUTE_G
    assert any("has no price yet: nothing runs until it has" in d.decision.reason.text for d in record.decisions)
    # It waited for two days whether prices would come.
    assert record.ended_at is not None
    assert timedelta(days=2) <= record.ended_at - worked_until < timedelta(days=2, hours=2)


def test_a_budget_that_is_far_off_costs_no_more_readings_and_changes_nothing(tmp_path: Path) -> None:
    free, bound = (
        run(write_simulated_search(tmp_path / name, rounds=3, budgets=budgets), tmp_path / name / "state")
        for name, budgets in (("free", []), ("bound", [{"limit": "1 t"}]))
    )
    assert emissions_g(bound) == pytest.approx(emissions_g(free), rel=1e-9)
    assert [(t.number, t.ended_at) for t in bound.trials] == [(t.number, t.ended_at) for t in free.trials]
    hours = (bound.ended_at or STARTS_AT) - bound.started_at
    assert len(bound.measured) <= len(free.measured) + 3 * (hours / timedelta(hours=1) + 1)


def test_a_round_that_is_still_being_proposed_counts_as_scoring_that_is_left(tmp_path: Path) -> None:
    # 60 proposals are made in two steps; the limit is reached by trainings, while scorings still fit.
    path = write_simulated_search(
        tmp_path,
        rounds=4,
        search={"score_per_round": 60, "train_per_round": 2, "lookahead_rounds": 1, "slots": 4},
        strategy={"use": "random"},
        carbon_source={"use": "constant", "path": None, "g_per_kwh": 300.0},
        scheduler={"use": "carbon_blind", "percentile": None},
        budgets=[{"limit": "950 g", "at_limit": "score_only"}],
    )
    record = run_search(path.read_text(encoding="utf-8"), tmp_path / "state", folder=tmp_path)
    assert record.stop_reason is StopReason.BUDGET_EXHAUSTED
    assert sum(t.kind is TrialKind.SCORE and t.state is TrialState.COMPLETED for t in record.trials) == 4 * 60
