"""Scales that intensities are learnt in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.scales import LinearScale, LogScale, Scale

ScaleOf = Callable[[Array], Scale]
BOTH = pytest.mark.parametrize("scale_of", [LogScale.of, LinearScale.of])


@BOTH
@given(values=st.lists(st.floats(0, 2000), min_size=2, max_size=50))
def test_a_scale_and_back_is_what_was(scale_of: ScaleOf, values: list[float]) -> None:
    scale = scale_of(np.array(values))
    assert scale.unscaled(scale.scaled(np.array(values))) == pytest.approx(values, abs=1e-6, rel=1e-6)


@BOTH
def test_scaled_values_have_mean_zero_and_deviation_one(scale_of: ScaleOf) -> None:
    values = np.array([100.0, 200.0, 400.0])
    scaled = scale_of(values).scaled(values)
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)


@BOTH
def test_nothing_comes_out_below_zero(scale_of: ScaleOf) -> None:
    scale = scale_of(np.array([10.0, 20.0, 30.0]))
    assert scale.unscaled(np.array([-50.0])) == pytest.approx([0.0])


def test_half_way_in_grams_is_more_than_half_way_in_logarithms() -> None:
    values = np.array([100.0, 400.0])
    linear, logs = (scale.unscaled(np.array([0.0]))[0] for scale in (LinearScale.of(values), LogScale.of(values)))
    assert linear == pytest.approx(250)  # (100 + 400) / 2
    assert logs == pytest.approx(np.sqrt(112.5 * 412.5) - 12.5)  # 5 % of 250 are added before the logarithm
