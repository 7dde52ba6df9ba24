from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.architecture import Architecture
from carbonnas.proxies.fusion import fuse
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.guided import Guided, draw_tempered, tempered
from carbonnas.strategies.local_search import LocalSearch
from carbonnas.strategies.random import RandomSearch
from carbonnas.strategies.state import encode_state
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, Letters, StrategyConformance, trained
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

FULL = Fidelity(FidelityName.FULL, 200)


class Chooser(RandomSearch):
    """Promotes the first that waits, and remembers how it was leant."""

    def __init__(self) -> None:
        super().__init__(Letters(), OBJECTIVES, 0)
        self.leant: list[tuple[int, float]] = []

    def promote(
        self, candidates: Sequence[Candidate], waiting: Sequence[int], fidelity: Fidelity, count: int
    ) -> Sequence[int]:
        del candidates, fidelity
        return list(waiting[:count])

    def lean(self, architectures: Sequence[Architecture], worth: np.ndarray, entropy_floor: float) -> None:
        assert len(worth) == len(architectures)
        self.leant.append((len(architectures), entropy_floor))


def guided(strategy: SearchStrategy | None = None, **options: Any) -> Guided:
    inner = strategy or RandomSearch(Letters(), OBJECTIVES, 0)
    return Guided(inner, ("synflow",), objective=OBJECTIVES[0], seed=0, **options)


def scored_by(synflow: float, architecture: Architecture = (0, 0, 0, 0)) -> Candidate:
    return Candidate(architecture, {"synflow": synflow}, {})


def told(synflow: float, architecture: Architecture) -> Observation:
    return Observation(architecture, TrialKind.SCORE, PROXY, {"synflow": synflow})


class TestGuidedLocalSearch(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Letters()

    def make(self, seed: int) -> SearchStrategy:
        inner = LocalSearch(self.make_space(), OBJECTIVES, seed, initial=3)
        return Guided(inner, ("synflow",), objective=OBJECTIVES[0], seed=seed, compete=3, warm_start=4)


def test_the_best_of_those_proposed_last_is_trained() -> None:
    candidates = [scored_by(value) for value in (9.0, 1.0, 5.0, 3.0)]
    assert guided(compete=3).promote(candidates, range(4), SEARCH, 1) == [2]


def test_each_of_several_trainings_has_its_competitors() -> None:
    candidates = [scored_by(value) for value in (9.0, 1.0, 5.0, 3.0, 2.0)]
    assert guided(compete=2).promote(candidates, range(5), SEARCH, 2) == [2, 3]


def test_networks_that_were_trained_count_for_the_ranks_but_do_not_compete() -> None:
    candidates = [scored_by(value) for value in (1.0, 9.0, 8.0)]
    assert guided(compete=4).promote(candidates, [0, 2], SEARCH, 1) == [2]


def test_a_proxy_that_trainings_contradict_loses_its_weight() -> None:
    rng = np.random.default_rng(0)
    made = []
    for place in range(40):
        accuracy, noise = (float(value) for value in rng.uniform(size=2))
        results = {FidelityName.SEARCH: {"val_accuracy": accuracy}} if place < 36 else {}
        made.append(Candidate((0, 0, 0, 0), {"synflow": accuracy, "naswot": -accuracy, "zen": noise}, results))
    both = Guided(Chooser(), ("naswot", "synflow", "zen"), objective=OBJECTIVES[0], seed=0, compete=4)
    best = max(range(36, 40), key=lambda place: made[place].scores["synflow"])
    assert both.promote(made, range(36, 40), SEARCH, 1) == [best]


def test_without_competition_the_strategy_chooses() -> None:
    candidates = [scored_by(value) for value in (1.0, 9.0)]
    assert guided(Chooser()).promote(candidates, range(2), SEARCH, 1) == [0]


def test_full_trainings_are_left_to_the_strategy() -> None:
    candidates = [Candidate((0, 0, 0, 0), {"synflow": v}, {FidelityName.SEARCH: {"val_accuracy": 0.5}}) for v in (1, 9)]
    assert guided(Chooser(), compete=2, warm_start=9).promote(candidates, range(2), FULL, 1) == [0]


def test_a_warm_start_draws_the_first_trainings_and_no_more() -> None:
    candidates = [scored_by(float(value)) for value in range(40)]
    warm = guided(Chooser(), warm_start=2)
    # Two of the three are drawn from all; the third is the strategy's own choice, the first that still waits.
    chosen = warm.promote(candidates, range(40), SEARCH, 3)
    assert chosen is not None
    assert chosen[2] == min(set(range(40)) - set(chosen[:2]))
    assert warm.promote(candidates, range(2, 40), SEARCH, 3) == [2, 3, 4]


def test_a_warm_start_leans_a_policy_until_its_trainings_are_told() -> None:
    strategy = Chooser()
    warm = guided(strategy, warm_start=2, entropy_floor=0.8)
    warm.ask()
    assert strategy.leant == []
    for place in range(3):
        warm.tell(told(float(place), (place, 0, 0, 0)))
    warm.ask()
    warm.ask()
    assert strategy.leant == [(3, 0.8)]
    warm.tell(trained((0, 0, 0, 0)))
    warm.tell(told(1.0, (0, 1, 0, 0)))
    warm.ask()
    assert strategy.leant == [(3, 0.8), (4, 0.8)]
    warm.tell(trained((0, 1, 0, 0)))
    warm.tell(told(1.0, (0, 2, 0, 0)))
    warm.ask()
    assert len(strategy.leant) == 2


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.floats(0.05, 1.0))
def test_draws_keep_the_entropy_that_they_have_to(worth: list[float], floor: float) -> None:
    p = tempered(np.array(worth), floor)
    assert p.sum() == pytest.approx(1.0)
    entropy = -(p[p > 0] * np.log(p[p > 0])).sum()
    assert entropy >= floor * math.log(len(worth)) - 1e-6
    assert (np.diff(p[np.argsort(worth, kind="stable")]) >= -1e-12).all()


def test_better_ranks_are_drawn_more_often() -> None:
    rng = np.random.default_rng(0)
    drawn = Counter(draw_tempered(np.array([0.0, -1.0, -3.0]), 1, 0.7, rng)[0] for _ in range(500))
    assert drawn[0] > drawn[1] > drawn[2] > 0


def test_draws_are_without_replacement() -> None:
    assert sorted(draw_tempered(np.zeros(5), 5, 0.5, np.random.default_rng(0))) == list(range(5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compete": 0}, "compete must be at least 1, got 0"),
        ({"warm_start": -1}, "warm_start must be at least 0, got -1"),
        ({"entropy_floor": 0.0}, "entropy_floor must be above 0"),
        ({"entropy_floor": math.nan}, "entropy_floor must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        guided(**options)


def test_a_guide_needs_a_proxy() -> None:
    with pytest.raises(ValueError, match="without a proxy"):
        Guided(Chooser(), (), objective=OBJECTIVES[0], seed=0)


@pytest.mark.torch
@pytest.mark.parametrize("count", [2, 11])
def test_a_policy_stays_as_it_was_where_none_is_worth_more_than_another(count: int) -> None:
    from carbonnas.strategies.ppo import Ppo

    strategy, untouched = (Ppo(Letters(), OBJECTIVES, 0, hidden=8, layers=1) for _ in range(2))
    fused = np.array(fuse([{"synflow": 1.0}] * count, ("synflow",)))
    assert (fused.std() > 0) == (count == 11)  # the mean of eleven equal numbers is not always that number
    strategy.lean([(place % 3, place % 4, 0, place % 5) for place in range(count)], fused, 0.7)
    assert encode_state(strategy.state_dict()) == encode_state(untouched.state_dict())


@pytest.mark.torch
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("policy", ["independent", "lstm", "transformer"])
def test_leaning_a_policy_stops_at_the_floor(policy: str) -> None:
    import torch

    from carbonnas.strategies.policy_search import PolicyKind
    from carbonnas.strategies.ppo import Ppo

    space = Letters()
    strategy = Ppo(space, OBJECTIVES, 0, policy=PolicyKind(policy), hidden=16, learning_rate=0.02)
    every = list({space.sample(np.random.default_rng(seed)) for seed in range(40)})
    strategy.lean(every, np.array([float(architecture[3]) for architecture in every]), 0.7)
    rows, active = torch.tensor(every), torch.ones(len(every), 4, dtype=torch.bool)
    with torch.no_grad():
        openness = float(strategy.policy(rows, active)[1].mean()) / math.log(3 * 4 * 5)
    assert 0.7 <= openness < 0.95
    drawn = Counter(architecture[3] for architecture in strategy.policy.draw(200, np.random.default_rng(0)))
    assert drawn[4] > 2 * drawn[0]
