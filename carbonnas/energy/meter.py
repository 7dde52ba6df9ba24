"""Energy: samples, who used them, and the interface of every meter.

Work runs in slots. Each executor reports `Usage`: who used which slot from when to when, with the processor time and, where the
worker carries a probe, the joules that it measured. A meter, one for each node, turns the usage of a stretch of time and what it
measured itself into a `MeterReading`: the measured total and its exact split over the accounts.
"""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval
from carbonnas.evaluation.evaluator import EvaluationRequest


@dataclass(frozen=True, slots=True)
class EnergySample:
    """Energy drawn during an interval, in joules, by component; each is finite and at least zero.

    Raises:
        ValueError: If a component is negative or not finite.
    """

    interval: Interval
    cpu_j: float
    gpu_j: float
    ram_j: float

    def __post_init__(self) -> None:
        for name in ("cpu_j", "gpu_j", "ram_j"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be finite and at least zero, got {value}")

    @property
    def joules(self) -> float:
        """Energy of all components together."""
        return self.cpu_j + self.gpu_j + self.ram_j


class Account(enum.Enum):
    """Who pays for energy."""

    TRIAL = "trial"
    OVERHEAD = "overhead"
    """The search's own work: deciding, proposing, starting workers, writing the ledger."""
    IDLE = "idle"
    """The machine's share that no work asked for."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One account; for a trial its number and the attempt that used the energy."""

    account: Account
    trial: int | None = None
    attempt: int | None = None

    def __post_init__(self) -> None:
        if (self.account is Account.TRIAL) != (self.trial is not None and self.attempt is not None):
            raise ValueError(f"a trial's owner needs trial and attempt, another has neither: {self}")


OVERHEAD = Owner(Account.OVERHEAD)
IDLE = Owner(Account.IDLE)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one slot did during an interval.

    Attributes:
        stream: Who reports, such as one worker; unique for ever.
        number: Place in the stream; numbers of a stream only grow, and a usage that is reported twice is counted once.
        interval: When, in the clock of the search.
        owner: For whom.
        request: What was evaluated, for meters that look energies up; `None` outside trials.
        cpu_seconds: Processor time used by the slot's process, in real seconds.
        probe: What the worker's own probe measured (`ram_j` is 0: memory is charged once for the node); `None` without one.
        inline: Whether the work ran in the search's own process, so that the node's meter has seen it already.
    """

    stream: str
    number: int
    interval: Interval
    owner: Owner
    request: EvaluationRequest | None
    cpu_seconds: float
    probe: EnergySample | None
    inline: bool = False

    @property
    def usage_id(self) -> str:
        """Stream and number: unique for ever."""
        return f"{self.stream}-{self.number}"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The part of a reading that one owner pays for."""

    owner: Owner
    sample: EnergySample


@dataclass(frozen=True, slots=True)
class MeterReading:
    """What a meter measured since the reading before, and for whom.

    Attributes:
        reading_id: Unique for ever.
        measured: Samples as the instruments gave them.
        attributions: The same energy split over the owners; joules sum to those of `measured` to rounding.
    """

    reading_id: str
    measured: tuple[EnergySample, ...]
    attributions: tuple[Attribution, ...]

    @property
    def joules(self) -> float:
        """Measured energy of all samples."""
        return math.fsum(sample.joules for sample in self.measured)


@dataclass(frozen=True, slots=True)
class Measurement:
    """How energy was measured, for the report.

    Attributes:
        meter: Name of the meter.
        method: One sentence: counters (RAPL, NVML), a load model with a stated power, a table, a constant.
        details: Settings and what was found on the machine, such as forced powers, by name.
        caveat: What the figure is worth, in one or two sentences.
        modelled: Whether a model, a table or a constant stands in for the processor's counters.
    """

    meter: str
    method: str
    details: Mapping[str, str]
    caveat: str
    modelled: bool = False


@dataclass(frozen=True, slots=True)
class StatedPowers:
    """Powers that a meter knows before any work, because it charges what was stated; each at least zero, `None` where it does not know.

    Attributes:
        training_w: Watts of a slot while it trains, on top of rest, whatever it trains.
        resting_w: Watts of the node all the time.
        most_w: The most that the node can draw, with all slots at work.
    """

    training_w: float | None = None
    resting_w: float | None = None
    most_w: float | None = None


class WorkerProbe(ABC):
    """Measures the process that it was started in; lives inside a worker."""

    @abstractmethod
    def start(self) -> None:
        """Begin to measure. Raises `EnergyMeterError` if nothing can be measured."""

    @abstractmethod
    def read(self) -> tuple[float, float]:
        """Return the joules of processor and of accelerator since `start` or the reading before."""

    @abstractmethod
    def close(self) -> None:
        """Stop measuring; idempotent."""


class EnergyMeter(ABC):
    """Measures one node for one search.

    Protocol: `start` once; then `read` at least every 5 s of real time, at each change of intensity and at each change of a trial's
    state, with all usage reported since; `close` at the end. Constructor: services before `*` are `slots: int`; options are
    keyword-only.

    `probe` returns what the workers are to carry: a picklable factory without arguments, or `None`.
    """

    @abstractmethod
    def start(self, now: datetime) -> None:
        """Begin to measure at `now`. Raises `EnergyMeterError` if nothing can be measured."""

    @abstractmethod
    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        """Return what was drawn from the reading before until `now`, or `None` if no time has passed.

        Raises:
            EnergyMeterError: If the instrument has stopped giving values.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop measuring; idempotent."""

    @abstractmethod
    def measurement(self) -> Measurement:
        """Say how energy is measured."""

    def stated(self) -> StatedPowers:
        """Return the powers that are known before any work; with them plans and checks of budgets can be made before the first training."""
        return StatedPowers()

    def probe(self) -> ProbeFactory | None:
        """Return the factory of the probes that workers carry, or `None`."""
        return None


class ProbeFactory(ABC):
    """Makes a probe inside a worker; picklable."""

    @abstractmethod
    def __call__(self) -> WorkerProbe:
        """Return a new probe, not yet started."""
