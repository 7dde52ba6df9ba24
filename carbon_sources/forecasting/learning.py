"""Forecasters that learn: members trained on one history, mixed by how well each would have done of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.blending import PastIssues
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import DAY_H, EPOCH, Filled, filled
from carbon_sources.forecasting.hourly import Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.mixing import RECENT_DAYS, mixture, recent_width
from carbon_sources.forecasting.samples import (
    LEARNT_H,
    WINDOW_H,
    LogScale,
    Samples,
    issues_at,
    over_leads,
    samples_from,
)
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.forecasting.spread import error_quantiles, extended, forecast_around
from carbon_sources.interval import HOUR

_FEWEST = 28 * DAY_H
"""Issues, of every hour of the day, without which nothing is learnt: four weeks."""
_BEYOND = 1.0
"""How far, in standardised logarithms, a forecast may leave the range of the last four weeks: models of a grid that has changed
altogether may say anything."""


@dataclass(frozen=True, slots=True, eq=False)
class _Learnt:
    """What one fit leaves behind.

    Attributes:
        scale: How intensities are turned into what is learnt.
        until: The hour since 1970 at which the history ended.
        quantiles: Shape (24, `LEARNT_H`, levels): of the errors out of sample, by hour of the day of the issue.
        typical: Shape (24, `LEARNT_H`): mean absolute errors out of sample.
        last: What would have been expected out of sample at the last issues learnt from, by their hour: (members, `LEARNT_H`).
    """

    scale: LogScale
    until: int
    quantiles: Array
    typical: Array
    last: dict[int, Array]


class LearningForecaster(Forecaster):
    """Mixes the members' forecasts, and lets the newest hours of the history handed in correct what was learnt.

    A history that is too short to learn from, or to forecast from, is forecast half-way between yesterday and the last week.

    Args:
        members: The models.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self._learnt: _Learnt | None = None

    def fit(self, history: HourlyIntensity) -> None:
        self._learnt = None
        try:
            past = filled(history)
        except ForecastError:
            return
        scale = LogScale.of(past.values[past.known])
        logs = scale.scaled(past.values)
        at = np.arange(WINDOW_H, len(logs) - LEARNT_H + 1)
        if len(at) < _FEWEST:
            return
        samples = samples_from(past, logs, at)
        if len(samples.fold) < _FEWEST:
            return
        expected = np.array([member.fit(samples) for member in self._members])
        errors = samples.targets - expected.mean(axis=0)
        # Gaps may leave an hour of the day without any issue: it errs like the others.
        by_hour = [errors[own] if len(own := samples.of_hour(hour)) else errors for hour in range(DAY_H)]
        recent = range(max(0, len(samples.fold) - DAY_H * RECENT_DAYS), len(samples.fold))
        self._learnt = _Learnt(
            scale=scale,
            until=past.first_hour + len(logs),
            quantiles=np.array([error_quantiles(own) for own in by_hour]),
            typical=np.array([np.abs(own).mean(axis=0) for own in by_hour]),
            last={int(samples.issues.hour[issue]): expected[:, issue].copy() for issue in recent},
        )

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return self.predict_looking_back(history, hours)[0]

    def predict_looking_back(self, history: HourlyIntensity, hours: int) -> tuple[HourlyForecast, PastIssues | None]:
        """Return what is expected, and what would have been at the same hour of the last days; `None` where nothing was learnt."""
        past = filled(history)
        learnt = self._learnt
        if learnt is None or len(past.values) < DAY_H:
            return _simple(history, hours), None
        enough = len(past.values) >= WINDOW_H + DAY_H
        past = _long_enough(past)
        logs = learnt.scale.scaled(past.values)
        now = issues_at(logs, past.first_hour, np.array([len(logs)]))
        errors = self._recent_errors(learnt, past, logs)
        weights = mixture(errors)
        news = _news(learnt, past, logs)
        expected = np.array([member.predict(now, news)[0] for member in self._members])
        ahead = over_leads(now.usual)[0] + (weights * expected).sum(axis=0)
        ahead = np.clip(ahead, now.windows.min() - _BEYOND, now.windows.max() + _BEYOND)
        hour = int(now.hour_of_day[0])
        mixed = (weights[:, None] * errors).sum(axis=0)
        width = recent_width(mixed, learnt.typical[hour])
        around = ahead[:, None] + learnt.quantiles[hour] * width[:, None]
        mean, quantiles = (learnt.scale.unscaled(extended(part, past.lag + hours)) for part in (ahead, around))
        back = _past_issues(learnt, past, logs, errors=mixed) if enough else None
        return forecast_around(mean[past.lag :], quantiles[past.lag :]), back

    def _recent_errors(self, learnt: _Learnt, past: Filled, logs: Array) -> Array:
        """Return what the errors of the members would have been at the same hour of the last days.

        Returns:
            Shape (members, issues, `LEARNT_H`) of standardised logarithms, NaN where the actual value is not known.
        """
        at = len(logs) - DAY_H * np.arange(1, RECENT_DAYS + 1)
        at = at[at >= WINDOW_H]
        if not len(at):
            return np.full((len(self._members), 1, LEARNT_H), np.nan)
        issues = issues_at(logs, past.first_hour, at)
        nothing = samples_from(past, logs, at[:0])
        expected = np.array([member.predict(issues, nothing) for member in self._members])
        for row, hour in enumerate(issues.hour.tolist()):
            expected[:, row] = learnt.last.get(hour, expected[:, row])
        actual = np.concatenate((np.where(past.known, logs, np.nan), np.full(LEARNT_H, np.nan)))
        after = np.lib.stride_tricks.sliding_window_view(actual, LEARNT_H)[at]
        errors: Array = after - over_leads(issues.usual) - expected
        return errors


def _past_issues(learnt: _Learnt, past: Filled, logs: Array, *, errors: Array) -> PastIssues:
    """Return past issues from what their errors would have been, shape (issues, `LEARNT_H`), a day apart, newest first."""
    issues = len(errors)
    end = EPOCH + (past.first_hour + len(logs)) * HOUR
    after = np.concatenate((np.where(past.known, logs, np.nan), np.full(LEARNT_H, np.nan)))
    at = len(logs) - DAY_H * np.arange(1, issues + 1)
    actual = np.lib.stride_tricks.sliding_window_view(after, LEARNT_H)[at]
    unscaled = learnt.scale.unscaled
    ends = [end - DAY_H * (back + 1) * HOUR for back in range(issues)]
    return PastIssues(ends, unscaled(actual - errors), unscaled(actual))


def _simple(history: HourlyIntensity, hours: int) -> HourlyForecast:
    """Return the mean of both seasonal forecasts: the one is better at first, the other later."""
    yesterday, week = Seasonal().predict(history, hours), Seasonal(profile="week").predict(history, hours)
    return HourlyForecast((yesterday.mean + week.mean) / 2, (yesterday.quantiles + week.quantiles) / 2)


def _news(learnt: _Learnt, past: Filled, logs: Array) -> Samples:
    """Return the samples of the present hour of the day that came after those learnt from."""
    earliest = max(WINDOW_H, learnt.until - LEARNT_H + 1 - past.first_hour)
    at = np.arange(len(logs) - LEARNT_H, earliest - 1, -DAY_H)[::-1]
    return samples_from(past, logs, at)


def _long_enough(past: Filled) -> Filled:
    """Return a history of at least `WINDOW_H` hours: a shorter one with its first days before it again and again."""
    missing = WINDOW_H - len(past.values)
    if missing <= 0:
        return past
    whole = min(len(past.values) // DAY_H, 7) * DAY_H
    before = np.resize(past.values[:whole][::-1], missing)[::-1]
    return Filled(
        first_hour=past.first_hour - missing,
        values=np.concatenate((before, past.values)),
        known=np.concatenate((np.zeros(missing, dtype=np.bool_), past.known)),
        lag=past.lag,
    )
