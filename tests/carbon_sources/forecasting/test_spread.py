"""Quantiles from past errors."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from carbon_sources.forecasting.hourly import LEVELS, HourlyIntensity
from carbon_sources.forecasting.persistence import Persistence
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.forecasting.spread import error_quantiles, extended, forecast_around


def test_beyond_what_was_learnt_the_last_day_comes_again() -> None:
    assert extended(np.arange(30.0), 56)[30:].tolist() == [*range(6, 30), 6, 7]


def test_quantiles_are_taken_lead_by_lead() -> None:
    errors = np.column_stack([np.linspace(-100, 100, 201), np.linspace(-10, 10, 201)])
    assert error_quantiles(errors)[:, 0] == pytest.approx([-90, -9])  # the 5 % quantile of -100 .. 100


def test_a_lead_without_errors_has_those_of_its_neighbour() -> None:
    errors = np.full((30, 60), np.nan)
    errors[:, :40] = 5.0
    assert error_quantiles(errors)[59] == pytest.approx(np.full(7, 5.0))


def test_without_any_error_quantiles_are_the_mean() -> None:
    assert error_quantiles(np.full((3, 4), np.nan)).tolist() == np.zeros((4, 7)).tolist()


def test_nothing_is_below_zero_and_quantiles_are_in_order() -> None:
    forecast = forecast_around(np.array([-1.0]), np.array([[-3.0, 2.0, 1.0, 4.0, 4.0, 3.0, 9.0]]))
    assert forecast.mean.tolist() == [0]
    assert forecast.quantiles.tolist() == [[0, 2, 2, 4, 4, 4, 9]]


def test_the_average_lies_within_the_band_too() -> None:
    made = forecast_around(np.array([5.0]), np.linspace(1.0, 9.0, len(LEVELS))[None], np.array([12.0]))
    assert made.counted.tolist() == [12.0]
    assert made.quantiles[0, -1] == 12.0
    assert made.mean.tolist() == [5.0]


def test_with_hardly_any_past_the_band_is_wide_and_not_certain() -> None:
    history = HourlyIntensity(datetime(2021, 6, 1, tzinfo=UTC), np.array([100.0, 110.0, 120.0]))
    for forecaster in (Persistence(), Seasonal()):
        made = forecaster.predict(history, 4)
        assert made.quantiles[:, 0].tolist() == (0.5 * made.mean).tolist()
        assert made.quantiles[:, -1].tolist() == (1.5 * made.mean).tolist()


def test_what_is_expected_lies_within_its_own_band() -> None:
    # A grid that only rises: each day is 24 g/kWh above the one before, so that yesterday's value was always too low.
    rising = HourlyIntensity(datetime(2021, 6, 1, tzinfo=UTC), np.arange(100.0, 196.0))
    for forecaster in (Persistence(), Seasonal(), Seasonal(profile="week")):
        made = forecaster.predict(rising, 48)
        assert (made.quantiles[:, 0] <= made.mean).all()
        assert (made.mean <= made.quantiles[:, -1]).all()
