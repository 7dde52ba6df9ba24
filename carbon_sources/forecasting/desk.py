"""Forecasts on demand: fitted now and then, issued when something is new."""

from __future__ import annotations

import atexit
import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakSet

import numpy as np

from carbon_sources.errors import CarbonSourceError
from carbon_sources.forecasting.answer import checked_forecast, plugin_errors
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LONGEST_HISTORY, HourlyIntensity
from carbon_sources.forecasting.issue import as_forecast, known_hours
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, full_hour

_TRY_AGAIN = timedelta(hours=1)
_STOPPING_S = 3.0
"""How long the process waits at its end for a thread to notice."""
_started: WeakSet[threading.Thread] = WeakSet()


@dataclass(frozen=True, slots=True)
class ForecastTimes:
    """When and how far to forecast.

    Attributes:
        horizon: How far ahead, above zero.
        history: How much of the past is learnt from.
        refit_every: How often the forecaster learns anew.
    """

    horizon: timedelta = timedelta(hours=96)
    history: timedelta = LONGEST_HISTORY
    refit_every: timedelta = timedelta(days=1)


def in_background(work: Callable[[], None]) -> None:
    """Do the work in a thread that does not keep the process alive: it is stopped when the process ends."""
    thread = threading.Thread(target=work, name="forecaster", daemon=True)
    thread.start()
    _started.add(thread)


@atexit.register
def _stop_at_exit() -> None:
    """Stop what still learns: a thread that is cut off within native code can abort a process that has ended well."""
    running = [thread for thread in _started if thread.is_alive()]
    for thread in running:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    for thread in running:
        thread.join(_STOPPING_S)


def at_once(work: Callable[[], None]) -> None:
    """Do the work before returning: for simulated time, where nothing may depend on how fast the machine is."""
    work()


class ForecastDesk:
    """Issues the forecasts of one forecaster.

    A forecaster learns in `run`, anew every so often, while the one before goes on predicting; until the first has learnt, an unfitted one
    does what it can. Nothing is done before a forecast is asked for.

    Args:
        make: Makes an unfitted forecaster.
        name: Its name, for the samples' `source`.
        past: Returns the history of a span, such as `CarbonSource.history`; called within `run`.
        times: When and how far.
        run: `in_background` or `at_once`.
    """

    def __init__(
        self,
        make: Callable[[], Forecaster],
        name: str,
        past: Callable[[datetime, datetime], IntensitySeries],
        times: ForecastTimes,
        run: Callable[[Callable[[], None]], None],
    ) -> None:
        self._make = make
        self._name = name
        self._past = past
        self._times = times
        self._run = run
        self._learnt: tuple[Forecaster, HourlyIntensity | None] = (make(), None)
        self._fitting = False
        self._fit_due_at: datetime | None = None
        self._issued: tuple[object, Forecast] | None = None
        self._not_issued: str | None = None
        self._not_learnt: str | None = None

    @property
    def problem(self) -> str | None:
        """Why there is no forecast, or why it comes from an older lesson than it should; `None` if all is well."""
        return self._not_issued or self._not_learnt

    def forecast(self, now: datetime, series: IntensitySeries) -> Forecast | None:
        """Return what is expected at `now`, or `None` with `problem` set if nothing can be.

        Args:
            now: The present instant, UTC.
            series: The newest of what is known; what has not ended by `now` is not used.
        """
        if self._fit_due_at is None or now >= self._fit_due_at:
            self._refit(now)
        forecaster, past = self._learnt
        newest = series.samples[-1] if len(series) else None
        occasion = (full_hour(now), newest, id(forecaster))
        if self._issued is not None and self._issued[0] == occasion:
            return self._issued[1]
        try:
            forecast = self._issue(forecaster, past, series, now=now)
        except CarbonSourceError as error:
            self._not_issued = f"there is no forecast: {error}"
            return None
        self._not_issued = None
        self._issued = (occasion, forecast)
        return forecast

    def _issue(
        self, forecaster: Forecaster, past: HourlyIntensity | None, series: IntensitySeries, *, now: datetime
    ) -> Forecast:
        recent = known_hours(series, now, self._times.history)
        history = recent if past is None else _joined(past, recent)
        hours = -(-(now + self._times.horizon - history.end) // HOUR)
        like: IntensitySample = series.samples[0]
        return as_forecast(checked_forecast(forecaster, history, hours), history, like, self._name)

    def _refit(self, now: datetime) -> None:
        if self._fitting:
            return
        self._fitting = True
        self._fit_due_at = now + self._times.refit_every

        def fit() -> None:
            try:
                with plugin_errors("while learning"):
                    history = known_hours(self._past(now - self._times.history, now), now, self._times.history)
                    forecaster = self._make()
                    forecaster.fit(history)
                self._learnt, self._not_learnt = (forecaster, history), None
            except CarbonSourceError as error:
                self._fit_due_at = now + min(_TRY_AGAIN, self._times.refit_every)
                self._not_learnt = f"the forecaster could not learn: {error}"
            finally:
                self._fitting = False

        self._run(fit)


def _joined(past: HourlyIntensity, recent: HourlyIntensity) -> HourlyIntensity:
    """Return both in one, where the recent hours count."""
    start = min(past.start, recent.start)
    values = np.full((recent.end - start) // HOUR, np.nan)
    for hours in (past, recent):
        first = (hours.start - start) // HOUR
        part = values[first : first + len(hours.values)]
        np.copyto(part, hours.values[: len(part)], where=~np.isnan(hours.values[: len(part)]))
    return HourlyIntensity(start, values, recent.now)
