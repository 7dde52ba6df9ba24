"""Share the slots in proportion to where the intensity lies in its recent range."""

from __future__ import annotations

import math
from datetime import timedelta

from carbon_sources.intensity import IntensitySample
from carbon_sources.units import Duration
from schedulers.allotment import allot, budget_decision, next_review, score_only, train_first
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.patience import Patience
from schedulers.scheduler import Scheduler
from schedulers.windows import Trailing


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
        max_wait: Longest time for which training may wait without a slot; there is no good default, it depends on the user.
        window: Length of the trailing window, above zero.
        min_history: How much of the window must be known, above zero and at most the window.
        min_run: How long training goes on once it started because of `max_wait`, above zero.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        *,
        max_wait: Duration,
        window: Duration = timedelta(days=7),
        min_history: Duration = timedelta(days=1),
        min_run: Duration = timedelta(hours=1),
        review: Duration = timedelta(hours=1),
    ) -> None:
        if not timedelta(0) < min_history <= window:
            raise ValueError(f"min_history must be above zero and at most the window of {window}, got {min_history}")
        if review <= timedelta(0):
            raise ValueError(f"review must be above zero, got {review}")
        self._window = window
        self._min_history = min_history
        self._patience = Patience(max_wait, min_run)
        self._review = review

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        if context.intensity is None:
            text = "the present intensity is unknown: nothing is trained until it is known"
            return self._hold(context, Reason(ReasonCode.BLIND, text))
        trailing = Trailing.of(context.history, context.now, self._window)
        if trailing.covered < self._min_history:
            text = f"less than {self._min_history} of the past is known: training is not held back"
            reason = Reason(ReasonCode.NO_HISTORY, text)
            return Decision(*train_first(context), reason, next_review(context, self._review))
        return self._share(context, context.intensity, trailing)

    def _share(self, context: SchedulingContext, present: IntensitySample, trailing: Trailing) -> Decision:
        lowest = min(trailing.minimum, present.g_per_kwh)
        highest = max(trailing.maximum, present.g_per_kwh)
        scoring = (present.g_per_kwh - lowest) / (highest - lowest) if highest > lowest else 0.0
        most_training = context.slots - math.floor(scoring * context.slots + 0.5)
        text = (
            f"{present.g_per_kwh:.4g} g/kWh in a range of {lowest:.4g} to {highest:.4g}: "
            f"at most {most_training} of {context.slots} slots train"
        )
        reason = Reason(ReasonCode.PROPORTIONAL, text)
        if most_training == 0:
            return self._hold(context, reason)
        return Decision(*allot(context, most_training), reason, next_review(context, self._review))

    def _hold(self, context: SchedulingContext, reason: Reason) -> Decision:
        overdue = self._patience.decide(context)
        if overdue is not None:
            return overdue
        review_at = self._patience.limit(context, next_review(context, self._review))
        return Decision(*score_only(context), reason, review_at)
