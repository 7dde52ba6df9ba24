"""What a model of candidates sees of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import Candidate

Array = NDArray[np.float64]


class CandidateInputs:
    """Features of architectures, which are remembered, and beside them the ranks of the scores that all of them have.

    Args:
        space: Tells the features.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._features: dict[Architecture, Array] = {}

    def of(self, candidates: Sequence[Candidate]) -> Array:
        """Return the inputs of candidates, at least one: shape (candidates, inputs), each input of mean zero and of unit variance, or zero."""
        for candidate in candidates:
            if candidate.architecture not in self._features:
                self._features[candidate.architecture] = self._space.features(candidate.architecture)
        features = np.array([self._features[candidate.architecture] for candidate in candidates])
        names = sorted(set.intersection(*(set(candidate.scores) for candidate in candidates)))
        scores = ([candidate.scores[name] for candidate in candidates] for name in names)
        ranks = [np.unique(column, return_inverse=True)[1] for column in scores]
        inputs = np.column_stack([features, *ranks])
        centred = inputs - inputs.mean(axis=0)
        return np.asarray(centred / np.where(centred.std(axis=0) > 0, centred.std(axis=0), 1.0))
