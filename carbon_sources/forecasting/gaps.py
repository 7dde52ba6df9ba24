"""Histories without gaps: what the forecasters calculate with.

A value that is filled in here is an input of a forecast and nothing else; it never becomes a sample of a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.hourly import Array, HourlyIntensity
from carbon_sources.interval import HOUR

DAY_H = 24
_SHORT_GAP_H = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Hourly means from the first to the last known hour, without gaps.

    Attributes:
        first_hour: Begin of the first hour, in hours since 1970 UTC.
        values: Shape (hours,), g/kWh, at least one.
        known: Shape (hours,), whether the value was known and not filled in; the last one is.
        lag: Hours between the last known hour and the end of the history: how late the values are published.
    """

    first_hour: int
    values: Array
    known: NDArray[np.bool_]
    lag: int


def filled(history: HourlyIntensity) -> Filled:
    """Return a history without its gaps: short ones bridged, longer ones like the same hours of the nearest known days.

    Raises:
        ForecastError: If no value of the history is known.
    """
    known = np.isfinite(history.values)
    if not known.any():
        raise ForecastError(
            f"no intensity is known before {history.end.isoformat()}: nothing to forecast from; record or import a history first"
        )
    first, last = int(known.argmax()), len(known) - int(known[::-1].argmax())
    values, known = history.values[first:last].copy(), known[first:last]
    if not known.all():
        values = _fill(values, known)
    return Filled((history.start - EPOCH) // HOUR + first, values, known, len(history.values) - last)


def _fill(values: Array, known: NDArray[np.bool_]) -> Array:
    """Return `values` with the unknown ones filled in; the first and the last are known."""
    hours = np.arange(len(values))
    bridged = np.interp(hours, hours[known], values[known])
    result = np.where(known | _in_short_gap(known), bridged, np.nan)
    days = -(-len(values) // DAY_H)
    by_day = np.concatenate((result, np.full(days * DAY_H - len(values), np.nan))).reshape(days, DAY_H)
    for hour in range(DAY_H):
        there = np.flatnonzero(np.isfinite(by_day[:, hour]))
        if len(there):
            by_day[:, hour] = np.interp(np.arange(days), there, by_day[there, hour])
    like_other_days = by_day.ravel()[: len(values)]
    return np.where(np.isfinite(like_other_days), like_other_days, bridged)


def _in_short_gap(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which unknown hours lie in a gap of at most `_SHORT_GAP_H` hours."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], known, [True])).astype(np.int8)))
    short = np.zeros(len(known), dtype=np.bool_)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        short[begin:end] = end - begin <= _SHORT_GAP_H
    return short
