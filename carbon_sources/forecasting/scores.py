"""How good forecasts were, by day of their horizon."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import LEVELS, Array

CENTRAL = {90: (0.05, 0.95), 80: (0.1, 0.9)}
"""Central intervals by the percentage that they should hold, with the levels of their ends."""

ByDay = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores for each day of the horizon, `None` for a day without anything to score or whose score is beyond what a float holds.

    Attributes:
        mape: Mean of |expected - actual| / actual over the hours whose actual value is above zero, percent.
        mae: Mean of |expected - actual|, g/kWh.
        rmse: Root of the mean of (expected - actual)², g/kWh.
        pinball: Mean of the quantile losses over hours and `LEVELS`, g/kWh; `None` where there are no quantiles.
        coverage: By interval of `CENTRAL`, the share of hours whose actual value lies in it, ends included, percent.
        rank_correlation: Mean over issues of Spearman's correlation of expected and actual values within the day. Ties share the
            mean of their ranks. A day on which either does not vary, or of which less than half is known, is left out.
        skill: 1 - MAE / MAE of "yesterday" over the hours for which both are known; above zero is better than yesterday.
        hours: Hours that were scored.
        zero_hours: Those of them whose actual value is zero, and which are left out of `mape`.
    """

    mape: ByDay
    mae: ByDay
    rmse: ByDay
    pinball: ByDay
    coverage: dict[int, ByDay]
    rank_correlation: ByDay
    skill: ByDay
    hours: tuple[int, ...]
    zero_hours: tuple[int, ...]


@np.errstate(over="ignore")
def score(actual: Array, expected: Array, quantiles: Array | None, yesterday: Array) -> Scores:
    """Return the scores of forecasts that were issued one after the other.

    Only hours with both an actual and an expected value are scored.

    Args:
        actual: Shape (issues, hours), g/kWh, NaN where nothing is known.
        expected: Shape (issues, hours), g/kWh, NaN where nothing was expected.
        quantiles: Shape (issues, hours, levels) for `LEVELS`, or `None` where only the expected values are known.
        yesterday: Shape (issues, hours), g/kWh: the last known value of each hour of the day, NaN where there is none.
    """
    error = np.abs(expected - actual)
    scored = ~np.isnan(error)
    nothing: ByDay = (None,) * -(-actual.shape[1] // DAY_H)
    return Scores(
        mape=_by_day(_percentage, error, actual),
        mae=_by_day(mean, error),
        rmse=_by_day(_root_mean_square, error),
        pinball=nothing if quantiles is None else _by_day(_pinball, actual, quantiles),
        coverage={
            share: nothing if quantiles is None else _by_day(partial(_covered, ends=ends), actual, quantiles)
            for share, ends in CENTRAL.items()
        },
        rank_correlation=_by_day(_rank_correlation, expected, actual),
        skill=_by_day(_skill, error, np.abs(yesterday - actual)),
        hours=tuple(int(np.sum(day)) for day in _days(scored)),
        zero_hours=tuple(int(np.sum(day)) for day in _days(scored & (actual == 0))),
    )


def _by_day(value: Callable[..., float | None], *arrays: Array) -> ByDay:
    return tuple(value(*day) for day in zip(*map(_days, arrays), strict=True))


def _days(values: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the parts of shape (issues, up to 24, ...) that belong to each day of the horizon."""
    return [values[:, first : first + DAY_H] for first in range(0, values.shape[1], DAY_H)]


def mean(values: Array) -> float | None:
    """Return the mean of those that are known, `None` if none is or if it is beyond what a float holds."""
    known = values[~np.isnan(values)]
    return _finite(float(known.mean())) if len(known) else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def pinball(actual: Array, quantiles: Array) -> Array:
    """Return the quantile loss of each hour, the mean over `LEVELS`, g/kWh.

    Koenker and Bassett, "Regression Quantiles" (1978).

    Args:
        actual: Shape (...), g/kWh.
        quantiles: Shape (..., levels).
    """
    above = actual[..., None] - quantiles
    levels = np.asarray(LEVELS)
    losses: Array = np.maximum(levels * above, (levels - 1) * above).mean(axis=-1)
    return losses


def _percentage(error: Array, actual: Array) -> float | None:
    share = np.divide(error, actual, out=np.full(actual.shape, np.nan), where=actual > 0)
    result = mean(share)
    return None if result is None else _finite(100 * result)


def _root_mean_square(error: Array) -> float | None:
    square = mean(error**2)
    return None if square is None else math.sqrt(square)


def _pinball(actual: Array, quantiles: Array) -> float | None:
    return mean(pinball(actual, quantiles))


def _covered(actual: Array, quantiles: Array, ends: tuple[float, float]) -> float | None:
    low, high = (quantiles[..., LEVELS.index(level)] for level in ends)
    known = ~np.isnan(actual + low + high)
    inside = (low <= actual) & (actual <= high)
    return 100 * float(inside[known].mean()) if known.any() else None


def _skill(error: Array, reference: Array) -> float | None:
    both = ~np.isnan(error + reference)
    of_error, of_reference = mean(error[both]), mean(reference[both])
    return None if of_error is None or not of_reference else _finite(1 - of_error / of_reference)


def _rank_correlation(expected: Array, actual: Array) -> float | None:
    found = [spearman(*pair) for pair in zip(expected, actual, strict=True)]
    return mean(np.array(found, dtype=np.float64))


def spearman(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation of two series where both are known; NaN if either does not vary or half is unknown."""
    known = ~np.isnan(first + second)
    if known.sum() < max(2, len(first) / 2):
        return math.nan
    ranks = [_ranks(values[known]) for values in (first, second)]
    away = [rank - rank.mean() for rank in ranks]
    scale = math.sqrt(float((away[0] ** 2).sum() * (away[1] ** 2).sum()))
    return float((away[0] * away[1]).sum()) / scale if scale else math.nan


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
