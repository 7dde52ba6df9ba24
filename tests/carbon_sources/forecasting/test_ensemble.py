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
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    return sunny_or_not(240)


@pytest.fixture(scope="module")
def ensemble(values: Array) -> Ensemble:
    forecaster = Ensemble()
    forecaster.fit(HourlyIntensity(START, values[: 24 * 140]))
    return forecaster


def test_it_beats_yesterday_where_weather_lasts(ensemble: Ensemble, values: Array) -> None:
    errors: dict[str, list[float]] = {"ensemble": [], "yesterday": []}
    for end in range(24 * 170, 24 * 230, 24 * 3):
        past, actual = HourlyIntensity(START, values[:end]), values[end : end + 96]
        for name, forecaster in (("ensemble", ensemble), ("yesterday", Seasonal())):
            errors[name].append(float(np.abs(forecaster.predict(past, 96).mean / actual - 1).mean()))
    assert np.mean(errors["ensemble"]) < 0.9 * np.mean(errors["yesterday"])


def test_the_past_of_the_history_is_not_needed_again(ensemble: Ensemble, values: Array) -> None:
    whole, recent = values[: 24 * 160], values[24 * 90 : 24 * 160]
    later = START + timedelta(days=90)
    from_recent = ensemble.predict(HourlyIntensity(later, recent), 96)
    assert from_recent.mean == pytest.approx(ensemble.predict(HourlyIntensity(START, whole), 96).mean)


def test_a_history_within_fortnights_of_one_parity_is_learnt_from() -> None:
    # The fifth and the first of five fortnights: the trees of the odd ones have nothing to grow from.
    first_issue = EPOCH + (300 * 70 + 56) * timedelta(days=1)
    values = sunny_or_not(28 + 28 + 7)[:-1]
    past = HourlyIntensity(first_issue - timedelta(days=28), values)
    ensemble = Ensemble()
    ensemble.fit(past)
    assert np.isfinite(ensemble.predict(past, 96).quantiles).all()


def test_forecasting_imports_nothing_heavy() -> None:
    code = "import carbon_sources.forecasting.ensemble, sys; print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert answer.stdout.strip() == "set()"
