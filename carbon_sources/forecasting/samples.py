"""What the learning forecasters learn from: inputs at an instant of issue and what came after.

Values are those of a `Scale`, of mean 0 and deviation 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.gaps import DAY_H, Filled
from carbon_sources.forecasting.hourly import Array

WINDOW_H = 28 * DAY_H
"""How many hours before its issue a forecast looks at."""

LEARNT_H = 7 * DAY_H
"""How many leads are learnt: five days and a publication lag of two."""

WEEK_H = 7 * DAY_H

SEASON_INPUTS = 4
"""The first inputs say which season it is."""

_KNOWN_SHARE = 0.8
_FOLDS = 5
_FOLD_H = 14 * DAY_H
_YEAR_H = 365.2425 * DAY_H
_SEASONS_H = 320 * DAY_H
_EPOCH_WEEKDAY = 3
"""1970 began on a Thursday; Monday is 0."""

Hours = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Issues:
    """Instants at which forecasts are issued, with what was known then.

    Attributes:
        windows: Shape (issues, `WINDOW_H`): the standardised values before each issue.
        hour: Shape (issues,): the first hour forecast, in hours since 1970 UTC.
        inputs: Shape (issues, inputs): what linear and kernel models see.
    """

    windows: Array
    hour: Hours
    inputs: Array

    @property
    def hour_of_day(self) -> Hours:
        """Shape (issues,), 0 to 23, UTC: the hour that begins at the issue."""
        return self.hour % DAY_H

    @property
    def usual(self) -> Array:
        """Shape (issues, 24): what learning starts from, the usual course of the day at the level of the last week."""
        days = self.windows.reshape(-1, WINDOW_H // DAY_H, DAY_H)
        month, week = days.mean(axis=1), days[:, -7:].mean(axis=1)
        shape = month - month.mean(axis=1, keepdims=True)
        result: Array = 0.5 * week + 0.5 * (shape + week.mean(axis=1, keepdims=True))
        return result

    def part(self, rows: NDArray[np.intp]) -> Issues:
        """Return some of the issues."""
        return Issues(self.windows[rows], self.hour[rows], self.inputs[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Issues and what came after them.

    Attributes:
        issues: The issues.
        targets: Shape (issues, `LEARNT_H`): standardised actual values minus the usual ones.
        fold: Shape (issues,): to which part of a cross-validation each belongs; whole fortnights belong together.
    """

    issues: Issues
    targets: Array
    fold: Hours

    @property
    def know_seasons(self) -> bool:
        """Whether the issues span a year, or nearly: with less, the season would stand for whatever else was going on."""
        return len(self.fold) > 0 and int(self.issues.hour[-1] - self.issues.hour[0]) >= _SEASONS_H

    def of_hour(self, hour_of_day: int) -> NDArray[np.intp]:
        """Return the indices of the issues at one hour of the day."""
        return np.flatnonzero(self.issues.hour_of_day == hour_of_day)


def weekday(hour: Hours) -> Hours:
    """Return the weekday of hours since 1970 UTC, Monday is 0."""
    return (hour // DAY_H + _EPOCH_WEEKDAY) % 7


def season_of(hour: Hours) -> tuple[Array, Array]:
    """Return cosine and sine of the time of the year of hours since 1970 UTC."""
    angle = 2 * np.pi / _YEAR_H * hour
    return np.cos(angle), np.sin(angle)


def over_leads(usual: Array) -> Array:
    """Return a course of the day for all leads: shape (issues, 24) becomes (issues, `LEARNT_H`)."""
    return np.tile(usual, LEARNT_H // DAY_H)


def issues_at(scaled: Array, first_hour: int, at: NDArray[np.intp]) -> Issues:
    """Return issues at the begin of the hours `at` of a series.

    Args:
        scaled: Shape (hours,), standardised.
        first_hour: Begin of the series in hours since 1970 UTC.
        at: Indices into `scaled`, at least `WINDOW_H` and at most its length.
    """
    windows = np.lib.stride_tricks.sliding_window_view(scaled, WINDOW_H)
    chosen, hour = windows[at - WINDOW_H], at + first_hour
    return Issues(chosen, hour, _inputs(chosen, hour))


def _inputs(windows: Array, hour: Hours) -> Array:
    """Return the inputs of issues, scaled by how much each may matter.

    The season first; the last day, its last hours once more, the usual days of the last week and month, the means of the last days, the level of
    the last week and the weekday.
    """
    level, recent = windows[:, -WEEK_H:].mean(axis=1, keepdims=True), windows[:, -DAY_H:]
    days = windows.reshape(-1, WINDOW_H // DAY_H, DAY_H)
    first, second = season_of(hour[:, None]), season_of(2 * hour[:, None])
    parts = [
        0.5 * np.hstack([*first, *second]),
        recent - level,
        recent[:, -6:] - level,
        days[:, -7:].mean(axis=1) - level,
        days.mean(axis=1) - level,
        days[:, -7:].mean(axis=2) - level,
        level,
        0.7 * np.eye(7)[weekday(hour)],
    ]
    return np.hstack(parts)


def samples_from(past: Filled, scaled: Array, at: NDArray[np.intp]) -> Samples:
    """Return samples at those of the hours `at` before and after which enough is known.

    Args:
        past: A history without gaps.
        scaled: Its values, standardised.
        at: Indices into them, at least `WINDOW_H` and at least `LEARNT_H` below its length.
    """
    known = np.concatenate(([0.0], np.cumsum(past.known)))
    before = (known[at] - known[at - WEEK_H]) / WEEK_H
    after = (known[at + LEARNT_H] - known[at]) / LEARNT_H
    at = at[(before >= _KNOWN_SHARE) & (after >= _KNOWN_SHARE)]
    issues = issues_at(scaled, past.first_hour, at)
    actual = np.lib.stride_tricks.sliding_window_view(scaled, LEARNT_H)[at]
    return Samples(issues, actual - over_leads(issues.usual), issues.hour // _FOLD_H % _FOLDS)
