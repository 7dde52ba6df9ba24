"""What a strategy remembers of the trainings that it was told."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.reward import Reward
from carbonnas.strategies.strategy import Json, Observation, StateDict
from carbonnas.trials import FidelityName, TrialKind

Array = NDArray[np.float64]

_STATE = "results/"


class Results:
    """The values of the objectives by network; of several trainings of one network the one of the highest fidelity counts.

    Args:
        space: Tells which architectures are the same network.
        reward: Tells which values count.
    """

    def __init__(self, space: SearchSpace, reward: Reward) -> None:
        self._space = space
        self._reward = reward
        self._vectors: dict[Architecture, tuple[float, ...] | None] = {}
        self._ranks: dict[Architecture, tuple[int, int]] = {}

    def tell(self, observation: Observation) -> Architecture | None:
        """Remember a training, that of a failure as such, and return its canonical architecture; `None` for anything else.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
            KeyError: If the training succeeded but did not measure what counts.
        """
        if observation.kind is not TrialKind.TRAIN:
            return None
        self._space.validate(observation.architecture)
        architecture = self._space.canonical(observation.architecture)
        vector = None if observation.failed else self._reward.vector(observation.metrics)
        rank = int(observation.fidelity.name is FidelityName.FULL), observation.fidelity.epochs
        if vector is None:
            self._vectors.setdefault(architecture, None)
        elif rank >= self._ranks.get(architecture, rank):
            self._vectors[architecture] = vector
            self._ranks[architecture] = rank
        return architecture

    def __contains__(self, architecture: Architecture) -> bool:
        """Whether a network in canonical form was trained, or failed to be."""
        return architecture in self._vectors

    def succeeded(self, architecture: Architecture) -> bool:
        """Say whether a network in canonical form has a result."""
        return self._vectors.get(architecture) is not None

    @property
    def turn(self) -> int:
        """How many networks were told."""
        return len(self._vectors)

    @property
    def trained(self) -> list[Architecture]:
        """The networks with a result, in the order in which they were first told."""
        return [architecture for architecture, vector in self._vectors.items() if vector is not None]

    @property
    def failed(self) -> list[Architecture]:
        """The networks without one, in the same order."""
        return [architecture for architecture, vector in self._vectors.items() if vector is None]

    def vectors(self, architectures: list[Architecture]) -> Array:
        """Return the objectives of networks with a result, larger is better: shape (n, width)."""
        rows = [self._vectors[architecture] for architecture in architectures]
        return np.array(rows, dtype=np.float64).reshape(len(rows), self._reward.width)

    def values(self, architectures: list[Architecture]) -> Array:
        """Return what networks with a result are worth beside each other now: shape (n,)."""
        return self._reward.values(self.vectors(architectures), self.turn)

    def state(self) -> dict[str, Json | np.ndarray]:
        """Return all that `load` needs, for the state of the strategy."""
        trained, failed = self.trained, self.failed
        ranks = [self._ranks[architecture] for architecture in trained]
        order = {architecture: place for place, architecture in enumerate(self._vectors)}
        width = len(self._space.choices)
        return {
            _STATE + "architectures": np.array([*trained, *failed], dtype=np.int64).reshape(-1, width),
            _STATE + "order": np.array([order[a] for a in (*trained, *failed)], dtype=np.int64),
            _STATE + "vectors": self.vectors(trained),
            _STATE + "ranks": np.array(ranks, dtype=np.int64).reshape(-1, 2),
        }

    def load(self, state: StateDict) -> None:
        """Go on from what `state` returned."""
        names = ("architectures", "order", "vectors", "ranks")
        rows, order, vectors, ranks = (cast("np.ndarray", state[_STATE + name]).tolist() for name in names)
        known: dict[Architecture, tuple[float, ...] | None] = dict.fromkeys(as_architecture(row) for row in rows)
        self._ranks = {}
        for architecture, vector, (full, epochs) in zip(list(known), vectors, ranks, strict=False):
            known[architecture] = tuple(vector)
            self._ranks[architecture] = (full, epochs)
        by_place = dict(zip(order, known, strict=True))
        self._vectors = {by_place[place]: known[by_place[place]] for place in sorted(by_place)}

    def load_values(self, architectures: list[Architecture], values: list[float]) -> None:
        """Go on from the values of the first objective alone; trainings that come later count more."""
        networks = [self._space.canonical(architecture) for architecture in architectures]
        self._vectors = {network: (value,) for network, value in zip(networks, values, strict=True)}
        self._ranks = dict.fromkeys(networks, (0, 0))
