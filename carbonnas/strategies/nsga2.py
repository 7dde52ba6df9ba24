"""The non-dominated sorting genetic algorithm."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import Dominance
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict

_TRIES = 100
"""Known children in a row after which a stranger is proposed."""


class Nsga2(SearchStrategy):
    """Parents from the first fronts, and among equals from where a front is thin; children by crossover and mutation.

    Proposals are random until `population` networks have a result. From then on the population are the `population` best networks
    so far by front and crowding distance, and each proposal is the child of two of them, each the better of two draws. Networks
    that were trained already are not proposed again. Failures have no offspring.

    Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", without generations, so that no worker waits for one
    to end.

    Args:
        space: What to search.
        objectives: All of them count; trainings have to measure them.
        seed: Decides the sequence of proposals.
        population: Members, at least 2. Larger ones hold a finer front and learn more slowly.
        crossover: Probability, 0..1, that a child has options of both parents.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        *,
        population: int = 40,
        crossover: float = 0.9,
    ) -> None:
        if population < 2:
            raise ValueError(f"population must be at least 2, got {population}")
        if not 0 <= crossover <= 1:
            raise ValueError(f"crossover must be 0 to 1, got {crossover}")
        self._space = space
        self._results = Results(space, Dominance(objectives))
        self._size = population
        self._crossover = crossover
        self._ranked: list[Architecture] = []
        """The population, the best first; made when it is asked for."""
        self._rng = np.random.default_rng(derive_seed(seed, "nsga-ii"))

    def ask(self) -> Architecture:
        population = self._population()
        if len(population) < self._size:
            return self._space.sample(self._rng)
        for _ in range(_TRIES):
            child = self._child(population)
            if self._space.canonical(child) not in self._results:
                return child
        return self._space.sample(self._rng)

    def tell(self, observation: Observation) -> None:
        if self._results.tell(observation) is not None:
            self._ranked = []

    def state_dict(self) -> StateDict:
        return {"rng": cast("dict[str, Any]", self._rng.bit_generator.state), **self._results.state()}

    def load_state_dict(self, state: StateDict) -> None:
        self._results.load(state)
        self._ranked = []
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _population(self) -> list[Architecture]:
        if not self._ranked:
            trained = self._results.trained
            order = np.argsort(-self._results.values(trained), kind="stable")[: self._size]
            self._ranked = [trained[place] for place in order]
        return self._ranked

    def _child(self, ranked: list[Architecture]) -> Architecture:
        # Of two draws the one that stands further to the front wins.
        mother, father = (ranked[int(self._rng.integers(len(ranked), size=2).min())] for _ in range(2))
        child = mother
        if self._rng.random() < self._crossover:
            child = self._space.crossover(mother, father, self._rng)
        return self._space.mutate(child, self._rng)
