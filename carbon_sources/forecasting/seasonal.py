"""Seasonal forecasts: a day like yesterday, or like the mean day of the last week."""

from __future__ import annotations

from typing import Literal

import numpy as np

from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import DAY_H, Filled, filled
from carbon_sources.forecasting.hourly import Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.spread import band_around, extended, forecast_around

_DAYS = {"yesterday": 1, "week": 7}
_WATCHED_DAYS = 90
"""How many days the errors are taken from: a season."""


class Seasonal(Forecaster):
    """Expects at every hour what was at the same hour of the day before, whichever day it is for.

    The quantiles are those of the errors that this rule made in the history handed in. With less than a day of history, what
    is known is repeated.

    Args:
        profile: "yesterday" repeats the last 24 known hours; "week" repeats the mean day of the last seven.
    """

    def __init__(self, *, profile: Literal["yesterday", "week"] = "yesterday") -> None:
        if profile not in _DAYS:
            raise ValueError(f"profile must be one of {', '.join(_DAYS)}, got {profile!r}")
        self._days = _DAYS[profile]

    def fit(self, history: HourlyIntensity) -> None:
        """Learn nothing: everything is in the history that a forecast is made from."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        past = filled(history)
        leads = hours + past.lag
        mean = extended(mean_day(past.values, self._days), leads)
        quantiles = band_around(mean, self._errors(past, leads))
        return forecast_around(mean[past.lag :], quantiles[past.lag :])

    def _errors(self, past: Filled, leads: int) -> Array:
        """Return the errors of forecasts issued at the same hour of earlier days; shape (issues, leads)."""
        values = np.where(past.known, past.values, np.nan)
        padded = np.concatenate((values, np.full(leads, np.nan)))
        last = len(values) - DAY_H
        issues = range(last, max(DAY_H, last - DAY_H * _WATCHED_DAYS) - 1, -DAY_H)
        rows = [padded[t : t + leads] - extended(mean_day(past.values[:t], self._days), leads) for t in issues]
        return np.array(rows).reshape(len(rows), leads)


def mean_day(values: Array, days: int) -> Array:
    """Return the mean of the last `days` whole days by hours since the end, fewer where there are fewer; shape (24,) or less.

    Args:
        values: Shape (hours,), without gaps, at least one.
        days: How many days to average, at least one.
    """
    whole = min(days, len(values) // DAY_H)
    if whole == 0:
        return values
    mean: Array = values[-whole * DAY_H :].reshape(whole, DAY_H).mean(axis=0)
    return mean
