"""Regularised (aging) evolution."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import FirstObjective, Reward
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict

_TRIES = 100
"""Known children in a row after which a stranger is proposed: the neighbourhood of the population is exhausted."""


class RegularizedEvolution(SearchStrategy):
    """Tournament selection, one mutation, and the oldest dies.

    Proposals are random until `population` trainings were told. From then on each is a mutation of the best of `sample` members
    drawn with replacement, and each training that is told takes the place of the oldest. A child that has a result already takes its
    place without another training, so that the population goes on aging where it knows its neighbourhood. Scorings and failures are
    not told to the population: a failed network has no offspring.

    Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search", algorithm 1.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the sequence of proposals.
        reward: What is maximised; the first objective if absent.
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
        reward: Reward | None = None,
        *,
        population: int = 25,
        sample: int = 8,
    ) -> None:
        if population < 1:
            raise ValueError(f"population must be at least 1, got {population}")
        if sample < 1:
            raise ValueError(f"sample must be at least 1, got {sample}")
        self._space = space
        self._results = Results(space, reward or FirstObjective(objectives))
        self._size = population
        self._sample = sample
        self._population: deque[Architecture] = deque(maxlen=population)
        self._rng = np.random.default_rng(derive_seed(seed, "regularized evolution"))

    def ask(self) -> Architecture:
        if len(self._population) < self._size:
            return self._space.sample(self._rng)
        for _ in range(_TRIES):
            child = self._space.mutate(self._parent(), self._rng)
            network = self._space.canonical(child)
            if network not in self._results:
                return child
            if self._results.succeeded(network):
                self._population.append(network)
        return self._space.sample(self._rng)

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is not None and not observation.failed and self._results.succeeded(architecture):
            self._population.append(architecture)

    def state_dict(self) -> StateDict:
        shape = (len(self._population), len(self._space.choices))
        members = np.array(list(self._population), dtype=np.int64).reshape(shape)
        rng = cast("dict[str, Any]", self._rng.bit_generator.state)
        return {"rng": rng, "population": members, **self._results.state()}

    def load_state_dict(self, state: StateDict) -> None:
        members = [as_architecture(member) for member in cast("np.ndarray", state["population"])]
        if "values" in state:  # of the first release, which kept no more than the population
            self._results.load_values(members, cast("np.ndarray", state["values"]).tolist())
        else:
            self._results.load(state)
        self._population.clear()
        self._population.extend(members)
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _parent(self) -> Architecture:
        members = list(self._population)
        values = self._results.values(members)
        drawn = self._rng.integers(len(members), size=self._sample)
        return members[int(drawn[np.argmax(values[drawn])])]
