"""Seasonal forecasts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from carbon_sources.forecasting.hourly import HourlyIntensity
from carbon_sources.forecasting.seasonal import Seasonal, mean_day

START = datetime(2025, 3, 1, tzinfo=UTC)
DAY = np.arange(24.0)


def test_every_day_to_come_is_like_yesterday() -> None:
    past = HourlyIntensity(START, np.concatenate((DAY + 50, DAY + 10)))
    assert Seasonal().predict(past, 48).mean.tolist() == [*(DAY + 10), *(DAY + 10)]


def test_at_any_hour_of_the_day_yesterday_is_the_last_24_hours() -> None:
    past = HourlyIntensity(START, np.concatenate((DAY, DAY[:5] + 100)))
    assert Seasonal().predict(past, 24).mean.tolist() == [*DAY[5:], *(DAY[:5] + 100)]


def test_every_day_to_come_is_like_the_mean_of_the_last_week() -> None:
    past = HourlyIntensity(START, np.concatenate([DAY + 10 * day for day in range(9)]))
    expected = DAY + 50  # the mean of 20, 30, ... 80
    assert Seasonal(profile="week").predict(past, 24).mean == pytest.approx(expected)


def test_the_mean_day_needs_whole_days() -> None:
    assert mean_day(np.concatenate((DAY[:3] + 500, DAY, DAY + 2)), 7) == pytest.approx(DAY + 1)


def test_quantiles_are_those_of_the_errors_that_yesterday_made() -> None:
    past = HourlyIntensity(START, np.concatenate([DAY + 3 * day for day in range(30)]))
    forecast = Seasonal().predict(past, 24)
    assert forecast.quantiles[:, 3] == pytest.approx(DAY + 3 * 29 + 3)  # each day was three more than the one before


def test_an_unknown_profile_is_refused() -> None:
    wrong: Any = "month"
    with pytest.raises(ValueError, match="yesterday, week"):
        Seasonal(profile=wrong)
