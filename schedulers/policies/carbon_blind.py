"""The baseline: train whenever there is something to train."""

from __future__ import annotations

from datetime import timedelta

from carbon_sources.units import Duration
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import budget_decision, checked_review, grant


class CarbonBlind(Scheduler):
    """As much work as there is, training first, whatever the intensity; budgets are kept all the same.

    Args:
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If `review` is not above zero.
    """

    def __init__(self, *, review: Duration = timedelta(hours=1)) -> None:
        self._review = checked_review(review)

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        reason = Reason(ReasonCode.CARBON_BLIND, "work runs whatever the intensity")
        return grant(context, context.slots, reason, context.now + self._review)
