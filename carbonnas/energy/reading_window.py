"""The window of time between two readings: what every meter has to keep of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval, require_utc
from carbonnas.energy.meter import Usage
from carbonnas.errors import EnergyMeterError


@dataclass(frozen=True, slots=True)
class ReadingWindow:
    """Time between two readings and the usage that is new in it.

    Attributes:
        reading_id: Id for the reading, unique for ever.
        interval: From the reading before to this one, in the clock of the search.
        usages: Usage that was not counted before, in the order in which it was reported.
    """

    reading_id: str
    interval: Interval
    usages: tuple[Usage, ...]


class ReadingWindows:
    """Cuts the time of a meter into windows and counts each usage once.

    A reading's id is a token of 64 random bits, drawn once for each meter, and a counter.
    """

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._prefix = secrets.token_hex(8)
        self._count = 0
        self._waiting: dict[str, Usage] = {}
        self._counted: dict[str, int] = {}

    def start(self, now: datetime) -> None:
        """Begin at `now`. Raises `EnergyMeterError` if it has begun already."""
        require_utc(now, "now")
        if self._last is not None:
            raise EnergyMeterError("an energy meter can be started only once: make a new one")
        self._last = now

    def require_started(self) -> None:
        """Raise `EnergyMeterError` unless the meter was started."""
        if self._last is None:
            raise EnergyMeterError("the energy meter is not running: start it before the first reading")

    def advance(self, now: datetime, usages: Sequence[Usage]) -> ReadingWindow | None:
        """Return the window that ends at `now`, or `None` if no time has passed; its usage then waits for the next one.

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
        window = ReadingWindow(
            f"{self._prefix}-{self._count}", Interval(self._last, now), tuple(self._waiting.values())
        )
        for usage in self._waiting.values():
            self._counted[usage.stream] = max(usage.number, self._counted.get(usage.stream, -1))
        self._waiting = {}
        self._last = now
        return window
