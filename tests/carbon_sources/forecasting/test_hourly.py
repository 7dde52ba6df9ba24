"""From samples of any length to hourly means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.forecasting.hourly import HourlyIntensity, hourly_means
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

START = datetime(2021, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def series(*rows: tuple[float, float, float]) -> IntensitySeries:
    """Samples by their first minute, their length in minutes, and their value."""
    return IntensitySeries(
        tuple(
            IntensitySample(
                Interval(START + first * MINUTE, START + (first + length) * MINUTE),
                value,
                "Z",
                IntensityKind.AVERAGE,
                Basis.LIFECYCLE,
                Provenance.MEASURED,
                "fake",
            )
            for first, length, value in rows
        )
    )


def test_an_hour_is_the_mean_of_its_samples_weighted_by_time() -> None:
    # 15 min at 100 and 45 min at 200: (15 * 100 + 45 * 200) / 60 = 175.
    hours = hourly_means(series((0, 15, 100.0), (15, 45, 200.0)), START, START + HOUR)
    assert hours.values.tolist() == [175.0]


def test_a_sample_across_hours_counts_in_each() -> None:
    hours = hourly_means(series((30, 60, 80.0), (90, 30, 20.0)), START, START + 2 * HOUR)
    # The first hour is known by half; the second is half 80 and half 20.
    assert hours.values.tolist() == [80.0, 50.0]


def test_an_hour_that_is_known_by_less_than_half_is_unknown() -> None:
    hours = hourly_means(series((0, 29, 100.0), (120, 30, 90.0)), START, START + 3 * HOUR)
    assert np.isnan(hours.values[:2]).all()
    assert hours.values[2] == 90.0


def test_what_lies_outside_does_not_count() -> None:
    hours = hourly_means(series((-60, 60, 1.0), (0, 60, 2.0), (60, 60, 3.0)), START, START + HOUR)
    assert hours.values.tolist() == [2.0]
    assert len(hourly_means(series(), START, START).values) == 0


@given(st.lists(st.floats(0, 900), min_size=1, max_size=60), st.sampled_from([5, 15, 30, 60, 120]))
def test_energy_drawn_evenly_emits_the_same_by_hours_as_by_samples(values: list[float], minutes: int) -> None:
    whole = len(values) * minutes // 60 * 60 // minutes
    rows = [(i * minutes, minutes, value) for i, value in enumerate(values[:whole])]
    hours = hourly_means(series(*rows), START, START + whole * minutes * MINUTE)
    assert hours.values.sum() * 60 == pytest.approx(sum(values[:whole]) * minutes)


def test_the_past_at_an_instant_is_what_had_ended_by_then() -> None:
    hours = HourlyIntensity(START, np.arange(5.0))
    assert hours.now == hours.end == START + 5 * HOUR
    past = hours.until(START + 3 * HOUR + 59 * MINUTE)
    assert (past.values.tolist(), past.end) == ([0.0, 1.0, 2.0], START + 3 * HOUR)
    assert past.now == START + 3 * HOUR + 59 * MINUTE
    assert len(hours.until(START - HOUR).values) == 0
    assert len(hours.until(START + 9 * HOUR).values) == 5


def test_hours_begin_at_an_instant_in_utc() -> None:
    with pytest.raises(ValueError, match="UTC"):
        hourly_means(series(), START.replace(tzinfo=None), START)
