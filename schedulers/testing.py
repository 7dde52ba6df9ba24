# ruff: noqa: S101 - a suite for pytest asserts
"""The conformance suite of scheduling policies; it needs pytest and hypothesis, which are no dependencies of the package.

class TestMyPolicy(SchedulerConformance):
    def make(self) -> Scheduler:
        return MyPolicy(percentile=40)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval, full_hour
from schedulers.budget import AtLimit, BudgetState, EmissionBudget, Window
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.safety import SafetyLayer, SafetyLimits
from schedulers.scheduler import Scheduler

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
"""The instant around which generated contexts lie."""


def sample(start: datetime, length: timedelta, g_per_kwh: float) -> IntensitySample:
    """Return a measured sample of an invented zone."""
    interval = Interval(start, start + length)
    return IntensitySample(
        interval, g_per_kwh, "ZONE", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "test"
    )


def hourly(start: datetime, values: list[float]) -> IntensitySeries:
    """Return a series of one sample per hour, without gaps."""
    hour = timedelta(hours=1)
    return IntensitySeries(tuple(sample(start + i * hour, hour, value) for i, value in enumerate(values)))


_pieces = st.tuples(st.sampled_from((5, 60, 360, 720)), st.sampled_from((0, 0, 90)), st.integers(0, 800))


@st.composite
def series(draw: st.DrawFn, until: datetime) -> IntensitySeries:
    """Draw up to 12 samples of 5 min to 12 h, with gaps, whose last one ends at `until`."""
    samples: list[IntensitySample] = []
    end = until
    for minutes, gap_minutes, g_per_kwh in draw(st.lists(_pieces, max_size=12)):
        length = timedelta(minutes=minutes)
        samples.append(sample(end - length, length, g_per_kwh))
        end -= length + timedelta(minutes=gap_minutes)
    return IntensitySeries(tuple(reversed(samples)))


@st.composite
def progresses(draw: st.DrawFn, now: datetime) -> Progress:
    """Draw how far a search is; training waits only if some is ready and none runs."""
    ready, running = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    waited = timedelta(minutes=draw(st.integers(0, 5000))) if ready and not running else None
    return Progress(
        train_ready=ready,
        score_ready=draw(st.integers(0, 9)),
        train_running=running,
        score_running=draw(st.integers(0, 9)),
        train_waiting_since=None if waited is None else now - waited,
        started_at=now - timedelta(days=10),
        deadline=draw(st.none() | st.integers(-60, 6000).map(lambda minutes: now + timedelta(minutes=minutes))),
        training_left=draw(st.none() | st.integers(0, 9000).map(lambda minutes: timedelta(minutes=minutes))),
        training_width=draw(st.integers(1, 9)),
        training_w=draw(st.none() | st.sampled_from((0.0, 300.0))),
        resting_w=draw(st.none() | st.sampled_from((0.0, 50.0))),
        training_done=timedelta(minutes=draw(st.integers(0, 9000))),
        time_to_finish=draw(st.none() | st.integers(0, 9000).map(lambda minutes: timedelta(minutes=minutes))),
    )


@st.composite
def forecasts(draw: st.DrawFn, start: datetime) -> Forecast:
    """Draw a forecast of up to 12 hours from `start` on, with or without quantiles."""
    values = [float(value) for value in draw(st.lists(st.integers(0, 800), max_size=12))]
    levels = draw(st.sampled_from(((), (0.5, 0.9))))
    quantiles = tuple((value, value + 100.0) for value in values) if levels else ()
    return Forecast(start, hourly(start, values), levels, quantiles)


@st.composite
def budget_states(draw: st.DrawFn, now: datetime) -> BudgetState:
    """Draw a budget of 100 g anywhere between untouched and overshot."""
    budget = EmissionBudget(100.0, draw(st.sampled_from(Window)), draw(st.sampled_from(AtLimit)))
    spent = draw(st.sampled_from((0.0, 50.0, 99.9, 100.0, 120.0)))
    return BudgetState(budget, spent, draw(st.sampled_from((0.0, 30.0))), budget.window_at(now))


@st.composite
def previous_decisions(draw: st.DrawFn, now: datetime) -> Decision | None:
    """Draw a decision made before `now` whose review may be due or not, or none."""
    if draw(st.booleans()):
        return None
    reason = Reason(draw(st.sampled_from(ReasonCode)), "drawn")
    review_at = now + timedelta(minutes=draw(st.integers(-30, 90)))
    return Decision(draw(st.integers(0, 3)), draw(st.integers(0, 3)), reason, review_at)


@st.composite
def contexts(draw: st.DrawFn) -> SchedulingContext:
    """Draw anything that a scheduler may be asked."""
    now = NOW + timedelta(minutes=draw(st.integers(0, 600)))
    start = now - timedelta(minutes=draw(st.integers(0, 59)))
    present = sample(start, timedelta(hours=1), draw(st.integers(0, 800)))
    return SchedulingContext(
        now=now,
        slots=draw(st.integers(1, 8)),
        intensity=draw(st.none() | st.just(present)),
        history=draw(series(start)),
        forecast=draw(st.none() | forecasts(draw(st.sampled_from((start, start + timedelta(hours=1)))))),
        budgets=tuple(draw(st.lists(budget_states(now), max_size=2))),
        progress=draw(progresses(now)),
        previous=draw(previous_decisions(now)),
    )


_MAX_WAIT = timedelta(hours=6)

_any_context: Callable[[Any], Any] = given(context=contexts())
# Each subclass runs the same methods, which is what a conformance suite is for.
_laws = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.differing_executors])


class SchedulerConformance(ABC):
    """The laws of `Scheduler`, of a policy alone and inside its safety layer; subclass it in a test module and say how the policy is made."""

    @abstractmethod
    def make(self) -> Scheduler:
        """Return a new policy, each time with the same options."""

    def inside_limits(self) -> Scheduler:
        """Return a new policy as a search runs it."""
        return SafetyLayer(self.make(), SafetyLimits(max_wait=_MAX_WAIT, min_rest=timedelta(minutes=10)))

    @_laws
    @_any_context
    def test_slots_are_never_exceeded(self, context: SchedulingContext) -> None:
        for scheduler in (self.make(), self.inside_limits()):
            decision = scheduler.decide(context)
            assert decision.train_slots + decision.score_slots <= context.slots

    @_laws
    @_any_context
    def test_work_that_is_not_there_gets_no_slots(self, context: SchedulingContext) -> None:
        progress = context.progress
        for scheduler in (self.make(), self.inside_limits()):
            decision = scheduler.decide(context)
            assert decision.train_slots <= progress.train_ready + progress.train_running
            assert decision.score_slots <= progress.score_ready + progress.score_running

    @_laws
    @_any_context
    def test_the_next_review_lies_in_the_future_and_a_reason_is_given(self, context: SchedulingContext) -> None:
        for scheduler in (self.make(), self.inside_limits()):
            decision = scheduler.decide(context)
            assert decision.review_at > context.now
            assert decision.reason.text

    @_laws
    @_any_context
    def test_the_same_context_gives_the_same_decision(self, context: SchedulingContext) -> None:
        scheduler = self.make()
        assert scheduler.decide(context) == scheduler.decide(context) == self.make().decide(context)

    @_laws
    @given(context=contexts(), later=contexts(), level=st.integers(0, 800))
    def test_what_becomes_of_the_grid_later_changes_nothing(
        self, context: SchedulingContext, later: SchedulingContext, level: int
    ) -> None:
        """Neither a look at the future in an earlier call nor samples that have not ended yet may be used."""
        scheduler = self.make()
        scheduler.decide(replace(later, now=later.now + timedelta(days=30)))
        future = hourly(context.now + timedelta(hours=1), [float(level)] * 24)
        told_too_much = replace(context, history=IntensitySeries((*context.history, *future)))
        assert scheduler.decide(told_too_much) == self.make().decide(context)

    @_laws
    @_any_context
    def test_an_exhausted_budget_ends_all_work(self, context: SchedulingContext) -> None:
        for scheduler in (self.make(), self.inside_limits()):
            decision = scheduler.decide(context)
            if any(state.exhausted for state in context.budgets):
                assert (decision.train_slots, decision.score_slots) == (0, 0)
                assert decision.reason.code is ReasonCode.BUDGET_EXHAUSTED

    @_laws
    @_any_context
    def test_training_never_waits_longer_than_it_may(self, context: SchedulingContext) -> None:
        if any(state.exhausted for state in context.budgets) or not context.progress.train_ready:
            return
        decision = self.inside_limits().decide(context)
        wait_ends = (context.progress.train_waiting_since or context.now) + _MAX_WAIT
        assert decision.train_slots > 0 or context.now < wait_ends
        assert decision.train_slots > 0 or decision.review_at <= wait_ends

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(epochs=st.integers(1, 12), slots=st.integers(1, 3), dark=st.booleans())
    def test_all_training_ends_in_bounded_time_on_the_worst_grid(self, epochs: int, slots: int, *, dark: bool) -> None:
        """Each epoch of 20 min may be preceded by one wait at most, on a grid that is always dirty or unknown."""
        epoch = timedelta(minutes=20)
        left, now, waiting_since, previous = epochs, NOW, NOW, None
        while left:
            context = worst_case(now, slots, waiting_since, previous, dark=dark)
            previous = self.inside_limits().decide(context)
            if previous.train_slots:
                left, now = left - 1, now + epoch
                waiting_since = now
            else:
                now = previous.review_at
            assert now - NOW <= epochs * (_MAX_WAIT + epoch)


def worst_case(
    now: datetime, slots: int, waiting_since: datetime, previous: Decision | None, *, dark: bool
) -> SchedulingContext:
    """Return a context in which no hour of two days was dirtier than the present one, or its intensity is unknown (`dark`)."""
    hour = full_hour(now)
    return SchedulingContext(
        now=now,
        slots=slots,
        intensity=None if dark else sample(hour, timedelta(hours=1), 900.0),
        history=hourly(hour - timedelta(hours=48), [100.0] * 48),
        forecast=None,
        budgets=(),
        progress=Progress(1, 0, 0, 0, waiting_since, NOW - timedelta(days=1), training_left=timedelta(hours=3)),
        previous=previous,
    )
