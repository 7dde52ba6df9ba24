"""The limits that hold whatever a policy decides."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import IntensitySeries
from schedulers.budget import BudgetState, EmissionBudget
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.feasibility import longest_makespan
from schedulers.max_wait import MaxWait
from schedulers.policies.suspend_resume import SuspendResume
from schedulers.policies.threshold import Threshold
from schedulers.safety import SafetyLayer, SafetyLimits
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import grant
from schedulers.testing import NOW, hourly, sample, worst_case

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BUSY = Progress(
    train_ready=9, score_ready=9, train_running=0, score_running=0, train_waiting_since=NOW, started_at=NOW - HOUR
)
RUNNING = replace(BUSY, train_ready=5, train_running=4, train_waiting_since=None)
DUE = replace(BUSY, deadline=NOW + 10 * HOUR, training_left=timedelta(hours=8))
TWO_DAYS = hourly(NOW - 48 * HOUR, [100.0] * 12 + [500.0] * 36)


@dataclass
class Says(Scheduler):
    """Gives training always the same slots, and remembers which deadline it was told."""

    train: int
    review: timedelta = HOUR
    code: ReasonCode = ReasonCode.DIRTY
    told: datetime | None = None

    def decide(self, context: SchedulingContext) -> Decision:
        self.told = context.progress.deadline
        return grant(context, self.train, Reason(self.code, "so be it"), context.now + self.review)


def context(progress: Progress = BUSY, **changes: Any) -> SchedulingContext:
    values: dict[str, Any] = {
        "now": NOW,
        "slots": 4,
        "intensity": sample(NOW, HOUR, 900.0),
        "history": TWO_DAYS,
        "forecast": None,
        "budgets": (),
        "progress": progress,
        "previous": None,
    }
    return SchedulingContext(**(values | changes))


def slots(decision: Decision) -> tuple[int, int]:
    return decision.train_slots, decision.score_slots


def previous(train: int, code: ReasonCode, review_in: timedelta) -> Decision:
    return Decision(train, 0, Reason(code, "earlier"), NOW + review_in)


def layer(policy: Scheduler, **limits: Any) -> SafetyLayer:
    return SafetyLayer(policy, SafetyLimits(**limits))


def test_nothing_runs_once_a_budget_is_spent_whatever_else_is_due() -> None:
    spent = BudgetState(EmissionBudget(100.0), 100.0, 0.0)
    for progress in (replace(BUSY, train_waiting_since=NOW - 90 * HOUR), replace(DUE, deadline=NOW + HOUR)):
        decision = layer(Says(4)).decide(context(progress, budgets=(spent,)))
        assert slots(decision) == (0, 0)
        assert decision.reason.code is ReasonCode.BUDGET_EXHAUSTED


def test_a_layer_wants_a_forecast_if_its_policy_does() -> None:
    assert layer(SuspendResume()).uses_forecast
    assert not layer(Threshold(g_per_kwh=1.0)).uses_forecast


# Waiting


def test_training_that_waited_long_enough_runs_for_its_time() -> None:
    patient = replace(BUSY, train_waiting_since=NOW - 6 * HOUR - 5 * MINUTE)
    guarded = layer(Says(0), max_wait=6 * HOUR)
    started = guarded.decide(context(patient))
    assert slots(started) == (4, 0)
    assert started.reason.text == "training has waited 6 h 5 min of at most 6 h: it runs for 1 h"
    assert (started.reason.code, started.review_at) == (ReasonCode.MAX_WAIT, NOW + HOUR)
    midway = context(RUNNING, previous=started, now=NOW + 14 * MINUTE)
    assert guarded.decide(midway) == started
    over = context(RUNNING, previous=started, now=NOW + HOUR)
    assert slots(guarded.decide(over)) == (0, 4)


def test_the_next_review_comes_when_the_longest_wait_is_over_if_that_is_sooner() -> None:
    waiting = replace(BUSY, train_waiting_since=NOW - 6 * HOUR + 5 * MINUTE)
    assert layer(Says(0), max_wait=6 * HOUR).decide(context(waiting)).review_at == NOW + 5 * MINUTE


def test_without_a_deadline_a_day_is_the_longest_wait_and_with_one_there_is_none() -> None:
    for hours, train in ((23, 0), (24, 4)):
        waiting = replace(BUSY, train_waiting_since=NOW - hours * HOUR)
        assert layer(Says(0)).decide(context(waiting)).train_slots == train
    due = replace(DUE, train_waiting_since=NOW - 99 * HOUR)
    assert layer(Says(0)).decide(context(due)).train_slots == 0
    assert layer(Says(0), max_wait=98 * HOUR).decide(context(due)).train_slots == 4


def test_a_policy_that_wants_to_train_during_a_run_decides_itself() -> None:
    started = previous(4, ReasonCode.MAX_WAIT, HOUR)
    decision = layer(Says(4, code=ReasonCode.CLEAN)).decide(context(RUNNING, previous=started))
    assert decision.reason.code is ReasonCode.CLEAN


def test_on_a_grid_that_is_always_dirty_training_takes_turns_with_waiting() -> None:
    """Ten hours of work in epochs of 20 min, waits of 6 h at most, runs of 1 h: 10 waits and 10 runs, 70 h, and no thrash."""
    guarded = layer(Threshold(g_per_kwh=200.0), max_wait=6 * HOUR)
    step = timedelta(minutes=20)
    now, done, starts, waiting_since, last = NOW, 0, 0, NOW, None
    while done < 30:
        decision = guarded.decide(worst_case(now, 1, waiting_since, last, dark=False))
        if decision.train_slots:
            starts += last is None or last.train_slots == 0
            done, waiting_since = done + 1, now + step
        now, last = now + step, decision
    assert starts == 10
    assert now - NOW == timedelta(hours=70)


def test_a_wait_has_no_end_where_there_is_nothing_to_train() -> None:
    idle = replace(BUSY, train_ready=0, train_waiting_since=None)
    max_wait = MaxWait(timedelta(0), HOUR)
    assert max_wait.limit(context(idle), NOW + HOUR) == NOW + HOUR
    assert max_wait.decide(context(idle)) is None


# Flapping


def test_training_that_began_goes_on_until_the_review_of_the_decision_that_let_it() -> None:
    begun = previous(4, ReasonCode.CLEAN, 10 * MINUTE)
    held = layer(Says(1)).decide(context(RUNNING, previous=begun))
    assert slots(held) == (4, 0)
    assert held.reason == Reason(
        ReasonCode.MIN_RUN, "training that has begun goes on until its next review at 12:10 UTC"
    )
    assert held.review_at == NOW + 10 * MINUTE
    due = context(RUNNING, previous=held, now=NOW + 10 * MINUTE)
    assert slots(layer(Says(1)).decide(due)) == (1, 3)


def test_slots_that_begin_to_train_are_not_reviewed_before_their_shortest_run() -> None:
    hasty = layer(Says(4, review=MINUTE), min_run=15 * MINUTE)
    assert hasty.decide(context()).review_at == NOW + 15 * MINUTE
    more = context(RUNNING, previous=previous(2, ReasonCode.CLEAN, timedelta(0)))
    assert hasty.decide(more).review_at == NOW + 15 * MINUTE
    same = context(RUNNING, previous=previous(4, ReasonCode.CLEAN, timedelta(0)))
    assert hasty.decide(same).review_at == NOW + MINUTE


def test_a_decision_to_train_is_reviewed_within_the_hour() -> None:
    assert layer(Says(4, review=24 * HOUR)).decide(context()).review_at == NOW + HOUR
    assert layer(Says(0, review=3 * HOUR)).decide(context()).review_at == NOW + 3 * HOUR


def test_training_that_was_stopped_stays_away_for_its_rest() -> None:
    stopped = layer(Says(0), min_rest=30 * MINUTE).decide(
        context(RUNNING, previous=previous(4, ReasonCode.CLEAN, timedelta(0)))
    )
    assert (stopped.reason.code, stopped.review_at) == (ReasonCode.MIN_RUN, NOW + 30 * MINUTE)
    assert stopped.reason.text == "so be it; once stopped, training stays away for 30 min"
    eager = layer(Says(4), min_rest=30 * MINUTE)
    during = context(BUSY, previous=stopped, now=NOW + 29 * MINUTE)
    assert slots(eager.decide(during)) == (0, 4)
    assert eager.decide(replace(during, now=NOW + 30 * MINUTE)).train_slots == 4


def test_work_that_comes_while_none_was_there_does_not_rest() -> None:
    idle = Decision(0, 4, Reason(ReasonCode.CLEAN, "earlier, but nothing is ready to train"), NOW + 30 * MINUTE)
    assert layer(Says(4), min_rest=HOUR).decide(context(previous=idle)).train_slots == 4


# Deadlines


def test_without_an_estimate_training_is_not_held_back_before_a_deadline() -> None:
    unknown = replace(DUE, training_left=None)
    decision = layer(Says(0)).decide(context(unknown))
    assert (decision.train_slots, decision.reason.code) == (4, ReasonCode.NO_ESTIMATE)
    assert layer(Says(4, code=ReasonCode.CLEAN)).decide(context(unknown)).reason.code is ReasonCode.CLEAN


def test_training_is_held_back_until_what_is_left_would_miss_the_deadline() -> None:
    # 8 h of slot time in 4 slots are 2 h; a margin of 10 % of all of it makes 2.2 h before the deadline in 10 h: 7 h 48 min from now.
    waits = layer(Says(0)).decide(context(DUE))
    assert waits.train_slots == 0
    policy = Says(0, review=9 * HOUR)
    assert layer(policy).decide(context(DUE)).review_at == NOW + 7 * HOUR + 48 * MINUTE
    assert policy.told == NOW + 9 * HOUR + 48 * MINUTE
    runs = layer(Says(0)).decide(context(DUE, now=NOW + 7 * HOUR + 48 * MINUTE))
    assert slots(runs) == (4, 0)
    assert runs.reason == Reason(
        ReasonCode.DEADLINE,
        "2 h of work are left, 2 h 12 min until the deadline and 12 min to be kept free: training is not held back",
    )


def test_a_deadline_that_can_not_be_met_is_told() -> None:
    late = layer(Says(0)).decide(context(DUE, now=NOW + 9 * HOUR))
    assert late.train_slots == 4
    assert (
        late.reason.text
        == "2 h of work are left and 1 h until the deadline, which can hardly be met: training is not held back"
    )


def test_the_time_to_finish_counts_where_it_is_known_and_work_that_is_done_keeps_its_margin() -> None:
    policy = Says(0)
    chained = replace(DUE, time_to_finish=5 * HOUR, training_done=timedelta(hours=32))
    # 5 h, and 10 % of 8 + 32 h in 4 slots, 1 h: from 4 h on; told is what leaves 2 h for 8 h in 4 slots.
    layer(policy).decide(context(chained))
    assert policy.told == NOW + 4 * HOUR + 2 * HOUR
    narrow = replace(DUE, training_width=1)
    assert layer(policy, deadline_margin=0.0).decide(context(narrow)).review_at == NOW + HOUR
    assert policy.told == NOW + 10 * HOUR


def test_training_that_may_not_wait_any_more_goes_on_until_there_is_time_to_spare() -> None:
    pressed = previous(4, ReasonCode.DEADLINE, timedelta(0))
    for spare, code in ((15, ReasonCode.DEADLINE), (16, ReasonCode.DIRTY)):
        now = NOW + 7 * HOUR + 48 * MINUTE - spare * MINUTE
        decision = layer(Says(0)).decide(context(replace(DUE, train_running=4), previous=pressed, now=now))
        assert decision.reason.code is code


@settings(max_examples=60, deadline=None)
@given(
    jobs=st.lists(st.lists(st.integers(2, 90), min_size=1, max_size=5), min_size=1, max_size=8),
    slots=st.integers(1, 4),
    slack=st.integers(0, 2000),
    values=st.lists(st.integers(0, 900), min_size=8, max_size=8),
)
def test_every_deadline_that_a_search_without_pauses_meets_is_met(
    jobs: list[list[int]], slots: int, slack: int, values: list[int]
) -> None:
    """Trainings leave their slots only at the end of an epoch, in minutes; by Graham's bound the slots are never taken to be used better."""
    blind = _finish(None, jobs, slots, math.inf, values)
    deadline = blind + slack
    for policy in (Threshold(g_per_kwh=100.0), SuspendResume()):
        assert _finish(layer(policy, deadline_margin=0.0), jobs, slots, deadline, values) <= deadline


def _finish(
    scheduler: Scheduler | None, jobs: list[list[int]], slots: int, deadline: float, values: list[int]
) -> float:
    """Return the minutes after which all jobs are done; without a scheduler none ever waits."""
    left = [list(job) for job in jobs]
    running: list[tuple[float, int]] = []
    waiting = list(range(len(jobs)))
    now, last = 0.0, None
    grid = hourly(NOW, [float(value) for value in values] * 50)
    while waiting or running:
        allowed, review = slots, math.inf
        if scheduler is not None:
            last = scheduler.decide(_asked(now, slots, left, running, deadline=deadline, last=last, grid=grid))
            allowed, review = last.train_slots, (last.review_at - NOW) / MINUTE
            assert review > now
        while waiting and len(running) < allowed:
            job = waiting.pop(0)
            heapq.heappush(running, (now + left[job][0], job))
        now = min(review, running[0][0]) if running else review
        while running and running[0][0] <= now:
            _, job = heapq.heappop(running)
            left[job].pop(0)
            if left[job]:
                waiting.insert(0, job)
    return now


def _asked(
    now: float,
    slots: int,
    left: list[list[int]],
    running: list[tuple[float, int]],
    *,
    deadline: float,
    last: Decision | None,
    grid: IntensitySeries,
) -> SchedulingContext:
    still = [float(sum(epochs)) for epochs in left]
    for end, job in running:
        still[job] += end - now - left[job][0]
    at = NOW + now * MINUTE
    progress = Progress(
        train_ready=sum(1 for minutes in still if minutes > 0) - len(running),
        score_ready=0,
        train_running=len(running),
        score_running=0,
        train_waiting_since=None,
        started_at=NOW,
        deadline=NOW + deadline * MINUTE,
        training_left=sum(still) * MINUTE,
        time_to_finish=longest_makespan(sum(still) * MINUTE, slots, max(still) * MINUTE),
    )
    return SchedulingContext(at, slots, grid.at(at), grid.before(at), None, (), progress, last)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_wait": -HOUR}, "max_wait can't be negative"),
        ({"wait_run": timedelta(0)}, "wait_run must be above zero"),
        ({"min_run": -HOUR}, "min_run can't be negative"),
        ({"min_rest": -HOUR}, "min_rest can't be negative"),
        ({"deadline_margin": -0.1}, "deadline_margin must be"),
        ({"deadline_margin": math.nan}, "deadline_margin must be"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SafetyLimits(**limits)
