"""The interface of everything that evaluates an architecture: training, proxies, tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.space import TaskShape
from carbonnas.trials import Fidelity, TrialKind


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be evaluated and how.

    Attributes:
        architecture: The architecture, valid in the evaluator's space.
        kind: Score or train.
        fidelity: How thoroughly.
        seed: The only source of randomness: same request, same result, to the bit on one machine with one thread.
    """

    architecture: Architecture
    kind: TrialKind
    fidelity: Fidelity
    seed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of a request.

    Attributes:
        metrics: Measured values by name. Accuracies are fractions 0..1 (`val_accuracy`, `test_accuracy` only at fidelity `full`);
            `params` and `macs` are counts; raw proxy scores bear the proxy's name.
        modelled_seconds: For results that come from a table: how long the work would have taken; `None` for real work.
        lacks: Metrics that were wanted and could not be told, and why, one sentence each.
        curve: The learning curve: values after each epoch from the first on, by name; empty for what has no epochs.
    """

    metrics: Mapping[str, float]
    modelled_seconds: float | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    curve: Mapping[str, Sequence[float]] = field(default_factory=dict)


class EvaluationFailedError(Exception):
    """The evaluation has no result (out of memory, not a number, ...); recorded as the trial's failure, never swallowed."""


class SuspendedError(Exception):
    """The evaluation was interrupted at an epoch; its checkpoint has what was done until then."""


class Session(Protocol):
    """What an evaluation sees of the executor that runs it."""

    @property
    def checkpoint(self) -> Path | None:
        """File to keep the state in after each epoch; `None` if the work can't be resumed. It may exist already: go on from it.

        Leave it there at the end: the search removes it once the result is in the store.
        """

    def suspend_requested(self) -> bool:
        """Say whether to stop at the next epoch boundary by saving the checkpoint and raising `SuspendedError`."""

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Tell that `epoch` of `epochs` is done, for progress displays."""


class Evaluator(ABC):
    """Evaluates architectures; lives in one process for many requests, so it may cache its data.

    Constructor: services before `*` are `space: SearchSpace` and `seed: int`; options are keyword-only.
    """

    @property
    def task(self) -> TaskShape | None:
        """What the networks of a search are built for; `None` where no network is built."""
        return None

    @abstractmethod
    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        """Return the result.

        Raises:
            EvaluationFailedError: If the architecture can't be evaluated.
            SuspendedError: If the session asked to suspend; whatever was done is in the checkpoint.
        """
