"""Backtests: what forecasters would have said in the past, each time knowing only what had ended by then."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from carbon_sources.clock import monotonic_s
from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.answer import checked_forecast, plugin_errors
from carbon_sources.forecasting.backtest_setting import Setting, first_hour
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, hourly_means
from carbon_sources.forecasting.provider import ArchivedForecasts
from carbon_sources.interval import HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """What one forecaster expected.

    Attributes:
        mean: Shape (issues, hours), g/kWh, NaN where nothing was expected.
        quantiles: Shape (issues, hours, levels) for `LEVELS`, or `None` where only expected values are known.
        fit_s: Seconds that learning took.
        predict_s: Seconds that each issue took, the median; `None` without any.
        refusals: Issues at which there was nothing to go by.
    """

    mean: Array
    quantiles: Array | None
    fit_s: float
    predict_s: float | None
    refusals: int


def expectations(
    forecaster: Forecaster,
    setting: Setting,
    *,
    told: Callable[[int], None] = lambda _: None,
    monotonic: Callable[[], float] = monotonic_s,
) -> Expectations:
    """Let a forecaster learn what had ended by the end of the training, and then forecast at each issue.

    Args:
        forecaster: A forecaster, fitted or not.
        setting: What it is asked.
        told: Called after each issue with the number of issues so far.
        monotonic: Reads a monotonic clock, seconds.

    Raises:
        ForecastError: If it had nothing to go by at any issue.
        PluginError: If it fails in another way, or its answer is no forecast.
    """
    began = monotonic()
    with plugin_errors("while learning"):
        forecaster.fit(setting.training())
    fit_s = monotonic() - began
    means, quantiles, predict_s = _ask(partial(_forecast, forecaster, setting), setting, told, monotonic)
    return Expectations(means, quantiles, fit_s, predict_s, _refusals(means))


def archived_expectations(
    archive: ArchivedForecasts,
    setting: Setting,
    *,
    told: Callable[[int], None] = lambda _: None,
    monotonic: Callable[[], float] = monotonic_s,
) -> Expectations:
    """Return the archived forecasts as they stand: at each issue the newest by then, NaN where it says nothing.

    Args:
        archive: The provider's forecasts.
        setting: What is asked; nothing is learnt.
        told: Called after each issue with the number of issues so far.
        monotonic: Reads a monotonic clock, seconds.

    Raises:
        ForecastError: If there is no forecast at any issue.
    """
    means, _, predict_s = _ask(partial(_archived, archive, setting.hours), setting, told, monotonic)
    return Expectations(means, None, 0.0, predict_s, _refusals(means))


def _ask(
    answer: Callable[[datetime], HourlyForecast],
    setting: Setting,
    told: Callable[[int], None],
    monotonic: Callable[[], float],
) -> tuple[Array, Array, float | None]:
    """Return means, quantiles and the median of the seconds that it took to get them."""
    means = np.full((len(setting.issues), setting.hours), np.nan)
    quantiles = np.full((*means.shape, len(LEVELS)), np.nan)
    took_s: list[float] = []
    refused: ForecastError | None = None
    for number, issue in enumerate(setting.issues):
        began = monotonic()
        try:
            expected = answer(issue)
        except ForecastError as error:
            refused = refused or error
        else:
            means[number], quantiles[number] = expected.mean, expected.quantiles
        took_s.append(monotonic() - began)
        told(number + 1)
    if refused is not None and np.isnan(means).all():
        raise refused
    return means, quantiles, statistics.median(took_s) if took_s else None


def _refusals(means: Array) -> int:
    return int(np.isnan(means).all(axis=1).sum())


def _forecast(forecaster: Forecaster, setting: Setting, issue: datetime) -> HourlyForecast:
    history = setting.seen_at(issue)
    begun = (first_hour(issue) - history.end) // HOUR
    expected = checked_forecast(forecaster, history, begun + setting.hours)
    return HourlyForecast(expected.mean[begun:], expected.quantiles[begun:])


def _archived(archive: ArchivedForecasts, hours: int, issue: datetime) -> HourlyForecast:
    newest = archive(issue)
    if newest is None:
        raise ForecastError(f"there is no archived forecast for {issue:%Y-%m-%d %H:%M} UTC")
    first = first_hour(issue)
    mean = hourly_means(newest.series, first, first + hours * HOUR).values
    return HourlyForecast(mean, np.repeat(mean[:, None], len(LEVELS), axis=1))
