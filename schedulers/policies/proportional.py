"""Share the slots in proportion to where the intensity lies in its recent range."""

from __future__ import annotations

import math
from datetime import timedelta

from carbon_sources.units import Duration
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import BLIND, budget_decision, checked_review, grant, next_review
from schedulers.windows import TrailingWindow


class Proportional(Scheduler):
    """The min-max heuristic of CE-NAS.

    Scoring gets the share `(c - min) / (max - min)` of the slots, rounded to whole slots with halves up, training the rest: all of
    them at the cleanest hour of the window, none at the dirtiest. A window in which the intensity never changed gives no hour to
    wait for, so everything trains. Slots that training leaves free score, slots that scoring leaves free rest.

    While less than `min_history` of the past is known, no hour is known to be better than this one and training is not held back;
    while the present intensity is unknown nothing is trained.

    Zhao and Guo 2023, "Carbon-Efficient Neural Architecture Search" (HotCarbon, doi 10.1145/3604930.3605708), allocation by the
    present intensity. Deviation: the range is that of a trailing window and the present sample, never of the future.

    Args:
        window: Length of the trailing window, above zero.
        min_history: How much of the window must be known, above zero and at most the window.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        *,
        window: Duration = timedelta(days=7),
        min_history: Duration = timedelta(days=1),
        review: Duration = timedelta(hours=1),
    ) -> None:
        self._window = TrailingWindow(window, min_history)
        self._review = checked_review(review)

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        most_training, reason = self._judge(context)
        return grant(context, most_training, reason, next_review(context, self._review))

    def _judge(self, context: SchedulingContext) -> tuple[int, Reason]:
        """Return how many slots training may have, and why."""
        if context.intensity is None:
            return 0, BLIND
        trailing = self._window.known(context)
        if trailing is None:
            return context.slots, self._window.no_history
        present = context.intensity.g_per_kwh
        lowest, highest = min(trailing.minimum, present), max(trailing.maximum, present)
        scoring = (present - lowest) / (highest - lowest) if highest > lowest else 0.0
        most_training = context.slots - math.floor(scoring * context.slots + 0.5)
        text = (
            f"{present:.4g} g/kWh in a range of {lowest:.4g} to {highest:.4g}: "
            f"at most {most_training} of {context.slots} slots train"
        )
        return most_training, Reason(ReasonCode.PROPORTIONAL, text)
