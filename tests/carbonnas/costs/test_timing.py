"""Times, and the refusal to tell them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from carbonnas.costs.timing import UnstableError, by_torch, timed


class Clock:
    """Gives one list of seconds after the other; the last one again and again."""

    def __init__(self, *attempts: Sequence[float]) -> None:
        self._attempts = list(attempts)
        self.asked = 0

    def __call__(self, call: Callable[[], object]) -> Sequence[float]:
        call()
        self.asked += 1
        return self._attempts.pop(0) if len(self._attempts) > 1 else self._attempts[0]


STEADY = [0.010, 0.010, 0.010, 0.0101, 0.0102]
RESTLESS = [0.010, 0.010, 0.015, 0.020, 0.020]


def test_the_median_of_a_steady_attempt_is_told_in_milliseconds() -> None:
    # Quartiles of five values are the second and the fourth: 10.1 - 10.0 = 0.1 of 10.
    timing = timed(list, Clock(STEADY), unstable_above=0.1)
    assert (timing.median_ms, timing.spread) == pytest.approx((10.0, 0.01))


def test_a_restless_attempt_is_made_again() -> None:
    clock = Clock(RESTLESS, RESTLESS, STEADY)
    assert timed(list, clock, unstable_above=0.1).median_ms == pytest.approx(10.0)
    assert clock.asked == 3


def test_what_stays_restless_is_not_told() -> None:
    clock = Clock(RESTLESS)
    # (20 - 10) / 15 = 67 %
    with pytest.raises(UnstableError, match=r"the best of 4 attempts .* 67% of the median .* more than 10%"):
        timed(list, clock, unstable_above=0.1, attempts=4)
    assert clock.asked == 4


def test_a_clock_that_stands_still_tells_nothing() -> None:
    with pytest.raises(UnstableError):
        timed(list, Clock([0.0] * 5), unstable_above=0.1)


@pytest.mark.torch
@pytest.mark.parametrize("on_processor", [True, False])
def test_torch_times_a_call(*, on_processor: bool) -> None:
    times = by_torch(on_processor=on_processor, sample_s=0.001)(lambda: sum(range(1000)))
    assert len(times) == 15
    assert all(time >= 0 for time in times)
