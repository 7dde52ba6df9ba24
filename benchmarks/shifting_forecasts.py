"""Forecasts issued at every full hour from what had ended by then, for `shifting.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from carbon_sources.forecasting.answer import checked_forecast
from carbon_sources.forecasting.backtest_setting import Recording
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import filled
from carbon_sources.forecasting.hourly import LEVELS, LONGEST_HISTORY, Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.issue import as_forecast
from carbon_sources.forecasting.seasonal import mean_day
from carbon_sources.intensity import Forecast, IntensitySample
from carbon_sources.interval import HOUR, Interval

HORIZON_H = 48
"""The longest time in which work is due."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How forecasts are made.

    Attributes:
        name: Of the forecaster.
        make: Makes an unfitted forecaster.
        refit: How often a new one learns from the 400 days before, or `None` for once, from all that is known before the first issue.
    """

    name: str
    make: Callable[[], Forecaster]
    refit: timedelta | None


@dataclass(frozen=True, eq=False)
class Issues:
    """Forecasts of every hour of a span.

    Attributes:
        name: Of the forecaster.
        first: The first instant of issue.
        mean: Shape (issues, `HORIZON_H`), g/kWh.
        quantiles: Shape (issues, `HORIZON_H`, levels).
        counted: Shape (issues, `HORIZON_H`), g/kWh: what plans count with.
    """

    name: str
    first: datetime
    mean: Array
    quantiles: Array
    counted: Array

    def at(self, now: datetime, like: IntensitySample) -> Forecast:
        """Return the forecast issued at a full hour, of the zone, kind and basis of `like`."""
        row = (now - self.first) // HOUR
        nothing = HourlyIntensity(now, np.empty(0))
        return as_forecast(
            HourlyForecast(self.mean[row], self.quantiles[row], self.counted[row]), nothing, like, self.name
        )

    def mape_by_day(self, recording: Recording) -> list[float]:
        """Return the mean absolute percentage error by day of horizon over all issues, where the actual value is known and not zero."""
        begin = (self.first - recording.hours.start) // HOUR
        values = np.concatenate([recording.hours.values, np.full(HORIZON_H, np.nan)])[begin:]
        actual = np.lib.stride_tricks.sliding_window_view(values, HORIZON_H)[: len(self.mean)]
        known = np.isfinite(actual) & (actual != 0)
        error = 100 * np.abs(self.mean - actual) / np.where(known, actual, 1.0)
        days = [slice(day, day + 24) for day in range(0, HORIZON_H, 24)]
        return [float(error[:, day][known[:, day]].mean()) for day in days]


class MeanDay(Forecaster):
    """Expects every day to be like the mean of the last ones, as `seasonal` does, without its quantiles, which take time.

    Args:
        days: How many.
    """

    def __init__(self, days: int) -> None:
        self._days = days

    def fit(self, history: HourlyIntensity) -> None:
        """Learn nothing."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        past = filled(history)
        mean = np.resize(mean_day(past.values, self._days), past.lag + hours)[past.lag :]
        return HourlyForecast(mean, np.repeat(mean[:, None], len(LEVELS), axis=1))


def issued_every_hour(plan: Plan, recording: Recording, span: Interval, told: Callable[[float], None]) -> Issues:
    """Return the forecasts of every full hour of a span; a forecaster never sees more than what had ended by its issue.

    Args:
        plan: How they are made.
        recording: All that is known.
        span: From a full hour to a full hour.
        told: Called with the share that is done, now and then.
    """
    count = span.duration // HOUR
    mean, counted, quantiles = np.empty((count, HORIZON_H)), np.empty((count, HORIZON_H)), []
    forecaster, due = plan.make(), span.start
    for row in range(count):
        now = span.start + row * HOUR
        past = recording.until(now)
        recent = past.values[-(LONGEST_HISTORY // HOUR) :]
        history = HourlyIntensity(past.end - len(recent) * HOUR, recent, now)
        if now == due:
            forecaster = plan.make()
            forecaster.fit(past if plan.refit is None else history)
            due = span.end if plan.refit is None else now + plan.refit
        expected = checked_forecast(forecaster, history, HORIZON_H)
        mean[row], counted[row] = expected.mean, expected.counted
        quantiles.append(expected.quantiles)
        if row % 24 == 0:
            told(row / count)
    return Issues(plan.name, span.start, mean, np.array(quantiles), counted)


def kept(path: Path, make: Callable[[], Issues]) -> Issues:
    """Return what a file holds, or make it and write the file."""
    if path.exists():
        with np.load(path) as file:
            first = datetime.fromisoformat(str(file["first"]))
            return Issues(str(file["name"]), first, file["mean"], file["quantiles"], file["counted"])
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    issued = made.first.isoformat()
    np.savez(path, name=made.name, first=issued, mean=made.mean, quantiles=made.quantiles, counted=made.counted)
    return made
