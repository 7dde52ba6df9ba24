"""The interface of everything that runs evaluations in slots."""

from __future__ import annotations

import enum
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from carbonnas.energy.meter import Usage
from carbonnas.errors import ExecutionError
from carbonnas.evaluation.evaluator import Evaluation, EvaluationRequest


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one trial.

    Attributes:
        trial: Number of the trial.
        attempt: Attempt, from 1.
        request: What to evaluate.
        checkpoint: Where its state is kept between epochs; the same file for every attempt; `None` if it can't resume.
        timeout: Longest time in a slot before it is killed, in real time.
    """

    trial: int
    attempt: int
    request: EvaluationRequest
    checkpoint: Path | None
    timeout: timedelta


class OutcomeKind(enum.Enum):
    """How a job left its slot."""

    COMPLETED = "completed"
    FAILED = "failed"
    """The evaluation said that it has no result; trying again would give the same."""
    LOST = "lost"
    """The worker died or was killed; trying again may help."""
    TIMED_OUT = "timed_out"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a job's time in its slot.

    Attributes:
        trial: Number of the trial.
        attempt: Attempt that ended.
        kind: How it ended.
        at: When, in the clock of the search.
        evaluation: The result, if completed.
        failure: One sentence, if failed, lost or timed out.
    """

    trial: int
    attempt: int
    kind: OutcomeKind
    at: datetime
    evaluation: Evaluation | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class EpochReport:
    """Progress of a running job, for displays: `epoch` of `epochs` is done."""

    trial: int
    epoch: int
    epochs: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Poll:
    """Everything that happened since the poll before, each list in order of time."""

    outcomes: tuple[Outcome, ...]
    usages: tuple[Usage, ...]
    reports: tuple[EpochReport, ...] = ()


def no_free_slot(job: Job, slots: int) -> ExecutionError:
    """Return the error of a submission when none of the `slots` is free, or the executor is not open."""
    return ExecutionError(f"trial {job.trial} can't start: no slot is free (of {slots}, if the executor is open)")


class Executor(ABC):
    """Runs jobs in a fixed number of slots.

    Protocol: `open` once; `submit` only while `free_slots` is above zero; `poll` collects what happened; `wait` sleeps until
    something did. A job that is submitted gives exactly one outcome. Every moment of a job in a slot is covered by exactly one usage,
    and a usage that ends with the job is in the same poll as its outcome or an earlier one.

    Constructor: services before `*` are `clock: Clock`, `slots: int`, `workbench: Workbench` (what builds the evaluators, picklable),
    `spool: Path` (folder for usage that was not yet polled) and `probe: ProbeFactory | None`; options are keyword-only.
    """

    @abstractmethod
    def open(self) -> None:
        """Start the workers. Raises `ExecutionError` if that fails."""

    @property
    @abstractmethod
    def free_slots(self) -> int:
        """Slots that hold no job."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Start a job in a free slot. Raises `ExecutionError` if there is none."""

    @abstractmethod
    def suspend(self, trial: int, *, at_once: bool = False) -> None:
        """Ask the trial's job to suspend at its next epoch; its outcome tells how it ended. Unknown trials are ignored.

        With `at_once` the job is interrupted now, and what it did since its last checkpoint is lost.
        """

    @abstractmethod
    def poll(self) -> Poll:
        """Return what happened since the poll before, without waiting."""

    @abstractmethod
    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Return when there is something to poll, `until` has come in the clock of the search, or `wake` is set."""

    @abstractmethod
    def recover(self) -> tuple[Usage, ...]:
        """Return the usage that an earlier process of this search spooled and may not have polled; call it before `open`."""

    @abstractmethod
    def acknowledge(self) -> None:
        """Forget the spooled usage that was polled so far: it is safe in the ledger."""

    @property
    def next_at(self) -> datetime | None:
        """When the next job leaves its slot, where that is known beforehand."""
        return None

    def snapshot(self) -> str | None:
        """Return what a later process needs to go on with the jobs in their slots; `None` if they have to be submitted again."""
        return None

    def restore(self, snapshot: str | None) -> frozenset[int]:  # noqa: ARG002 - for those that have snapshots
        """Take over the jobs of a snapshot, after `open`, and return their trials; without one there is nothing to take over."""
        return frozenset()

    @abstractmethod
    def close(self) -> None:
        """Kill what still runs and free everything; idempotent. Nothing can be polled afterwards."""
