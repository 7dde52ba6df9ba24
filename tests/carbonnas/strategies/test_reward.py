from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.objectives.objective import Objective
from carbonnas.objectives.pareto import pareto_front
from carbonnas.strategies.reward import Chebyshev, Dominance, FirstObjective, MnasNet, RewardKind, TuNAS, make_reward

ACCURACY, LATENCY, SIZE = (
    Objective.parse(text) for text in ("maximize accuracy", "minimize latency_ms", "minimize params")
)
ALL = (ACCURACY, LATENCY, SIZE)

points = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=12, unique=True)


def test_the_first_objective_alone_is_asked_of_a_training() -> None:
    reward = FirstObjective(ALL)
    assert reward.vector({"accuracy": 0.9}) == (0.9,)
    assert reward.values(np.array([[0.9], [0.2]]), 0).tolist() == [0.9, 0.2]


def test_all_objectives_are_turned_so_that_larger_is_better() -> None:
    assert Dominance(ALL).vector({"accuracy": 0.9, "latency_ms": 3.0, "params": 100.0}) == (0.9, -3.0, -100.0)


def test_a_training_that_did_not_measure_what_counts_is_an_error() -> None:
    with pytest.raises(KeyError, match="latency_ms"):
        Dominance(ALL).vector({"accuracy": 0.9})


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_has_no_vector(odd: float) -> None:
    assert FirstObjective(ALL).vector({"accuracy": odd}) is None


def test_mnasnet_multiplies_by_the_power_of_the_load() -> None:
    reward = MnasNet(ALL, {"latency_ms": 20.0}, -0.07)
    # Twice the target: 0.8 * 2 ** -0.07 = 0.7621; at the target nothing changes; at half of it 0.8 * 2 ** 0.07 = 0.8398.
    values = reward.values(np.array([[0.8, -40.0], [0.8, -20.0], [0.8, -10.0]]), 0)
    assert values == pytest.approx([0.8 * 2**-0.07, 0.8, 0.8 * 2**0.07])
    assert values == pytest.approx([0.7621, 0.8, 0.8398], abs=1e-4)


def test_mnasnet_prefers_what_is_better_and_what_costs_less_where_the_first_objective_is_minimised() -> None:
    reward = MnasNet((Objective.parse("minimize loss"), LATENCY), {"latency_ms": 20.0}, -0.07)
    # Loss 2 at twice the target: -2 / 2 ** -0.07 = -2.0994; at half of it -2 / 2 ** 0.07 = -1.9053; loss 1 at the target: -1.
    assert reward.vector({"loss": 2.0, "latency_ms": 40.0}) == (-2.0, -40.0)
    values = reward.values(np.array([[-2.0, -40.0], [-2.0, -20.0], [-2.0, -10.0], [-1.0, -20.0]]), 0)
    assert values == pytest.approx([-2.0994, -2.0, -1.9053, -1.0], abs=1e-4)


@given(st.floats(-10, 10), st.floats(0.01, 1.0), st.floats(0.1, 100.0), st.floats(1.01, 10.0))
def test_mnasnet_never_rewards_what_is_worse_or_what_costs_more(
    quality: float, better: float, cost: float, dearer: float
) -> None:
    reward = MnasNet(ALL, {"latency_ms": 20.0}, -0.07)
    usual, improved, slow = reward.values(
        np.array([[quality, -cost], [quality + better, -cost], [quality, -cost * dearer]]), 0
    )
    assert improved > usual
    assert slow <= usual


def test_tunas_pulls_to_the_target_from_both_sides() -> None:
    reward = TuNAS(ALL, {"latency_ms": 20.0}, -0.07)
    # 0.8 - 0.07 * |40 / 20 - 1| = 0.73; half the target costs 0.07 * 0.5 = 0.035.
    values = reward.values(np.array([[0.8, -40.0], [0.8, -20.0], [0.8, -10.0]]), 0)
    assert values == pytest.approx([0.73, 0.8, 0.765])


def test_several_targets_count_together() -> None:
    reward = TuNAS(ALL, {"params": 100.0, "latency_ms": 20.0}, -0.1)
    assert reward.vector({"accuracy": 0.8, "latency_ms": 30.0, "params": 150.0}) == (0.8, -30.0, -150.0)
    # 0.8 - 0.1 * 0.5 - 0.1 * 0.5.
    assert reward.values(np.array([[0.8, -30.0, -150.0]]), 0) == pytest.approx([0.7])


@pytest.mark.parametrize(
    ("targets", "exponent", "message"),
    [
        ({}, -0.07, "needs a target for an objective that is minimised; there are: latency_ms, params"),
        ({"accuracy": 1.0}, -0.07, "the target of accuracy belongs to no objective that is minimised"),
        ({"latency_ms": 0.0}, -0.07, "the target of latency_ms must be above zero"),
        ({"latency_ms": math.nan}, -0.07, "the target of latency_ms must be above zero"),
        ({"latency_ms": 1.0}, 0.0, "exponent must be below zero"),
    ],
)
def test_targets_that_mean_nothing_are_refused(targets: dict[str, float], exponent: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_reward(RewardKind.TUNAS, ALL, 0, targets=targets, exponent=exponent)


def test_targets_that_nothing_would_use_are_refused() -> None:
    with pytest.raises(ValueError, match="targets are for the rewards mnasnet and tunas, not for first"):
        make_reward(RewardKind.FIRST, ALL, 0, targets={"latency_ms": 1.0}, exponent=-0.07)


@given(points, st.integers(0, 50))
def test_the_best_by_chebyshev_is_on_the_front(rows: list[tuple[int, ...]], turn: int) -> None:
    vectors = np.array(rows, dtype=np.float64)
    assert int(np.argmax(Chebyshev(ALL, 0).values(vectors, turn))) in pareto_front(rows)


def test_chebyshev_reaches_every_point_of_a_dented_front_with_some_weights() -> None:
    # No weighted sum prefers the middle point, which lies below the line between the other two.
    vectors = np.array([[1.0, 0.0], [0.45, 0.45], [0.0, 1.0]])
    reward = Chebyshev((ACCURACY, LATENCY), 0)
    assert {int(np.argmax(reward.values(vectors, turn))) for turn in range(40)} == {0, 1, 2}


def test_chebyshev_has_the_same_weights_in_the_same_turn() -> None:
    vectors = np.array([[1.0, 0.0], [0.4, 0.6]])
    left, right = (Chebyshev((ACCURACY, LATENCY), 7).values(vectors, 3) for _ in range(2))
    assert left.tolist() == right.tolist()
    assert Chebyshev((ACCURACY, LATENCY), 7).values(vectors, 4).tolist() != left.tolist()


@given(points)
def test_an_earlier_front_is_worth_more(rows: list[tuple[int, ...]]) -> None:
    worth = Dominance(ALL).values(np.array(rows, dtype=np.float64), 0)
    front = pareto_front(rows)
    behind = [worth[place] for place in range(len(rows)) if place not in front]
    assert min(worth[place] for place in front) > max(behind, default=-math.inf)


def test_within_a_front_the_lonely_are_worth_more() -> None:
    # Distances by both objectives: infinite at the ends, (2 - 0) / 10 * 2 = 0.4 and (10 - 1) / 10 * 2 = 1.8 between.
    worth = Dominance((ACCURACY, LATENCY)).values(np.array([[0.0, 10.0], [1.0, 9.0], [2.0, 8.0], [10.0, 0.0]]), 0)
    assert worth == pytest.approx([1.0, 0.4 / 1.4, 1.8 / 2.8, 1.0])


@pytest.mark.parametrize("kind", [RewardKind.FIRST, RewardKind.CHEBYSHEV, RewardKind.DOMINANCE])
def test_no_results_are_worth_nothing(kind: RewardKind) -> None:
    reward = make_reward(kind, ALL, 0, targets={}, exponent=-0.07)
    assert reward.values(np.empty((0, reward.width)), 0).shape == (0,)
