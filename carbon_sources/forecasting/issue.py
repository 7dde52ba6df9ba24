"""Issuing a forecast: the one place where a forecaster meets a series, cut off at the instant of issue."""

from __future__ import annotations

from datetime import datetime, timedelta

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, LONGEST_HISTORY, HourlyForecast, HourlyIntensity, hourly_means
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval, full_hour


def known_hours(series: IntensitySeries, now: datetime, history: timedelta) -> HourlyIntensity:
    """Return the hourly means of what had ended by `now`, the `history` before it at most.

    Raises:
        ForecastError: If nothing had ended by then.
    """
    known = series.between(now - history, now).before(now)
    if not len(known):
        raise ForecastError(f"nothing is known of the {_told(history)} before {now:%Y-%m-%d %H:%M} UTC")
    hours = hourly_means(known, full_hour(known.samples[0].interval.start), full_hour(now))
    return HourlyIntensity(hours.start, hours.values, now)


def _told(duration: timedelta) -> str:
    hours = duration / HOUR
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} h"


def issue(forecaster: Forecaster, name: str, series: IntensitySeries, now: datetime, horizon: timedelta) -> Forecast:
    """Return what `forecaster` expects at `now` of the time until `horizon` later, from what had ended by `now`.

    Args:
        forecaster: A forecaster, fitted or not.
        name: Its name, for the samples' `source`.
        series: What is known; anything that had not ended by `now` is cut off.
        now: Instant of issue, UTC.
        horizon: How far to look ahead, above zero.

    Raises:
        ForecastError: If there is nothing to go by.
    """
    history = known_hours(series, now, LONGEST_HISTORY)
    hours = -(-(now + horizon - history.end) // HOUR)
    return as_forecast(forecaster.predict(history, hours), history, series.samples[0], name)


def as_forecast(expected: HourlyForecast, history: HourlyIntensity, like: IntensitySample, name: str) -> Forecast:
    """Return an array of expectations as a forecast of the zone, kind and basis of `like`."""
    samples = tuple(
        IntensitySample(
            interval=Interval(history.end + hour * HOUR, history.end + (hour + 1) * HOUR),
            g_per_kwh=float(value),
            zone=like.zone,
            kind=like.kind,
            basis=like.basis,
            provenance=Provenance.ESTIMATED,
            source=f"forecast: {name}",
        )
        for hour, value in enumerate(expected.mean)
    )
    quantiles = tuple(tuple(float(value) for value in row) for row in expected.quantiles)
    averages = () if expected.average is None else tuple(expected.average.tolist())
    return Forecast(history.now, IntensitySeries(samples), LEVELS, quantiles, averages)
