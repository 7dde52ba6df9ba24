"""Forecasts that many simulations share: what was expected at an hour does not depend on who asks.

Learning takes seconds of a processor for each simulated day. As in a live search, forecasters learn at the start and then once every
`refit_every`; a forecast is issued at each full hour. Each of these lessons is independent of all others, so they can be learnt in any order
and in any process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from carbon_sources.archive import MemoryArchive
from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.desk import ForecastDesk, ForecastTimes, at_once
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import HourlyForecast, HourlyIntensity
from carbon_sources.intensity import Forecast
from carbon_sources.interval import HOUR, full_hour
from carbon_sources.source import CarbonSource
from carbonnas.config import SearchConfig
from carbonnas.grid import make_forecaster

Lesson = Mapping[datetime, HourlyForecast]
"""What one fitted forecaster expected, by the full hour of issue; hours for which nothing could be expected are missing."""

_LEARNT_BEFORE = timedelta(days=36525)


class SharedForecasts:
    """The forecasts of one forecaster on one trace, made when first asked for.

    Args:
        config: Which forecaster, and when and how far it looks.
        source: The trace.
        start: First instant of the simulations.
    """

    def __init__(self, config: SearchConfig, source: CarbonSource, start: datetime) -> None:
        self._config = config
        self._source = source
        self._start = start
        self._lessons: dict[int, Lesson] = {}

    def learn(self, number: int) -> Lesson:
        """Return all forecasts between two lessons."""
        times = self._config.forecasting.times
        learnt_at = self._start + number * times.refit_every
        desk = ForecastDesk(
            self._forecaster,
            self._config.forecaster.use,
            self._source.history,
            # An hour more, for those who ask between two full hours.
            ForecastTimes(times.horizon + HOUR, times.history, _LEARNT_BEFORE),
            at_once,
        )
        lesson: dict[datetime, HourlyForecast] = {}
        now = learnt_at
        while now < learnt_at + times.refit_every:
            known = self._source.history(now - self._config.accounting.lookback, now)
            forecast = desk.forecast(now, known)
            if forecast is not None:
                lesson[full_hour(now)] = _as_arrays(forecast)
            now = full_hour(now) + HOUR
        return lesson

    def add(self, number: int, lesson: Lesson) -> None:
        """Take over a lesson that was learnt elsewhere."""
        self._lessons[number] = lesson

    def desk(self) -> ForecastDesk:
        """Return a desk for one simulation that looks up what it is asked for."""
        lookback = self._config.accounting.lookback
        return ForecastDesk(
            lambda: _LookedUp(self),
            self._config.forecaster.use,
            self._source.history,
            ForecastTimes(self._config.forecasting.horizon, lookback, _LEARNT_BEFORE),
            at_once,
        )

    def at(self, hour: datetime) -> HourlyForecast | None:
        """Return what was expected from a full hour on, or `None` if nothing could be."""
        number = self._number(max(hour, self._start))
        if number not in self._lessons:
            self._lessons[number] = self.learn(number)
        return self._lessons[number].get(hour)

    def _number(self, now: datetime) -> int:
        return (now - self._start) // self._config.forecasting.refit_every

    def _forecaster(self) -> Forecaster:
        return make_forecaster(self._config.forecaster, self._source, MemoryArchive())


class _LookedUp(Forecaster):
    """Expects what was expected before."""

    def __init__(self, shared: SharedForecasts) -> None:
        self._shared = shared

    def fit(self, history: HourlyIntensity) -> None:
        """Do nothing: what there is to learn was learnt."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        known = self._shared.at(history.end)
        if known is None or len(known.mean) < hours:
            raise ForecastError(f"nothing could be expected at {history.end:%Y-%m-%d %H:%M} UTC")
        return known.first(hours)


def _as_arrays(forecast: Forecast) -> HourlyForecast:
    mean = np.array([sample.g_per_kwh for sample in forecast.series])
    average = np.array(forecast.averages) if forecast.averages else None
    return HourlyForecast(mean, np.array(forecast.quantiles).reshape(len(mean), -1), average)
