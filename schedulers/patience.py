"""How long training may wait, and how long it runs once it waited long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schedulers.allotment import train_first
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext


@dataclass(frozen=True, slots=True)
class Patience:
    """The promise that training never waits for ever.

    Training that waited `max_wait` runs for `min_run` whatever the intensity. Without the second part it would start, be suspended
    at the next look at the grid, and wait again: all start-up and no progress. So on a grid that is always dirty training still gets
    `min_run` out of every `max_wait + min_run`.

    Attributes:
        max_wait: Longest time for which training may wait, at least zero.
        min_run: How long training then goes on, above zero.

    Raises:
        ValueError: If a duration is out of range.
    """

    max_wait: timedelta
    min_run: timedelta

    def __post_init__(self) -> None:
        if self.max_wait < timedelta(0):
            raise ValueError(f"max_wait can't be negative, got {self.max_wait}")
        if self.min_run <= timedelta(0):
            raise ValueError(f"min_run must be above zero, got {self.min_run}")

    def decide(self, context: SchedulingContext) -> Decision | None:
        """Return the decision to train because training waited long enough, or `None` where it may still wait.

        A run is remembered by `context.previous` alone: its review time is the end of the run.
        """
        previous = context.previous
        if previous is not None and previous.reason.code is ReasonCode.MAX_WAIT and context.now < previous.review_at:
            return Decision(*train_first(context), previous.reason, previous.review_at)
        if not _has_training(context) or self._runs_out(context) > context.now:
            return None
        since = context.progress.train_waiting_since or context.now
        waited = timedelta(minutes=round((context.now - since) / timedelta(minutes=1)))
        text = f"training has waited {waited} of at most {self.max_wait} (h:mm:ss): it runs for {self.min_run}"
        return Decision(*train_first(context), Reason(ReasonCode.MAX_WAIT, text), context.now + self.min_run)

    def limit(self, context: SchedulingContext, review_at: datetime) -> datetime:
        """Return `review_at`, or the instant at which patience runs out if that is sooner."""
        return min(review_at, self._runs_out(context)) if _has_training(context) else review_at

    def _runs_out(self, context: SchedulingContext) -> datetime:
        return (context.progress.train_waiting_since or context.now) + self.max_wait


def _has_training(context: SchedulingContext) -> bool:
    return context.progress.train_ready + context.progress.train_running > 0
