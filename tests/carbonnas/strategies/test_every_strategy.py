"""Every strategy, with proxies that guide it and without, on every space; whoever registers a plug-in joins by that."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from carbonnas.objectives.objective import Objective
from carbonnas.plugins import SEARCH_SPACES, STRATEGIES
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.guided import Guided
from carbonnas.strategies.reward import RewardKind, make_reward
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, StrategyConformance, Walled
from carbonnas.trials import TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "bayesian": {"initial": 3, "trees": 4, "pool": 8},
    "lamoo": {"initial": 4},
    "local_search": {"initial": 2},
    "multi_fidelity": {"initial": 4},
    "nsga2": {"population": 4},
    "ppo": {"hidden": 8, "layers": 1, "batch": 3},
    "predictor": {"initial": 3},
    "regularized_evolution": {"population": 4, "sample": 2},
    "reinforce": {"hidden": 8, "batch": 3},
}
"""Smaller than the defaults, so that there is something to learn from the few results of a test."""
SEVERAL = (*OBJECTIVES, Objective.parse("minimize params"), Objective.parse("minimize latency_ms"))
PAIRS = list(itertools.product(STRATEGIES.names(), SEARCH_SPACES.names()))


def make(name: str, space: SearchSpace, seed: int, objectives: tuple[Objective, ...] = OBJECTIVES) -> SearchStrategy:
    services = {"space": space, "objectives": objectives, "seed": seed}
    return STRATEGIES.create(name, OPTIONS.get(name, {}), services)


LAWS = [law for law in dir(StrategyConformance) if law.startswith("test_")]


class _Suite(StrategyConformance):
    """The suite for a strategy that is told when it runs, and not when it is collected."""

    __test__ = False
    steps = 9

    def __init__(self, name: str, space: SearchSpace, *, guided: bool = False) -> None:
        self.name, self.space, self.guided = name, space, guided

    def make_space(self) -> SearchSpace:
        return self.space

    def make(self, seed: int) -> SearchStrategy:
        strategy = make(self.name, self.space, seed)
        return (
            Guided(strategy, ("synflow",), objective=OBJECTIVES[0], seed=seed, compete=3, warm_start=2)
            if self.guided
            else strategy
        )


@pytest.mark.parametrize(("name", "space"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_every_strategy_keeps_its_laws_on_every_space(name: str, space: str) -> None:
    suite = _Suite(name, SEARCH_SPACES.create(space, {}, {}))
    suite.test_proposals_belong_to_the_space()
    suite.test_the_same_seed_and_calls_give_the_same_proposals()
    suite.test_a_stored_strategy_goes_on_exactly()
    suite.test_failures_alone_do_not_end_a_search()


@pytest.mark.parametrize("guided", [False, True], ids=["alone", "guided"])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", STRATEGIES.names())
def test_the_law_holds_with_a_constraint_and_choices_that_do_not_always_matter(
    name: str, law: str, *, guided: bool
) -> None:
    getattr(_Suite(name, Walled(), guided=guided), law)()


def measured(space: SearchSpace, step: int, strategy: SearchStrategy) -> Observation:
    architecture = strategy.ask()
    space.validate(architecture)
    size = float(sum(architecture))
    metrics = {"val_accuracy": size / 20, "params": 1000 + size, "latency_ms": 1 + size % 5}
    return Observation(architecture, TrialKind.TRAIN, SEARCH, {} if step % 4 == 3 else metrics, failed=step % 4 == 3)


@pytest.mark.parametrize("kind", RewardKind)
@pytest.mark.parametrize("name", STRATEGIES.names())
def test_every_strategy_takes_any_number_of_objectives(name: str, kind: RewardKind) -> None:
    space = Walled()
    aware = kind in {RewardKind.MNASNET, RewardKind.TUNAS}
    reward = make_reward(kind, SEVERAL, 0, targets={"latency_ms": 2.0} if aware else {}, exponent=-0.07)
    services = {"space": space, "objectives": SEVERAL, "seed": 0, "reward": reward}
    strategy = STRATEGIES.create(name, OPTIONS.get(name, {}), services)
    for step in range(12):
        strategy.tell(measured(space, step, strategy))
