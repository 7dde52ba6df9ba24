"""A random forest as a surrogate."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbonnas.strategies.surrogate import Surrogate

Array = NDArray[np.float64]

_NORMAL = NormalDist()
_DOUBT = 1e-9
"""Added to deviations: forests may be sure."""


class ForestSurrogate(Surrogate):
    """Expected improvement on the best result by a random forest that learns ranks; the trees' disagreement stands for the doubt.

    Hutter et al. 2011, "Sequential Model-Based Optimization for General Algorithm Configuration" (SMAC), sections 4.1 and 4.3.

    Args:
        features: Shape (n + k, features), of n networks with a result and k that failed, which count as the worst.
        values: Shape (n,), what the results are worth, n at least 1.
        trees: Trees of the forest, at least 2.
        seed: Decides the forest, 0 to 2**32 - 1.
    """

    def __init__(self, features: Array, values: Array, *, trees: int, seed: int) -> None:
        from sklearn.ensemble import RandomForestRegressor

        ranks = np.unique(values, return_inverse=True)[1] + 1.0
        targets = np.concatenate([ranks / ranks.max(), np.zeros(len(features) - len(values))])
        forest = RandomForestRegressor(trees, max_features=1 / 3, random_state=seed)
        self._forest: Any = forest.fit(features, targets)

    def merits(self, pool: Array, waiting: Array) -> Array:  # noqa: ARG002 # a forest that counted on its own guesses would only be surer
        """Return the expected improvement in shares of the ranks, of which the best result has 1."""
        # The trees are asked one by one: the forest itself tells their mean only.
        answers = np.array([tree.predict(pool.astype(np.float32)) for tree in self._forest.estimators_])
        mean, doubt = answers.mean(axis=0), answers.std(axis=0) + _DOUBT
        beyond = (mean - 1.0) / doubt
        below = np.array([_NORMAL.cdf(value) for value in beyond.tolist()])
        density = np.array([_NORMAL.pdf(value) for value in beyond.tolist()])
        return np.asarray((mean - 1.0) * below + doubt * density)
