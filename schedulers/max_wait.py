"""How long training may wait, and how long it runs once it waited long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text
from schedulers.slot_allocation import grant, next_review


@dataclass(frozen=True, slots=True)
class MaxWait:
    """The promise that training never waits for ever.

    Training that waited `longest` runs for `min_run` whatever the intensity. Without the second part it would start, be suspended
    at the next look at the grid, and wait again: all start-up and no progress. So on a grid that is always dirty training still gets
    `min_run` out of every `longest + min_run`.

    Attributes:
        longest: Longest time for which training may wait, at least zero; users write it as `max_wait`.
        min_run: How long training then goes on, above zero.

    Raises:
        ValueError: If a duration is out of range.
    """

    longest: timedelta
    min_run: timedelta

    def __post_init__(self) -> None:
        if self.longest < timedelta(0):
            raise ValueError(f"max_wait can't be negative, got {self.longest}")
        if self.min_run <= timedelta(0):
            raise ValueError(f"min_run must be above zero, got {self.min_run}")

    def answer(self, context: SchedulingContext, most_training: int, reason: Reason, review: timedelta) -> Decision:
        """Return the decision to train in at most `most_training` slots; at zero training waits, unless it has waited enough.

        Args:
            context: What is decided about.
            most_training: Slots that training may take, at least 0.
            reason: Why not more and not fewer.
            review: Longest time until the next decision, above zero.
        """
        review_at = next_review(context, review)
        if most_training > 0:
            return grant(context, most_training, reason, review_at)
        return self.decide(context) or grant(context, 0, reason, self.limit(context, review_at))

    def decide(self, context: SchedulingContext) -> Decision | None:
        """Return the decision to train because training waited long enough, or `None` where it may still wait.

        A run is remembered by `context.previous` alone: its review time is the end of the run.
        """
        previous = context.previous
        if previous is not None and previous.reason.code is ReasonCode.MAX_WAIT and context.now < previous.review_at:
            return grant(context, context.slots, previous.reason, previous.review_at)
        if not _has_training(context) or self._runs_out(context) > context.now:
            return None
        since = context.progress.train_waiting_since or context.now
        waited, longest = duration_text(context.now - since), duration_text(self.longest)
        text = f"training has waited {waited} of at most {longest}: it runs for {duration_text(self.min_run)}"
        return grant(context, context.slots, Reason(ReasonCode.MAX_WAIT, text), context.now + self.min_run)

    def limit(self, context: SchedulingContext, review_at: datetime) -> datetime:
        """Return `review_at`, or the instant at which the wait has to end if that is sooner."""
        return min(review_at, self._runs_out(context)) if _has_training(context) else review_at

    def _runs_out(self, context: SchedulingContext) -> datetime:
        return (context.progress.train_waiting_since or context.now) + self.longest


def _has_training(context: SchedulingContext) -> bool:
    return context.progress.train_ready + context.progress.train_running > 0
