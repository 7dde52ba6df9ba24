"""Local search: climb to a network that no neighbour beats, and begin anew."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import FirstObjective, Reward
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict

_TRIES = 100
"""Draws of a start that was not tried yet before one that was is taken."""


class LocalSearch(SearchStrategy):
    """Looks at the neighbours of the best network, moves as soon as one is better, and begins anew where none is.

    The neighbours differ in one choice and are proposed in random order. `initial` random networks come first, and the climb begins at the
    best of them; where every neighbour was proposed and none is better, the next climb begins at a random network.

    White et al. 2021, "Exploring the Loss Landscape in Neural Architecture Search", UAI, with moves at the first improvement.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the sequence of proposals.
        reward: What is maximised; the first objective if absent.
        initial: Random networks that are trained before the first climb, at least 1.

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
        initial: int = 10,
    ) -> None:
        if initial < 1:
            raise ValueError(f"initial must be at least 1, got {initial}")
        self._space = space
        self._results = Results(space, reward or FirstObjective(objectives))
        self._initial = initial
        self._climb: list[Architecture] = []
        """Networks told since the climb began that have a result; the search stands on the best of them."""
        self._proposed: dict[Architecture, None] = {}
        self._starting = True
        self._rng = np.random.default_rng(derive_seed(seed, "local search"))

    def ask(self) -> Architecture:
        if not self._starting and len(self._climb) >= self._needed:
            known = self._proposed
            around = [other for other in self._space.neighbours(self._summit()) if other not in known]
            if around:
                return self._propose(around[int(self._rng.integers(len(around)))])
            self._climb, self._starting = [], True
        return self._propose(self._stranger())

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is None:
            return
        self._proposed[architecture] = None
        if self._results.succeeded(architecture) and architecture not in self._climb:
            self._climb.append(architecture)
        self._starting = self._starting and len(self._climb) < self._needed

    @property
    def _needed(self) -> int:
        """How many results a climb needs to begin."""
        return 1 if self._results.turn > self._initial else self._initial

    def _summit(self) -> Architecture:
        return self._climb[int(np.argmax(self._results.values(self._climb)))]

    def _stranger(self) -> Architecture:
        for _ in range(_TRIES):
            drawn = self._space.canonical(self._space.sample(self._rng))
            if drawn not in self._proposed:
                break
        return drawn

    def _propose(self, architecture: Architecture) -> Architecture:
        self._proposed[architecture] = None
        return architecture

    def state_dict(self) -> StateDict:
        width = len(self._space.choices)
        return {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "starting": self._starting,
            "climb": np.array(self._climb, dtype=np.int64).reshape(-1, width),
            "proposed": np.array(list(self._proposed), dtype=np.int64).reshape(-1, width),
            **self._results.state(),
        }

    def load_state_dict(self, state: StateDict) -> None:
        self._results.load(state)
        self._climb = [as_architecture(row) for row in cast("np.ndarray", state["climb"])]
        self._proposed = dict.fromkeys(as_architecture(row) for row in cast("np.ndarray", state["proposed"]))
        self._starting = bool(state["starting"])
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])
