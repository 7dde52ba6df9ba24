"""Histories without gaps."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.gaps import filled
from carbon_sources.forecasting.hourly import HourlyIntensity

START = datetime(1970, 1, 3, tzinfo=UTC)
NAN = np.nan


def test_a_short_gap_is_bridged() -> None:
    past = filled(HourlyIntensity(START, np.array([10.0, NAN, NAN, 40.0])))
    assert past.values.tolist() == pytest.approx([10, 20, 30, 40])
    assert past.known.tolist() == [True, False, False, True]


def test_a_long_gap_is_filled_with_the_same_hours_of_the_days_around_it() -> None:
    day = np.arange(24.0)
    values = np.concatenate((day, day + 10, day + 20))
    values[30:40] = NAN
    past = filled(HourlyIntensity(START, values))
    assert past.values[30:40] == pytest.approx(day[6:16] + 10)  # half-way between the days before and after


def test_unknown_hours_at_the_begin_are_cut_off_and_at_the_end_are_the_lag() -> None:
    past = filled(HourlyIntensity(START, np.array([NAN, 1.0, 2.0, NAN, NAN, NAN])))
    assert past.values.tolist() == [1, 2]
    assert past.lag == 3
    assert past.first_hour == 2 * 24 + 1  # the third of January 1970, one hour later


def test_a_history_without_any_value_is_an_error() -> None:
    with pytest.raises(ForecastError, match="nothing to forecast from"):
        filled(HourlyIntensity(START, np.full(30, NAN)))


def test_filling_leaves_the_history_as_it_was() -> None:
    values = np.array([1.0, NAN, 3.0])
    filled(HourlyIntensity(START, values))
    assert np.isnan(values[1])
