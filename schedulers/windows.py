"""Statistics of the intensity over a trailing window of time, each value weighted with how long it held."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from operator import itemgetter

from carbon_sources.intensity import IntensitySample, IntensitySeries
from schedulers.decision import Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text


@dataclass(frozen=True, slots=True)
class Trailing:
    """What is known of a window that ends now; gaps are left out, not filled.

    Attributes:
        values: Intensities in g/kWh in order of time, each with how long it held inside the window, above zero.
    """

    values: tuple[tuple[float, timedelta], ...]

    @classmethod
    def of(cls, history: IntensitySeries, now: datetime, window: timedelta) -> Trailing:
        """Return what `history` tells of the time from `now - window` to `now`.

        Only samples that had ended by `now` count; one that began before the window counts with its part inside.
        """
        start, samples = now - window, history.samples
        # Years of decisions ask this: no series is made of the part.
        first, last = (bisect.bisect_right(samples, instant, key=_end) for instant in (start, now))
        values = [(s.g_per_kwh, (i := s.interval).end - i.start) for s in samples[first:last]]
        if values and samples[first].interval.start < start:
            values[0] = (values[0][0], samples[first].interval.end - start)
        return cls(tuple(values))

    @property
    def covered(self) -> timedelta:
        """How much of the window is known."""
        return sum(map(itemgetter(1), self.values), timedelta())

    def percentile(self, share: float) -> float:
        """Return the lowest intensity, in g/kWh, that was not exceeded for at least `share` percent of the known time.

        Raises:
            ValueError: If nothing is known, or `share` is outside 0..100.
        """
        if not self.values:
            raise ValueError("nothing is known of the window")
        if not 0 <= share <= 100:
            raise ValueError(f"a percentile lies between 0 and 100, got {share}")
        ranked = sorted(self.values, key=itemgetter(0))
        passed = list(accumulate(map(itemgetter(1), ranked)))
        total_us = _microseconds(passed[-1])
        needed_us = min(share * total_us, 100 * total_us)
        # Whole microseconds times 100 are exact in a float for years, so shares that meet exactly do meet.
        return ranked[bisect.bisect_left(passed, needed_us, key=lambda length: 100 * _microseconds(length))][0]

    @property
    def minimum(self) -> float:
        """Lowest known intensity in g/kWh; `ValueError` if nothing is known."""
        return min(self.values)[0]

    @property
    def maximum(self) -> float:
        """Highest known intensity in g/kWh; `ValueError` if nothing is known."""
        return max(self.values)[0]


@dataclass(frozen=True, slots=True)
class TrailingWindow:
    """How far back a policy looks, and how much of that must be known before it means anything.

    Attributes:
        length: Length of the window, above zero; users write it as `window`.
        min_history: How much of the window must be known, above zero and at most all of it.

    Raises:
        ValueError: If `min_history` is out of range.
    """

    length: timedelta
    min_history: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.min_history <= self.length:
            raise ValueError(
                f"min_history must be above zero and at most the window of {self.length}, got {self.min_history}"
            )

    def known(self, context: SchedulingContext) -> Trailing | None:
        """Return what is known of the window that ends now, or `None` if that is less than `min_history`."""
        trailing = Trailing.of(context.history, context.now, self.length)
        return trailing if trailing.covered >= self.min_history else None

    @property
    def no_history(self) -> Reason:
        """Why training is not held back while `known` is `None`: no hour is known to be better than this one."""
        text = f"less than {duration_text(self.min_history)} of the past is known: training is not held back"
        return Reason(ReasonCode.NO_HISTORY, text)


def _end(sample: IntensitySample) -> datetime:
    return sample.interval.end


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
