"""The stretch of time between two readings: what every meter has to keep of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.clock import monotonic_s
from carbon_sources.interval import Interval, require_utc
from carbonnas.architecture import stable_hash
from carbonnas.energy.meter import Usage
from carbonnas.errors import EnergyMeterError


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time between two readings and the usage that is new in it.

    Attributes:
        reading_id: Id for the reading, unique for ever.
        interval: From the reading before to this one, in the clock of the search.
        usages: Usage that was not counted before, in the order in which it was reported.
    """

    reading_id: str
    interval: Interval
    usages: tuple[Usage, ...]


class Stretches:
    """Cuts the time of a meter into stretches and counts each usage once.

    Reading ids are derived, not drawn: a hash of machine, process, monotonic seconds and instant at `start`, then a counter. Two
    meters share one only if the same process starts them within one tick of the monotonic clock, which `start` rules out by its
    object's own identity.
    """

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._prefix = ""
        self._count = 0
        self._waiting: dict[str, Usage] = {}
        self._counted: dict[str, int] = {}

    def start(self, now: datetime) -> None:
        """Begin at `now`. Raises `EnergyMeterError` if it has begun already."""
        require_utc(now, "now")
        if self._last is not None:
            raise EnergyMeterError("an energy meter can be started only once: make a new one")
        parts = (socket.gethostname(), os.getpid(), id(self), repr(monotonic_s()), now.isoformat())
        self._prefix = f"{stable_hash(*parts):016x}"
        self._last = now

    def require_started(self) -> None:
        """Raise `EnergyMeterError` unless the meter was started."""
        if self._last is None:
            raise EnergyMeterError("the energy meter is not running: start it before the first reading")

    def advance(self, now: datetime, usages: Sequence[Usage]) -> Stretch | None:
        """Return the stretch that ends at `now`, or `None` if no time has passed; its usage then waits for the next one.

        Raises:
            EnergyMeterError: If the meter was not started.
        """
        self.require_started()
        for usage in usages:
            if usage.number > self._counted.get(usage.stream, -1):
                self._waiting.setdefault(usage.usage_id, usage)
        if self._last is None or now <= self._last:
            return None
        self._count += 1
        stretch = Stretch(f"{self._prefix}-{self._count}", Interval(self._last, now), tuple(self._waiting.values()))
        for usage in self._waiting.values():
            self._counted[usage.stream] = max(usage.number, self._counted.get(usage.stream, -1))
        self._waiting = {}
        self._last = now
        return stretch
