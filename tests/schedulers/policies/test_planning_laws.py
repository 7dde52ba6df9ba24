"""What holds of plans in small simulated searches with perfect forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import Forecast, IntensitySeries
from schedulers.budget import BudgetState, EmissionBudget
from schedulers.decision import Decision, Progress, SchedulingContext
from schedulers.policies.budget_pacing import BudgetPacing
from schedulers.policies.lookahead import Lookahead
from schedulers.policies.lowest_window import LowestWindow
from schedulers.policies.oracle import Oracle
from schedulers.policies.suspend_resume import SuspendResume
from schedulers.policies.threshold import Threshold
from schedulers.safety import SafetyLayer, SafetyLimits
from schedulers.scheduler import Scheduler
from schedulers.testing import NOW, hourly

HOUR = timedelta(hours=1)
WATTS = 1000.0
NO_LIMITS = SafetyLimits(min_run=timedelta(0), deadline_margin=0.0)

grids = st.lists(st.integers(0, 900), min_size=4, max_size=16)


@dataclass(frozen=True)
class Case:
    """A grid of some hours and work of `needed_h` hours in all slots that is due when it ends."""

    values: list[int]
    needed_h: float
    slots: int = 2
    budget_g: float | None = None

    @property
    def series(self) -> IntensitySeries:
        return hourly(NOW, [float(value) for value in self.values])


@dataclass(frozen=True)
class Ran:
    """What became of a case: grams, and the hours that were left at the deadline."""

    grams: float
    left_h: float
    decisions: tuple[Decision, ...]


def run(scheduler: Scheduler, case: Case) -> Ran:
    """Work is divisible and interrupted at no cost; each decision stands until its review."""
    series, now, left_h, grams, decisions = case.series, NOW, case.needed_h, 0.0, []
    end, last = NOW + len(case.values) * HOUR, None
    while now < end and left_h > 1e-9:
        last = scheduler.decide(_context(case, series, now, left_h, grams=grams, last=last))
        decisions.append(last)
        until = min(last.review_at, end)
        if last.train_slots:
            until = min(until, now + left_h * case.slots / last.train_slots * HOUR + timedelta(microseconds=1))
        for sample in series.between(now, until):
            hours = (min(until, sample.interval.end) - max(now, sample.interval.start)) / HOUR
            grams += last.train_slots * hours * WATTS / 1000 * sample.g_per_kwh
            left_h -= last.train_slots * hours / case.slots
        now = until
    return Ran(grams, max(0.0, left_h), tuple(decisions))


def _context(
    case: Case, series: IntensitySeries, now: datetime, left_h: float, *, grams: float, last: Decision | None
) -> SchedulingContext:
    progress = Progress(
        train_ready=case.slots,
        score_ready=0,
        train_running=0,
        score_running=0,
        train_waiting_since=None,
        started_at=NOW,
        deadline=NOW + len(case.values) * HOUR,
        training_left=left_h * case.slots * HOUR,
        training_w=WATTS,
        resting_w=0.0,
    )
    budgets = () if case.budget_g is None else (BudgetState(EmissionBudget(case.budget_g), grams, 0.0),)
    ahead = Forecast(now, series.between(now, NOW + len(case.values) * HOUR))
    return SchedulingContext(now, case.slots, series.at(now), series.before(now), ahead, budgets, progress, last)


def _decisions_alike(one: Scheduler, other: Scheduler, case: Case) -> list[tuple[Decision, Decision]]:
    """Return what two schedulers decide in the situations to which the first one leads."""
    pairs: list[tuple[Decision, Decision]] = []

    class Asked(Scheduler):
        def decide(self, context: SchedulingContext) -> Decision:
            pairs.append((one.decide(context), other.decide(context)))
            return pairs[-1][0]

    run(Asked(), case)
    return pairs


def least_grams(case: Case) -> float:
    """Return what the cleanest hours of the case emit, in g."""
    left_h, grams = case.needed_h, 0.0
    for value in sorted(case.values):
        taken = min(1.0, left_h)
        grams += taken * value * case.slots * WATTS / 1000
        left_h -= taken
    return grams


@st.composite
def cases(draw: st.DrawFn) -> Case:
    values = draw(grids)
    return Case(values, draw(st.integers(1, 4 * len(values))) / 4, draw(st.integers(1, 3)))


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_the_clairvoyant_plan_is_never_beaten(case: Case) -> None:
    clairvoyant = run(Oracle(case.series), case)
    assert clairvoyant.left_h == pytest.approx(0, abs=1e-6)
    assert clairvoyant.grams == pytest.approx(least_grams(case), abs=0.1)
    for other in (LowestWindow(), SafetyLayer(Threshold(g_per_kwh=300.0), NO_LIMITS)):
        ran = run(other, case)
        assert ran.left_h > 1e-6 or ran.grams >= clairvoyant.grams - 0.1


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_with_a_perfect_forecast_suspending_and_resuming_is_clairvoyant(case: Case) -> None:
    ours, clairvoyant = run(SuspendResume(), case), run(Oracle(case.series), case)
    plain = [(decision.train_slots, decision.review_at) for decision in ours.decisions]
    assert plain == [(decision.train_slots, decision.review_at) for decision in clairvoyant.decisions]


@settings(max_examples=20, deadline=None)
@given(case=cases())
def test_with_a_perfect_forecast_and_free_switches_the_linear_program_is_clairvoyant(case: Case) -> None:
    ran = run(Lookahead(switch_cost=timedelta(0), min_run=timedelta(0)), case)
    assert ran.left_h == pytest.approx(0, abs=1e-3)
    assert ran.grams == pytest.approx(least_grams(case), rel=1e-4, abs=1.0)


@settings(max_examples=20, deadline=None)
@given(case=cases())
def test_with_one_slot_and_free_switches_the_linear_program_suspends_and_resumes(case: Case) -> None:
    free = Lookahead(switch_cost=timedelta(0), min_run=timedelta(0))
    for one, other in _decisions_alike(SuspendResume(), free, replace(case, slots=1)):
        assert one.train_slots == other.train_slots
        assert abs(one.review_at - other.review_at) <= timedelta(milliseconds=1)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_a_window_is_one_stretch_and_no_full_hour_begins_a_better_one(case: Case) -> None:
    ran = run(LowestWindow(), case)
    trains = [decision.train_slots > 0 for decision in ran.decisions]
    assert sorted(trains) == trains
    assert ran.left_h == pytest.approx(0, abs=1e-6)
    if case.needed_h == int(case.needed_h):
        hours = int(case.needed_h)
        sums = [sum(case.values[i : i + hours]) for i in range(len(case.values) - hours + 1)]
        assert ran.grams == pytest.approx(min(sums) * case.slots * WATTS / 1000, abs=0.1)


@settings(max_examples=30, deadline=None)
@given(case=cases(), share=st.floats(0.05, 1.5))
@example(case=Case([0, 0, 61, 60], 0.25), share=0.75)
def test_a_paced_budget_is_never_exceeded_and_all_but_used_up_where_there_is_work(case: Case, share: float) -> None:
    values = [value + 1 for value in case.values]  # what is spent to the last gram ends work at no intensity as well
    all_g = sum(values) * case.slots * WATTS / 1000
    paced = Case(values, 1000.0, case.slots, share * all_g)
    assert paced.budget_g is not None
    ran = run(BudgetPacing(), paced)
    assert ran.grams <= paced.budget_g + 1e-5
    minute_g = max(values) * WATTS / 1000 / 60  # what one slot would spend in less than a minute is left over
    # A millionth of a slot, which is taken for nothing, may be left of each hour.
    rounded_g = 1e-6 * len(values) * case.slots * max(values) * WATTS / 1000
    assert ran.grams >= min(paced.budget_g, all_g) - minute_g - rounded_g - 1e-5
    # No way to spend as much does more work: the cleanest hours come first.
    done_h, left_g = 0.0, paced.budget_g
    for value in sorted(values):
        fits = min(1.0, left_g / (value * case.slots * WATTS / 1000))
        done_h, left_g = done_h + fits, left_g - fits * value * case.slots * WATTS / 1000
    assert paced.needed_h - ran.left_h == pytest.approx(done_h, abs=1 / 60 + 1e-5)


@settings(max_examples=15, deadline=None)
@given(case=cases(), share=st.floats(0.3, 1.5))
def test_the_linear_program_never_plans_beyond_a_budget(case: Case, share: float) -> None:
    limited = Case(case.values, case.needed_h, case.slots, share * least_grams(case) + 1.0)
    assert limited.budget_g is not None
    ran = run(Lookahead(switch_cost=timedelta(0), min_run=timedelta(0)), limited)
    # Decisions are made anew after a minute at the soonest.
    assert ran.grams <= limited.budget_g * (1 + 1e-4) + max(case.values) / 60 + 0.1
    assert share < 1 or ran.left_h == pytest.approx(0, abs=1e-2)


@settings(max_examples=15, deadline=None)
@given(case=cases())
def test_every_policy_in_its_layer_meets_a_deadline_that_can_be_met(case: Case) -> None:
    for policy in (SuspendResume(), LowestWindow(), Lookahead(), BudgetPacing(), Threshold(g_per_kwh=100.0)):
        assert run(SafetyLayer(policy, NO_LIMITS), case).left_h == pytest.approx(0, abs=1e-6)
