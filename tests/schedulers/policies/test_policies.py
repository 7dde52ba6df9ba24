"""What each policy decides, beyond the laws that all of them keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from carbon_sources.intensity import IntensitySeries
from schedulers.budget import AtLimit, BudgetState, EmissionBudget, Window
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.policies.carbon_blind import CarbonBlind
from schedulers.policies.proportional import Proportional
from schedulers.policies.threshold import Threshold
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import BLIND
from schedulers.testing import NOW, hourly, sample

HOUR = timedelta(hours=1)
BUSY = Progress(
    train_ready=9, score_ready=9, train_running=0, score_running=0, train_waiting_since=NOW, started_at=NOW - HOUR
)
TWO_DAYS = hourly(NOW - 48 * HOUR, [100.0] * 12 + [500.0] * 36)
"""A quarter of the time at 100 g/kWh, the rest at 500."""


def context(g_per_kwh: float | None, **changes: Any) -> SchedulingContext:
    start = NOW - timedelta(minutes=15)
    values: dict[str, Any] = {
        "now": NOW,
        "slots": 4,
        "intensity": None if g_per_kwh is None else sample(start, timedelta(minutes=30), g_per_kwh),
        "history": TWO_DAYS,
        "forecast": None,
        "budgets": (),
        "progress": BUSY,
        "previous": None,
    }
    return SchedulingContext(**(values | changes))


def slots(decision: Decision) -> tuple[int, int]:
    return decision.train_slots, decision.score_slots


def previous(code: ReasonCode, review_in: timedelta = timedelta(0)) -> Decision:
    return Decision(4, 0, Reason(code, "earlier"), NOW + review_in)


def spent(spent_g: float, at_limit: AtLimit, over: Window = Window.SEARCH) -> BudgetState:
    budget = EmissionBudget(100.0, over, at_limit)
    return BudgetState(budget, spent_g, 0.0, budget.window_at(NOW))


FIXED = Threshold(g_per_kwh=200.0)
PROPORTIONAL = Proportional()
POLICIES = (CarbonBlind(), FIXED, PROPORTIONAL)


def test_a_carbon_blind_search_trains_on_the_dirtiest_grid_and_scores_with_what_is_left() -> None:
    few = replace(BUSY, train_ready=3)
    decision = CarbonBlind().decide(context(900.0, progress=few))
    assert slots(decision) == (3, 1)
    assert decision.review_at == NOW + HOUR


def test_a_threshold_trains_up_to_it_and_scores_above_it() -> None:
    assert slots(FIXED.decide(context(200.0))) == (4, 0)
    dirty = FIXED.decide(context(201.0))
    assert slots(dirty) == (0, 4)
    assert dirty.reason == Reason(ReasonCode.DIRTY, "201 g/kWh are above the threshold of 200 g/kWh")


def test_a_percentile_is_taken_of_the_trailing_window() -> None:
    # A quarter of the time was at 100: the 25th percentile is 100, the 26th is 500.
    assert Threshold(percentile=25.0).decide(context(101.0)).reason.code is ReasonCode.DIRTY
    assert Threshold(percentile=26.0).decide(context(101.0)).reason.code is ReasonCode.CLEAN
    short = Threshold(percentile=0.0, window=36 * HOUR)
    assert short.decide(context(500.0)).reason.code is ReasonCode.CLEAN


@pytest.mark.parametrize(
    ("g_per_kwh", "code", "expected"),
    [
        (210.0, ReasonCode.CLEAN, ReasonCode.CLEAN),
        (210.1, ReasonCode.CLEAN, ReasonCode.DIRTY),
        (205.0, ReasonCode.DIRTY, ReasonCode.DIRTY),
        (205.0, ReasonCode.MAX_WAIT, ReasonCode.DIRTY),
    ],
    ids=["within 5 %", "beyond 5 %", "was not clean", "trained for another reason"],
)
def test_training_once_allowed_goes_on_until_the_margin_is_passed(
    g_per_kwh: float, code: ReasonCode, expected: ReasonCode
) -> None:
    assert FIXED.decide(context(g_per_kwh, previous=previous(code))).reason.code is expected


@pytest.mark.parametrize("policy", [FIXED, PROPORTIONAL], ids=["threshold", "proportional"])
def test_an_unknown_intensity_lets_only_scoring_run_and_says_so(policy: Scheduler) -> None:
    decision = policy.decide(context(None))
    assert slots(decision) == (0, 4)
    assert decision.reason.code is ReasonCode.BLIND
    assert "unknown" in decision.reason.text


@pytest.mark.parametrize("policy", [Threshold(percentile=25.0), PROPORTIONAL], ids=["threshold", "proportional"])
@pytest.mark.parametrize(("hours", "code"), [(23, ReasonCode.NO_HISTORY), (24, None)], ids=["23 h", "24 h"])
def test_training_is_not_held_back_before_a_day_is_known(
    policy: Scheduler, hours: int, code: ReasonCode | None
) -> None:
    history = hourly(NOW - hours * HOUR, [100.0] * hours)
    decision = policy.decide(context(900.0, history=history))
    assert (decision.reason.code is ReasonCode.NO_HISTORY) == (code is not None)
    assert (decision.train_slots > 0) == (code is not None)


def test_a_fixed_threshold_needs_no_history() -> None:
    assert FIXED.decide(context(900.0, history=IntensitySeries(()))).reason.code is ReasonCode.DIRTY


@pytest.mark.parametrize(
    ("g_per_kwh", "train"), [(100.0, 4), (149.0, 4), (150.0, 3), (300.0, 2), (400.0, 1), (449.0, 1), (450.0, 0)]
)
def test_slots_are_shared_in_proportion_to_the_past_range(g_per_kwh: float, train: int) -> None:
    # 4 slots, range 100..500: scoring gets (c - 100) / 400 * 4 slots, rounded, so 50 g/kWh above 100 is half a slot.
    assert slots(PROPORTIONAL.decide(context(g_per_kwh))) == (train, 4 - train)


def test_the_present_belongs_to_the_range() -> None:
    # 900 g/kWh are beyond the past range, so 100..900 is the range and scoring has everything.
    assert slots(PROPORTIONAL.decide(context(900.0))) == (0, 4)
    assert slots(PROPORTIONAL.decide(context(50.0))) == (4, 0)


def test_a_grid_that_never_changes_is_trained_on() -> None:
    flat = hourly(NOW - 48 * HOUR, [300.0] * 48)
    assert slots(PROPORTIONAL.decide(context(300.0, history=flat))) == (4, 0)


def test_scoring_slots_without_work_rest_while_training_slots_without_work_score() -> None:
    only_training = replace(BUSY, score_ready=0)
    assert slots(PROPORTIONAL.decide(context(300.0, progress=only_training))) == (2, 0)
    only_scoring = replace(BUSY, train_ready=0, train_waiting_since=None)
    assert slots(PROPORTIONAL.decide(context(300.0, progress=only_scoring))) == (0, 4)


def test_the_next_review_comes_with_the_end_of_the_sample() -> None:
    assert FIXED.decide(context(100.0)).review_at == NOW + timedelta(minutes=15)
    assert FIXED.decide(context(None)).review_at == NOW + HOUR


@pytest.mark.parametrize("policy", POLICIES, ids=["carbon_blind", "threshold", "proportional"])
def test_nothing_runs_once_a_budget_is_spent_whatever_its_action(policy: Scheduler) -> None:
    for at_limit in AtLimit:
        decision = policy.decide(context(100.0, budgets=(spent(150.0, at_limit),)))
        assert slots(decision) == (0, 0)
        assert decision.reason.text == "150 g of the 100 g per search are spent: nothing runs"


def test_a_budget_that_waits_is_reviewed_when_its_window_ends() -> None:
    # NOW is noon: the day ends in 12 h; a review of 24 h would come too late.
    patient = CarbonBlind(review=timedelta(days=1))
    waiting = spent(100.0, AtLimit.WAIT, Window.DAY)
    assert patient.decide(context(100.0, budgets=(waiting,))).review_at == NOW + 12 * HOUR
    over = replace(waiting, window=EmissionBudget(1.0, Window.DAY).window_at(NOW - timedelta(days=1)))
    assert patient.decide(context(100.0, budgets=(over,))).review_at == NOW + timedelta(days=1)


def test_a_budget_with_something_left_changes_nothing() -> None:
    left = spent(99.9, AtLimit.STOP)
    assert FIXED.decide(context(100.0, budgets=(left,))) == FIXED.decide(context(100.0))


def test_slots_can_not_be_negative() -> None:
    with pytest.raises(ValueError, match="can't be negative, got -1 and 0"):
        Decision(-1, 0, Reason(ReasonCode.CLEAN, ""), NOW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either g_per_kwh or percentile"),
        ({"g_per_kwh": 1.0, "percentile": 1.0}, "either g_per_kwh or percentile"),
        ({"g_per_kwh": -1.0}, "g_per_kwh must be finite"),
        ({"g_per_kwh": float("nan")}, "g_per_kwh must be finite"),
        ({"percentile": 101.0}, "percentile must lie"),
        ({"g_per_kwh": 1.0, "hysteresis": -0.1}, "hysteresis must be"),
        ({"g_per_kwh": 1.0, "min_history": 8 * 24 * HOUR}, "min_history must be"),
        ({"g_per_kwh": 1.0, "review": timedelta(0)}, "review must be above zero"),
    ],
)
def test_a_threshold_refuses_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Threshold(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_history": timedelta(0)}, "min_history must be"),
        ({"review": -HOUR}, "review must be above zero"),
    ],
)
def test_a_proportional_policy_refuses_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Proportional(**options)


def test_a_carbon_blind_policy_refuses_a_review_that_never_passes() -> None:
    with pytest.raises(ValueError, match="review must be above zero"):
        CarbonBlind(review=timedelta(0))


NO_TRAINING = replace(BUSY, train_ready=0, train_waiting_since=None)
NO_SCORING = replace(BUSY, score_ready=0)
NO_WORK = replace(NO_TRAINING, score_ready=0)
CLEAN_TEXT = "150 g/kWh are within the threshold of 200 g/kWh"
DIRTY_TEXT = "250 g/kWh are above the threshold of 200 g/kWh"
MISSING_TRAINING = ", but nothing is ready to train"
MISSING_SCORING = ", and nothing is left to score: rest"
MISSING_WORK = ", no work is ready"


@pytest.mark.parametrize(
    ("policy", "g_per_kwh", "progress", "text"),
    [
        (FIXED, 150.0, BUSY, CLEAN_TEXT),
        (FIXED, 150.0, NO_SCORING, CLEAN_TEXT),
        (FIXED, 150.0, NO_TRAINING, CLEAN_TEXT + MISSING_TRAINING),
        (FIXED, 150.0, NO_WORK, CLEAN_TEXT + MISSING_WORK),
        (FIXED, 250.0, NO_TRAINING, DIRTY_TEXT),
        (FIXED, 250.0, NO_SCORING, DIRTY_TEXT + MISSING_SCORING),
        (FIXED, 250.0, NO_WORK, DIRTY_TEXT + MISSING_WORK),
        (FIXED, None, NO_SCORING, BLIND.text + MISSING_SCORING),
        (
            PROPORTIONAL,
            300.0,
            NO_TRAINING,
            "300 g/kWh in a range of 100 to 500: at most 2 of 4 slots train" + MISSING_TRAINING,
        ),
        (
            PROPORTIONAL,
            500.0,
            NO_SCORING,
            "500 g/kWh in a range of 100 to 500: at most 0 of 4 slots train" + MISSING_SCORING,
        ),
        (CarbonBlind(), 900.0, NO_SCORING, "work runs whatever the intensity"),
        (CarbonBlind(), 900.0, NO_TRAINING, "work runs whatever the intensity" + MISSING_TRAINING),
        (CarbonBlind(), 900.0, NO_WORK, "work runs whatever the intensity" + MISSING_WORK),
    ],
)
def test_a_reason_says_which_work_is_missing(
    policy: Scheduler, g_per_kwh: float | None, progress: Progress, text: str
) -> None:
    assert policy.decide(context(g_per_kwh, progress=progress)).reason.text == text


def test_work_that_runs_is_not_missing() -> None:
    running = replace(NO_WORK, train_running=1)
    assert FIXED.decide(context(150.0, progress=running)).reason.text == CLEAN_TEXT


def test_too_little_history_is_told_in_hours() -> None:
    percentile = Threshold(percentile=25.0)
    reason = percentile.decide(context(900.0, history=IntensitySeries(()))).reason
    assert reason.text == "less than 24 h of the past is known: training is not held back"
