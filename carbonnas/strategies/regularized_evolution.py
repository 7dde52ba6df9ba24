"""Regularised (aging) evolution."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.learning import learnable_value
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict


class RegularizedEvolution(SearchStrategy):
    """Tournament selection, one mutation, and the oldest dies.

    Proposals are random until `population` trainings were told. From then on each is a mutation of the best of `sample` members
    drawn with replacement, and each training that is told takes the place of the oldest. Scorings and failures are not told to the
    population: a failed network has no offspring.

    Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search", algorithm 1.

    Args:
        space: What to search.
        objectives: The first one is maximised.
        seed: Decides the sequence of proposals.
        population: Members, at least 1. 25 and 8 did best on NAS-Bench-201 at some 150 trainings; the paper has 100 and 25 for 20,000.
        sample: Members that compete to be the parent, at least 1.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        *,
        population: int = 25,
        sample: int = 8,
    ) -> None:
        if population < 1:
            raise ValueError(f"population must be at least 1, got {population}")
        if sample < 1:
            raise ValueError(f"sample must be at least 1, got {sample}")
        self._space = space
        self._objective = objectives[0]
        self._size = population
        self._sample = sample
        self._population: deque[tuple[Architecture, float]] = deque(maxlen=population)
        self._rng = np.random.default_rng(derive_seed(seed, "regularized evolution"))

    def ask(self) -> Architecture:
        if len(self._population) < self._size:
            return self._space.sample(self._rng)
        drawn = self._rng.integers(len(self._population), size=self._sample)
        parent, _ = max((self._population[int(i)] for i in drawn), key=lambda member: member[1])
        return self._space.mutate(parent, self._rng)

    def tell(self, observation: Observation) -> None:
        value = learnable_value(observation, self._objective)
        if value is not None:
            self._space.validate(observation.architecture)
            self._population.append((observation.architecture, value))

    def state_dict(self) -> StateDict:
        shape = (len(self._population), len(self._space.choices))
        members = np.array([member for member, _ in self._population], dtype=np.int64).reshape(shape)
        values = np.array([value for _, value in self._population], dtype=np.float64)
        rng = cast("dict[str, Any]", self._rng.bit_generator.state)
        return {"rng": rng, "population": members, "values": values}

    def load_state_dict(self, state: StateDict) -> None:
        members, values = cast("np.ndarray", state["population"]), cast("np.ndarray", state["values"])
        self._population.clear()
        self._population.extend((as_architecture(m), float(v)) for m, v in zip(members, values, strict=True))
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])
