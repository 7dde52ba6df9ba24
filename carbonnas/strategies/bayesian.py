"""Bayesian optimisation: a model of the results says what to train next."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.forest_surrogate import ForestSurrogate
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import Dominance, FirstObjective, Reward
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict
from carbonnas.strategies.surrogate import Surrogate, SurrogateKind

Array = NDArray[np.float64]

_COUNTED = 16
"""Networks without a result that a surrogate counts on, at most."""


class Bayesian(SearchStrategy):
    """Proposes what a surrogate, a model of the results, expects to improve most on what is known.

    Proposals are random until `initial` networks have a result. From then on a surrogate learns from the features of the space. Of
    `pool` networks, one half mutations of the ten best and one half random, the one that it finds most promising is proposed. Networks
    that were proposed or told before are passed over. Failures count as the worst result.

    The forest maximises the reward; `ForestSurrogate` tells how. BoTorch extends the front of all objectives, as `HypervolumeSurrogate` tells.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the sequence of proposals.
        reward: What the forest maximises; the first objective if absent.
        surrogate: What learns.
        initial: Networks with a result before anything is learnt, at least 2.
        trees: Trees of the forest, at least 2.
        pool: Networks that are looked at for each proposal, at least 2.

    Raises:
        ValueError: If an option is out of range, or BoTorch is chosen and not installed, or with another reward than the first objective.
    """

    def __init__(  # noqa: PLR0913 - services, and the options that users set as keyword-only parameters
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        reward: Reward | None = None,
        *,
        surrogate: SurrogateKind = SurrogateKind.FOREST,
        initial: int = 10,
        trees: int = 50,
        pool: int = 100,
    ) -> None:
        for name, value in (("initial", initial), ("trees", trees), ("pool", pool)):
            if value < 2:
                raise ValueError(f"{name} must be at least 2, got {value}")
        if surrogate is SurrogateKind.BOTORCH:
            _require_botorch(reward)
            reward = Dominance(objectives)
        self._space = space
        self._results = Results(space, reward or FirstObjective(objectives))
        self._kind = surrogate
        self._seed = seed
        self._initial = initial
        self._trees = trees
        self._pool = pool
        self._proposed: dict[Architecture, None] = {}
        self._waiting: list[Architecture] = []
        """The last ones proposed since something was told, without the oldest of very many."""
        self._rng = np.random.default_rng(derive_seed(seed, "bayesian"))
        self._learnt: Surrogate | None = None
        """Learnt from all results; made when it is asked for."""

    def ask(self) -> Architecture:
        trained = self._results.trained
        if len(trained) < self._initial:
            return self._propose(self._space.canonical(self._space.sample(self._rng)))
        values = self._results.values(trained)
        best = [trained[place] for place in np.argsort(-values, kind="stable")[:10]]
        pool = dict.fromkeys(self._drawn(best) for _ in range(self._pool))
        fresh = [drawn for drawn in pool if drawn not in self._proposed] or list(pool)
        if self._learnt is None:
            self._learnt = self._learn()
        merits = self._learnt.merits(self._features(fresh), self._features(self._waiting))
        return self._propose(fresh[int(np.argmax(merits))])

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is not None:
            self._proposed[architecture] = None
            self._waiting = []
            self._learnt = None

    def state_dict(self) -> StateDict:
        width = len(self._space.choices)
        return {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "seed": self._seed,
            "proposed": np.array(list(self._proposed), dtype=np.int64).reshape(-1, width),
            "waiting": np.array(self._waiting, dtype=np.int64).reshape(-1, width),
            **self._results.state(),
        }

    def load_state_dict(self, state: StateDict) -> None:
        self._results.load(state)
        self._proposed = dict.fromkeys(as_architecture(row) for row in cast("np.ndarray", state["proposed"]))
        self._waiting = [as_architecture(row) for row in cast("np.ndarray", state["waiting"])]
        self._learnt = None
        self._seed = cast("int", state["seed"])
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _drawn(self, best: list[Architecture]) -> Architecture:
        if self._rng.random() < 0.5:
            return self._space.canonical(self._space.sample(self._rng))
        parent = best[int(self._rng.integers(len(best)))]
        return self._space.canonical(self._space.mutate(parent, self._rng))

    def _propose(self, architecture: Architecture) -> Architecture:
        self._proposed[architecture] = None
        self._waiting = [*self._waiting, architecture][-_COUNTED:]
        return architecture

    def _features(self, architectures: list[Architecture]) -> Array:
        rows = [self._space.features(architecture) for architecture in architectures]
        return np.array(rows, dtype=np.float64).reshape(len(rows), -1 if rows else 0)

    def _learn(self) -> Surrogate:
        trained = self._results.trained
        features = self._features([*trained, *self._results.failed])
        seed = derive_seed(self._seed, "forest", self._results.turn) % 2**32
        if self._kind is SurrogateKind.FOREST:
            return ForestSurrogate(features, self._results.values(trained), trees=self._trees, seed=seed)
        from carbonnas.strategies.hypervolume_surrogate import HypervolumeSurrogate

        return HypervolumeSurrogate(features, self._results.vectors(trained), seed=seed)


def _require_botorch(reward: Reward | None) -> None:
    if find_spec("botorch") is None:
        raise ValueError(
            "surrogate 'botorch' needs BoTorch, which is not installed: install the extra 'botorch' of carbonnas"
        )
    if reward is not None and type(reward) is not FirstObjective:
        raise ValueError("surrogate 'botorch' extends the front of all objectives: leave [reward] at 'first'")
