from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Forecast, IntensitySample
from schedulers.expected_intensity import after_present
from schedulers.testing import NOW, hourly, sample

HOUR = timedelta(hours=1)
levels = st.lists(st.floats(0, 900), min_size=1, max_size=60)


def _forecast(values: list[float]) -> Forecast:
    return Forecast(NOW, hourly(NOW, values))


def corrected_by_present(values: list[float], forecast: Forecast, present: IntensitySample | None) -> tuple[float, ...]:
    return after_present(values, forecast.series.samples, forecast, present)


def test_the_error_of_the_present_is_carried_over_and_fades() -> None:
    # The present is 30 g/kWh above the forecast; after 96 h a share of 1/e is left of that.
    corrected = corrected_by_present([200.0] * 97, _forecast([200.0] * 97), sample(NOW, HOUR, 230.0))
    assert corrected[0] == 230.0
    assert corrected[96] == pytest.approx(200.0 + 30.0 / math.e)
    assert list(corrected) == sorted(corrected, reverse=True)


def test_hours_that_are_expected_to_be_like_the_present_stay_alike_where_the_forecast_was_wrong() -> None:
    """Without the correction the present would look much dirtier than the next hour, which nobody ever expected."""
    present, following = corrected_by_present([200.0, 200.0], _forecast([200.0, 200.0]), sample(NOW, HOUR, 300.0))
    assert present - following < 0.03 * (300.0 - 200.0)


def test_hours_before_the_present_stay_as_they_were_expected() -> None:
    corrected = corrected_by_present([100.0, 100.0, 100.0], _forecast([100.0] * 3), sample(NOW + HOUR, HOUR, 150.0))
    assert corrected[:2] == (100.0, 150.0)


def test_quantiles_are_moved_by_the_error_of_what_was_expected() -> None:
    # Expected are 200, told are 170: 30 below. Of the 90 % quantiles 260 and 260 the first becomes 230.
    first, second = corrected_by_present([260.0, 260.0], _forecast([200.0, 200.0]), sample(NOW, HOUR, 170.0))
    assert first == 230.0
    assert second == pytest.approx(260.0 - 30.0 * math.exp(-1 / 96))


@given(values=levels)
def test_nothing_changes_where_the_present_is_unknown_or_as_expected_or_outside_the_forecast(
    values: list[float],
) -> None:
    forecast = _forecast(values)
    assert corrected_by_present(values, forecast, None) == tuple(values)
    assert corrected_by_present(values, forecast, sample(NOW, HOUR, values[0])) == tuple(values)
    assert corrected_by_present(values, forecast, sample(NOW - HOUR, HOUR, 500.0)) == tuple(values)


@given(values=levels, present=st.floats(0, 900))
def test_no_corrected_value_is_below_zero(values: list[float], present: float) -> None:
    assert min(corrected_by_present(values, _forecast(values), sample(NOW, HOUR, present))) >= 0.0


def test_another_number_of_values_than_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="2 samples can't have 1 values"):
        corrected_by_present([1.0], _forecast([1.0, 2.0]), None)
