"""Joules of one inference, by a meter that sees this process alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Final, Protocol

from carbon_sources.clock import monotonic_s
from carbonnas.costs.known import UnknownCostError

_STRETCHES: Final = 3
_STRETCH_S: Final = 1.0
"""A hundred ticks of the clock that processor time is told by."""
_UNSTABLE_ABOVE: Final = 0.2


class JouleCounter(Protocol):
    """What measures this process: a worker's probe."""

    def start(self) -> None:
        """Begin to measure."""

    def read(self) -> tuple[float, float]:
        """Return the joules of processor and of accelerator since `start` or the reading before."""

    def close(self) -> None:
        """Stop measuring."""


def inference_energy(
    call: Callable[[], object], counter: JouleCounter, *, seconds: Callable[[], float] = monotonic_s
) -> float:
    """Return the joules that one call draws, processor and accelerator together; memory and the idle machine are not in it.

    The call is repeated for three stretches of a second each; the figure is the median of what the stretches tell.

    Args:
        call: One inference of one input.
        counter: Measures this process; started and closed here.
        seconds: A clock that only goes forward.

    Raises:
        UnknownCostError: If the meter saw nothing, or the stretches differ by more than a fifth.
        EnergyMeterError: If the meter fails.
    """
    call()
    counter.start()
    try:
        counter.read()
        found = [_stretch(call, counter, seconds) for _ in range(_STRETCHES)]
    finally:
        counter.close()
    middle = statistics.median(found)
    if middle <= 0:
        raise UnknownCostError("inference_j is unknown: the energy meter saw nothing of the inferences")
    if max(found) - min(found) > _UNSTABLE_ABOVE * middle:
        raise UnknownCostError(
            f"inference_j is unstable on this machine: {_STRETCHES} stretches gave {min(found):.3g} to {max(found):.3g} J;"
            " let nothing else run"
        )
    return middle


def _stretch(call: Callable[[], object], counter: JouleCounter, seconds: Callable[[], float]) -> float:
    calls, until = 0, seconds() + _STRETCH_S
    while not calls or seconds() < until:
        call()
        calls += 1
    return sum(counter.read()) / calls
