"""What policies that plan have in common: how much is to be done by when, and what to do while nothing can be planned."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carbon_sources.units import Duration
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text
from schedulers.outlook import Outlook
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import budget_decision, checked_review, grant

NO_ESTIMATE: Final = Reason(
    ReasonCode.NO_ESTIMATE, "nothing is known yet of how long trainings take: training is not held back"
)
OVERDUE: Final = Reason(
    ReasonCode.NO_ESTIMATE, "what is left has taken longer than trainings were expected to: training is not held back"
)
"""Why training runs although, by the estimate, none is left: how much there still is nobody knows."""
NO_POWERS: Final = Reason(
    ReasonCode.NO_ESTIMATE,
    "nothing is known yet of what trainings draw beside the machine at rest, so that waiting may not pay: training is not held back",
)
NO_OUTLOOK: Final = Reason(ReasonCode.NO_HISTORY, "nothing is known of the hours to come: training is not held back")

_LEAST_W = 1e-6
"""Trainings that draw nothing are taken to draw this."""
_SHORTEST = timedelta(minutes=1)
"""Plans reach at least this far, and are made anew no sooner unless the hour ends."""


@dataclass(frozen=True, slots=True)
class Task:
    """Training that is to be done by some time.

    Attributes:
        width: Slots that can train at the same time, at least 1.
        needed_s: Seconds that it takes, at least zero: on all of them, or longer where trainings wait for each other.
        slot_time_s: Slot seconds that it takes, at least zero.
        until: When it has to be done, UTC; after now.
        stretched: Whether `until` follows from the time that the search may be stretched to, for want of a deadline.
        rest: What the node draws at rest as a share of what trainings draw besides while they run, at least 0; `None` while it is unknown.
    """

    width: int
    needed_s: float
    slot_time_s: float
    until: datetime
    stretched: bool
    rest: float | None

    @classmethod
    def of(cls, context: SchedulingContext, stretch: float) -> Task | None:
        """Return what `context` asks for, or `None` while nothing is known of how long trainings take.

        Without a deadline a search may take `stretch` times as long as its trainings take without a pause, from when it began.
        """
        progress = context.progress
        if progress.training_left is None:
            return None
        width = usable_width(context)
        needed = max(progress.training_left / width, progress.training_chain)
        rest = _rest(progress, progress.training_left / needed if needed else width)
        slot_time_s = progress.training_left.total_seconds()
        if progress.deadline is not None:
            until = max(progress.deadline, context.now + _SHORTEST)
            return cls(width, needed.total_seconds(), slot_time_s, until, stretched=False, rest=rest)
        whole = progress.training_done / width + needed
        until = max(progress.started_at + stretch * whole, context.now + needed, context.now + _SHORTEST)
        return cls(width, needed.total_seconds(), slot_time_s, until, stretched=True, rest=rest)

    def share_within(self, outlook: Outlook, now: datetime) -> float:
        """Return the seconds of work that fall to the time an outlook covers: all if it reaches to the end, else in proportion.

        Of what lies beyond the outlook nothing is known but that it can be used as well.
        """
        return self.needed_s * min(1.0, outlook.covered_s / (self.until - now).total_seconds())

    @property
    def end_text(self) -> str:
        """By when, for people."""
        why = " to which the search may be stretched" if self.stretched else ""
        return f"{self.until:%Y-%m-%d %H:%M} UTC{why}"


def _rest(progress: Progress, width: float) -> float | None:
    if progress.resting_w == 0:
        return 0.0
    if progress.resting_w is None or progress.training_w is None:
        return None
    return progress.resting_w / max(width * progress.training_w, _LEAST_W)


def checked_stretch(stretch: float) -> float:
    """Return `stretch`, how many times as long as without a pause work may take; `ValueError` unless it lies between 1 and 1000."""
    if not 1 <= stretch <= 1000:
        raise ValueError(f"stretch must lie between 1 and 1000, got {stretch}")
    return stretch


def usable_width(context: SchedulingContext) -> int:
    """Return how many slots can train at the same time, at least 1."""
    return max(1, min(context.slots, context.progress.training_width))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a plan gives to training in the present piece of its outlook.

    Attributes:
        slots: Slots that may train, at least 0.
        seconds: For how long, seconds above zero; the plan is made anew after that.
        text: Why, one sentence.
        code: Why, for programs.
    """

    slots: int
    seconds: float
    text: str
    code: ReasonCode = ReasonCode.PLAN


class PlanningPolicy(Scheduler):
    """A policy that plans over the hours to come and plans anew at each review.

    While nothing is known of how long trainings take, or of the hours to come, training is not held back, and the reason says so; the same
    holds where rest counts and what the node draws at rest or trainings besides is unknown.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    uses_forecast = True
    counts_rest = False
    """Whether plans weigh what the node draws at rest, and do not hold training back before that is known."""

    def __init__(self, *, stretch: float = 2.0, review: Duration = timedelta(hours=1)) -> None:
        self._stretch = checked_stretch(stretch)
        self._review = checked_review(review)

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        latest = context.now + self._review
        task = Task.of(context, self._stretch)
        if task is None or task.needed_s == 0:
            return grant(context, context.slots, NO_ESTIMATE if task is None else OVERDUE, latest)
        outlook = self.outlook(context, task.until)
        if not outlook.lengths_s:
            return grant(context, context.slots, NO_OUTLOOK, latest)
        if task.rest is None and self.counts_rest:
            return grant(context, context.slots, NO_POWERS, latest)
        allowance = self.plan(context, task, outlook)
        text = f"{allowance.text} ({outlook.note})" if outlook.note else allowance.text
        seconds = min(max(_SHORTEST.total_seconds(), allowance.seconds), outlook.lengths_s[0])
        review_at = min(latest, context.now + timedelta(seconds=seconds))
        return grant(context, min(allowance.slots, context.slots), Reason(allowance.code, text), review_at)

    def outlook(self, context: SchedulingContext, until: datetime) -> Outlook:
        """Return what is known of the time from now to `until`."""
        return Outlook.of(context, until)

    @abstractmethod
    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        """Return what training gets in the first piece of an outlook that has at least one."""


class RestCountingPolicy(PlanningPolicy):
    """A policy that plans and weighs what the node draws at rest, unless it is told not to.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.
        count_rest: Whether what the node draws at rest until the search ends counts; not if the machine is on anyway.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(self, *, stretch: float = 2.0, review: Duration = timedelta(hours=1), count_rest: bool = True) -> None:
        super().__init__(stretch=stretch, review=review)
        self.counts_rest = count_rest


def whole_slots(slots: float, length_s: float) -> tuple[int, float]:
    """Return whole slots and for how many of `length_s` seconds they train so that they do as much as parts of slots would in all."""
    count = math.ceil(slots - 1e-6)
    return (count, length_s * min(1.0, slots / count)) if count > 0 else (0, length_s)


def seconds_text(seconds: float) -> str:
    """Return seconds of at least zero as a duration for people."""
    return duration_text(timedelta(seconds=max(0.0, seconds)))
