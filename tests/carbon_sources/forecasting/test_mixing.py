"""Weights and widths from recent errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.forecasting.mixing import mixture, recent_width


def test_a_member_with_half_the_error_weighs_sixteen_times_as_much() -> None:
    errors = np.stack([np.full((5, 24), 0.2), np.full((5, 24), -0.4)])
    assert mixture(errors)[:, 0] == pytest.approx([16 / 17, 1 / 17])  # 1 / 0.2⁴ to 1 / 0.4⁴


def test_each_day_of_the_horizon_has_its_own_weights() -> None:
    near_first = np.concatenate((np.full(24, 0.1), np.full(24, 0.3)))
    weights = mixture(np.stack([near_first[None], near_first[None, ::-1]]))
    assert weights[0, 0] == pytest.approx(81 / 82)  # 1 / 0.1⁴ to 1 / 0.3⁴
    assert weights[0, 47] == pytest.approx(1 / 82)


def test_members_weigh_the_same_where_nothing_is_known() -> None:
    assert mixture(np.full((3, 4, 24), np.nan)) == pytest.approx(np.full((3, 24), 1 / 3))


@given(st.integers(0, 1000), st.floats(0, 0.9))
def test_weights_are_shares(seed: int, unknown: float) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(3, 6, 48))
    errors[:, rng.random((6, 48)) < unknown] = np.nan
    weights = mixture(errors)
    assert (weights >= 0).all()
    assert weights.sum(axis=0) == pytest.approx(np.ones(48))


def test_intervals_stay_as_they_are_while_errors_are_usual() -> None:
    assert recent_width(np.full((28, 24), 0.5), np.full(24, 0.5)) == pytest.approx(np.ones(24))


def test_larger_recent_errors_widen_intervals_by_how_many_there_are() -> None:
    width = recent_width(np.full((28, 24), 0.75), np.full(24, 0.5))
    assert width == pytest.approx(np.full(24, (28 * 1.5 + 14) / (28 + 14)))


def test_without_recent_errors_intervals_stay_as_they_are() -> None:
    assert recent_width(np.full((1, 24), np.nan), np.full(24, 0.5)) == pytest.approx(np.ones(24))
