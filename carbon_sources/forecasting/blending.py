"""Mixing a forecast with that of the provider, by how well both have done of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array, HourlyForecast, hourly_means
from carbon_sources.forecasting.provider import ArchivedForecasts
from carbon_sources.forecasting.spread import forecast_around
from carbon_sources.interval import HOUR, full_hour

_FEWEST_HOURS = 24
"""Hours of a day of horizon that must have been compared before a provider's forecast counts for that day."""
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PastIssues:
    """What was, or would have been, expected at instants of the past.

    Attributes:
        issued_at: The instants, UTC full hours.
        expected: Shape (issues, leads), g/kWh, out of sample; whole days of leads.
        actual: Shape (issues, leads), g/kWh, NaN where it is not known.
    """

    issued_at: Sequence[datetime]
    expected: Array
    actual: Array


def told_hours(issues: ArchivedForecasts, now: datetime, hours: int) -> Array:
    """Return what the provider's newest forecast at `now` says of the hours after it, NaN where it says nothing.

    Args:
        issues: The provider's forecasts.
        now: An instant in UTC; the first hour is the one that it lies in.
        hours: How many.

    Returns:
        Shape (hours,), g/kWh.
    """
    newest, start = issues(now), full_hour(now)
    return np.full(hours, np.nan) if newest is None else hourly_means(newest.series, start, start + hours * HOUR).values


def blended(own: HourlyForecast, past: PastIssues, issues: ArchivedForecasts, now: datetime) -> HourlyForecast:
    """Return the mean of a forecast and the provider's, weighted as would have been best in the last weeks.

    The weights minimise the squared error of the mean and lie between 0 and 1 (Bates and Granger, The Combination of Forecasts,
    Operational Research Quarterly 20, 1969); they are found for each day of the horizon. For a day of which too little has been compared, and where the provider says
    nothing, the forecast stays as it is.

    Args:
        own: The forecast of the hours after `now`.
        past: How it would have been at instants of the past.
        issues: The provider's forecasts.
        now: Instant of issue, UTC, within the hour at which `own` begins.
    """
    theirs = told_hours(issues, now, len(own.mean))
    if not np.isfinite(theirs).any():
        return own
    leads = past.expected.shape[1]
    told = np.array([told_hours(issues, issued_at, leads) for issued_at in past.issued_at]).reshape(-1, leads)
    weight = _weight_by_day(past, told)
    mixed = weight.repeat(DAY_H) * past.expected + (1 - weight.repeat(DAY_H)) * told
    narrowing = _error_by_day(mixed, past.actual, told) / _error_by_day(past.expected, past.actual, told)
    narrowing = np.where(weight < 1.0, np.minimum(narrowing, 1.0), 1.0)
    share, narrow = (_over_hours(by_day, len(own.mean)) for by_day in (weight, narrowing))
    share, narrow = (np.where(np.isfinite(theirs), part, 1.0) for part in (share, narrow))
    mean = share * own.mean + (1 - share) * np.nan_to_num(theirs)
    average = None if own.average is None else share * own.average + (1 - share) * np.nan_to_num(theirs)
    return forecast_around(mean, mean[:, None] + (own.quantiles - own.mean[:, None]) * narrow[:, None], average)


def _weight_by_day(past: PastIssues, told: Array) -> Array:
    """Return the share of our own forecast by day of horizon; 1 where too little is known."""
    apart = past.expected - told
    with_actual = np.where(np.isfinite(past.actual), apart, np.nan)
    best = _sum_by_day((past.actual - told) * apart) / np.maximum(_sum_by_day(with_actual**2), _SMALLEST)
    return np.where(_compared(past.actual - told), np.clip(best, 0.0, 1.0), 1.0)


def _error_by_day(expected: Array, actual: Array, told: Array) -> Array:
    """Return the summed absolute errors by day of horizon, where the provider said something."""
    return np.maximum(_sum_by_day(np.abs(np.where(np.isfinite(told), expected, np.nan) - actual)), _SMALLEST)


def _compared(values: Array) -> NDArray[np.bool_]:
    """Return for which days of horizon enough values are known."""
    known = np.isfinite(values).reshape(len(values), -1, DAY_H).sum(axis=(0, 2))
    return np.asarray(known >= _FEWEST_HOURS)


def _sum_by_day(values: Array) -> Array:
    """Return the sums of what is known over issues and each day of leads; (issues, leads) to (days,)."""
    sums: Array = np.nansum(values.reshape(len(values), -1, DAY_H), axis=(0, 2))
    return sums


def _over_hours(by_day: Array, hours: int) -> Array:
    """Return the values of the days for each hour; what lies after the last day is like it."""
    repeated = by_day.repeat(DAY_H)[:hours]
    return np.concatenate((repeated, np.full(hours - len(repeated), by_day[-1])))
