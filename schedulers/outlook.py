"""What the grid is expected to be like from now on, as far as anything is known of it."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, full_hour
from carbon_sources.units import J_PER_KWH
from schedulers.decision import SchedulingContext
from schedulers.expected_intensity import after_present, counted_for

_begin, _end = attrgetter("interval.start"), attrgetter("interval.end")

_PROFILE_DAYS = timedelta(days=7)
"""Past that an hour of the day is taken to be like: working days and a weekend."""
_PROFILE_REACH = timedelta(days=2)
"""How far ahead the same hours of past days tell anything."""


@dataclass(frozen=True, slots=True)
class Risk:
    """How far plans shun hours that are uncertain: they count with `(1 - weight) * average + weight * quantile`.

    The average is the expected value where a forecast tells none.

    Attributes:
        quantile: Which quantile of a forecast, 0..1; the next higher one that the forecast has is taken, or its highest.
        weight: 0 (the average alone) to 1 (the quantile alone).

    Raises:
        ValueError: If a number is out of range.
    """

    quantile: float = 0.9
    weight: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, got {self.quantile}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"risk must lie between 0 and 1, got {self.weight}")

    def told(
        self, forecast: Forecast, present: IntensitySample | None, start: datetime, until: datetime
    ) -> Iterable[tuple[IntensitySample, float]]:
        """Return what plans count for each sample of a forecast from `start` to `until`, in g/kWh: the average, or the expected value without one.

        What the forecast missed of the `present` is carried over.
        """
        samples = forecast.series.samples
        first = bisect.bisect_right(samples, start, key=_end)
        last = bisect.bisect_left(samples, until, key=_begin)
        samples = samples[first:last]
        counted = list(forecast.averages[first:last]) or [sample.g_per_kwh for sample in samples]
        if self.weight > 0 and forecast.levels:
            place = next((i for i, level in enumerate(forecast.levels) if level >= self.quantile), -1)
            mixed = zip(counted, forecast.quantiles[first:last], strict=True)
            counted = [mean + self.weight * (values[place] - mean) for mean, values in mixed]
        return zip(samples, after_present(counted, samples, forecast, present), strict=True)


EXPECTED = Risk()
"""Plans count with the averages alone, or the expected values where none are told."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The time from now on in pieces without a gap; what lies after the last piece is unknown and never made up.

    Attributes:
        lengths_s: Length of each piece in seconds, above zero; the first one begins now.
        g_per_kwh: Expected intensity of each piece, as many as there are lengths.
        note: What to say of how it came about, empty for a measured present and a forecast.
    """

    lengths_s: tuple[float, ...]
    g_per_kwh: tuple[float, ...]
    note: str = ""

    @property
    def covered_s(self) -> float:
        """How far anything is known, in seconds from now."""
        return math.fsum(self.lengths_s)

    def until(self, seconds: float) -> Outlook:
        """Return the part up to `seconds` from now, above zero."""
        lengths, begin = [], 0.0
        for length in self.lengths_s:
            if begin >= seconds:
                break
            lengths.append(min(length, seconds - begin))
            begin += length
        return Outlook(tuple(lengths), self.g_per_kwh[: len(lengths)], self.note)

    def gone_on(self, seconds: float) -> Outlook:
        """Return the outlook, gone on up to `seconds` from now with its last day over and over; one of less than an hour stays as it is.

        For questions that reach further than any forecast, such as whether a budget is enough. Plans do without.
        """
        left = seconds - self.covered_s
        if self.covered_s < _LEAST_KNOWN_S or left <= 0:
            return self
        day = self._last_day()
        lengths, values = list(self.lengths_s), list(self.g_per_kwh)
        for length, value in itertools.cycle(day):
            lengths.append(min(length, left))
            values.append(value)
            left -= length
            if left <= 0:
                break
        return Outlook(tuple(lengths), tuple(values), _LAST_DAY)

    def _last_day(self) -> list[tuple[float, float]]:
        """Return the lengths and values of the last day, or of all there is if that is less."""
        day, left = [], _DAY_S
        for length, value in zip(reversed(self.lengths_s), reversed(self.g_per_kwh), strict=True):
            if left <= 0:
                break
            day.append((min(length, left), value))
            left -= length
        return day[::-1]

    def grams(self, watts: float) -> float:
        """Return what a load of `watts` emits over all of the pieces."""
        return watts * math.fsum(s * g for s, g in zip(self.lengths_s, self.g_per_kwh, strict=True)) / J_PER_KWH

    @classmethod
    def of(cls, context: SchedulingContext, until: datetime, risk: Risk = EXPECTED) -> Outlook:
        """Return the present sample to its end and then the forecast, up to `until`; empty if nothing is known of the present.

        Without any forecast the hours to come are expected to be like the mean of the same hours of the past week, two days ahead.
        """
        present, now = context.intensity, context.now
        told: Iterable[tuple[IntensitySample, float]] = ()
        if present is not None:
            told = ((present, counted_for(present, context.forecast)),)
        if context.forecast is not None and context.forecast.series.samples:
            return cls._joined(itertools.chain(told, risk.told(context.forecast, present, now, until)), now, until)
        return _with_profile(cls._joined(told, now, until), context, min(until, now + _PROFILE_REACH))

    @classmethod
    def of_series(cls, series: IntensitySeries, start: datetime, until: datetime) -> Outlook:
        """Return what a series says of the time from `start` to `until`, up to its first gap."""
        samples = series.samples
        first = bisect.bisect_right(samples, start, key=_end)
        last = bisect.bisect_left(samples, until, lo=first, key=_begin)
        return cls._joined([(sample, sample.g_per_kwh) for sample in samples[first:last]], start, until)

    @classmethod
    def _joined(cls, told: Iterable[tuple[IntensitySample, float]], start: datetime, until: datetime) -> Outlook:
        """Return the pieces that samples make, one behind the other, each with what it tells beyond the one before; up to the first gap."""
        lengths, values, cursor = [], [], start
        for sample, value in told:  # years of decisions come here for each hour ahead
            interval = sample.interval
            end = interval.end
            if end <= cursor:
                continue
            if interval.start > cursor or cursor >= until:
                break
            if end > until:
                end = until
            lengths.append((end - cursor).total_seconds())
            values.append(value)
            cursor = end
        return cls(tuple(lengths), tuple(values))


_DAY_S = 86400.0
_LEAST_KNOWN_S = 3600.0
_LAST_DAY = "beyond what is known the last day is expected to go on"
_BY_PROFILE = "there is no forecast, each hour is expected to be as it was in the days before"


def _with_profile(outlook: Outlook, context: SchedulingContext, until: datetime) -> Outlook:
    """Return the outlook, gone on with the mean of the same hours of past days until one was never seen."""
    lengths, values, profile = list(outlook.lengths_s), list(outlook.g_per_kwh), _hours_of_day(context)
    cursor = context.now + timedelta(seconds=outlook.covered_s)
    while cursor < until and (value := profile.get(cursor.hour)) is not None:
        end = min(full_hour(cursor) + HOUR, until)
        lengths.append((end - cursor).total_seconds())
        values.append(value)
        cursor = end
    return outlook if len(lengths) == len(outlook.lengths_s) else Outlook(tuple(lengths), tuple(values), _BY_PROFILE)


def _hours_of_day(context: SchedulingContext) -> dict[int, float]:
    """Return the mean intensity of each hour of the day, in UTC, by the begin of the samples of the past week."""
    values: dict[int, list[float]] = {}
    for sample in reversed(context.history.samples):
        if sample.interval.end > context.now:
            continue
        if sample.interval.start < context.now - _PROFILE_DAYS:
            break
        values.setdefault(sample.interval.start.hour, []).append(sample.g_per_kwh)
    return {hour: sum(found) / len(found) for hour, found in values.items()}
