"""Random search: the baseline that every other strategy has to beat."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict


class RandomSearch(SearchStrategy):
    """Draws architectures uniformly and learns nothing.

    Li and Talwalkar 2019, "Random Search and Reproducibility for Neural Architecture Search".

    Args:
        space: What to draw from.
        objectives: Not used.
        seed: Decides the sequence of proposals.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],  # noqa: ARG002 - every strategy is handed the same services
        seed: int,
    ) -> None:
        self._space = space
        self._rng = np.random.default_rng(derive_seed(seed, "random search"))

    def ask(self) -> Architecture:
        return self._space.sample(self._rng)

    def tell(self, observation: Observation) -> None:
        """Learn nothing."""

    def state_dict(self) -> StateDict:
        return {"rng": cast("dict[str, Any]", self._rng.bit_generator.state)}

    def load_state_dict(self, state: StateDict) -> None:
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])
