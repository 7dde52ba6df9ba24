"""Quantiles from past errors."""

from __future__ import annotations

import numpy as np
import pytest

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
