"""Bayesian optimisation with a random forest."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import FirstObjective, Reward
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict

Array = NDArray[np.float64]

_NORMAL = NormalDist()
_DOUBT = 1e-9
"""Added to deviations: forests may be sure."""


class Bayesian(SearchStrategy):
    """Proposes what a random forest expects to improve most on the best result.

    Proposals are random until `initial` networks have a result. From then on a forest learns the ranks of the results from the features
    of the space. Of `pool` networks, one half mutations of the ten best and one half random, the one of the largest expected improvement is
    proposed; the trees' disagreement stands for the doubt. Networks that were proposed or told before are passed over. Failures
    count as the worst result.

    Hutter et al. 2011, "Sequential Model-Based Optimization for General Algorithm Configuration" (SMAC), sections 4.1 and 4.3.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the sequence of proposals.
        reward: What is maximised; the first objective if absent.
        initial: Networks with a result before anything is learnt, at least 2.
        trees: Trees of the forest, at least 2.
        pool: Networks that are looked at for each proposal, at least 2.

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
        trees: int = 50,
        pool: int = 100,
    ) -> None:
        for name, value in (("initial", initial), ("trees", trees), ("pool", pool)):
            if value < 2:
                raise ValueError(f"{name} must be at least 2, got {value}")
        self._space = space
        self._results = Results(space, reward or FirstObjective(objectives))
        self._seed = seed
        self._initial = initial
        self._trees = trees
        self._pool = pool
        self._proposed: dict[Architecture, None] = {}
        self._rng = np.random.default_rng(derive_seed(seed, "bayesian"))
        self._forest: Any = None
        """Learnt from all results; made when it is asked for."""

    def ask(self) -> Architecture:
        trained = self._results.trained
        if len(trained) < self._initial:
            return self._propose(self._space.canonical(self._space.sample(self._rng)))
        values = self._results.values(trained)
        best = [trained[place] for place in np.argsort(-values, kind="stable")[:10]]
        pool = dict.fromkeys(self._drawn(best) for _ in range(self._pool))
        fresh = [drawn for drawn in pool if drawn not in self._proposed] or list(pool)
        expected = self._expected_improvement(np.array([self._space.features(drawn) for drawn in fresh]))
        return self._propose(fresh[int(np.argmax(expected))])

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is not None:
            self._proposed[architecture] = None
            self._forest = None

    def state_dict(self) -> StateDict:
        return {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "seed": self._seed,
            "proposed": np.array(list(self._proposed), dtype=np.int64).reshape(-1, len(self._space.choices)),
            **self._results.state(),
        }

    def load_state_dict(self, state: StateDict) -> None:
        self._results.load(state)
        self._proposed = dict.fromkeys(as_architecture(row) for row in cast("np.ndarray", state["proposed"]))
        self._forest = None
        self._seed = cast("int", state["seed"])
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _drawn(self, best: list[Architecture]) -> Architecture:
        if self._rng.random() < 0.5:
            return self._space.canonical(self._space.sample(self._rng))
        parent = best[int(self._rng.integers(len(best)))]
        return self._space.canonical(self._space.mutate(parent, self._rng))

    def _propose(self, architecture: Architecture) -> Architecture:
        self._proposed[architecture] = None
        return architecture

    def _expected_improvement(self, features: Array) -> Array:
        """Return it for networks by their features, shape (n,), in shares of the ranks, of which the best result has 1."""
        if self._forest is None:
            self._forest = self._learnt()
        # The trees are asked one by one: the forest itself tells their mean only.
        answers = np.array([tree.predict(features.astype(np.float32)) for tree in self._forest.estimators_])
        mean, doubt = answers.mean(axis=0), answers.std(axis=0) + _DOUBT
        beyond = (mean - 1.0) / doubt
        below = np.array([_NORMAL.cdf(value) for value in beyond.tolist()])
        density = np.array([_NORMAL.pdf(value) for value in beyond.tolist()])
        return np.asarray((mean - 1.0) * below + doubt * density)

    def _learnt(self) -> Any:
        from sklearn.ensemble import RandomForestRegressor

        trained, failed = self._results.trained, self._results.failed
        ranks = np.unique(self._results.values(trained), return_inverse=True)[1] + 1.0
        targets = np.concatenate([ranks / ranks.max(), np.zeros(len(failed))])
        features = np.array([self._space.features(architecture) for architecture in (*trained, *failed)])
        seed = derive_seed(self._seed, "forest", self._results.turn) % 2**32
        forest = RandomForestRegressor(self._trees, max_features=1 / 3, random_state=seed)
        return forest.fit(features, targets)
