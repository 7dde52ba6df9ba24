"""Scores against numbers that were worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from carbon_sources.forecasting.hourly import LEVELS, Array
from carbon_sources.forecasting.scores import pinball, score, spearman

NAN = math.nan


def _around(expected: Array, *widths: float) -> Array:
    """Return quantiles that lie so far below and above the expected value, from the outer pair to the inner one."""
    away = np.array([-widths[0], -widths[1], -widths[2], 0.0, widths[2], widths[1], widths[0]])
    quantiles: Array = expected[..., None] + away
    return quantiles


def test_errors_of_one_day_are_those_worked_out_by_hand() -> None:
    actual, expected = np.array([[100.0, 200.0, 400.0]]), np.array([[110.0, 180.0, 400.0]])
    scores = score(actual, expected, None, np.array([[100.0, 230.0, 430.0]]))
    # |10|/100, |-20|/200, 0/400 -> (10 + 10 + 0) / 3 percent
    assert scores.mape == pytest.approx((20 / 3,))
    assert scores.mae == pytest.approx(((10 + 20 + 0) / 3,))
    assert scores.rmse == pytest.approx((math.sqrt((100 + 400 + 0) / 3),))
    # yesterday errs by 0, 30 and 30
    assert scores.skill == pytest.approx((1 - 30 / 60,))
    assert (scores.hours, scores.zero_hours) == ((3,), (0,))


def test_the_mean_goes_over_all_hours_of_all_issues_and_not_over_issues() -> None:
    actual = np.array([[100.0, 100.0], [100.0, NAN]])
    expected = np.array([[110.0, 110.0], [140.0, 140.0]])
    # three hours with an actual value: (10 + 10 + 40) / 3, and not (10 + 40) / 2
    assert score(actual, expected, None, actual).mape == pytest.approx((20.0,))


def test_a_day_holds_24_hours_and_the_last_what_is_left() -> None:
    actual = np.full((2, 30), 100.0)
    expected = np.where(np.arange(30) < 24, 101.0, 102.0) * np.ones((2, 1))
    scores = score(actual, expected, None, actual)
    assert scores.mape == pytest.approx((1.0, 2.0))
    assert scores.hours == (48, 12)


def test_an_hour_whose_actual_value_is_zero_counts_for_the_error_and_not_for_the_percentage() -> None:
    scores = score(np.array([[0.0, 100.0]]), np.array([[50.0, 110.0]]), None, np.array([[0.0, 100.0]]))
    assert scores.mape == pytest.approx((10.0,))
    assert scores.mae == pytest.approx(((50 + 10) / 2,))
    assert (scores.hours, scores.zero_hours) == ((2,), (1,))


@pytest.mark.parametrize(("actual", "expected"), [(1e-310, 300.0), (1e300, 300.0), (300.0, 1e300), (1.7e308, 0.0)])
def test_a_score_beyond_what_a_float_holds_is_none(actual: float, expected: float) -> None:
    came, told = np.full((2, 24), actual), np.full((2, 24), expected)
    scores = score(came, told, _around(told, 3.0, 2.0, 1.0), np.full((2, 24), 200.0))
    measures = (scores.mape, scores.mae, scores.rmse, scores.pinball, scores.skill, *scores.coverage.values())
    assert all(value is None or math.isfinite(value) for by_day in measures for value in by_day)
    assert None in (*scores.mape, *scores.rmse)
    assert scores.hours == (48,)


def test_a_day_without_actual_values_has_no_score() -> None:
    actual = np.full((1, 48), 100.0)
    actual[:, 24:] = NAN
    expected = np.full((1, 48), 110.0)
    scores = score(actual, expected, _around(expected, 3, 2, 1), actual)
    assert scores.mape == pytest.approx((10.0, None))
    for by_day in (scores.mae, scores.rmse, scores.pinball, scores.coverage[90], scores.skill, scores.rank_correlation):
        assert by_day[1] is None
    assert scores.hours == (24, 0)


def test_without_quantiles_there_is_neither_coverage_nor_quantile_loss() -> None:
    scores = score(np.ones((1, 24)), np.ones((1, 24)), None, np.ones((1, 24)))
    assert scores.pinball == (None,)
    assert scores.coverage == {90: (None,), 80: (None,)}


def test_intervals_hold_the_actual_values_that_lie_in_them_ends_included() -> None:
    # 80 % intervals reach 5 from the expected value, 90 % intervals 10
    actual, expected = np.array([[100.0, 105.0, 110.0, 111.0]]), np.full((1, 4), 100.0)
    scores = score(actual, expected, _around(expected, 10, 5, 1), actual)
    assert scores.coverage == {90: (75.0,), 80: (50.0,)}


def test_the_quantile_loss_weighs_what_lies_above_by_the_level_and_what_lies_below_by_the_rest() -> None:
    quantiles = np.full((1, len(LEVELS)), 90.0)
    # the actual value lies 10 above all of them: 10 x (0.05 + 0.1 + 0.25 + 0.5 + 0.75 + 0.9 + 0.95) / 7
    assert pinball(np.array([100.0]), quantiles) == pytest.approx([10 * 3.5 / 7])
    # 10 below: 10 x (0.95 + 0.9 + 0.75 + 0.5 + 0.25 + 0.1 + 0.05) / 7; 20 below is twice that
    assert pinball(np.array([80.0, 70.0]), quantiles) == pytest.approx([5.0, 10.0])
    spread = np.array([[80.0, 85.0, 95.0, 100.0, 105.0, 115.0, 120.0]])
    # 100 lies 20, 15, 5, 0 above the lower four and 5, 15, 20 below the upper three
    by_hand = (0.05 * 20 + 0.1 * 15 + 0.25 * 5 + 0 + 0.25 * 5 + 0.1 * 15 + 0.05 * 20) / 7
    assert pinball(np.array([100.0]), spread) == pytest.approx([by_hand])


def test_ties_share_the_mean_of_their_ranks() -> None:
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: deviations -1.5, 0, 0, 1.5 and -1.5, -0.5, 0.5, 1.5
    by_hand = (2.25 + 2.25) / math.sqrt((2.25 + 2.25) * (2.25 + 0.25 + 0.25 + 2.25))
    assert spearman(np.array([1.0, 5.0, 5.0, 9.0]), np.array([3.0, 4.0, 7.0, 8.0])) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 3.0, 4.0]),
        ([1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]),
        ([1.0, NAN, NAN, NAN], [1.0, 2.0, 3.0, 4.0]),
        ([1.0, 2.0, 3.0, NAN, NAN, NAN, NAN], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]),
    ],
    ids=["constant expectation", "constant day", "one hour", "less than half a day"],
)
def test_a_day_without_an_order_has_no_rank_correlation(first: list[float], second: list[float]) -> None:
    assert math.isnan(spearman(np.array(first), np.array(second)))


def test_the_rank_correlation_is_the_mean_of_the_days_that_have_one() -> None:
    actual = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    expected = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    # +1, -1, and a constant day that is left out
    assert score(actual, expected, None, actual).rank_correlation == pytest.approx((0.0,))


def test_yesterday_has_no_skill_over_itself_and_a_perfect_yesterday_can_not_be_beaten() -> None:
    actual, yesterday = np.array([[1.0, 2.0]]), np.array([[2.0, 4.0]])
    assert score(actual, yesterday, None, yesterday).skill == (0.0,)
    assert score(actual, yesterday, None, actual).skill == (None,)


def test_skill_compares_only_hours_that_both_have() -> None:
    actual, expected, yesterday = np.array([[10.0, 10.0]]), np.array([[11.0, 90.0]]), np.array([[12.0, NAN]])
    assert score(actual, expected, None, yesterday).skill == pytest.approx((1 - 1 / 2,))


_VALUES = arrays(np.float64, (3, 30), elements=st.floats(1.0, 1000.0))


@settings(max_examples=30)
@given(_VALUES)
def test_a_perfect_forecast_scores_zero_and_its_intervals_hold_everything(actual: Array) -> None:
    scores = score(actual, actual, _around(actual, 0, 0, 0), actual + 1)
    assert scores.mape == scores.mae == scores.rmse == scores.pinball == (0.0, 0.0)
    assert scores.coverage == {90: (100.0,) * 2, 80: (100.0,) * 2}
    assert scores.skill == (1.0, 1.0)
    assert all(value is None or value == pytest.approx(1.0) for value in scores.rank_correlation)


@settings(max_examples=30)
@given(_VALUES, _VALUES)
def test_a_point_forecast_has_half_its_error_as_quantile_loss(actual: Array, expected: Array) -> None:
    scores = score(actual, expected, _around(expected, 0, 0, 0), actual)
    for loss, error in zip(scores.pinball, scores.mae, strict=True):
        assert loss is not None
        assert error is not None
        assert loss == pytest.approx(error / 2)


@settings(max_examples=30)
@given(_VALUES, _VALUES, st.permutations(range(3)))
def test_the_order_of_issues_does_not_matter(actual: Array, expected: Array, order: list[int]) -> None:
    one, other = (score(a, e, None, a + 1) for a, e in ((actual, expected), (actual[order], expected[order])))
    assert other.mape == pytest.approx(one.mape)
    assert other.rmse == pytest.approx(one.rmse)
