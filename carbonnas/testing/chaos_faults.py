"""What happens to the daemon and its workers in the chaos, and how often."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator, Sequence


class Fault(enum.Enum):
    """What happens to the daemon."""

    KILL_DAEMON = "the daemon is killed"
    CRASH_AT_A_POINT = "it is killed at a named point"
    KILL_A_WORKER = "a worker, or what forks workers, is killed"
    FREEZE_DAEMON = "the daemon is frozen"
    FREEZE_A_WORKER = "a worker is frozen"
    FILL_DISK = "the disk is full for some seconds"
    BREAK_SOURCE = "the carbon source breaks, or is mended"
    STOP_DAEMON = "the daemon is asked to stop"


_WEIGHTS = {
    Fault.KILL_DAEMON: 5,
    Fault.CRASH_AT_A_POINT: 3,
    Fault.KILL_A_WORKER: 4,
    Fault.FREEZE_DAEMON: 2,
    Fault.FREEZE_A_WORKER: 2,
    Fault.FILL_DISK: 2,
    Fault.BREAK_SOURCE: 2,
    Fault.STOP_DAEMON: 1,
}


def faults(possible: Sequence[Fault], rng: random.Random) -> Iterator[Fault]:
    """Yield faults for ever: first each once, so that a short run has them all, then by chance.

    Args:
        possible: Those that can happen here.
        rng: Chooses.
    """
    yield from rng.sample(possible, len(possible))
    while True:
        yield rng.choices(possible, [_WEIGHTS[each] for each in possible])[0]
