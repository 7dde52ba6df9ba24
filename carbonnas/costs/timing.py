"""How long a call takes on this machine, by the median of many; what can't be told for sure is not told."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

Clocked = Callable[[Callable[[], object]], Sequence[float]]
"""Calls something again and again and returns the seconds of one call, several times over."""

ATTEMPTS: Final = 5
NETWORK_SAMPLE_S: Final = 0.01
BLOCK_SAMPLE_S: Final = 0.001
"""A table holds hundreds of blocks."""

_SAMPLES: Final = 15
_WARM_UP: Final = 3
_SHORTEST_S: Final = 1e-7
"""Nothing that torch does is faster."""


class UnstableError(Exception):
    """The machine was too restless for a figure; the message says how restless."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What one call takes.

    Attributes:
        median_ms: The median of the measurements.
        spread: Width of the middle half of the measurements, as a share of the median.
    """

    median_ms: float
    spread: float


def timed(
    call: Callable[[], object], clocked: Clocked, *, unstable_above: float, attempts: int = ATTEMPTS, what: str = "it"
) -> Timing:
    """Return how long a call takes, from the first attempt that is steady enough.

    Args:
        call: What to time.
        clocked: Calls it and looks at the clock.
        unstable_above: Spread from which an attempt is rejected, as a share of its median.
        attempts: How often to try.
        what: What a message calls it.

    Raises:
        UnstableError: If no attempt was steady enough.
    """
    least = Timing(0.0, float("inf"))
    for _ in range(attempts):
        times = np.asarray(clocked(call))
        low, median, high = (float(value) for value in np.quantile(times, (0.25, 0.5, 0.75)))
        if median > 0:
            least = min(least, Timing(1000 * median, (high - low) / median), key=lambda timing: timing.spread)
        if least.spread <= unstable_above:
            return least
    raise UnstableError(
        f"{what} is unstable on this machine: in the best of {attempts} attempts the middle half of the measurements was"
        f" {least.spread:.0%} of the median wide, more than {unstable_above:.0%}; let nothing else run, or take a latency table"
    )


def by_torch(*, on_processor: bool, sample_s: float = NETWORK_SAMPLE_S) -> Clocked:
    """Return what times with `torch.utils.benchmark.Timer`: after a warm-up, on one thread.

    On a processor the clock is that of the thread, which stands still while others have its core: what is told is the time on a core
    with nothing else to do, which on a busy machine no other clock can tell. With an accelerator it is the time that passes until that
    has finished.

    Args:
        on_processor: Whether the work is done by this thread.
        sample_s: How long each of the measurements takes at least, in seconds.
    """

    def clocked(call: Callable[[], object]) -> Sequence[float]:
        import torch
        from torch.utils.benchmark import Timer, timer

        with torch.inference_mode():
            clock = Timer("call()", globals={"call": call}, timer=time.thread_time if on_processor else timer)
            once_s = clock.timeit(_WARM_UP).mean
            number = max(1, math.ceil(sample_s / max(once_s, _SHORTEST_S)))
            return [clock.timeit(number).mean for _ in range(_SAMPLES)]

    return clocked
