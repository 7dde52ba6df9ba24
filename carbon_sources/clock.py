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
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from carbon_sources.interval import require_utc

_LONGEST_WAIT_S = 60.0
"""A wait is taken in pieces, so that a wall clock set forward (or a machine woken from sleep) is noticed within one."""


def monotonic_s() -> float:
    """Return the machine's monotonic time in seconds, comparable between its processes."""
    return time.monotonic()


_SLEW = timedelta(seconds=1)
"""A wall clock that is steered drifts by less between two looks; only a larger lead is a clock that was set."""


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


def wall_time() -> datetime:
    """Return what the machine's wall clock shows, in UTC; somebody may set it at any time."""
    return datetime.now(UTC)


class SystemClock(Clock):
    """The machine's time, which never runs backwards.

    It goes on with the monotonic clock from the wall time at construction. When the wall clock has been set forward, or the
    machine has slept, it follows; when the wall clock has been set back it does not, until the wall clock has caught up: energy
    that is drawn in between must have its place in time.

    Args:
        wall: Reads the wall clock.
        monotonic: Reads the monotonic clock, seconds.
    """

    def __init__(self, wall: Callable[[], datetime] = wall_time, monotonic: Callable[[], float] = monotonic_s) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._ahead = wall() - timedelta(seconds=monotonic())
        self._follow()

    def now(self) -> datetime:
        self._follow()
        return self.instant_of(self._monotonic())

    def instant_of(self, monotonic: float) -> datetime:
        return self._ahead + timedelta(seconds=monotonic)

    def _follow(self) -> None:
        shown = self._wall() - timedelta(seconds=self._monotonic())
        if shown - self._ahead > _SLEW:
            self._ahead = shown

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
