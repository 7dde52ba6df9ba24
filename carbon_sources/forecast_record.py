"""How well a grid was foreseen: what was said a day ahead, held against what came."""

from __future__ import annotations

import math
import statistics
from datetime import datetime, timedelta

from carbon_sources.forecasting.hourly import hourly_means
from carbon_sources.intensity import Forecast, IntensitySeries
from carbon_sources.interval import HOUR, full_hour

_AHEAD = timedelta(hours=24)
_FEWEST = 6
"""Hours without which nothing is said: an error of two or three of them tells of those hours alone."""


class ForecastRecord:
    """Keeps what the first forecast of each hour says of the hour 24 h ahead; it ends with the process."""

    def __init__(self) -> None:
        self._said: dict[datetime, float] = {}
        self._compared: tuple[datetime, IntensitySeries] | None = None
        self._error: float | None = None

    def note(self, forecast: Forecast) -> None:
        """Keep what a forecast says of the hour 24 h after the one in which it was issued, unless an earlier one of that hour did."""
        issued = full_hour(forecast.issued_at)
        expected = forecast.series.at(issued + _AHEAD)
        if expected is None or issued + _AHEAD in self._said:
            return
        self._compared = None
        self._said[issued + _AHEAD] = expected.g_per_kwh
        self._said = {hour: value for hour, value in self._said.items() if hour >= issued - _AHEAD}

    def error(self, now: datetime, series: IntensitySeries) -> float | None:
        """Return the mean absolute percentage error of the last 24 full hours before `now`, 0.1 for 10 %.

        Hours of which nothing is known or nothing was said are left out, and those with a mean of zero, which no error can be a share of.

        Returns:
            At least zero; `None` with fewer than six hours to compare.
        """
        end = full_hour(now)
        # Asked at each tick of a daemon, and seldom another than before.
        if self._compared is None or self._compared[0] != end or self._compared[1] is not series:
            self._compared, self._error = (end, series), self._compare(end, series)
        return self._error

    def _compare(self, end: datetime, series: IntensitySeries) -> float | None:
        if sum(end - _AHEAD <= hour < end for hour in self._said) < _FEWEST:
            return None
        came = hourly_means(series.between(end - _AHEAD, end), end - _AHEAD, end)
        errors = [
            abs(said - actual) / actual
            for hour, actual in enumerate(came.values.tolist())
            if (said := self._said.get(came.start + hour * HOUR)) is not None and not math.isnan(actual) and actual > 0
        ]
        return None if len(errors) < _FEWEST else statistics.fmean(errors)
