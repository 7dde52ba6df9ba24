"""What every forecaster promises, whatever the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.ensemble import Ensemble
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.persistence import Persistence
from carbon_sources.forecasting.ridge import Ridge
from carbon_sources.forecasting.seasonal import Seasonal

START = datetime(2025, 3, 1, tzinfo=UTC)
ALL: dict[str, Callable[[], Forecaster]] = {
    "persistence": Persistence,
    "yesterday": Seasonal,
    "week": lambda: Seasonal(profile="week"),
    "ridge": Ridge,
    "ensemble": Ensemble,
}


def grid(days: int) -> Array:
    """Return a made-up grid: a course of the day, a week, slow weather and noise."""
    rng = np.random.default_rng(1)
    hours = np.arange(days * 24)
    weather = np.convolve(rng.normal(0, 12, len(hours) + 47), np.ones(48) / 48**0.5, mode="valid")
    weekend = np.where(hours // 24 % 7 >= 5, -30, 0)
    result: Array = 300 + 80 * np.sin(2 * np.pi * hours / 24) + weekend + weather + rng.normal(0, 5, len(hours))
    return result


def history(values: Array, start: datetime = START) -> HourlyIntensity:
    return HourlyIntensity(start, values)


def assert_sound(forecast: HourlyForecast, hours: int) -> None:
    assert forecast.mean.shape == (hours,)
    assert forecast.quantiles.shape == (hours, len(LEVELS))
    assert np.isfinite(forecast.mean).all()
    assert np.isfinite(forecast.quantiles).all()
    assert (forecast.mean >= 0).all()
    assert (forecast.quantiles >= 0).all()
    assert (np.diff(forecast.quantiles, axis=1) >= 0).all()
    assert forecast.counted.shape == (hours,)
    for told in (forecast.mean, forecast.counted):
        assert ((told >= 0) & (told >= forecast.quantiles[:, 0]) & (told <= forecast.quantiles[:, -1])).all()


LEARNT = history(grid(70))


@pytest.fixture(scope="module", params=list(ALL.values()), ids=list(ALL))
def fitted(request: pytest.FixtureRequest) -> Forecaster:
    forecaster: Forecaster = request.param()
    forecaster.fit(LEARNT)
    return forecaster


@pytest.fixture(params=list(ALL.values()), ids=list(ALL))
def unfitted(request: pytest.FixtureRequest) -> Forecaster:
    forecaster: Forecaster = request.param()
    return forecaster


def _holey(length: int, seed: int, unknown: float, scale: float, lag: int) -> Array:
    rng = np.random.default_rng(seed)
    values = np.maximum(scale * (grid(100)[:length] + rng.normal(0, 150, length)), 0)
    values[rng.random(length) < unknown] = np.nan
    values[length // 2 : length // 2 + 30] = np.nan
    values[max(0, length - lag) :] = np.nan
    values[0] = 100.0
    return values


histories = st.builds(
    _holey,
    length=st.integers(1, 1500),
    seed=st.integers(0, 1000),
    unknown=st.sampled_from([0.0, 0.01, 0.3]),
    scale=st.sampled_from([0.0, 0.01, 1.0, 20.0, 4000.0]),
    lag=st.integers(0, 96),
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=histories, hours=st.integers(1, 400))
def test_any_history_with_a_value_has_a_sound_forecast(fitted: Forecaster, values: Array, hours: int) -> None:
    handed = values.copy()
    assert_sound(fitted.predict(history(handed), hours), hours)
    assert handed.tobytes() == values.tobytes(), "a history is never changed"


@pytest.mark.parametrize("days", [1, 3, 21, 50])
def test_a_short_history_is_learnt_from_as_far_as_it_goes(unfitted: Forecaster, days: int) -> None:
    short = history(grid(days))
    unfitted.fit(short)
    assert_sound(unfitted.predict(short, 96), 96)


@pytest.mark.parametrize("hours", [1, 5])
def test_less_than_a_day_is_enough_to_say_something(fitted: Forecaster, hours: int) -> None:
    assert_sound(fitted.predict(history(np.full(hours, 120.0)), 30), 30)


def test_a_forecaster_predicts_before_it_has_learnt(unfitted: Forecaster) -> None:
    assert_sound(unfitted.predict(history(grid(40)), 96), 96)


def test_no_value_at_all_is_an_error(fitted: Forecaster) -> None:
    with pytest.raises(ForecastError, match="nothing to forecast from"):
        fitted.predict(history(np.full(100, np.nan)), 24)


def test_fitting_without_any_value_is_no_error(unfitted: Forecaster) -> None:
    unfitted.fit(history(np.full(100, np.nan)))
    assert_sound(unfitted.predict(history(grid(2)), 24), 24)


def test_the_same_history_gives_the_same_forecast(fitted: Forecaster) -> None:
    past = history(grid(60))
    first, second = fitted.predict(past, 96), fitted.predict(past, 96)
    assert (first.mean == second.mean).all()
    assert (first.quantiles == second.quantiles).all()
    assert (first.counted == second.counted).all()


def test_learning_the_same_again_changes_nothing(fitted: Forecaster) -> None:
    before = fitted.predict(LEARNT, 96)
    fitted.fit(LEARNT)
    after = fitted.predict(LEARNT, 96)
    assert (after.mean == before.mean).all()
    assert (after.quantiles == before.quantiles).all()


def test_a_constant_grid_stays_constant(unfitted: Forecaster) -> None:
    constant = history(np.full(70 * 24, 230.0))
    unfitted.fit(constant)
    forecast = unfitted.predict(constant, 96)
    assert forecast.mean == pytest.approx(np.full(96, 230.0))
    assert forecast.quantiles == pytest.approx(np.full((96, len(LEVELS)), 230.0))


def test_a_grid_without_emissions_stays_without(unfitted: Forecaster) -> None:
    clean = history(np.zeros(70 * 24))
    unfitted.fit(clean)
    assert unfitted.predict(clean, 96).mean == pytest.approx(np.zeros(96))


def test_values_published_late_are_forecast_as_well(fitted: Forecaster) -> None:
    values = grid(70)
    late = values.copy()
    late[-6:] = np.nan
    from_what_was_known = fitted.predict(history(values[:-6]), 96 + 6)
    assert fitted.predict(history(late), 96).mean == pytest.approx(from_what_was_known.mean[6:])
