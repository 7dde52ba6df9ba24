"""Models that learn in the same scale, mixed by how well each would have done of late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H, Filled
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.mixing import RECENT_DAYS, mixture
from carbon_sources.forecasting.samples import LEARNT_H, WINDOW_H, Samples, issues_at, over_leads, samples_from
from carbon_sources.forecasting.scales import Scale

_FEWEST = 28 * DAY_H
"""Issues, of every hour of the day, without which nothing is learnt: four weeks."""
_BEYOND = 1.0
"""How far, in deviations of the scale, a forecast may leave the range of the last four weeks: models of a grid that has changed
altogether may say anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """What a team expects, in its scale.

    Attributes:
        scale: The scale.
        ahead: Shape (`LEARNT_H`,): what is expected after the issue.
        actual: Shape (issues, `LEARNT_H`): what came after the issues at the same hour of the last days, newest first, NaN where it is not known.
        errors: Shape (issues, `LEARNT_H`): by how much it would have exceeded what was expected of it.
    """

    scale: Scale
    ahead: Array
    actual: Array
    errors: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Learnt:
    """What one fit leaves behind.

    Attributes:
        scale: How intensities are turned into what is learnt.
        until: The hour since 1970 at which the history ended.
        last: What would have been expected out of sample at the last issues learnt from, by their hour: (members, `LEARNT_H`).
    """

    scale: Scale
    until: int
    last: dict[int, Array]


class Team:
    """Mixes the members' forecasts, and lets the newest hours of the history handed in correct what was learnt.

    Args:
        scale_of: Returns the scale for a history's known values.
        members: The models, not shared with another team.
    """

    def __init__(self, scale_of: Callable[[Array], Scale], members: Sequence[Member]) -> None:
        self._scale_of = scale_of
        self._members = tuple(members)
        self._learnt: _Learnt | None = None

    def fit(self, past: Filled) -> list[Array]:
        """Learn from a history.

        Returns:
            The errors of the mean of all members out of sample, by hour of the day of the issue: 24 arrays of shape (issues, `LEARNT_H`).
            An empty list if there is too little to learn from.
        """
        self._learnt = None
        scale = self._scale_of(past.values[past.known])
        scaled = scale.scaled(past.values)
        at = np.arange(WINDOW_H, len(scaled) - LEARNT_H + 1)
        if len(at) < _FEWEST:
            return []
        samples = samples_from(past, scaled, at)
        if len(samples.fold) < _FEWEST:
            return []
        expected = np.array([member.fit(samples) for member in self._members])
        recent = range(max(0, len(samples.fold) - DAY_H * RECENT_DAYS), len(samples.fold))
        last = {int(samples.issues.hour[issue]): expected[:, issue].copy() for issue in recent}
        self._learnt = _Learnt(scale, past.first_hour + len(scaled), last)
        errors = samples.targets - expected.mean(axis=0)
        # Gaps may leave an hour of the day without any issue: it errs like the others.
        return [errors[own] if len(own := samples.of_hour(hour)) else errors for hour in range(DAY_H)]

    def expect(self, past: Filled) -> Mixed | None:
        """Return what is expected after a history of at least `WINDOW_H` hours, or `None` if nothing was learnt."""
        learnt = self._learnt
        if learnt is None:
            return None
        scaled = learnt.scale.scaled(past.values)
        now = issues_at(scaled, past.first_hour, np.array([len(scaled)]))
        actual, errors = self._recent(learnt, past, scaled)
        weights = mixture(errors)
        news = _news(learnt, past, scaled)
        expected = np.array([member.predict(now, news)[0] for member in self._members])
        ahead = over_leads(now.usual)[0] + (weights * expected).sum(axis=0)
        ahead = np.clip(ahead, now.windows.min() - _BEYOND, now.windows.max() + _BEYOND)
        return Mixed(learnt.scale, ahead, actual, (weights[:, None] * errors).sum(axis=0))

    def _recent(self, learnt: _Learnt, past: Filled, scaled: Array) -> tuple[Array, Array]:
        """Return what came after the issues at the same hour of the last days, and what the errors of the members would have been.

        Returns:
            Shapes (issues, `LEARNT_H`) and (members, issues, `LEARNT_H`), NaN where the actual value is not known.
        """
        at = len(scaled) - DAY_H * np.arange(1, RECENT_DAYS + 1)
        at = at[at >= WINDOW_H]
        if not len(at):
            return np.full((1, LEARNT_H), np.nan), np.full((len(self._members), 1, LEARNT_H), np.nan)
        issues = issues_at(scaled, past.first_hour, at)
        expected = np.empty((len(self._members), len(at), LEARNT_H))
        later = []
        for row, hour in enumerate(issues.hour.tolist()):
            if hour in learnt.last:
                expected[:, row] = learnt.last[hour]
            else:
                later.append(row)
        if later:
            nothing, rows = samples_from(past, scaled, at[:0]), np.array(later)
            expected[:, rows] = [member.predict(issues.part(rows), nothing) for member in self._members]
        known = np.concatenate((np.where(past.known, scaled, np.nan), np.full(LEARNT_H, np.nan)))
        actual = np.lib.stride_tricks.sliding_window_view(known, LEARNT_H)[at]
        return actual, actual - over_leads(issues.usual) - expected


def _news(learnt: _Learnt, past: Filled, scaled: Array) -> Samples:
    """Return the samples of the present hour of the day that came after those learnt from."""
    earliest = max(WINDOW_H, learnt.until - LEARNT_H + 1 - past.first_hour)
    at = np.arange(len(scaled) - LEARNT_H, earliest - 1, -DAY_H)[::-1]
    return samples_from(past, scaled, at)
