"""Gaussian process regression on a few hundred points at most.

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LENGTHS = (3.0, 5.0, 8.0, 12.0)
"""Length scales that are tried, for inputs of unit variance."""
_LINEAR = (0.0, 0.3, 1.0)
"""Variances of the linear part that are tried, against one of the smooth part."""
_NOISES = (0.01, 0.03, 0.1)


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """What was learnt: a smooth and a linear part in the inputs, and noise; of a few settings the most likely one.

    Attributes:
        inputs: Shape (n, features), what was learnt from.
        mean: Mean of the targets.
        scale: Standard deviation that the prior has.
        length: Length scale of the smooth part.
        linear: Variance of the linear part.
        cholesky: Shape (n, n), lower factor of the covariance of the targets.
        weights: Shape (n,), covariance inverse times targets.
    """

    inputs: Array
    mean: float
    scale: float
    length: float
    linear: float
    cholesky: Array
    weights: Array

    @classmethod
    def fit(cls, inputs: Array, targets: Array) -> GaussianProcess:
        """Learn from `inputs` of shape (n, features) and `targets` of shape (n,), with n at least 1 and all finite."""
        mean, spread = float(targets.mean()), float(targets.std()) or 1.0
        centred = (targets - mean) / spread
        best: tuple[float, GaussianProcess] | None = None
        for length, linear in itertools.product(_LENGTHS, _LINEAR):
            prior = _covariance(inputs, inputs, length, linear)
            for noise in _NOISES:
                cholesky: Array = np.linalg.cholesky(prior + noise * np.eye(len(centred))).astype(np.float64)
                whitened = np.linalg.solve(cholesky, centred)
                variance = max(float(whitened @ whitened) / len(centred), 1e-6)
                cost = 0.5 * len(centred) * np.log(variance) + float(np.log(np.diag(cholesky)).sum())
                if best is None or cost < best[0]:
                    weights = np.linalg.solve(cholesky.T, whitened)
                    scale = spread * float(np.sqrt(variance))
                    best = cost, cls(inputs, mean, scale, length, linear, cholesky, weights * spread)
        assert best is not None  # noqa: S101 - the settings are not empty
        return best[1]

    def predict(self, inputs: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation, without noise, at `inputs` of shape (m, features): shape (m,) each."""
        across = _covariance(inputs, self.inputs, self.length, self.linear)
        explained = np.linalg.solve(self.cholesky, across.T)
        prior = 1.0 + self.linear * np.square(inputs).mean(axis=1)
        variance = np.maximum(prior - np.square(explained).sum(axis=0), 1e-9)
        return self.mean + across @ self.weights, self.scale * np.sqrt(variance)

    def counting_on(self, inputs: Array) -> GaussianProcess:
        """Return the process as if what it expects at `inputs` of shape (k, features) had been seen: it doubts less around there.

        Ginsbourger et al. 2010, "Kriging Is Well-Suited to Parallelize Optimization" (the believer).
        """
        if not len(inputs):
            return self
        every = np.vstack([self.inputs, inputs])
        covariance = _covariance(every, every, self.length, self.linear)
        noise = float(self.cholesky[0, 0] ** 2 - covariance[0, 0])
        cholesky: Array = np.linalg.cholesky(covariance + noise * np.eye(len(every))).astype(np.float64)
        # What is believed adds nothing to the mean, so its weights are zero.
        weights = np.concatenate([self.weights, np.zeros(len(inputs))])
        return replace(self, inputs=every, cholesky=cholesky, weights=weights)


def _covariance(left: Array, right: Array, length: float, linear: float) -> Array:
    inner = left @ right.T
    squares = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)[None] - 2 * inner
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2 * length**2)) + linear * inner / left.shape[1])
