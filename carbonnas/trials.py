"""Trials: the pieces of work of a search and the states they pass through."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from carbonnas.architecture import Architecture


class TrialKind(enum.Enum):
    """Cheap or expensive work."""

    SCORE = "score"
    TRAIN = "train"


class TrialState(enum.Enum):
    """Where a trial is in its life."""

    QUEUED = "queued"
    """Proposed or promoted; holds no slot yet."""
    RUNNING = "running"
    SUSPENDED = "suspended"
    """Interrupted at an epoch with a checkpoint; goes on from there."""
    COMPLETED = "completed"
    FAILED = "failed"
    """Ended without a result; the failure is recorded and counts as one."""
    CANCELLED = "cancelled"
    """Given up because the search ended first."""

    @property
    def final(self) -> bool:
        """Whether the trial can't change any more."""
        return not _NEXT[self]


_NEXT: dict[TrialState, frozenset[TrialState]] = {
    TrialState.QUEUED: frozenset({TrialState.RUNNING, TrialState.CANCELLED}),
    TrialState.RUNNING: frozenset(
        {TrialState.QUEUED, TrialState.SUSPENDED, TrialState.COMPLETED, TrialState.FAILED, TrialState.CANCELLED}
    ),
    TrialState.SUSPENDED: frozenset({TrialState.RUNNING, TrialState.CANCELLED}),
    TrialState.COMPLETED: frozenset(),
    TrialState.FAILED: frozenset(),
    TrialState.CANCELLED: frozenset(),
}


class FidelityName(enum.StrEnum):
    """What an evaluation is for; the texts are those of the store and of the reports."""

    PROXY = "proxy"
    """Scoring without training."""
    SEARCH = "search"
    """The training that ranks candidates."""
    FULL = "full"
    """The final training, whose test accuracy is reported."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How thoroughly an architecture is evaluated.

    Attributes:
        name: What for.
        epochs: Passes over the training part; 0 for scoring.
    """

    name: FidelityName
    epochs: int

    def __str__(self) -> str:
        return self.name if self.epochs == 0 else f"{self.name} ({self.epochs} epochs)"


PROXY = Fidelity(FidelityName.PROXY, 0)


@dataclass(frozen=True, slots=True)
class Trial:
    """One piece of work of a search.

    Attributes:
        number: Place in the plan of the search, from 0; the same for the same seed however the work was interrupted.
        round: Round of the plan that the trial belongs to, from 0.
        kind: Score or train.
        fidelity: How thoroughly.
        architecture: What is evaluated.
        key: The architecture's canonical text: equal networks have equal keys.
        seed: Seed of the evaluation.
        state: Where the trial is in its life.
        attempt: How often it has been started after a failure of its worker, from 1.
        queued_at: When it entered the plan, UTC.
        started_at: When it first got a slot, UTC.
        ended_at: When it ended, UTC.
        metrics: Measured values by name; accuracies are fractions.
        failure: Why it failed, in one sentence.
        curve: The learning curve: values after each epoch from the first on, by name; empty until it is completed.
    """

    number: int
    round: int
    kind: TrialKind
    fidelity: Fidelity
    architecture: Architecture
    key: str
    seed: int
    queued_at: datetime
    state: TrialState = TrialState.QUEUED
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: str | None = None
    curve: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def to(self, state: TrialState, **changes: object) -> Trial:
        """Return the trial in another state.

        Raises:
            ValueError: If a trial can't pass from its state to `state`.
        """
        if state not in _NEXT[self.state]:
            raise ValueError(f"trial {self.number} can't pass from {self.state.value} to {state.value}")
        return replace(self, state=state, **changes)  # type: ignore[arg-type] # checked by the dataclass's own types
