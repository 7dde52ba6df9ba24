"""The baseline: train whenever there is something to train."""

from __future__ import annotations

from datetime import timedelta

from carbon_sources.units import Duration
from schedulers.allotment import budget_decision, train_first
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.scheduler import Scheduler


class CarbonBlind(Scheduler):
    """As much work as there is, training first, whatever the intensity; budgets are kept all the same.

    Args:
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If `review` is not above zero.
    """

    def __init__(self, *, review: Duration = timedelta(hours=1)) -> None:
        if review <= timedelta(0):
            raise ValueError(f"review must be above zero, got {review}")
        self._review = review

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        reason = Reason(ReasonCode.CARBON_BLIND, "work runs whatever the intensity")
        return Decision(*train_first(context), reason, context.now + self._review)
