"""What a forecaster answers, held against what every forecaster promises: plug-ins may do anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from carbon_sources.errors import CarbonSourceError, PluginError
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity


@contextmanager
def plugin_errors(when: str) -> Iterator[None]:
    """Turn whatever a plug-in raises that is not our own kind of refusal into a sentence.

    Args:
        when: What it was asked to do, for the sentence.

    Raises:
        PluginError: If anything else was raised inside.
    """
    try:
        yield
    except CarbonSourceError:
        raise
    except Exception as error:
        raise PluginError(f"failed {when}: {type(error).__name__}: {error}") from error


def checked_forecast(forecaster: Forecaster, history: HourlyIntensity, hours: int) -> HourlyForecast:
    """Return what a forecaster expects of the `hours` hours after `history`, if that is a forecast.

    Raises:
        ForecastError: If it has nothing to go by.
        PluginError: If it fails in another way, or its answer is no forecast.
    """
    with plugin_errors(f"at the issue of {history.now:%Y-%m-%d %H:%M} UTC"):
        expected = forecaster.predict(history, hours)
        _check(expected, hours)
    return expected


def _check(expected: HourlyForecast, hours: int) -> None:
    """Raise `ValueError` unless the answer is what the interface promises."""
    if expected.mean.shape != (hours,) or expected.quantiles.shape != (hours, len(LEVELS)):
        raise ValueError(
            f"{hours} hours were asked for, got shapes {expected.mean.shape} and {expected.quantiles.shape}"
        )
    if not (np.isrealobj(expected.mean) and np.isrealobj(expected.quantiles)):
        raise ValueError("expected values and quantiles must be real numbers")
    if not (np.isfinite(expected.mean).all() and np.isfinite(expected.quantiles).all() and (expected.mean >= 0).all()):
        raise ValueError("expected values and quantiles must be finite, and expected values at least zero")
    if expected.average is not None:
        _check_average(expected.average, hours)
    if (np.diff(expected.quantiles, axis=1) < 0).any():
        raise ValueError("quantiles decrease along their levels")


def _check_average(average: Array, hours: int) -> None:
    if average.shape != (hours,):
        raise ValueError(f"{hours} hours were asked for, got an average of shape {average.shape}")
    if not (np.isrealobj(average) and np.isfinite(average).all() and (average >= 0).all()):
        raise ValueError("the average must be real, finite and at least zero")
