"""How long training may wait, and how long it runs once it waited long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text
from schedulers.slot_allocation import grant


@dataclass(frozen=True, slots=True)
class MaxWait:
    """The promise that training never waits for ever.

    Training that waited `longest` runs for `run` whatever the intensity. Without the second part it would start, be suspended
    at the next look at the grid, and wait again: all start-up and no progress. So on a grid that is always dirty training still gets
    `run` out of every `longest + run`.

    Attributes:
        longest: Longest time for which training may wait, at least zero; users write it as `max_wait`.
        run: How long training then goes on, above zero; users write it as `wait_run`.

    Raises:
        ValueError: If a duration is out of range.
    """

    longest: timedelta
    run: timedelta

    def __post_init__(self) -> None:
        if self.longest < timedelta(0):
            raise ValueError(f"max_wait can't be negative, got {self.longest}")
        if self.run <= timedelta(0):
            raise ValueError(f"wait_run must be above zero, got {self.run}")

    def decide(self, context: SchedulingContext) -> Decision | None:
        """Return the decision to train because training waited long enough, or `None` where it may still wait.

        A run is remembered by `context.previous` alone: its review time is the end of the run.
        """
        previous = context.previous
        if previous is not None and previous.reason.code is ReasonCode.MAX_WAIT and context.now < previous.review_at:
            return grant(context, context.slots, previous.reason, previous.review_at)
        if not has_training(context) or self._runs_out(context) > context.now:
            return None
        since = context.progress.train_waiting_since or context.now
        waited, longest = duration_text(context.now - since), duration_text(self.longest)
        text = f"training has waited {waited} of at most {longest}: it runs for {duration_text(self.run)}"
        return grant(context, context.slots, Reason(ReasonCode.MAX_WAIT, text), context.now + self.run)

    def limit(self, context: SchedulingContext, review_at: datetime) -> datetime:
        """Return `review_at`, or the instant at which the wait has to end if that is sooner."""
        return min(review_at, self._runs_out(context)) if has_training(context) else review_at

    def _runs_out(self, context: SchedulingContext) -> datetime:
        return (context.progress.train_waiting_since or context.now) + self.longest


def has_training(context: SchedulingContext) -> bool:
    """Say whether anything runs or could run that trains."""
    return context.progress.train_ready + context.progress.train_running > 0
