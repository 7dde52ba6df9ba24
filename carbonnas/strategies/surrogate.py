"""The interface of what Bayesian optimisation learns from results."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class SurrogateKind(enum.StrEnum):
    """What learns from results; the texts are those of configurations."""

    FOREST = "forest"
    BOTORCH = "botorch"


class Surrogate(ABC):
    """What was learnt from results so far. A pure function of these and of a seed, so that it can be learnt anew after an interruption."""

    @abstractmethod
    def merits(self, pool: Array, waiting: Array) -> Array:
        """Return what a training of each network of a pool promises.

        Args:
            pool: Features, shape (n, features), n at least 1.
            waiting: Features of networks that were proposed since the last result, shape (k, features), k at least 0.

        Returns:
            Shape (n,), larger is better, finite.
        """
