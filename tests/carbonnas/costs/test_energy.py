"""Joules of an inference."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from carbonnas.costs.energy import inference_energy
from carbonnas.costs.known import UnknownCostError


class Counter:
    """Gives what it was told to, reading after reading."""

    def __init__(self, readings: Sequence[tuple[float, float]]) -> None:
        self._readings = iter([(9.0, 9.0), *readings])  # what was drawn before the first stretch
        self.closed = False

    def start(self) -> None:
        """Begin."""

    def read(self) -> tuple[float, float]:
        return next(self._readings)

    def close(self) -> None:
        self.closed = True


def energy(counter: Counter) -> float:
    # Ten looks at the clock for each stretch of a second: nine calls, and the look at the end.
    ticks = itertools.count()
    return inference_energy(list, counter, seconds=lambda: next(ticks) / 10)


def test_joules_of_processor_and_accelerator_are_shared_by_the_calls() -> None:
    # A stretch begins with a look at the clock and ends with the first look a second or more after it: ten calls.
    counter = Counter([(2.0, 1.0), (2.0, 1.1), (2.0, 0.9)])
    assert energy(counter) == pytest.approx(3.0 / 10)
    assert counter.closed


def test_stretches_that_differ_tell_nothing() -> None:
    counter = Counter([(2.0, 0.0), (3.0, 0.0), (2.0, 0.0)])
    with pytest.raises(UnknownCostError, match=r"unstable on this machine: 3 stretches gave 0.2 to 0.3 J"):
        energy(counter)
    assert counter.closed


def test_a_meter_that_sees_nothing_tells_nothing_and_never_zero() -> None:
    with pytest.raises(UnknownCostError, match="saw nothing"):
        energy(Counter([(0.0, 0.0)] * 3))
