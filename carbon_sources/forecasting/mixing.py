"""Weights and widths from how forecasts would have done of late."""

from __future__ import annotations

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array

RECENT_DAYS = 28
"""How many days back forecasts are issued again to be weighted."""

_SHARPNESS = 4.0
"""Power of the inverse error that weights are proportional to: 0 would be a plain mean, infinity the best one only."""
_PRIOR_ISSUES = 14.0
"""How many issues the errors of the past count for against the recent ones."""
_NARROWEST, _WIDEST = 0.6, 2.0


def mixture(errors: Array) -> Array:
    """Return the members' weights for each lead, from their mean absolute errors by day of horizon.

    Args:
        errors: Shape (members, issues, leads), NaN where the actual value is not known; whole days of leads.

    Returns:
        Shape (members, leads), the sum over members is 1.
    """
    by_day = _mean_by_day(np.abs(errors))
    inverse = np.maximum(by_day, _TINY) ** -_SHARPNESS
    weights = inverse / inverse.sum(axis=0)
    return np.repeat(weights, DAY_H, axis=1)


def recent_width(errors: Array, typical: Array) -> Array:
    """Return by how much intervals must be wider (or narrower) than past errors say, from recent ones.

    Args:
        errors: Shape (issues, leads), NaN where the actual value is not known; whole days of leads.
        typical: Shape (leads,): mean absolute errors of the past.

    Returns:
        Shape (leads,), a factor.
    """
    day = np.isfinite(errors).sum(axis=0).reshape(-1, DAY_H).mean(axis=1)
    past = np.maximum(typical.reshape(-1, DAY_H).mean(axis=1), _TINY)
    recent = np.where(day > 0, _mean_by_day(np.abs(errors)), past)
    factor = (day * recent / past + _PRIOR_ISSUES) / (day + _PRIOR_ISSUES)
    return np.repeat(np.clip(factor, _NARROWEST, _WIDEST), DAY_H)


_TINY = 1e-6


def _mean_by_day(values: Array) -> Array:
    """Return the mean of what is known over issues and each day of leads, 1 where nothing is; (..., issues, leads) to (..., days)."""
    shape = (*values.shape[:-1], -1, DAY_H)
    known = np.isfinite(values).reshape(shape).sum(axis=(-3, -1))
    total = np.nan_to_num(values).reshape(shape).sum(axis=(-3, -1))
    means: Array = np.divide(total, known, out=np.ones_like(total), where=known > 0)
    return means
