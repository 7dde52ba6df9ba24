"""Persistence."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from carbon_sources.forecasting.hourly import LEVELS, HourlyIntensity
from carbon_sources.forecasting.persistence import Persistence

START = datetime(2025, 3, 1, tzinfo=UTC)


def test_the_last_known_value_goes_on() -> None:
    forecast = Persistence().predict(HourlyIntensity(START, np.array([50.0, 70.0, np.nan])), 3)
    assert forecast.mean.tolist() == [70, 70, 70]


def test_quantiles_are_those_of_the_changes_that_have_been() -> None:
    climbing = HourlyIntensity(START, np.arange(100.0))
    forecast = Persistence().predict(climbing, 3)
    expected = 99.0 + np.arange(1, 4)  # it has always been one more after each hour
    assert forecast.quantiles[:, 1:] == pytest.approx(np.repeat(expected[:, None], len(LEVELS) - 1, axis=1))
    assert forecast.quantiles[:, 0] == pytest.approx(forecast.mean), "what is expected lies within its own band"
