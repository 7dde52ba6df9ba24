from __future__ import annotations

import statistics
from typing import Any, NoReturn

import pytest

from carbonnas.architecture import Architecture
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.random import RandomSearch
from carbonnas.strategies.regularized_evolution import RegularizedEvolution
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, StrategyConformance, scored, trained
from carbonnas.trials import TrialKind


class Dials(SearchSpace):
    """Six choices of five options; the best network has the last option everywhere."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"dial{i}", tuple("01234")) for i in range(6))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError


def observed(architecture: Architecture, value: float) -> Observation:
    return Observation(architecture, TrialKind.TRAIN, SEARCH, {"val_accuracy": value})


def mean_of_last(strategy: SearchStrategy, steps: int) -> float:
    values = []
    for _ in range(steps):
        architecture = strategy.ask()
        values.append(sum(architecture) / 24)
        strategy.tell(observed(architecture, values[-1]))
    return statistics.mean(values[-30:])


def small(seed: int = 0, **options: Any) -> RegularizedEvolution:
    return RegularizedEvolution(Dials(), OBJECTIVES, seed, **({"population": 3, "sample": 20} | options))


class TestRegularizedEvolution(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Dials()

    def make(self, seed: int) -> SearchStrategy:
        return RegularizedEvolution(self.make_space(), OBJECTIVES, seed, population=6, sample=3)


def distance(left: Architecture, right: Architecture) -> int:
    return sum(a != b for a, b in zip(left, right, strict=True))


def test_children_are_mutations_of_the_best() -> None:
    strategy = small()
    for level, value in ((0, 0.2), (4, 0.9), (2, 0.5)):
        strategy.tell(observed((level,) * 6, value))
    assert {distance(strategy.ask(), (4,) * 6) for _ in range(20)} == {1}


def test_a_metric_to_minimise_makes_the_smallest_the_best() -> None:
    strategy = RegularizedEvolution(Dials(), (Objective.parse("minimize val_accuracy"),), 0, population=2, sample=20)
    strategy.tell(observed((0,) * 6, 0.2))
    strategy.tell(observed((4,) * 6, 0.9))
    assert {distance(strategy.ask(), (0,) * 6) for _ in range(20)} == {1}


def test_the_oldest_dies_however_good_it_was() -> None:
    strategy = small()
    for level, value in ((4, 0.9), (0, 0.2), (1, 0.3), (2, 0.4)):
        strategy.tell(observed((level,) * 6, value))
    assert {distance(strategy.ask(), (2,) * 6) for _ in range(20)} == {1}


def test_only_trainings_that_succeeded_join_the_population() -> None:
    told, untold = small(), small()
    for level in range(4):
        told.tell(scored((level,) * 6))
        told.tell(trained((level,) * 6, failed=True))
        told.tell(observed((level,) * 6, float("nan")))
    assert [told.ask() for _ in range(5)] == [untold.ask() for _ in range(5)]
    assert len(told.state_dict()["population"]) == 0  # type: ignore[arg-type] # an array


def test_a_training_without_the_objective_is_an_error() -> None:
    with pytest.raises(KeyError, match="val_accuracy"):
        small().tell(Observation((0,) * 6, TrialKind.TRAIN, SEARCH, {"params": 1.0}))


@pytest.mark.parametrize("option", ["population", "sample"])
def test_counts_are_at_least_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be at least 1, got 0"):
        small(**{option: 0})


def test_evolution_beats_random_search() -> None:
    # Random proposals are worth 0.5 on average.
    for seed in range(3):
        assert mean_of_last(RegularizedEvolution(Dials(), OBJECTIVES, seed), 120) > 0.7
        assert mean_of_last(RandomSearch(Dials(), OBJECTIVES, seed), 120) < 0.6
