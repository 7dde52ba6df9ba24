"""What holds whatever a policy decides: nothing waits for ever, nothing flaps, no deadline is missed that could be met."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text
from schedulers.max_wait import MaxWait, has_training
from schedulers.planning import NO_ESTIMATE, usable_width
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import allot, budget_decision, grant

_REVIEW: Final = timedelta(hours=1)
"""A decision to train stands until its review, so none may lie further ahead than this."""
_PATIENCE: Final = timedelta(hours=24)
"""Longest wait where neither the user nor a deadline says anything."""
_SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """What the user asks of any policy.

    Attributes:
        max_wait: Longest time for which training may wait, at least zero; `None` for 24 h without a deadline, and with one for as long as the
            deadline lets it.
        wait_run: How long training goes on once it started because of `max_wait`, above zero.
        min_run: How long training goes on once it was allowed, at least zero.
        min_rest: How long training stays away once it was stopped, at least zero.
        deadline_margin: Time that is kept free before a deadline, as a share, at least 0, of what all trainings take without a pause.

    Raises:
        ValueError: If a limit is out of range.
    """

    max_wait: timedelta | None = None
    wait_run: timedelta = timedelta(hours=1)
    min_run: timedelta = timedelta(minutes=15)
    min_rest: timedelta = timedelta(0)
    deadline_margin: float = 0.1

    def __post_init__(self) -> None:
        MaxWait(self.max_wait or timedelta(0), self.wait_run)
        for name, duration in (("min_run", self.min_run), ("min_rest", self.min_rest)):
            if duration < timedelta(0):
                raise ValueError(f"{name} can't be negative, got {duration}")
        if not (math.isfinite(self.deadline_margin) and self.deadline_margin >= 0):
            raise ValueError(f"deadline_margin must be finite and at least zero, got {self.deadline_margin}")

    def waiting(self, progress: Progress) -> MaxWait | None:
        """Return the promise on waiting, or `None` where only the deadline limits it."""
        if self.max_wait is None and progress.deadline is not None:
            return None
        return MaxWait(_PATIENCE if self.max_wait is None else self.max_wait, self.wait_run)


class SafetyLayer(Scheduler):
    """A policy with limits around it; it keeps the contract of `Scheduler` and adds that training never waits for ever.

    In this order: an exhausted budget ends all work. With a deadline training is not held back while nobody knows how long it takes, nor
    as soon as what is left would miss the deadline if it waited: from then on all slots train. Training that has waited `max_wait` runs for
    `wait_run`. Training that was allowed goes on until the review of that decision, at least `min_run`. For the rest the policy decides; it
    is told of a deadline that lies earlier by the margin, so that plan and layer do not contradict each other.

    A deadline is met if it can be met at all and `Progress.time_to_finish`, or `training_left` shared evenly by the slots where that is
    unknown, is short of the truth by no more than the margin. Searches tell a time that is rather too long: two standard
    deviations above what is expected, or what their user said where that is less. So it is seldom too short, unless trainings take longer than
    their user said, or he said nothing, few have finished and their lengths differ by a multiple. That trainings leave their slots at the end
    of an epoch only does not matter here: it makes them train sooner, never later.

    Args:
        policy: Who decides inside the limits.
        limits: The limits.
    """

    def __init__(self, policy: Scheduler, limits: SafetyLimits) -> None:
        self._policy = policy
        self._limits = limits
        self.uses_forecast = policy.uses_forecast

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, _REVIEW)
        if stopped is not None:
            return stopped
        if context.progress.deadline is None:
            return self._waiting(context, self._policy.decide(context))
        return self._before_deadline(context, context.progress.deadline)

    def _before_deadline(self, context: SchedulingContext, deadline: datetime) -> Decision:
        progress = context.progress
        if progress.training_left is None:
            own = self._policy.decide(context)
            return own if _trains_fully(context, own) else grant(context, context.slots, NO_ESTIMATE, _latest(context))
        width = usable_width(context)
        evenly = progress.training_left / width
        margin = self._limits.deadline_margin * (progress.training_done + progress.training_left) / width
        still = max(progress.time_to_finish or evenly, evenly)
        latest_start = deadline - still - margin
        if self._must_go_on(context, latest_start):
            reason = Reason(ReasonCode.DEADLINE, _pressed_text(still, margin, deadline - context.now))
            return grant(context, context.slots, reason, _latest(context))
        told = replace(context, progress=replace(progress, deadline=latest_start + evenly))
        decision = self._waiting(context, self._policy.decide(told))
        return _reviewed(decision, min(decision.review_at, latest_start))

    def _must_go_on(self, context: SchedulingContext, latest_start: datetime) -> bool:
        """Say whether waiting would miss the deadline; once it would have, training goes on until there is some time to spare again."""
        previous, spare = context.previous, latest_start - context.now
        if previous is not None and previous.reason.code is ReasonCode.DEADLINE:
            return spare <= max(self._limits.min_run, _SHORTEST)
        return spare <= timedelta(0)

    def _waiting(self, context: SchedulingContext, decision: Decision) -> Decision:
        """Return the decision, unless training has waited long enough, began a short while ago, or was stopped a short while ago."""
        kept = self._kept(context, decision)
        waiting = self._limits.waiting(context.progress)
        if waiting is None:
            return kept
        forced = waiting.decide(context)
        if forced is not None and min(decision.train_slots, kept.train_slots) == 0:
            return forced
        return kept if kept.train_slots > 0 else replace(kept, review_at=waiting.limit(context, kept.review_at))

    def _kept(self, context: SchedulingContext, decision: Decision) -> Decision:
        previous = context.previous
        if previous is None:
            return self._begun(context, decision, 0)
        stands = context.now < previous.review_at
        if stands and decision.train_slots < (slots := allot(context, previous.train_slots)[0]):
            return grant(context, slots, _held(previous), previous.review_at)
        resting = previous.train_slots == 0 and previous.reason.code is ReasonCode.MIN_RUN
        if stands and resting and decision.train_slots > 0:
            return grant(context, 0, previous.reason, previous.review_at)
        if previous.train_slots > 0 and decision.train_slots == 0 and has_training(context):
            return self._stopped(context, decision)
        return self._begun(context, decision, previous.train_slots)

    def _begun(self, context: SchedulingContext, decision: Decision, before: int) -> Decision:
        """Return a decision with its review: where slots begin to train not before they trained for `min_run`."""
        if decision.train_slots == 0:
            return decision
        review_at = min(decision.review_at, _latest(context))
        if decision.train_slots > before:
            review_at = max(review_at, context.now + self._limits.min_run)
        return _reviewed(decision, review_at)

    def _stopped(self, context: SchedulingContext, decision: Decision) -> Decision:
        if self._limits.min_rest == timedelta(0):
            return decision
        rest = duration_text(self._limits.min_rest)
        reason = Reason(ReasonCode.MIN_RUN, f"{decision.reason.text}; once stopped, training stays away for {rest}")
        return replace(decision, reason=reason, review_at=context.now + self._limits.min_rest)


def _reviewed(decision: Decision, review_at: datetime) -> Decision:
    """Return the decision with a review; not a copy where it has that already, because years of decisions are simulated."""
    return decision if decision.review_at == review_at else replace(decision, review_at=review_at)


def _latest(context: SchedulingContext) -> datetime:
    return context.now + _REVIEW


def _trains_fully(context: SchedulingContext, decision: Decision) -> bool:
    return decision.train_slots == allot(context, context.slots)[0]


def _pressed_text(still: timedelta, margin: timedelta, time_left: timedelta) -> str:
    needed, left = duration_text(still), duration_text(max(timedelta(0), time_left))
    if still > time_left:
        return f"{needed} of work are left and {left} until the deadline, which can hardly be met: training is not held back"
    return f"{needed} of work are left, {left} until the deadline and {duration_text(margin)} to be kept free: training is not held back"


_HELD: Final = "training that has begun goes on until its next review"


def _held(previous: Decision) -> Reason:
    return Reason(ReasonCode.MIN_RUN, f"{_HELD} at {previous.review_at:%H:%M} UTC")
