from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.strategies.reinforce_baseline import LIMIT, RunningBaseline

rewards = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(values=rewards, decay=st.floats(0.0, 0.99))
def test_advantages_are_those_of_exponentially_weighted_moments(values: list[float], decay: float) -> None:
    baseline = RunningBaseline(decay)
    for count, value in enumerate(values, start=1):
        advantage = baseline.advantage(value)
        weights = [decay ** (count - 1 - i) for i in range(count)]
        total = math.fsum(weights)
        mean = math.fsum(w * v for w, v in zip(weights, values, strict=False)) / total
        variance = math.fsum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=False)) / total
        if math.sqrt(variance) > 1e-3:
            expected = max(-LIMIT, min(LIMIT, (value - mean) / math.sqrt(variance)))
            assert advantage == pytest.approx(expected, abs=1e-6)
        assert abs(advantage) <= LIMIT


def test_two_rewards_by_hand() -> None:
    # Decay 0.5: weights 1/3 and 2/3, mean 4, variance (1/3)(4)^2 + (2/3)(2)^2 = 8, advantage (6 - 4) / sqrt(8).
    baseline = RunningBaseline(0.5)
    assert baseline.advantage(0.0) == 0.0
    assert baseline.advantage(6.0) == pytest.approx(2 / math.sqrt(8))
    # The worst was 0: (0 - 4) / sqrt(8), and one deviation below it.
    assert baseline.failure() == pytest.approx(-4 / math.sqrt(8) - 1)


def test_equal_rewards_teach_nothing() -> None:
    baseline = RunningBaseline(0.9)
    assert [baseline.advantage(0.5) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_failure_before_any_result_is_one_deviation_bad() -> None:
    assert RunningBaseline(0.9).failure() == -1.0


@settings(max_examples=40, deadline=None)
@given(values=rewards)
def test_a_failure_is_worse_than_everything_so_far_and_bounded(values: list[float]) -> None:
    baseline = RunningBaseline(0.9)
    worst = min(baseline.advantage(value) for value in values)
    assert -LIMIT <= baseline.failure() <= -1.0
    assert baseline.failure() < worst or len(values) > 1


@settings(max_examples=40, deadline=None)
@given(values=rewards, more=rewards)
def test_a_stored_baseline_goes_on_exactly(values: list[float], more: list[float]) -> None:
    baseline, successor = RunningBaseline(0.9), RunningBaseline(0.9)
    for value in values:
        baseline.advantage(value)
    successor.load(baseline.state())
    assert [baseline.advantage(value) for value in more] == [successor.advantage(value) for value in more]


@pytest.mark.parametrize("decay", [-0.1, 1.0, math.nan])
def test_the_decay_is_a_share_below_one(decay: float) -> None:
    with pytest.raises(ValueError, match="baseline_decay must be at least 0 and below 1"):
        RunningBaseline(decay)
