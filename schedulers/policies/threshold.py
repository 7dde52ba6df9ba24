"""Train while the grid is cleaner than a threshold."""

from __future__ import annotations

import math
from datetime import timedelta

from carbon_sources.units import Duration
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import BLIND, budget_decision, checked_review, grant, next_review
from schedulers.windows import TrailingWindow

_TRAINING = frozenset({ReasonCode.CLEAN, ReasonCode.NO_HISTORY})


class Threshold(Scheduler):
    """Trains while the intensity is at most a threshold, scores while it is above.

    The threshold is a fixed intensity or a percentile of the recent past. While less than `min_history` of the past is known, a
    percentile means nothing: no hour is known to be better than this one, so training is not held back. While the present intensity
    is unknown nothing is trained, because an hour that can't be judged may be the dirtiest of the week.

    Args:
        g_per_kwh: The threshold, in g/kWh, at least zero; either this or `percentile`.
        percentile: The threshold as a percentile, 0..100, of the trailing window, weighted by time.
        window: Length of the trailing window, above zero.
        min_history: How much of the window must be known for a percentile, above zero and at most the window.
        hysteresis: Once the grid was clean, training goes on until the intensity is above the threshold by more than this share, at
            least 0, so that a value that trembles around the threshold does not suspend and resume all the time.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If not exactly one of `g_per_kwh` and `percentile` is given, or an option is out of range.
    """

    def __init__(
        self,
        *,
        g_per_kwh: float | None = None,
        percentile: float | None = None,
        window: Duration = timedelta(days=7),
        min_history: Duration = timedelta(days=1),
        hysteresis: float = 0.05,
        review: Duration = timedelta(hours=1),
    ) -> None:
        if (g_per_kwh is None) == (percentile is None):
            raise ValueError("give either g_per_kwh or percentile, and not both")
        if g_per_kwh is not None and not (math.isfinite(g_per_kwh) and g_per_kwh >= 0):
            raise ValueError(f"g_per_kwh must be finite and at least zero, got {g_per_kwh}")
        if percentile is not None and not 0 <= percentile <= 100:
            raise ValueError(f"percentile must lie between 0 and 100, got {percentile}")
        if not (math.isfinite(hysteresis) and hysteresis >= 0):
            raise ValueError(f"hysteresis must be finite and at least zero, got {hysteresis}")
        self._g_per_kwh = g_per_kwh
        self._percentile = percentile
        self._window = TrailingWindow(window, min_history)
        self._hysteresis = hysteresis
        self._review = checked_review(review)

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        verdict = self._judge(context)
        most_training = context.slots if verdict.code in _TRAINING else 0
        return grant(context, most_training, verdict, next_review(context, self._review))

    def _judge(self, context: SchedulingContext) -> Reason:
        if context.intensity is None:
            return BLIND
        threshold = self._threshold(context)
        if threshold is None:
            return self._window.no_history
        present, name = context.intensity.g_per_kwh, f"the threshold of {threshold:.4g} g/kWh"
        if present <= threshold:
            return Reason(ReasonCode.CLEAN, f"{present:.4g} g/kWh are within {name}")
        was_clean = context.previous is not None and context.previous.reason.code is ReasonCode.CLEAN
        if was_clean and present <= threshold * (1 + self._hysteresis):
            return Reason(ReasonCode.CLEAN, f"{present:.4g} g/kWh are still close to {name}")
        return Reason(ReasonCode.DIRTY, f"{present:.4g} g/kWh are above {name}")

    def _threshold(self, context: SchedulingContext) -> float | None:
        if self._percentile is None:
            return self._g_per_kwh
        trailing = self._window.known(context)
        return None if trailing is None else trailing.percentile(self._percentile)
