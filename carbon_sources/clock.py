"""Clocks: the only module that reads the time.

`SystemClock` is the machine's time, `ReplayClock` lets recorded time pass faster than the machine's, and `SimulatedClock`
moves only when it is told to. Monotonic seconds are shared by all processes of one machine (CLOCK_MONOTONIC), so a worker
stamps what it measures with them and the process that owns the clock turns them into instants.
"""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

from carbon_sources.interval import require_utc

_LONGEST_WAIT_S = 60.0
"""A wait is taken in pieces, so that a wall clock set forward (or a machine woken from sleep) is noticed within one."""


def monotonic_s() -> float:
    """Return the machine's monotonic time in seconds, comparable between its processes."""
    return time.monotonic()


class Clock(ABC):
    """Tells the time of a search and waits in it."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""

    @abstractmethod
    def instant_of(self, monotonic: float) -> datetime:
        """Return the instant of this clock at which `monotonic_s` showed `monotonic`."""

    @abstractmethod
    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Return once `until` has come or `wake` is set, whichever is sooner. An instant in the past returns at once."""


class SystemClock(Clock):
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def instant_of(self, monotonic: float) -> datetime:
        return self.now() + timedelta(seconds=monotonic - monotonic_s())

    def wait(self, until: datetime, wake: threading.Event) -> None:
        while (left_s := (until - self.now()).total_seconds()) > 0:
            if wake.wait(min(left_s, _LONGEST_WAIT_S)):
                return


class ReplayClock(Clock):
    """Recorded time that passes `speed` times as fast as the machine's.

    Args:
        start: Instant shown at construction, UTC.
        speed: Recorded seconds per real second, finite and above zero.

    Raises:
        ValueError: If `start` is not UTC or `speed` is out of range.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        require_utc(start, "start")
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be finite and above zero, got {speed}")
        self.speed = speed
        self._start = start
        self._origin = monotonic_s()

    def now(self) -> datetime:
        return self.instant_of(monotonic_s())

    def instant_of(self, monotonic: float) -> datetime:
        return self._start + timedelta(seconds=(monotonic - self._origin) * self.speed)

    def wait(self, until: datetime, wake: threading.Event) -> None:
        while (left_s := (until - self.now()).total_seconds() / self.speed) > 0:
            if wake.wait(min(left_s, _LONGEST_WAIT_S)):
                return


class SimulatedClock(Clock):
    """Time that moves only by `advance` and `wait`; monotonic seconds are counted from `start`."""

    def __init__(self, start: datetime) -> None:
        require_utc(start, "start")
        self._start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def instant_of(self, monotonic: float) -> datetime:
        return self._start + timedelta(seconds=monotonic)

    def advance(self, until: datetime) -> None:
        """Move to `until`; a simulated clock never runs backwards, so an earlier instant changes nothing."""
        require_utc(until, "until")
        self._now = max(self._now, until)

    def wait(self, until: datetime, wake: threading.Event) -> None:
        if not wake.is_set():
            self.advance(until)
