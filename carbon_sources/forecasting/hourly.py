"""Intensity as an array of hourly means: what forecasters calculate with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import HOUR, full_hour, require_utc

LONGEST_HISTORY = timedelta(days=400)
"""How much of the past a forecaster is handed: a year, so that every season is in it, and a month to spare."""

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The quantiles that every forecaster gives, in order."""

Array = NDArray[np.float64]

_AT_END = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class HourlyIntensity:
    """Hourly means without anything later than their end.

    Attributes:
        start: Begin of the first hour, a full hour in UTC.
        values: Shape (hours,), g/kWh, NaN where nothing is known; the last hours may be unknown, too.
        now: The instant of issue, less than an hour after `end`; the end itself unless given.
    """

    start: datetime
    values: Array
    now: datetime = _AT_END

    def __post_init__(self) -> None:
        if self.now == _AT_END:
            object.__setattr__(self, "now", self.end)

    @property
    def end(self) -> datetime:
        """End of the last hour, where forecasts begin."""
        return self.start + len(self.values) * HOUR

    def until(self, now: datetime) -> HourlyIntensity:
        """Return what was known at `now`: the hours that had ended by then."""
        hours = max(0, min(len(self.values), (full_hour(now) - self.start) // HOUR))
        return HourlyIntensity(self.start, self.values[:hours], now)


@dataclass(frozen=True, slots=True, eq=False)
class HourlyForecast:
    """What is expected of the hours after a history.

    Attributes:
        mean: Shape (hours,), g/kWh, finite and at least zero: what forecasters are scored by, mostly by its relative errors.
        quantiles: Shape (hours, levels) for `LEVELS`, not decreasing along the second axis.
        average: Shape (hours,), g/kWh, finite and at least zero: the mean of all that may come, which is higher than what has the smallest
            relative errors; `None` where it is not told apart.
    """

    mean: Array
    quantiles: Array
    average: Array | None = None

    @property
    def counted(self) -> Array:
        """Shape (hours,), g/kWh: what plans count with, the average where it is known."""
        return self.mean if self.average is None else self.average

    def first(self, hours: int) -> HourlyForecast:
        """Return what is expected of the first hours."""
        average = None if self.average is None else self.average[:hours]
        return HourlyForecast(self.mean[:hours], self.quantiles[:hours], average)


def hourly_means(series: IntensitySeries, start: datetime, end: datetime) -> HourlyIntensity:
    """Return the mean of each full hour from `start` to `end`, weighted by time; NaN for an hour that is not covered by half.

    Args:
        series: What is known.
        start: A full hour, UTC.
        end: A full hour, UTC, not before `start`.
    """
    require_utc(start, "start")
    hours = max(0, (end - start) // HOUR)
    weighted, covered = np.zeros(hours), np.zeros(hours)
    for sample in series:
        begin_h = (sample.interval.start - start) / HOUR
        end_h = (sample.interval.end - start) / HOUR
        for hour in range(max(0, int(begin_h // 1)), min(hours, int(-(-end_h // 1)))):
            share = min(end_h, hour + 1) - max(begin_h, hour)
            weighted[hour] += share * sample.g_per_kwh
            covered[hour] += share
    known = covered >= _HALF
    return HourlyIntensity(start, np.divide(weighted, covered, out=np.full(hours, np.nan), where=known))


_HALF = 0.5 - 1e-9
