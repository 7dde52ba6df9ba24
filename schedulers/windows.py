"""Statistics of the intensity over a trailing window of time, each value weighted with how long it held."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import Final

from carbon_sources.intensity import IntensitySeries
from schedulers.decision import Reason, ReasonCode, SchedulingContext
from schedulers.duration_text import duration_text

_end: Final = attrgetter("interval.end")


@dataclass(frozen=True, slots=True)
class Trailing:
    """What is known of a window that ends now; gaps are left out, not filled.

    Attributes:
        values: Intensities in g/kWh in order of time.
        lengths: How long each held inside the window, above zero; as many as there are values.

    Raises:
        ValueError: If there are not as many lengths as values.
    """

    values: tuple[float, ...]
    lengths: tuple[timedelta, ...]
    _even: bool = field(init=False, repr=False, compare=False)
    """Whether all held equally long, as they mostly do: everything is simpler then, and years of decisions ask for it."""

    def __post_init__(self) -> None:
        if len(self.lengths) != len(self.values):
            raise ValueError(
                f"each value needs its length, got {len(self.values)} values and {len(self.lengths)} lengths"
            )
        even = bool(self.lengths) and self.lengths.count(self.lengths[0]) == len(self.lengths)
        object.__setattr__(self, "_even", even)

    @classmethod
    def of(cls, history: IntensitySeries, now: datetime, window: timedelta) -> Trailing:
        """Return what `history` tells of the time from `now - window` to `now`.

        Only samples that had ended by `now` count; one that began before the window counts with its part inside.
        """
        start, samples = now - window, history.samples
        last = bisect.bisect_right(samples, now, key=_end)
        first = bisect.bisect_right(samples, start, hi=last, key=_end)
        known = samples[first:last]
        lengths = [interval.end - interval.start for interval in [sample.interval for sample in known]]
        if known:
            lengths[0] = min(lengths[0], known[0].interval.end - start)
        return cls(tuple([sample.g_per_kwh for sample in known]), tuple(lengths))

    @property
    def covered(self) -> timedelta:
        """How much of the window is known."""
        return len(self.lengths) * self.lengths[0] if self._even else sum(self.lengths, timedelta())

    def percentile(self, share: float) -> float:
        """Return the lowest intensity, in g/kWh, that was not exceeded for at least `share` percent of the known time.

        Raises:
            ValueError: If nothing is known, or `share` is outside 0..100.
        """
        self._require_known()
        if not 0 <= share <= 100:
            raise ValueError(f"a percentile lies between 0 and 100, got {share}")
        ranked, lengths = self._ranked()
        passed = list(accumulate(lengths))
        total_us = _microseconds(passed[-1])
        needed_us = min(share * total_us, 100 * total_us)
        # Whole microseconds times 100 are exact in a float for years, so shares that meet exactly do meet.
        return ranked[bisect.bisect_left(passed, needed_us, key=lambda length: 100 * _microseconds(length))]

    def _ranked(self) -> tuple[Sequence[float], Sequence[timedelta]]:
        """Return the values from low to high, and how long each held."""
        if self._even:
            return sorted(self.values), self.lengths
        ranked = sorted(zip(self.values, self.lengths, strict=True), key=itemgetter(0))
        return [value for value, _ in ranked], [length for _, length in ranked]

    @property
    def minimum(self) -> float:
        """Lowest known intensity in g/kWh; `ValueError` if nothing is known."""
        return min(self.values)

    @property
    def maximum(self) -> float:
        """Highest known intensity in g/kWh; `ValueError` if nothing is known."""
        return max(self.values)

    @property
    def mean(self) -> float:
        """Mean intensity of the known time in g/kWh; `ValueError` if nothing is known."""
        return self._mean(self.values)

    @property
    def deviation(self) -> float:
        """Standard deviation of the intensity over the known time in g/kWh; `ValueError` if nothing is known."""
        mean = self.mean
        if self._even:
            return math.dist(self.values, [mean] * len(self.values)) / math.sqrt(len(self.values))
        return math.sqrt(self._mean([(value - mean) ** 2 for value in self.values]))

    def cleaner_than(self, g_per_kwh: float) -> float:
        """Return the share of the known time, 0..1, that was cleaner; `ValueError` if nothing is known."""
        return self._mean([value < g_per_kwh for value in self.values])

    def _mean(self, amounts: Sequence[float]) -> float:
        """Return the mean over the known time of something that was known of each of the values."""
        self._require_known()
        if self._even:
            return sum(amounts) / len(amounts)
        covered = self.covered
        return sum(amount * (length / covered) for amount, length in zip(amounts, self.lengths, strict=True))

    def _require_known(self) -> None:
        if not self.values:
            raise ValueError("nothing is known of the window")


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


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
