from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.proxies.fusion import ENSEMBLES, expand, fuse, learn_weights

PROXIES = ("params", "synflow")

scores = st.lists(
    st.dictionaries(st.sampled_from(PROXIES), st.integers(-1000, 1000).map(float)), min_size=1, max_size=12
)


def test_the_best_of_three_adds_nothing_and_the_worst_a_third() -> None:
    fused = fuse([{"params": 10.0}, {"params": 30.0}, {"params": 20.0}], ["params"])
    assert fused == pytest.approx([math.log(1 / 3), 0.0, math.log(2 / 3)])


def test_proxies_are_added_so_one_bad_rank_weighs_more_than_one_good_rank() -> None:
    extreme, even = {"params": 3.0, "synflow": 1.0}, {"params": 2.0, "synflow": 2.0}
    fused = fuse([extreme, even, {"params": 1.0, "synflow": 3.0}], PROXIES)
    assert fused[0] == pytest.approx(math.log(3 / 3) + math.log(1 / 3))
    assert fused[1] == pytest.approx(math.log(2 / 3) + math.log(2 / 3))
    assert fused[1] > fused[0]


def test_an_ensemble_is_the_fusion_of_its_parts() -> None:
    assert expand(["te_nas", "params", "ntk"]) == ("ntk", "linear_regions", "params")
    rows = [{name: float((place * 3) % 5) for name in ENSEMBLES["az_nas"]} for place in range(5)]
    assert fuse(rows, ["az_nas"]) == fuse(rows, ENSEMBLES["az_nas"])


def test_weights_multiply_what_a_proxy_adds() -> None:
    rows = [{"params": 1.0, "synflow": 2.0}, {"params": 2.0, "synflow": 1.0}]
    fused = fuse(rows, PROXIES, {"params": 3.0})
    assert fused == pytest.approx([3 * math.log(1 / 2), math.log(1 / 2)])


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    fused = fuse([{"params": 5.0}, {"params": 5.0}, {"params": 9.0}], ["params"])
    assert fused == pytest.approx([math.log(1.5 / 3), math.log(1.5 / 3), 0.0])


def test_a_missing_score_ranks_below_every_score() -> None:
    fused = fuse([{}, {"params": -1e300}, {}], ["params"])
    assert fused == pytest.approx([math.log(1.5 / 3), 0.0, math.log(1.5 / 3)])


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="'params' is not a number"):
        fuse([{"params": math.nan}], ["params"])


def test_nobody_has_no_rank() -> None:
    assert fuse([], PROXIES) == []


@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(
    candidates: list[dict[str, float]], shuffler: random.Random
) -> None:
    order = list(range(len(candidates)))
    shuffler.shuffle(order)
    fused = fuse(candidates, PROXIES)
    assert fuse([candidates[place] for place in order], PROXIES) == [fused[place] for place in order]


@given(scores)
def test_only_the_order_of_the_scores_matters(candidates: list[dict[str, float]]) -> None:
    stretched = [{name: score**3 + 7 for name, score in candidate.items()} for candidate in candidates]
    assert fuse(stretched, PROXIES) == fuse(candidates, PROXIES)


@given(scores)
def test_fused_ranks_lie_between_the_worst_and_the_best_of_all_proxies(candidates: list[dict[str, float]]) -> None:
    worst = -len(PROXIES) * math.log(len(candidates))
    assert all(worst - 1e-9 <= fused <= 0 for fused in fuse(candidates, PROXIES))


@given(scores)
def test_who_is_at_least_as_good_in_everything_ranks_no_lower(candidates: list[dict[str, float]]) -> None:
    fused = fuse(candidates, PROXIES)
    for one, of_one in zip(candidates, fused, strict=True):
        for other, of_other in zip(candidates, fused, strict=True):
            if all(one.get(p, -math.inf) >= other.get(p, -math.inf) for p in PROXIES):
                assert of_one >= of_other


def rows(count: int, seed: int = 0) -> list[dict[str, float]]:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    return [{name: drawn.random() for name in PROXIES} for _ in range(count)]


def test_without_results_all_proxies_weigh_the_same() -> None:
    assert learn_weights(rows(10), {}, PROXIES) == {"params": 1.0, "synflow": 1.0}
    assert learn_weights(rows(10), {3: 0.5}, PROXIES) == {"params": 1.0, "synflow": 1.0}


def test_a_proxy_that_orders_the_results_gains_weight_with_their_number() -> None:
    population = rows(200)
    gained = []
    for count in (5, 20, 100):
        weights = learn_weights(population, {place: population[place]["synflow"] for place in range(count)}, PROXIES)
        assert sum(weights.values()) == pytest.approx(2.0)
        gained.append(weights["synflow"])
    assert 1 < gained[0] < gained[1] < gained[2]
    assert gained[2] > 1.7


def test_a_proxy_that_is_always_wrong_ends_without_weight() -> None:
    population = rows(100)
    results = {place: population[place]["synflow"] - 3 * population[place]["params"] for place in range(100)}
    assert learn_weights(population, results, PROXIES)["params"] == 0.0


def test_proxies_that_are_all_wrong_weigh_the_same() -> None:
    population = [{"params": float(place)} for place in range(50)]
    assert learn_weights(population, {place: -float(place) for place in range(50)}, ["params"]) == {"params": 1.0}


@given(st.integers(2, 30), st.integers(0, 99), st.sampled_from([0.1, 1.0, 1000.0]))
def test_learnt_weights_are_never_negative_and_only_the_order_of_the_results_matters(
    count: int, seed: int, scale: float
) -> None:
    population = rows(40, seed)
    results = {place: population[place]["params"] - population[(place + 1) % 40]["synflow"] for place in range(count)}
    weights = learn_weights(population, results, PROXIES)
    assert all(weight >= 0 for weight in weights.values())
    assert sum(weights.values()) == pytest.approx(len(PROXIES))
    assert learn_weights(population, {p: scale * r + 5 for p, r in results.items()}, PROXIES) == pytest.approx(weights)
