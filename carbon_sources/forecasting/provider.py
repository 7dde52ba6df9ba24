"""What the provider itself expects."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import numpy as np

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity, hourly_means
from carbon_sources.intensity import Forecast
from carbon_sources.interval import HOUR


class ArchivedForecasts(Protocol):
    """Archived forecasts of a provider."""

    def __call__(self, now: datetime) -> Forecast | None:
        """Return the newest forecast that was issued at or before `now`, or `None` if there is none."""


class Provider(Forecaster):
    """Passes on the provider's newest forecast.

    Where it is shorter than asked for, its last day, or what there is of it, goes on; where it begins within the hour that is under way
    or at its end, that hour is like the next one. Providers give no quantiles; those here are the expected value.

    Args:
        issues: The provider's forecasts.
    """

    def __init__(self, issues: ArchivedForecasts) -> None:
        self._issues = issues

    def fit(self, history: HourlyIntensity) -> None:
        """Learn nothing: the provider has done so."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        newest = self._issues(history.now)
        known = (
            np.empty(0)
            if newest is None
            else hourly_means(newest.series, history.end, history.end + hours * HOUR).values
        )
        if history.now > history.end and len(known) > 1 and np.isnan(known[0]):
            known[0] = known[1]
        known = known[: _leading(known)]
        if not len(known):
            raise ForecastError(f"the provider has no forecast for {history.now:%Y-%m-%d %H:%M} UTC")
        mean = np.resize(known[-24:], hours) if len(known) < hours else known
        mean = np.concatenate([known, mean[: hours - len(known)]])
        return HourlyForecast(mean, np.repeat(mean[:, None], len(LEVELS), axis=1))


def _leading(values: np.ndarray) -> int:
    """Return how many values there are before the first gap."""
    gaps = np.flatnonzero(np.isnan(values))
    return int(gaps[0]) if len(gaps) else len(values)
