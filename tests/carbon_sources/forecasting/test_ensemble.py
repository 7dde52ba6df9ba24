"""Ensemble."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from carbon_sources.forecasting.ensemble import Ensemble
from carbon_sources.forecasting.hourly import Array, HourlyIntensity
from carbon_sources.forecasting.seasonal import Seasonal

START = datetime(2025, 3, 3, tzinfo=UTC)


def sunny_or_not(days: int) -> Array:
    """Return a grid whose noon depends on weather that lasts for days."""
    rng = np.random.default_rng(0)
    sun = np.zeros(days)
    for day in range(1, days):
        sun[day] = 0.8 * sun[day - 1] + rng.normal(0, 0.3)
    noon = np.exp(-((np.arange(24) - 12.0) ** 2) / 20)
    course = 300 - 120 * noon * (1 + np.tanh(sun))[:, None]
    result: Array = course.ravel() * np.exp(rng.normal(0, 0.02, days * 24))
    return result


@pytest.fixture(scope="module")
def values() -> Array:
    return sunny_or_not(320)


@pytest.fixture(scope="module")
def ensemble(values: Array) -> Ensemble:
    forecaster = Ensemble()
    forecaster.fit(HourlyIntensity(START, values[: 24 * 250]))
    return forecaster


def test_it_beats_yesterday_where_weather_lasts(ensemble: Ensemble, values: Array) -> None:
    errors: dict[str, list[float]] = {"ensemble": [], "yesterday": []}
    for end in range(24 * 255, 24 * 315, 24 * 3):
        past, actual = HourlyIntensity(START, values[:end]), values[end : end + 96]
        for name, forecaster in (("ensemble", ensemble), ("yesterday", Seasonal())):
            errors[name].append(float(np.abs(forecaster.predict(past, 96).mean / actual - 1).mean()))
    assert np.mean(errors["ensemble"]) < 0.9 * np.mean(errors["yesterday"])


def test_fitting_twice_gives_the_same_forecast(values: Array) -> None:
    past = HourlyIntensity(START, values[: 24 * 70])
    means = []
    for _ in range(2):
        forecaster = Ensemble()
        forecaster.fit(past)
        means.append(forecaster.predict(past, 96).mean)
    assert (means[0] == means[1]).all()


def test_the_past_of_the_history_is_not_needed_again(ensemble: Ensemble, values: Array) -> None:
    whole, recent = values[: 24 * 260], values[24 * 190 : 24 * 260]
    later = START + timedelta(days=190)
    from_recent = ensemble.predict(HourlyIntensity(later, recent), 96)
    assert from_recent.mean == pytest.approx(ensemble.predict(HourlyIntensity(START, whole), 96).mean)


def test_forecasting_imports_nothing_heavy() -> None:
    code = "import carbon_sources.forecasting.ensemble, sys; print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "set()"
