"""What the daemon is handed by whoever makes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor as Threads
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import Clock
from carbonnas.daemon.checking import Checked
from carbonnas.daemon.control import Submission
from carbonnas.daemon.threads import LeavableThreads

OPENERS, CLOSERS = "openers", "closers"

_ENOUGH = timedelta(milliseconds=10)
_MOST = {OPENERS: 8, CLOSERS: 10}
"""Few searches are opened at once, but some may be stuck; a search that is closed while it is opened waits for that, which must not hold up the
closing of others."""


def _nothing() -> None:
    """Say, or do, nothing."""


def _a_few(name: str) -> Threads:
    return LeavableThreads(_MOST[name], name)


def _ignored(_name: str) -> None:
    """Do nothing about it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the daemon is handed.

    Attributes:
        state_folder: Folder of the store.
        clock: Tells the time.
        check: Checks a submitted configuration; called from the thread of whoever submits it.
        watched: Called by the ticking thread when there is another grid to be polled: its name, and the call that polls it.
        unwatched: Called by the ticking thread when a grid need not be polled any more, with its name.
        trouble: Says what is wrong with the timers, in one sentence; `None` if nothing is.
        stalled: Says when everything stood still last, and for how long.
        beat: Called at each tick.
        threads: Makes the threads that open searches, and those that close them, each by its name.
        enough: How long a tick goes from search to search, real time; who is left comes first in the next one, which follows at once.
        simulated: Whether time is simulated: the tick polls grids, and time moves to whatever comes next. Threads and `enough` should then
            leave nothing to how fast the machine is.
    """

    state_folder: Path
    clock: Clock
    check: Callable[[Submission], Checked]
    watched: Callable[[str, Callable[[], None]], None]
    unwatched: Callable[[str], None] = _ignored
    trouble: Callable[[], str | None] = _nothing
    stalled: Callable[[], tuple[datetime, timedelta] | None] = _nothing
    beat: Callable[[], None] = _nothing
    threads: Callable[[str], Threads] = _a_few
    enough: timedelta = _ENOUGH
    simulated: bool = False
