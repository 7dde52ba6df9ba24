"""Evaluators that only pretend to work, and the workbenches that make them: for tests of executors and searches, without torch."""

from __future__ import annotations

import enum
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonnas.evaluation.evaluator import (
    Evaluation,
    EvaluationFailedError,
    EvaluationRequest,
    Evaluator,
    Session,
    SuspendedError,
)
from carbonnas.execution.workbench import Workbench
from carbonnas.trials import TrialKind


class Failure(enum.IntEnum):
    """What goes wrong in an evaluation: the first number of its architecture says it."""

    NONE = 0
    FAILS = 1
    """Raises `EvaluationFailedError`."""
    RAISES = 2
    """Raises an error that no evaluator should."""
    HANGS = 3
    """Keeps the processor busy for ever and listens to nobody."""
    EXITS = 4
    """Ends the process with exit code 3."""
    DIES = 5
    """Kills the process."""
    LACKS_MEMORY = 6
    """Raises `MemoryError`."""
    IS_NO_NUMBER = 7
    """Gives a metric that is not a number."""
    PRINTS = 8
    """Prints a word to the standard output."""
    LEAVES_A_CHILD = 9
    """Leaves a process behind that sleeps for ever."""
    HAS_A_CHILD_THAT_RAISES = 10
    """Forks a process that raises an error, and waits for its end."""


@dataclass(frozen=True, slots=True)
class SleepingEvaluator(Evaluator):
    """Sleeps for each epoch, keeps the epochs that are done in its checkpoint, and counts them as its result.

    Attributes:
        epoch_s: Length of an epoch in real seconds.
        modelled: Say that it takes so long, and do not sleep.
    """

    epoch_s: float
    modelled: bool = False

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        failure = Failure(request.architecture[0])
        if failure is Failure.IS_NO_NUMBER:
            return Evaluation({"epochs": math.nan}, modelled_seconds=self.epoch_s)
        _fail(failure)
        epochs, resumed = max(1, request.fidelity.epochs), _read(session.checkpoint)
        if self.modelled:
            return Evaluation({"epochs": float(epochs)}, modelled_seconds=self.epoch_s * epochs)
        for epoch in range(resumed + 1, epochs + 1):
            threading.Event().wait(self.epoch_s)
            session.report(epoch, epochs, {"epoch": float(epoch)})
            if session.checkpoint is not None:
                session.checkpoint.write_text(json.dumps(epoch))
            if epoch < epochs and session.suspend_requested():
                raise SuspendedError
        return Evaluation({"epochs": float(epochs), "resumed_from": float(resumed), "pid": float(os.getpid())})


@dataclass(frozen=True, slots=True)
class CountingWorkbench(Workbench):
    """Makes one sleeping evaluator for both kinds and counts how often.

    Attributes:
        epoch_s: Length of an epoch in seconds.
        modelled: As for the evaluator.
        count: File that grows by one byte each time, or `None`.
    """

    epoch_s: float
    modelled: bool = False
    count: Path | None = None

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        if self.count is not None:
            with self.count.open("a") as file:
                file.write(".")
        evaluator = SleepingEvaluator(self.epoch_s, self.modelled)
        return {TrialKind.SCORE: evaluator, TrialKind.TRAIN: evaluator}


@dataclass(frozen=True, slots=True)
class BrokenWorkbench(Workbench):
    """Can't make its evaluators as long as a file exists."""

    obstacle: Path

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        if self.obstacle.exists():
            raise FileExistsError(f"{self.obstacle.name} is in the way")
        return CountingWorkbench(0.0).evaluators()


class ThreadCounter(Evaluator):
    """Counts the threads that torch would use; imports torch."""

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        import torch

        del request, session
        return Evaluation({"threads": float(torch.get_num_threads())})


@dataclass(frozen=True, slots=True)
class ThreadCountingWorkbench(Workbench):
    """Makes thread counters."""

    def modules(self) -> tuple[str, ...]:
        """Return torch."""
        return ("torch",)

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        return dict.fromkeys(TrialKind, ThreadCounter())


def _fail(failure: Failure) -> None:
    match failure:
        case Failure.FAILS:
            raise EvaluationFailedError("the loss is not a number")
        case Failure.RAISES:
            raise RuntimeError("no evaluator should say this")
        case Failure.HANGS:
            while True:
                pass
        case Failure.EXITS:
            sys.exit(3)
        case Failure.DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        case Failure.LACKS_MEMORY:
            raise MemoryError
        case _:
            _misbehave(failure)


def _misbehave(failure: Failure) -> None:
    """Do what a worker survives."""
    if failure is Failure.PRINTS:
        print("a word of an evaluator")  # noqa: T201 - that is the failure
    elif failure is Failure.LEAVES_A_CHILD:
        if os.fork() == 0:
            while True:
                signal.pause()
    elif failure is Failure.HAS_A_CHILD_THAT_RAISES:
        child = os.fork()
        if child == 0:
            raise RuntimeError("no child should say this")
        os.waitpid(child, 0)


def _read(checkpoint: Path | None) -> int:
    if checkpoint is None or not checkpoint.exists():
        return 0
    return int(json.loads(checkpoint.read_bytes()))
