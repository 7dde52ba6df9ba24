"""What the search's process and its workers say to each other over a pipe; frozen dataclasses, pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from carbon_sources.clock import Clock, monotonic_s
from carbonnas.energy.meter import Owner, ProbeFactory
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.attempt import Verdict
from carbonnas.execution.executor import Job

if TYPE_CHECKING:
    # Workers that get another workbench start faster without the plug-ins that this module knows.
    from carbonnas.execution.workbench import Workbench

_BASE_S = 1000.0
"""Long enough that the microseconds of two instants do not blur the speed that is read off them."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A clock written down: where monotonic seconds lie in its time, for a process that no longer has the clock itself.

    Attributes:
        monotonic: Monotonic seconds at the anchor.
        instant: The clock's instant then, UTC.
        speed: Seconds of the clock per real second.
    """

    monotonic: float
    instant: datetime
    speed: float

    @classmethod
    def of(cls, clock: Clock) -> Anchor:
        """Write down a clock as it is now."""
        monotonic = monotonic_s()
        instant = clock.instant_of(monotonic)
        return cls(monotonic, instant, speed_of(clock))

    def instant_of(self, monotonic: float) -> datetime:
        """Return the instant at which the monotonic clock of the same boot showed `monotonic`."""
        return self.instant + timedelta(seconds=(monotonic - self.monotonic) * self.speed)


def speed_of(clock: Clock) -> float:
    """Return the seconds of a clock per real second."""
    monotonic = monotonic_s()
    return (clock.instant_of(monotonic) - clock.instant_of(monotonic - _BASE_S)).total_seconds() / _BASE_S


@dataclass(frozen=True, slots=True)
class WorkerUsage:
    """A usage as a worker measures it, in monotonic seconds; `Usage` is the same in the time of the search.

    Attributes:
        worker: Unique name of the worker.
        sequence: Number of the usage in the worker's life, from 0, without gaps.
        start: Monotonic seconds at its start, the end of the usage before.
        end: Monotonic seconds at its end.
        owner: Who pays.
        request: What was evaluated; `None` outside trials.
        cpu_seconds: Processor time of the worker and its finished children.
        joules: Of processor and accelerator by the worker's probe; `None` where nothing was measured.
    """

    worker: str
    sequence: int
    start: float
    end: float
    owner: Owner
    request: EvaluationRequest | None
    cpu_seconds: float
    joules: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Setup:
    """First message to a worker.

    Attributes:
        worker: Its unique name.
        workbench: Makes its evaluators.
        probe: Makes its probe, if it carries one.
        spool: Folder where it writes down its usage.
        anchor: The clock of the search.
        usage_interval_s: Longest usage inside a job, in seconds.
    """

    worker: str
    workbench: Workbench
    probe: ProbeFactory | None
    spool: Path
    anchor: Anchor
    usage_interval_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """To a worker: run this job."""

    job: Job


@dataclass(frozen=True, slots=True)
class Suspend:
    """To a worker: suspend this attempt at its next epoch, if it still runs."""

    trial: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: its evaluators are made."""


@dataclass(frozen=True, slots=True)
class Broken:
    """From a worker: its evaluators or its probe can't be made; it ends. `details` is the traceback."""

    failure: str
    details: str


@dataclass(frozen=True, slots=True)
class Used:
    """From a worker: usage, which stands in this segment of its spool already."""

    usage: WorkerUsage
    segment: int


@dataclass(frozen=True, slots=True)
class Started:
    """From a worker: the job that it was sent has begun at these monotonic seconds."""

    monotonic: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """From a worker: `epoch` of `epochs` of its job is done."""

    epoch: int
    epochs: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker: its job ended by itself at these monotonic seconds, and its last usage has been sent."""

    verdict: Verdict
    monotonic: float


FromWorker = Ready | Broken | Used | Started | EpochDone | Ended
