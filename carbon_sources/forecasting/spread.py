"""Quantiles of forecasts from the errors that forecasts of the same lead had before."""

from __future__ import annotations

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast

_IGNORANCE = 0.5
"""Share of the expected value; to carry on with the last value is wrong by 6 to 45 % on the grids that were measured."""

_FEW = 20
"""With fewer errors per lead than this, the leads of a day share theirs."""


def error_quantiles(errors: Array) -> Array:
    """Return the quantiles of past errors by lead.

    Args:
        errors: Shape (issues, leads), actual minus expected, NaN where the actual is not known.

    Returns:
        Shape (leads, levels) for `LEVELS`; leads without any error have those of the nearest lead that has some, or zeros.
    """
    leads = errors.shape[1]
    result = np.full((leads, len(LEVELS)), np.nan)
    complete = np.isfinite(errors).all(axis=0) & (len(errors) >= _FEW)
    result[complete] = np.quantile(errors[:, complete], LEVELS, axis=0).T if complete.any() else np.nan
    for lead in np.flatnonzero(~complete):
        own = errors[:, lead][np.isfinite(errors[:, lead])]
        if len(own) < _FEW:
            block = errors[:, max(0, lead - DAY_H // 2) : lead + DAY_H // 2]
            own = block[np.isfinite(block)]
        if len(own):
            result[lead] = np.quantile(own, LEVELS)
    there = np.flatnonzero(np.isfinite(result[:, 0]))
    if not len(there):
        return np.zeros_like(result)
    return np.column_stack([np.interp(np.arange(leads), there, level[there]) for level in result.T])


def band_around(mean: Array, errors: Array) -> Array:
    """Return the quantiles that past errors of a rule give to its expected values.

    Args:
        mean: Shape (leads,), g/kWh.
        errors: Shape (issues, leads), actual minus expected, NaN where the actual is not known.

    Returns:
        Shape (leads, levels). Where less than a day of errors is known the band spans `_IGNORANCE` to either side: too little is known
        to promise more, and no band at all would look like certainty.
    """
    if np.isfinite(errors).sum() < DAY_H:
        return mean[:, None] * (1 + np.linspace(-_IGNORANCE, _IGNORANCE, len(LEVELS)))
    return mean[:, None] + error_quantiles(errors)


def forecast_around(mean: Array, quantiles: Array, average: Array | None = None) -> HourlyForecast:
    """Return a forecast that keeps what every forecast promises.

    Nothing is below zero, no quantile below a lower one, and what is expected lies between the outermost, and so does the average: errors
    that all went one way move the band, but what is expected is not called improbable.
    """
    mean, quantiles = np.maximum(mean, 0.0), np.maximum(quantiles, 0.0)
    average = None if average is None else np.maximum(average, 0.0)
    for inside in (mean, mean if average is None else average):
        quantiles[:, 0] = np.minimum(quantiles[:, 0], inside)
        quantiles[:, -1] = np.maximum(quantiles[:, -1], inside)
    return HourlyForecast(mean, np.maximum.accumulate(quantiles, axis=1), average)


def extended(by_lead: Array, hours: int) -> Array:
    """Return the first `hours` rows of an array by lead, beyond its end the rows of its last day again and again."""
    leads = len(by_lead)
    day = min(DAY_H, leads)
    index = np.arange(hours)
    return by_lead[np.where(index < leads, index, leads - day + (index - leads) % day)]
