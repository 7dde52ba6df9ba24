"""What the policies that plan decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from carbon_sources.intensity import Forecast, IntensitySeries
from schedulers.budget import BudgetState, EmissionBudget, Window
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.planning import PlanningPolicy, Task
from schedulers.policies.budget_pacing import BudgetPacing
from schedulers.policies.lookahead import Lookahead
from schedulers.policies.lowest_window import LowestWindow
from schedulers.policies.oracle import Oracle
from schedulers.policies.suspend_resume import SuspendResume
from schedulers.testing import NOW, hourly, sample

HOUR = timedelta(hours=1)
AHEAD = [200.0, 100.0, 300.0, 400.0, 150.0, 250.0]
"""Intensities from now on, an hour each."""
DUE = Progress(
    train_ready=9,
    score_ready=9,
    train_running=0,
    score_running=0,
    train_waiting_since=NOW,
    started_at=NOW,
    deadline=NOW + 6 * HOUR,
    training_left=timedelta(hours=8),
    training_w=1000.0,
    resting_w=0.0,
)
ALL: tuple[PlanningPolicy, ...] = (
    SuspendResume(),
    LowestWindow(),
    BudgetPacing(),
    Lookahead(),
    Oracle(hourly(NOW, AHEAD)),
)
FREE = Lookahead(switch_cost=timedelta(0), min_run=timedelta(0))
"""Without anything that the others do not know of."""
NAMES = [type(policy).__name__ for policy in ALL]


def context(**changes: Any) -> SchedulingContext:
    values: dict[str, Any] = {
        "now": NOW,
        "slots": 4,
        "intensity": sample(NOW, HOUR, AHEAD[0]),
        "history": IntensitySeries(()),
        "forecast": Forecast(NOW, hourly(NOW, AHEAD)),
        "budgets": (),
        "progress": DUE,
        "previous": None,
    }
    return SchedulingContext(**(values | changes))


def left(slot_hours: float, **changes: Any) -> Progress:
    return replace(DUE, training_left=timedelta(hours=slot_hours), **changes)


def slots(decision: Decision) -> tuple[int, int]:
    return decision.train_slots, decision.score_slots


@pytest.mark.parametrize("policy", ALL, ids=NAMES)
def test_without_an_estimate_nothing_is_planned_and_training_is_not_held_back(policy: PlanningPolicy) -> None:
    decision = policy.decide(context(progress=replace(DUE, training_left=None)))
    assert slots(decision) == (4, 0)
    assert decision.reason.code is ReasonCode.NO_ESTIMATE


@pytest.mark.parametrize("policy", ALL, ids=NAMES)
def test_work_that_outruns_its_estimate_is_not_held_back(policy: PlanningPolicy) -> None:
    decision = policy.decide(context(progress=left(0)))
    assert (decision.train_slots, decision.reason.code) == (4, ReasonCode.NO_ESTIMATE)
    assert "longer than" in decision.reason.text


@pytest.mark.parametrize("policy", ALL[:-1], ids=NAMES[:-1])
def test_while_nothing_is_known_of_the_hours_to_come_training_is_not_held_back(policy: PlanningPolicy) -> None:
    decision = policy.decide(context(intensity=None, forecast=None))
    assert (decision.train_slots, decision.reason.code) == (4, ReasonCode.NO_HISTORY)


@pytest.mark.parametrize("policy", [SuspendResume(), FREE, Oracle(hourly(NOW, AHEAD))])
def test_the_cleanest_hours_before_the_deadline_are_used(policy: PlanningPolicy) -> None:
    # 8 h of slot time in 4 slots are 2 h: those at 100 and 150. With 9 h a quarter of the present hour at 200 is wanted as well.
    assert slots(policy.decide(context())) == (0, 4)
    more = policy.decide(context(progress=left(9)))
    assert more.train_slots > 0
    assert more.train_slots * ((more.review_at - NOW) / HOUR) == pytest.approx(1.0)
    early = context(progress=left(8, deadline=NOW + 3 * HOUR))
    assert slots(policy.decide(early)) == (4, 0)


def test_the_reason_names_what_is_cleaner_and_what_is_needed() -> None:
    assert SuspendResume().decide(context()).reason.text == (
        "200 g/kWh, of the 6 h ahead 2 h are cleaner and 2 h are needed to be done by 2025-03-10 18:00 UTC: training waits"
    )


def test_a_plan_for_fewer_trainings_at_a_time_takes_longer() -> None:
    # 8 h in 2 at a time are 4 h: the present hour is the third cleanest.
    assert SuspendResume().decide(context(progress=left(8, training_width=2))).train_slots == 2


def test_without_a_deadline_a_search_is_stretched() -> None:
    # 3 h without a pause: at a stretch of 2 until 18:00, where three of six hours are at most at 200; at 1 there is no time to wait.
    free = left(12, deadline=None)
    waits = SuspendResume(stretch=2.0).decide(
        context(progress=left(8, deadline=None, training_done=timedelta(hours=4)))
    )
    assert waits.train_slots == 0
    assert "to which the search may be stretched" in waits.reason.text
    assert SuspendResume(stretch=2.0).decide(context(progress=free)).train_slots == 4
    assert SuspendResume(stretch=1.0).decide(context(progress=left(8, deadline=None))).train_slots == 4


def test_where_the_forecast_ends_before_the_deadline_a_part_of_the_work_falls_to_it() -> None:
    # 6 of 12 h are known: of 4 h of work 2 belong to them, those at 100 and 150, and of 10 h 5.
    later = {"deadline": NOW + 12 * HOUR}
    assert SuspendResume().decide(context(progress=left(16, **later))).train_slots == 0
    assert SuspendResume().decide(context(progress=left(40, **later))).train_slots == 4


@pytest.mark.parametrize("policy", [SuspendResume(), LowestWindow(), Lookahead()])
def test_without_a_forecast_past_days_stand_in_and_the_reason_says_so(policy: PlanningPolicy) -> None:
    day = AHEAD + [500.0] * 18
    past = context(forecast=None, history=hourly(NOW - 48 * HOUR, day + day))
    decision = policy.decide(past)
    assert decision.train_slots == policy.decide(context()).train_slots
    assert decision.reason.text.removesuffix(", and nothing is left to score: rest").endswith(
        "(there is no forecast, each hour is expected to be as it was in the days before)"
    )


# lowest_window


def test_a_window_is_waited_for_and_then_trained_through() -> None:
    # 2 h in a row: 200 + 100 are the lowest sum, now; for 1 h it is the next hour.
    assert slots(LowestWindow().decide(context())) == (4, 0)
    waits = LowestWindow().decide(context(progress=left(4)))
    assert slots(waits) == (0, 4)
    assert waits.review_at == NOW + HOUR
    assert "begins in 1 h" in waits.reason.text
    begun = Decision(4, 0, Reason(ReasonCode.PLAN, "earlier"), NOW)
    assert slots(LowestWindow().decide(context(progress=left(4), previous=begun))) == (4, 0)


# budget_pacing


def budget(limit_g: float, spent_g: float = 0.0, over: Window = Window.SEARCH) -> BudgetState:
    made = EmissionBudget(limit_g, over)
    return BudgetState(made, spent_g, 0.0, made.window_at(NOW))


@pytest.mark.parametrize(
    ("grams", "train", "minutes"),
    [(1000.0, 0, 60), (1200.0, 1, 60), (1300.0, 2, 45), (1800.0, 4, 60), (9000.0, 4, 60)],
)
def test_a_budget_is_spent_in_the_cleanest_hours_of_its_time(grams: float, train: int, minutes: float) -> None:
    # 4 kW: 400 g fit into the hour at 100 and 600 into that at 150; what is left of the budget is spent now, 200 g a slot and hour.
    decision = BudgetPacing().decide(context(budgets=(budget(grams),)))
    assert decision.train_slots == train
    assert decision.review_at == NOW + timedelta(minutes=minutes)


def test_resting_is_set_aside_and_the_tightest_budget_counts() -> None:
    resting = replace(DUE, resting_w=1000.0)  # 1 kW over 6 h: 1400 g
    assert BudgetPacing().decide(context(progress=resting, budgets=(budget(2600.0),))).train_slots == 1
    both = (budget(9000.0), budget(1400.0, 200.0))
    decision = BudgetPacing().decide(context(budgets=both))
    assert decision.train_slots == 1
    assert decision.reason.code is ReasonCode.PACED
    assert decision.reason.text == (
        "200 g/kWh: 1200 g of the 1400 g per search are left for trainings of the next 6 h, 1000 g of it can be spent in cleaner hours:"
        " at most 1 of 4 slots train"
    )


def test_a_window_that_ends_after_the_forecast_leaves_a_part_to_it() -> None:
    # The day ends in 12 h, 6 h are known: half of 2400 g.
    decision = BudgetPacing().decide(context(budgets=(budget(2400.0, over=Window.DAY),)))
    assert (decision.train_slots, decision.review_at) == (1, NOW + HOUR)


def test_nothing_to_pace_and_power_that_is_unknown_are_told() -> None:
    free = BudgetPacing().decide(context())
    assert (free.train_slots, free.reason.text) == (4, "there is no budget to pace")
    unknown = BudgetPacing().decide(context(progress=replace(DUE, training_w=None), budgets=(budget(1.0),)))
    assert (unknown.train_slots, unknown.reason.code) == (4, ReasonCode.NO_ESTIMATE)


# lookahead


def test_a_plan_spares_switches_and_keeps_to_budgets() -> None:
    running = left(4, train_running=4)
    # To pause now and begin again at 100 g/kWh saves 100 g an hour and slot; a start that costs 2 h is dearer, so two slots run on for two hours.
    assert Lookahead().decide(context(progress=running)).train_slots == 0
    assert Lookahead(switch_cost=2 * HOUR).decide(context(progress=running)).train_slots == 2
    # 12 h of slot time want 200, 100 and 150 g/kWh; 400 g a day, and so until midnight, leave nothing for the hour at 200.
    tight = context(progress=left(12), budgets=(budget(400.0, over=Window.DAY),))
    decision = Lookahead(switch_cost=timedelta(0)).decide(tight)
    assert decision.train_slots == 0
    assert "8 h find no place in it and in the budgets" in decision.reason.text


def test_a_part_of_a_slot_does_not_begin_for_less_than_the_shortest_run_if_it_can_come_later() -> None:
    # 8 h 8 min of slot time, 8 min more than the two cleanest hours hold: 0.13 slots at 200 g/kWh.
    bit_more = context(progress=replace(DUE, training_left=timedelta(hours=8, minutes=8)))
    assert FREE.decide(bit_more).train_slots == 1
    assert Lookahead(switch_cost=timedelta(0)).decide(bit_more).train_slots == 0
    last = context(progress=left(0.1, deadline=NOW + HOUR))
    assert Lookahead(switch_cost=timedelta(0)).decide(last).train_slots == 1


def test_a_plan_that_can_not_meet_the_deadline_trains_fully_and_says_so() -> None:
    decision = Lookahead(switch_cost=timedelta(0)).decide(context(progress=left(28)))
    assert decision.train_slots == 4
    assert decision.reason.text.endswith("4 h find no place in it, and nothing is left to score: rest") or (
        decision.reason.text.endswith("4 h find no place in it")
    )


def test_a_plan_with_risk_shuns_hours_that_are_uncertain() -> None:
    quantiles = tuple((value, value + (500.0 if value < 200 else 0.0)) for value in AHEAD)
    unsure = context(forecast=Forecast(NOW, hourly(NOW, AHEAD), (0.5, 0.9), quantiles))
    assert Lookahead().decide(unsure).train_slots == 0
    assert Lookahead(quantile=0.9, risk=0.5).decide(unsure).train_slots == 4


# oracle


def test_nobody_but_a_simulation_knows_the_future() -> None:
    with pytest.raises(ValueError, match="only a simulation does: choose another scheduler"):
        Oracle()
    assert not Oracle.uses_forecast


@pytest.mark.parametrize(
    ("policy", "options", "message"),
    [
        (SuspendResume, {"stretch": 0.9}, "stretch must lie"),
        (LowestWindow, {"stretch": float("nan")}, "stretch must lie"),
        (BudgetPacing, {"review": timedelta(0)}, "review must be above zero"),
        (Lookahead, {"risk": 2.0}, "risk must lie"),
        (Lookahead, {"switch_cost": -HOUR}, "switch_cost can't be negative"),
        (Lookahead, {"min_run": -HOUR}, "min_run can't be negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    policy: type[PlanningPolicy], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        policy(**options)


@pytest.mark.parametrize("policy", [SuspendResume(), LowestWindow(), Oracle(hourly(NOW, AHEAD))])
def test_nobody_waits_where_rest_costs_more_than_cleaner_hours_save(policy: PlanningPolicy) -> None:
    # One slot-hour in four slots; at rest the node draws as much as all of them: even the next hour, at half the intensity, costs a quarter
    # of an hour at 100 for the work, and five quarters of rest, of which the first hour is at 200.
    dear = left(4, resting_w=4000.0)
    assert policy.decide(context(progress=left(4))).train_slots == 0
    assert policy.decide(context(progress=dear)).train_slots == 4


def test_a_wait_that_pays_ends_before_rest_eats_its_gain() -> None:
    # One hour of work, 1/10 of its power at rest: 200 + 20 at once, 100 + 30 after the next hour, and more with every later one.
    decision = SuspendResume().decide(context(progress=left(4, resting_w=400.0)))
    assert decision.train_slots == 0
    assert "to be done by 2025-03-10 14:00 UTC, after which rest would cost more than cleaner hours save" in (
        decision.reason.text
    )


@pytest.mark.parametrize(
    "policy",
    [
        SuspendResume(count_rest=False),
        LowestWindow(count_rest=False),
        Oracle(hourly(NOW, AHEAD), count_rest=False),
    ],
)
def test_a_machine_that_is_on_anyway_does_not_count_its_rest(policy: PlanningPolicy) -> None:
    dear = left(4, resting_w=4000.0)
    assert slots(policy.decide(context(progress=dear))) == slots(policy.decide(context(progress=left(4))))


def test_work_that_reaches_beyond_the_forecast_is_not_crowded_into_it() -> None:
    # 4 h of work, 6 of 12 h known: in the known hours rest is paid for 6 h, to go on later for 12 h; rest of 1 % leaves the plan as it was.
    free = context(progress=left(16, deadline=NOW + 12 * HOUR))
    cheap = context(progress=left(16, deadline=NOW + 12 * HOUR, resting_w=40.0))
    dear = context(progress=left(16, deadline=NOW + 12 * HOUR, resting_w=8000.0))
    assert SuspendResume().decide(free).train_slots == SuspendResume().decide(cheap).train_slots == 0
    assert SuspendResume().decide(dear).train_slots == 4


@pytest.mark.parametrize("policy", [SuspendResume(), LowestWindow(), Oracle(hourly(NOW, AHEAD))])
def test_nobody_waits_before_it_is_known_what_trainings_draw_beside_rest(policy: PlanningPolicy) -> None:
    unknown = policy.decide(context(progress=left(8, training_w=None, resting_w=100.0)))
    assert (unknown.train_slots, unknown.reason.code) == (4, ReasonCode.NO_ESTIMATE)
    assert "what trainings draw" in unknown.reason.text
    assert policy.decide(context(progress=left(4, training_w=None, resting_w=0.0))).train_slots == 0


def test_trainings_that_wait_for_each_other_take_longer_than_slots_could() -> None:
    # 8 h of slot time in 4 slots would be 2 h, the cleanest two later ones; one after the other they take 5 of the 6 h, the present one among them.
    chained = left(8, training_chain=5 * HOUR)
    assert SuspendResume().decide(context(progress=left(8))).train_slots == 0
    assert SuspendResume().decide(context(progress=chained)).train_slots == 4
    # At rest a fifth of what four slots draw; 8 h in 5 h are 1.6 slots, for which it is a half.
    assert Task.of(context(progress=replace(chained, resting_w=800.0)), 2.0) == Task(
        4, 5 * 3600.0, 8 * 3600.0, NOW + 6 * HOUR, stretched=False, rest=0.5
    )
