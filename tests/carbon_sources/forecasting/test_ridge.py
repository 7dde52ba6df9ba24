"""Ridge, and what all learning forecasters share."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from carbon_sources.forecasting.hourly import Array, HourlyIntensity
from carbon_sources.forecasting.ridge import Ridge
from carbon_sources.forecasting.seasonal import Seasonal

START = datetime(2025, 3, 3, tzinfo=UTC)  # a Monday


def weekly(days: int, noise: float) -> Array:
    """Return a grid that is clean at noon, and cleaner at weekends."""
    hours = np.arange(days * 24)
    weekend = np.where(hours // 24 % 7 >= 5, 0.6, 1.0)
    course = 300 - 150 * np.exp(-(((hours % 24) - 12) ** 2) / 20)
    result: Array = course * weekend * np.exp(np.random.default_rng(0).normal(0, noise, len(hours)))
    return result


@pytest.fixture(scope="module")
def ridge() -> Ridge:
    forecaster = Ridge()
    forecaster.fit(HourlyIntensity(START, weekly(150, 0.05)))
    return forecaster


@pytest.mark.parametrize("hour", [0, 7, 18])
def test_weekends_are_foreseen_at_any_hour_of_issue(ridge: Ridge, hour: int) -> None:
    friday = 24 * (7 * 22 + 4) + hour
    values = weekly(7 * 24, 0.05)
    past = HourlyIntensity(START, values[:friday])
    error = np.abs(ridge.predict(past, 72).mean / values[friday : friday + 72] - 1).mean()
    like_yesterday = np.abs(Seasonal().predict(past, 72).mean / values[friday : friday + 72] - 1).mean()
    assert error < 0.1
    assert error < 0.6 * like_yesterday


def test_nine_of_ten_hours_lie_in_the_interval(ridge: Ridge) -> None:
    values = weekly(300, 0.05)
    inside = []
    for end in range(24 * 160, 24 * 290, 24 * 5):
        quantiles = ridge.predict(HourlyIntensity(START, values[:end]), 96).quantiles
        inside.append((quantiles[:, 0] <= values[end : end + 96]) & (values[end : end + 96] <= quantiles[:, -1]))
    assert 0.85 <= np.mean(inside) <= 0.95


def test_what_came_after_learning_is_learnt_from_as_well(ridge: Ridge) -> None:
    values = weekly(400, 0.02)
    hours = np.arange(len(values))
    values = np.where((hours >= 24 * 150) & (hours % 24 >= 18), 2 * values, values)  # evenings have become dirty
    past = HourlyIntensity(START, values[: 24 * 350])
    expected = ridge.predict(past, 24).mean
    assert expected == pytest.approx(values[24 * 350 : 24 * 351], rel=0.1)


def test_intervals_widen_when_forecasts_have_been_wrong(ridge: Ridge) -> None:
    calm, wild = weekly(200, 0.05), weekly(200, 0.05)
    wild[-28 * 24 :] *= np.repeat(np.random.default_rng(3).uniform(0.5, 1.5, 28), 24)
    width = {}
    for name, values in (("calm", calm), ("wild", wild)):
        forecast = ridge.predict(HourlyIntensity(START, values), 24)
        width[name] = (forecast.quantiles[:, -1] / forecast.quantiles[:, 0]).mean()
    assert width["wild"] > 1.05 * width["calm"]


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_the_penalty_must_be_above_zero(penalty: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Ridge(penalty=penalty)


def test_a_grid_that_has_changed_altogether_is_forecast_within_reason(ridge: Ridge) -> None:
    values = weekly(200, 0.05)
    values[-24 * 40 :] *= 30
    forecast = ridge.predict(HourlyIntensity(START, values), 96)
    assert forecast.mean.min() > 0.3 * values[-24 * 28 :].min()
    assert forecast.mean.max() < 3 * values[-24 * 28 :].max()


def test_too_little_to_learn_from_is_forecast_between_yesterday_and_the_week() -> None:
    past = HourlyIntensity(START, weekly(14, 0.05))
    ridge = Ridge()
    ridge.fit(past)
    both = Seasonal().predict(past, 24).mean + Seasonal(profile="week").predict(past, 24).mean
    assert ridge.predict(past, 24).mean == pytest.approx(both / 2)


def test_hours_of_the_day_that_gaps_leave_without_any_issue_err_like_the_others() -> None:
    # A fifth of each week is missing at most, as much as is allowed, but never at the same hours as the week before: seen
    # from some hours more is always missing, so that nothing is learnt of them.
    weeks = weekly(7 * 14, 0.05).reshape(14, 7, 24)
    weeks[0::2, :, 12:16] = np.nan
    weeks[1::2, :, 6:10] = np.nan
    weeks[:, :5, 0] = np.nan
    ridge = Ridge()
    ridge.fit(HourlyIntensity(START, weeks.ravel()))
    for cut in range(1, 25):
        quantiles = ridge.predict(HourlyIntensity(START, weeks.ravel()[:-cut]), 96).quantiles
        assert np.isfinite(quantiles).all()
        assert (quantiles[:, -1] > quantiles[:, 0]).all()
