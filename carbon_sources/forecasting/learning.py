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
from carbon_sources.forecasting.mixing import recent_width
from carbon_sources.forecasting.samples import WINDOW_H
from carbon_sources.forecasting.scales import LinearScale, LogScale
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.forecasting.spread import error_quantiles, extended, forecast_around
from carbon_sources.forecasting.team import Mixed, Team
from carbon_sources.interval import HOUR


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """How far forecasts were off, out of sample and in standardised logarithms.

    Attributes:
        quantiles: Shape (24, `LEARNT_H`, levels): by hour of the day of the issue.
        typical: Shape (24, `LEARNT_H`): mean absolute errors.
    """

    quantiles: Array
    typical: Array


class LearningForecaster(Forecaster):
    """Learns logarithms for what is expected and its quantiles, because errors are judged relative to the actual value and grids differ in level.

    Where there are `absolute` members, they learn g/kWh as they are for the average, which is what the emissions of plans depend on.
    A history that is too short to learn from, or to forecast from, is forecast half-way between yesterday and the last week.

    Args:
        members: The models of the logarithms.
        absolute: The models of g/kWh.
    """

    def __init__(self, members: Sequence[Member], absolute: Sequence[Member] = ()) -> None:
        self._relative = Team(LogScale.of, members)
        self._absolute = Team(LinearScale.of, absolute) if absolute else None
        self._errors: _Errors | None = None

    def fit(self, history: HourlyIntensity) -> None:
        self._errors = None
        try:
            past = filled(history)
        except ForecastError:
            return
        by_hour = self._relative.fit(past)
        if not by_hour:
            return
        self._errors = _Errors(
            quantiles=np.array([error_quantiles(own) for own in by_hour]),
            typical=np.array([np.abs(own).mean(axis=0) for own in by_hour]),
        )
        if self._absolute is not None:
            self._absolute.fit(past)

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return self.predict_looking_back(history, hours)[0]

    def predict_looking_back(self, history: HourlyIntensity, hours: int) -> tuple[HourlyForecast, PastIssues | None]:
        """Return what is expected, and what would have been at the same hour of the last days; `None` where nothing was learnt."""
        past = filled(history)
        enough, found = len(past.values) >= WINDOW_H + DAY_H, None
        if len(past.values) >= DAY_H:
            past = _long_enough(past)
            found = self._relative.expect(past)
        if self._errors is None or found is None:
            return _simple(history, hours), None
        around = found.ahead[:, None] + self._around(self._errors, found, past)
        mean, quantiles = (found.scale.unscaled(extended(part, past.lag + hours)) for part in (found.ahead, around))
        own = forecast_around(mean[past.lag :], quantiles[past.lag :], self._average(past, hours))
        return own, _past_issues(found, past) if enough else None

    def _around(self, errors: _Errors, found: Mixed, past: Filled) -> Array:
        """Return by how much the quantiles differ from what is expected: shape (`LEARNT_H`, levels)."""
        hour = (past.first_hour + len(past.values)) % DAY_H
        width = recent_width(found.errors, errors.typical[hour])
        result: Array = errors.quantiles[hour] * width[:, None]
        return result

    def _average(self, past: Filled, hours: int) -> Array | None:
        found = None if self._absolute is None else self._absolute.expect(past)
        return None if found is None else found.scale.unscaled(extended(found.ahead, past.lag + hours))[past.lag :]


def _past_issues(found: Mixed, past: Filled) -> PastIssues:
    """Return past issues from what their errors would have been, a day apart, newest first."""
    end = EPOCH + (past.first_hour + len(past.values)) * HOUR
    ends = [end - DAY_H * (back + 1) * HOUR for back in range(len(found.errors))]
    unscaled = found.scale.unscaled
    return PastIssues(ends, unscaled(found.actual - found.errors), unscaled(found.actual))


def _simple(history: HourlyIntensity, hours: int) -> HourlyForecast:
    """Return the mean of both seasonal forecasts: the one is better at first, the other later."""
    yesterday, week = Seasonal().predict(history, hours), Seasonal(profile="week").predict(history, hours)
    return HourlyForecast((yesterday.mean + week.mean) / 2, (yesterday.quantiles + week.quantiles) / 2)


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
