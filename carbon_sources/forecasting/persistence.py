"""Persistence: the last known value goes on."""

from __future__ import annotations

import numpy as np

from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import filled
from carbon_sources.forecasting.hourly import HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.spread import band_around, forecast_around

_WATCHED_H = 90 * 24
"""How much of a history the errors are taken from: a season."""


class Persistence(Forecaster):
    """Expects the last known value for every hour to come. The quantiles are those of the changes in the history handed in."""

    def fit(self, history: HourlyIntensity) -> None:
        """Learn nothing: everything is in the history that a forecast is made from."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        past = filled(history)
        values = np.where(past.known, past.values, np.nan)[-_WATCHED_H:]
        padded = np.concatenate((values, np.full(hours + past.lag, np.nan)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, hours + past.lag + 1)
        mean = np.full(hours, past.values[-1])
        return forecast_around(mean, band_around(mean, windows[:, past.lag + 1 :] - windows[:, :1]))
