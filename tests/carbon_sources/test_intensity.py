"""Samples, series and forecasts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval

T = datetime(2026, 1, 1, tzinfo=UTC)


def sample(hour: float, value: float = 100.0, zone: str = "DK", length: float = 1.0) -> IntensitySample:
    start = T + timedelta(hours=hour)
    return IntensitySample(
        Interval(start, start + timedelta(hours=length)),
        value,
        zone,
        IntensityKind.AVERAGE,
        Basis.LIFECYCLE,
        Provenance.MEASURED,
        "test",
    )


GAPPY = IntensitySeries(tuple(sample(hour) for hour in (0, 1, 4, 5)))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_an_intensity_is_finite_and_not_negative(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        sample(0, value)


def test_samples_must_not_overlap() -> None:
    with pytest.raises(ValueError, match="overlap"):
        IntensitySeries((sample(0), sample(0.5)))


def test_zones_do_not_mix() -> None:
    with pytest.raises(ValueError, match="mix"):
        IntensitySeries((sample(0), sample(1, zone="SE")))


@pytest.mark.parametrize(
    ("hour", "known"), [(-1, False), (0, True), (1.9, True), (2, False), (3.9, False), (4, True), (6, False)]
)
def test_a_gap_stays_a_gap(*, hour: float, known: bool) -> None:
    assert (GAPPY.at(T + timedelta(hours=hour)) is not None) == known


@given(st.floats(-1, 7), st.floats(-1, 7))
def test_between_gives_whole_samples_that_overlap(one: float, other: float) -> None:
    start, end = (T + timedelta(hours=hour) for hour in sorted((one, other)))
    expected = [s for s in GAPPY if s.interval.start < end and s.interval.end > start]
    assert list(GAPPY.between(start, end)) == expected


@given(one=st.floats(-2, 8), other=st.floats(-2, 8))
def test_gaps_are_what_no_sample_covers(one: float, other: float) -> None:
    start, end = sorted((T + timedelta(hours=one), T + timedelta(hours=other)))
    if start == end:
        return
    within = Interval(start, end)
    gaps = GAPPY.gaps(within)
    covered = [part for s in GAPPY if (part := s.interval.intersection(within)) is not None]
    # Gaps and covered parts follow each other without overlap from one end to the other.
    parts = sorted([*gaps, *covered])
    assert (parts[0].start, parts[-1].end) == (start, end)
    assert all(before.end == after.start for before, after in itertools.pairwise(parts))
    assert all(GAPPY.at(gap.start) is None for gap in gaps)


@given(st.floats(-1, 7))
def test_before_gives_what_had_ended(hour: float) -> None:
    instant = T + timedelta(hours=hour)
    assert list(GAPPY.before(instant)) == [s for s in GAPPY if s.interval.end <= instant]


def test_merging_prefers_the_newer_value() -> None:
    merged = IntensitySeries.newest_wins([sample(0, 1.0), sample(1, 2.0), sample(1, 3.0), sample(2, 4.0)])
    assert [s.g_per_kwh for s in merged] == [1.0, 3.0, 4.0]
    assert len(merged) == 3


def test_a_forecast_says_when_it_was_issued_in_utc() -> None:
    assert Forecast(T, GAPPY).issued_at == T
    with pytest.raises(ValueError, match="issued_at"):
        Forecast(T.replace(tzinfo=None), GAPPY)
