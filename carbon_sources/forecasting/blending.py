"""Mixing a forecast with that of the provider, by how well both have done of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import HOUR, Array, HourlyForecast, full_hour, hourly_means
from carbon_sources.forecasting.provider import Issues
from carbon_sources.forecasting.spread import forecast_around

_FEWEST_HOURS = 24
"""Hours of a day of horizon that must have been compared before a provider's forecast counts for that day."""
_SMALLEST_ERROR = 1e-6


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


def told_hours(issues: Issues, now: datetime, hours: int) -> Array:
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


def blended(own: HourlyForecast, past: PastIssues, issues: Issues, now: datetime) -> HourlyForecast:
    """Return the mean of a forecast and the provider's, each weighted by its inverse squared error of the last weeks.

    Weights are found for each day of the horizon. For a day of which too little has been compared, and where the provider says
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
    mine = _error_by_day(past.expected, past.actual, told)
    weight = 1 / (1 + (mine / _error_by_day(told, past.actual, told)) ** 2)
    weight = np.where(np.isfinite(weight), weight, 1.0)
    mixed = weight.repeat(DAY_H) * past.expected + (1 - weight.repeat(DAY_H)) * told
    narrowing = _error_by_day(mixed, past.actual, told) / mine
    narrowing = np.where(np.isfinite(narrowing), np.minimum(narrowing, 1.0), 1.0)
    share, narrow = (_over_hours(by_day, len(own.mean)) for by_day in (weight, narrowing))
    share, narrow = (np.where(np.isfinite(theirs), part, 1.0) for part in (share, narrow))
    mean = share * own.mean + (1 - share) * np.nan_to_num(theirs)
    return forecast_around(mean, mean[:, None] + (own.quantiles - own.mean[:, None]) * narrow[:, None])


def _error_by_day(expected: Array, actual: Array, told: Array) -> Array:
    """Return the mean absolute errors by day of horizon, where the provider said something; NaN where too little is known."""
    errors = np.where(np.isfinite(told), np.abs(expected - actual), np.nan).reshape(len(actual), -1, DAY_H)
    known = np.isfinite(errors).sum(axis=(0, 2))
    total = np.nansum(errors, axis=(0, 2))
    means: Array = np.where(known >= _FEWEST_HOURS, np.maximum(total / np.maximum(known, 1), _SMALLEST_ERROR), np.nan)
    return means


def _over_hours(by_day: Array, hours: int) -> Array:
    """Return the values of the days for each hour; what lies after the last day is like it."""
    repeated = by_day.repeat(DAY_H)[:hours]
    return np.concatenate((repeated, np.full(hours - len(repeated), by_day[-1])))
