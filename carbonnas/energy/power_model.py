"""What meters share that know a power for each usage instead of measuring."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime

from carbonnas.energy.meter import IDLE, Attribution, EnergyMeter, EnergySample, MeterReading, Usage
from carbonnas.energy.reading_window import ReadingWindows
from carbonnas.energy.split import merge
from carbonnas.errors import EnergyMeterError


def checked_watts(value: float, name: str) -> float:
    """Return a power; `ValueError` unless it is finite and at least zero."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be finite and at least zero, got {value} W")
    return value


class PowerModelMeter(EnergyMeter):
    """Charges each usage its power times its time in the clock of the search, and idle power times the node's time.

    Everything is booked as processor energy. Nothing but the readings' ids depends on the machine or on real time.

    Args:
        idle_w: What the node draws all the time, in watts.
    """

    def __init__(self, idle_w: float) -> None:
        self._idle_w = checked_watts(idle_w, "idle")
        self._windows = ReadingWindows()
        self._closed = False

    @abstractmethod
    def watts(self, usage: Usage) -> float:
        """Return the power of a usage on top of the idle power.

        Raises:
            EnergyMeterError: If it is not known.
        """

    def start(self, now: datetime) -> None:
        self._windows.start(now)

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        if self._closed:
            raise EnergyMeterError("the energy meter was closed")
        window = self._windows.advance(now, usages)
        if window is None:
            return None
        attributions = [
            Attribution(usage.owner, EnergySample(usage.interval, self.watts(usage) * usage.interval.seconds, 0.0, 0.0))
            for usage in window.usages
        ]
        idle_j = self._idle_w * window.interval.seconds
        attributions.append(Attribution(IDLE, EnergySample(window.interval, idle_j, 0.0, 0.0)))
        return MeterReading(
            window.reading_id,
            measured=tuple(attribution.sample for attribution in attributions),
            attributions=merge(attributions),
        )

    def close(self) -> None:
        self._closed = True
