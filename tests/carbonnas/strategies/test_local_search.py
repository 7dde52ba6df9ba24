from __future__ import annotations

from typing import NoReturn

import pytest

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.local_search import LocalSearch
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, StrategyConformance, trained
from carbonnas.trials import TrialKind


class Dials(SearchSpace):
    """Four choices of three options; the best network has the last option everywhere."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"dial{i}", tuple("012")) for i in range(4))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError


def observed(architecture: Architecture, value: float) -> Observation:
    return Observation(architecture, TrialKind.TRAIN, SEARCH, {"val_accuracy": value})


def distance(left: Architecture, right: Architecture) -> int:
    return sum(a != b for a, b in zip(left, right, strict=True))


class TestLocalSearch(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Dials()

    def make(self, seed: int) -> SearchStrategy:
        return LocalSearch(self.make_space(), OBJECTIVES, seed, initial=3)


def test_a_climb_begins_at_the_best_of_the_first_networks() -> None:
    strategy = LocalSearch(Dials(), OBJECTIVES, 0, initial=2)
    strategy.tell(observed((0, 0, 0, 0), 0.2))
    strategy.tell(observed((2, 2, 2, 2), 0.9))
    # Eight neighbours: four places with two other options each.
    assert len(around := {strategy.ask() for _ in range(8)}) == 8
    assert {distance(neighbour, (2, 2, 2, 2)) for neighbour in around} == {1}


def test_it_moves_as_soon_as_a_neighbour_is_better() -> None:
    strategy = LocalSearch(Dials(), OBJECTIVES, 0, initial=1)
    strategy.tell(observed((0, 0, 0, 0), 0.2))
    strategy.tell(observed((0, 0, 0, 1), 0.3))
    assert {distance(strategy.ask(), (0, 0, 0, 1)) for _ in range(6)} == {1}
    strategy.tell(observed((0, 0, 1, 0), 0.25))
    assert distance(strategy.ask(), (0, 0, 0, 1)) == 1


def test_it_begins_anew_where_no_neighbour_is_better() -> None:
    strategy = LocalSearch(Dials(), OBJECTIVES, 0, initial=1)
    strategy.tell(observed((0, 0, 0, 0), 0.9))
    for _ in range(8):
        strategy.tell(observed(strategy.ask(), 0.1))
    stranger = strategy.ask()
    assert distance(stranger, (0, 0, 0, 0)) > 1
    strategy.tell(observed(stranger, 0.2))
    assert distance(strategy.ask(), stranger) == 1


def test_a_failure_is_no_place_to_stand_on() -> None:
    strategy = LocalSearch(Dials(), OBJECTIVES, 0, initial=1)
    strategy.tell(observed((0, 0, 0, 0), 0.2))
    strategy.tell(trained((0, 0, 0, 1), failed=True))
    assert distance(strategy.ask(), (0, 0, 0, 0)) == 1


def test_it_climbs_to_the_top() -> None:
    for seed in range(5):
        strategy = LocalSearch(Dials(), OBJECTIVES, seed, initial=3)
        best = 0.0
        for _ in range(40):
            architecture = strategy.ask()
            best = max(best, sum(architecture) / 8)
            strategy.tell(observed(architecture, sum(architecture) / 8))
        assert best == 1.0


def test_initial_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="initial must be at least 1, got 0"):
        LocalSearch(Dials(), OBJECTIVES, 0, initial=0)
