from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.strategies.lamoo_draws import RegionDraws
from carbonnas.strategies.lamoo_tree import Half, TreeShape, best_region, better_half, dominance_numbers, separate

Rows = list[list[float]]


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    columns = draw(st.integers(1, 3))
    row = st.lists(st.integers(-2, 2).map(float), min_size=columns, max_size=columns)
    return np.array(draw(st.lists(row, min_size=1, max_size=12)))


@settings(max_examples=40, deadline=None)
@given(values=tables())
def test_a_dominance_number_counts_those_that_are_better(values: np.ndarray) -> None:
    expected = [sum(bool((o >= v).all() and (o > v).any()) for o in values) for v in values]
    assert dominance_numbers(values).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(values=tables())
def test_the_better_half_is_the_nearest_cut_to_a_half_that_keeps_equals_together(values: np.ndarray) -> None:
    numbers = dominance_numbers(values)
    half = better_half(values)
    if half is None:
        assert len(set(numbers.tolist())) == 1
        return
    assert 0 < half.sum() < len(half)
    assert numbers[half].max() < numbers[~half].min()
    distances = [abs((numbers <= cut).sum() - len(numbers) / 2) for cut in sorted(set(numbers.tolist()))[:-1]]
    assert abs(half.sum() - len(half) / 2) == min(distances)


def grid() -> np.ndarray:
    """Return 81 points of the square from -4 to 4."""
    return np.array([[x, y] for x in range(-4, 5) for y in range(-4, 5)], dtype=np.float64)


def test_a_boundary_is_that_of_the_library() -> None:
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    features = np.hstack([grid(), np.full((81, 1), 7.0)])
    good = features[:, 0] ** 2 + features[:, 1] > 3
    boundary = separate(features, good)
    assert boundary is not None
    scaler = StandardScaler().fit(features)
    machine = SVC(kernel="poly", degree=4, gamma="scale", coef0=1.0).fit(scaler.transform(features), good)
    elsewhere = np.random.default_rng(0).normal(0.0, 4.0, (200, 3)) * [1, 1, 0] + [0, 0, 7]
    assert boundary.good(elsewhere).tolist() == machine.predict(scaler.transform(elsewhere)).tolist()
    assert (boundary.good(features) == good).mean() > 0.95


def test_the_two_sides_of_a_boundary_share_all_points() -> None:
    boundary = separate(grid(), grid()[:, 0] > 1)
    assert boundary is not None
    assert (Half(boundary, good=True).accepts(grid()) ^ Half(boundary, good=False).accepts(grid())).all()


def test_what_no_feature_tells_apart_is_not_separated() -> None:
    assert separate(np.ones((12, 3)), np.arange(12) < 6) is None


def best(values: np.ndarray, reference: Rows | list[float], **shape: float) -> tuple[Half, ...]:
    options = {"leaf": 5, "height": 3, "exploration": 0.0} | shape
    tree = TreeShape(int(options["leaf"]), int(options["height"]), options["exploration"])
    return best_region(grid(), values, np.array(reference), tree)


def test_without_exploration_the_best_leaf_is_on_the_better_side_of_every_boundary() -> None:
    region = best(grid(), [-4.0, -4.0])
    assert [half.good for half in region] == [True] * len(region)
    assert 1 <= len(region) <= 3
    accepted = np.logical_and.reduce([half.accepts(grid()) for half in region])
    assert accepted[-1]  # the point (4, 4) dominates all others
    assert grid()[accepted].sum(axis=1).mean() > 3


def test_strong_exploration_prefers_the_smallest_leaf() -> None:
    # Ten points are better than the other 71, so that the first cut leaves them alone.
    values = (np.arange(81) >= 71).astype(np.float64)[:, None]
    shy = best(values, [0.0], height=1, exploration=0.0)
    assert [half.good for half in shy] == [True]
    keen = best(1.0 - values, [0.0], height=1, exploration=100.0)
    assert [half.good for half in keen] == [False]


@pytest.mark.parametrize(("leaf", "height"), [(81, 3), (5, 0)])
def test_a_tree_that_may_not_grow_is_the_whole_space(leaf: int, height: int) -> None:
    assert best(grid(), [-4.0, -4.0], leaf=leaf, height=height) == ()


@pytest.mark.parametrize("height", [1, 2, 3])
def test_no_way_is_longer_than_the_height(height: int) -> None:
    assert len(best(grid(), [-4.0, -4.0], leaf=1, height=height)) <= height


def draws(region: tuple[Half, ...], seed: int = 0) -> RegionDraws:
    return RegionDraws(
        lambda rng: tuple(int(value) for value in rng.integers(-4, 5, size=2)),
        lambda architecture: np.array(architecture, dtype=np.float64),
        region=region,
        seed=seed,
    )


def right_of(x: float) -> Half:
    boundary = separate(grid(), grid()[:, 0] > x)
    assert boundary is not None
    return Half(boundary, good=True)


def test_draws_lie_in_the_region_until_all_of_it_was_seen_and_then_as_near_as_can_be() -> None:
    sequence = draws((right_of(-0.5), right_of(2.5)))
    seen: dict[tuple[int, ...], None] = {}
    while (found := sequence.first_new(seen)) is not None:
        seen[found] = None
    order = [x for x, _ in seen]
    # Of nine columns two are right of both, three more right of the first; all 81 points are drawn in a thousand draws.
    assert set(order[:18]) == {3, 4}
    assert set(order[18:45]) == {0, 1, 2}
    assert len(seen) == 81


def test_draws_do_not_depend_on_how_often_they_were_asked_for() -> None:
    often, once = draws((right_of(2.5),)), draws((right_of(2.5),))
    seen: list[tuple[int, ...]] = []
    for _ in range(5):
        found = often.first_new(seen)
        assert found is not None
        seen.append(found)
    assert often.first_new(seen) == once.first_new(seen)
