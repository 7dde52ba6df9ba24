"""Bayesian optimisation with BoTorch, where it is installed."""

from __future__ import annotations

import statistics
from typing import NoReturn

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.bayesian import Bayesian
from carbonnas.strategies.reward import Chebyshev
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.strategies.surrogate import SurrogateKind
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, StrategyConformance, Walled
from carbonnas.trials import TrialKind

pytest.importorskip("botorch", reason="the extra 'botorch' is not installed")

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

BOTH = (*OBJECTIVES, Objective.parse("minimize params"))


class Dials(SearchSpace):
    """Four numbers of 0 to 3; accuracy grows with the first two and the size with all."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"dial{i}", tuple("0123")) for i in range(4))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("dials are no networks")


def made(seed: int, space: SearchSpace, objectives: tuple[Objective, ...] = OBJECTIVES) -> Bayesian:
    return Bayesian(space, objectives, seed, surrogate=SurrogateKind.BOTORCH, initial=5, pool=20)


def told(architecture: Architecture) -> Observation:
    metrics = {"val_accuracy": sum(architecture[:2]) / 6, "params": 1.0 + sum(architecture)}
    return Observation(architecture, TrialKind.TRAIN, SEARCH, metrics)


class TestBayesianWithBotorch(StrategyConformance):
    steps = 9

    def make_space(self) -> SearchSpace:
        return Walled()

    def make(self, seed: int) -> SearchStrategy:
        return made(seed, self.make_space())


@pytest.mark.slow
def test_it_finds_the_front_of_several_objectives() -> None:
    # On the front a network has nothing but what makes it accurate: the last two dials at 0.
    strategy, waste = made(0, Dials(), BOTH), []
    for _ in range(24):
        architecture = strategy.ask()
        waste.append(sum(architecture[2:]))
        strategy.tell(told(architecture))
    # Of random proposals it is 3 on average: a quarter less is learnt.
    assert statistics.mean(waste[12:]) < 2.25


def test_nothing_is_compiled_in_the_middle_of_a_search() -> None:
    logei = pytest.importorskip("botorch.acquisition.multi_objective.logei")
    strategy = made(0, Dials(), BOTH)
    for architecture in ((0, 0, 0, 0), (1, 0, 2, 0), (0, 2, 1, 1), (2, 1, 0, 3), (3, 0, 3, 1)):
        strategy.tell(told(architecture))
    strategy.ask()
    assert logei._C is None  # noqa: SLF001 - it has no other way to say so


def test_what_waits_is_counted_on() -> None:
    strategy = made(0, Dials())
    for architecture in ((0, 0, 0, 0), (1, 0, 2, 0), (0, 2, 1, 1), (2, 1, 0, 3), (3, 0, 3, 1)):
        strategy.tell(told(architecture))
    proposed = [strategy.ask() for _ in range(6)]
    assert len(set(proposed)) == 6
    distances = [np.abs(np.subtract(a, b)).sum() for i, a in enumerate(proposed) for b in proposed[:i]]
    assert np.mean(distances) > 1


def test_another_reward_than_the_first_objective_is_refused() -> None:
    with pytest.raises(ValueError, match="leave \\[reward\\] at 'first'"):
        Bayesian(Dials(), BOTH, 0, Chebyshev(BOTH, 0), surrogate=SurrogateKind.BOTORCH)
