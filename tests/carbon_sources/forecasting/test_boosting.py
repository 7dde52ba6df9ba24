"""Gradient boosting of symmetric trees."""

from __future__ import annotations

import numpy as np
import pytest

from carbon_sources.forecasting.boosting import Growth, Trees, grown

FULL = Growth(trees=40, depth=2, rate=0.3, damping=1.0, inputs=1.0, rows=1.0)


def test_trees_learn_what_no_line_can_tell() -> None:
    inputs = np.random.default_rng(0).uniform(-1, 1, (4000, 3)).astype(np.float32)
    targets = np.where((inputs[:, 0] > 0) == (inputs[:, 1] > 0.5), 1.0, -1.0)  # an exclusive or; the third says nothing
    mixed = Growth(trees=300, depth=3, rate=0.3, damping=1.0, inputs=0.7, rows=0.7)
    error = grown(inputs, targets, mixed, seed=0).predict(inputs) - targets
    assert np.mean(error**2) < 0.1  # 1 before


def test_one_tree_of_one_question_answers_with_the_means_of_both_sides() -> None:
    inputs = np.repeat([0.0, 1.0], 50)[:, None].astype(np.float32)
    targets = np.repeat([-2.0, 4.0], 50)
    trees = grown(inputs, targets, Growth(trees=1, depth=1, rate=1.0, damping=50.0, inputs=1.0, rows=1.0), seed=0)
    assert trees.predict(inputs[[0, 99]]) == pytest.approx([-1, 2])  # half of it: 50 rows of no effect besides 50 rows


def test_the_answers_of_all_levels_choose_the_leaf() -> None:
    trees = Trees(
        inputs=np.array([[0], [1]]),
        thresholds=np.array([[0.5], [0.5]], dtype=np.float32),
        leaves=np.array([[10.0, 20.0, 30.0, 40.0]]),
    )
    rows = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    assert trees.predict(rows).tolist() == [10, 20, 30, 40]


def test_the_same_seed_grows_the_same_trees() -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(300, 4)).astype(np.float32), rng.normal(size=300)
    drawn = Growth(trees=5, depth=3, rate=0.1, damping=5.0, inputs=0.5, rows=0.5)
    first, second, other = (grown(inputs, targets, drawn, seed).leaves for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_without_anything_to_explain_trees_say_nothing() -> None:
    inputs = np.zeros((100, 2), dtype=np.float32)
    assert grown(inputs, np.zeros(100), FULL, seed=0).predict(inputs).tolist() == [0.0] * 100
