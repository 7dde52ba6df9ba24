"""Probes that measure nothing real, for tests of executors."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from carbonnas.energy.meter import ProbeFactory, WorkerProbe
from carbonnas.errors import EnergyMeterError


class Defect(enum.Enum):
    """What is wrong with a probe."""

    NONE = "none"
    DEAD = "dead"
    """Can't be started."""
    ODD = "odd"
    """Gives no value at every third reading."""
    NEGATIVE = "negative"
    """Gives what can't be joules."""


class SteadyProbe(WorkerProbe):
    """Measures 2 J of processor and 1 J of accelerator at each reading.

    Args:
        defect: What is wrong with it.
        closed: File that is made when it is closed, or `None`.
    """

    def __init__(self, defect: Defect, closed: Path | None = None) -> None:
        self._defect = defect
        self._closed = closed
        self._readings = 0

    def start(self) -> None:
        if self._defect is Defect.DEAD:
            raise EnergyMeterError("there is nothing to measure")

    def read(self) -> tuple[float, float]:
        self._readings += 1
        if self._defect is Defect.ODD and self._readings % 3 == 0:
            raise EnergyMeterError("no value")
        return (-2.0 if self._defect is Defect.NEGATIVE else 2.0), 1.0

    def close(self) -> None:
        """Make the file: nothing else is held."""
        if self._closed is not None:
            self._closed.touch()


@dataclass(frozen=True, slots=True)
class SteadyProbes(ProbeFactory):
    """Makes steady probes with this defect, which make this file when they are closed."""

    defect: Defect = Defect.NONE
    closed: Path | None = None

    def __call__(self) -> WorkerProbe:
        return SteadyProbe(self.defect, self.closed)
