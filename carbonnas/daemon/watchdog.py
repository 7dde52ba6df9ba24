"""The watchdog: sees to it by the monotonic clock that timers keep running, and notices when everything stood still.

Timers go by the wall clock. Set back by an hour it would stop them for an hour, without a word.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from carbon_sources.clock import monotonic_s, wall_time
from carbonnas.daemon.timers import JobState, Timers

_log = logging.getLogger(__name__)

_MISSED = 3
"""Intervals within which each job must have run."""
_LEAST_PATIENCE_S = 10.0
"""A busy machine delays a job that is due each second by more than three of them."""


class Pulse:
    """The beat of a loop that is no timer's job, such as the engine's; it beats from its construction on.

    Args:
        name: What it is called in sentences.
        interval: How often it should beat.
        kick: Wakes the loop.
        monotonic: Reads the monotonic clock, seconds.
    """

    def __init__(
        self, name: str, interval: timedelta, kick: Callable[[], None], monotonic: Callable[[], float] = monotonic_s
    ) -> None:
        self.name = name
        self.kick = kick
        self._interval = interval
        self._monotonic = monotonic
        self._beaten_s = monotonic()

    def beat(self) -> None:
        """Tell that the loop has come around once more."""
        self._beaten_s = self._monotonic()

    def state(self) -> JobState:
        """Return how the loop stands, as if it were a job."""
        return JobState(self.name, self._interval, self._beaten_s + self._interval.total_seconds(), None)


class Watchdog:
    """Looks at all timers every few seconds, from a thread of its own.

    A job that has not run for three intervals is run at once, past the ticker, and told of by `trouble` until it runs on time again;
    so is a loop that does not come around, which is woken.

    Args:
        timers: What is watched.
        pulses: Loops that are watched as well.
        period: From one look to the next, above zero.
        vital: Names of the jobs and loops without which the daemon is not alive.
        alive: Called after each look at which no vital job is overdue: what keeps the service manager's watchdog quiet.
        stalled_after: How much longer than `period` may lie between two looks before the machine counts as having stood still.
        clocks: Read the monotonic clock, seconds, and the wall clock, UTC.
    """

    def __init__(
        self,
        timers: Timers,
        period: timedelta = timedelta(seconds=5),
        *,
        pulses: Collection[Pulse] = (),
        vital: Collection[str] = (),
        alive: Callable[[], None] = lambda: None,
        stalled_after: timedelta = timedelta(seconds=20),
        clocks: tuple[Callable[[], float], Callable[[], datetime]] = (monotonic_s, wall_time),
    ) -> None:
        self._timers = timers
        self._period = period
        self._pulses = {pulse.name: pulse for pulse in pulses}
        self._vital = frozenset(vital)
        self._alive = alive
        self._stalled_after = stalled_after
        self._monotonic, self._wall = clocks
        self._looked_s, self._looked_at = self._monotonic(), self._wall()
        self._patient_from_s = self._looked_s
        self._overdue: dict[str, str] = {}
        self._stalled: tuple[datetime, timedelta] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def trouble(self) -> str | None:
        """Return one sentence on the jobs that don't run on time; `None` if all do."""
        return "; ".join(self._overdue.values()) or None

    def stalled(self) -> tuple[datetime, timedelta] | None:
        """Return when everything stood still last, by the wall clock, and for how long: the machine slept or the process was frozen.

        A wall clock that was set forward looks the same. `None` if it never did.
        """
        return self._stalled

    def look(self) -> None:
        """Look once: notice a standstill, and set overdue jobs going."""
        now_s, now = self._monotonic(), self._wall()
        self._notice_standstill(now_s, now)
        self._looked_s, self._looked_at = now_s, now
        self._timers.pull_back()
        states = [*self._timers.states(), *(pulse.state() for pulse in self._pulses.values())]
        overdue = {job.name: job for job in states if self._is_overdue(job, now_s)}
        for job in overdue.values():
            if job.name not in self._overdue:
                _log.warning("%s", _sentence(job, now_s))
            if job.name in self._pulses:
                self._pulses[job.name].kick()
            elif job.running_since_s is None:
                self._timers.run_soon(job.name)
        self._overdue = {name: _sentence(job, now_s) for name, job in overdue.items()}
        if self._vital.isdisjoint(overdue):
            self._alive()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._end.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self._period.total_seconds()):
            self.look()

    def _notice_standstill(self, now_s: float, now: datetime) -> None:
        # The monotonic clock stands while the machine sleeps, the wall clock may be set back while the process is frozen.
        passed = max(now - self._looked_at, timedelta(seconds=now_s - self._looked_s))
        if passed <= self._period + self._stalled_after:
            return
        self._stalled = (self._looked_at, passed)
        # Nothing ran meanwhile, which is no fault of the timers.
        self._patient_from_s = now_s
        _log.warning(
            "nothing ran for %.0f s from %s: the machine slept, the daemon was stopped, or the clock was set forward",
            passed.total_seconds(),
            self._looked_at.isoformat(timespec="seconds"),
        )

    def _is_overdue(self, job: JobState, now_s: float) -> bool:
        interval_s = job.interval.total_seconds()
        since_s = max(job.due_s - interval_s, self._patient_from_s)
        return now_s - since_s > max(_MISSED * interval_s, _LEAST_PATIENCE_S)


def _sentence(job: JobState, now_s: float) -> str:
    interval_s = job.interval.total_seconds()
    if job.running_since_s is not None:
        return f"{job.name} has been running for {now_s - job.running_since_s:.0f} s, and should every {interval_s:g} s"
    late_s = now_s - job.due_s
    return f"{job.name} should run every {interval_s:g} s and is {late_s:.0f} s late"
