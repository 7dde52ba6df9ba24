"""What a scheduler may know, and what it answers."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from schedulers.budget import BudgetState


class ReasonCode(enum.Enum):
    """Why a decision is what it is; figures and metrics group by it."""

    CARBON_BLIND = "carbon_blind"
    CLEAN = "clean"
    """The grid is clean enough to train."""
    DIRTY = "dirty"
    """The grid is dirty: only cheap work, or rest."""
    PROPORTIONAL = "proportional"
    """Slots are shared in proportion to where the intensity lies in its past range."""
    MAX_WAIT = "max_wait"
    """Training has waited as long as it may."""
    BLIND = "blind"
    """The present intensity is unknown."""
    NO_HISTORY = "no_history"
    """Too little of the past is known to compare with."""
    BUDGET_EXHAUSTED = "budget_exhausted"
    PLAN = "plan"
    """A plan over the hours to come trains now, or keeps training for cleaner hours."""
    PACED = "paced"
    """As much as a budget allows by now."""
    DEADLINE = "deadline"
    """What is left to do would miss the deadline if it waited."""
    MIN_RUN = "min_run"
    """Training that has begun goes on, or stays away, for a while, so that it is not suspended and resumed all the time."""
    NO_ESTIMATE = "no_estimate"
    """Nothing is known yet of how long the work will take, so that nothing can be planned."""
    LEARNED = "learned"
    """A policy that was trained decided."""
    PAUSED = "paused"
    """A person has paused the search, or the daemon is stopping."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, for programs (`code`) and for people (`text`, one sentence with the figures that mattered)."""

    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is, in trials.

    Attributes:
        train_ready: Trainings that could start now, suspended ones included.
        score_ready: Scorings that could start now.
        train_running: Trainings that hold a slot.
        score_running: Scorings that hold a slot.
        train_waiting_since: Since when trainings have been ready while none was allowed to run; `None` if none waits.
        started_at: When the search began, UTC.
        deadline: When it has to end, UTC; `None` for no deadline.
        training_left: Slot time that trainings are expected to need until the search is done, those that were not even proposed included
            and what suspended and running ones have done already left out; at least zero, `None` while nothing is known of it.
        training_width: Trainings that can run at the same time at most, whatever the slots; at least 1.
        training_w: What one more slot that trains is expected to draw in W, overhead of the building included, at least zero; `None` while
            it is unknown.
        resting_w: What the whole node is expected to draw in W whatever its slots do, overhead of the building included, at least zero;
            `None` while it is unknown.
        share_done: Share of the planned trainings that have ended, 0..1.
        training_done: Slot time that trainings have had so far.
        time_to_finish: How long the search still takes if training is never held back, scorings and work that waits for other work
            included, rather too long than too short; `None` if nobody knows, and then the slots are taken to share `training_left` evenly.
        training_chain: How long the trainings that wait for each other are expected to take at least, one after the other, however many slots
            there are; at least zero and no more than `training_left`.
    """

    train_ready: int
    score_ready: int
    train_running: int
    score_running: int
    train_waiting_since: datetime | None
    started_at: datetime
    deadline: datetime | None = None
    training_left: timedelta | None = None
    training_width: int = 1024
    training_w: float | None = None
    resting_w: float | None = None
    share_done: float = 0.0
    training_done: timedelta = timedelta(0)
    time_to_finish: timedelta | None = None
    training_chain: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Decision:
    """How many slots do what until `review_at`.

    Attributes:
        train_slots: Slots for training, at least 0; running trainings beyond it are suspended at their next epoch.
        score_slots: Slots for scoring, at least 0.
        reason: Why.
        review_at: When the scheduler wants to be asked again at the latest, UTC.

    Raises:
        ValueError: If a number of slots is negative.
    """

    train_slots: int
    score_slots: int
    reason: Reason
    review_at: datetime

    def __post_init__(self) -> None:
        if self.train_slots < 0 or self.score_slots < 0:
            raise ValueError(f"slots can't be negative, got {self.train_slots} and {self.score_slots}")


@dataclass(frozen=True, slots=True)
class SchedulingContext:
    """Everything a decision may use; nothing in it comes from after `now` except what a forecast expects.

    Attributes:
        now: The instant of the decision, UTC.
        slots: Slots there are, at least 1.
        intensity: The sample that covers `now`; while it is unknown what the forecast expects of `now`, marked as an estimate, or `None`.
        history: Samples that had ended by `now`, oldest first, with gaps.
        forecast: The newest forecast issued by `now`, if anything can be expected: there while the intensity is unknown, and always if the
            policy has `uses_forecast`.
        budgets: Every budget that applies.
        progress: How far the search is.
        previous: The decision before this one, for hysteresis; `None` at the start.
    """

    now: datetime
    slots: int
    intensity: IntensitySample | None
    history: IntensitySeries
    forecast: Forecast | None
    budgets: tuple[BudgetState, ...]
    progress: Progress
    previous: Decision | None
