"""What a short training tells about a full one.

After Kennedy and O'Hagan 2000, "Predicting the output from a complex computer code when fast approximations are available": the
full result is the short one plus a difference, which is itself a Gaussian process, here in the short result and in what is known of the
architecture: short trainings are unjust to some kinds of networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SLOPE = 0.3
"""Standard deviation of the slope of the difference."""
_BUMP = 0.5
"""Standard deviation and length of what is not linear in the difference, in standard deviations of the short results."""
_KIND = 0.25
"""Standard deviation of what depends on the kind of network, in the same unit."""
_NOISE = 0.15
"""Standard deviation of what nothing tells, in the same unit."""


@dataclass(frozen=True, slots=True)
class FidelityLink:
    """From values of short trainings to those of full ones.

    Attributes:
        centre: Short result about which the slope turns.
        spread: Standard deviation of the short results, above zero.
        short: Shape (n,), short results of what was trained in full.
        inputs: Shape (n, features), what is known of it, of unit variance.
        gains: Shape (n,), how much larger the full results were.
    """

    centre: float
    spread: float
    short: Array
    inputs: Array
    gains: Array

    @classmethod
    def fit(cls, population: Array, short: Array, inputs: Array, full: Array) -> FidelityLink:
        """Learn from pairs.

        Args:
            population: Shape (m,), all short results, at least one.
            short: Shape (n,), those of what was trained in full; n may be 0.
            inputs: Shape (n, features), what is known of it, of unit variance.
            full: Shape (n,), the full results.
        """
        return cls(float(np.quantile(population, 0.75)), float(population.std()) or 1.0, short, inputs, full - short)

    def predict(self, short: Array, inputs: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the full results of `short`, shape (k,) each; `inputs` has shape (k, features)."""
        noise = (_NOISE * self.spread) ** 2
        turn = (_SLOPE * (short - self.centre)) ** 2
        prior = self.spread**2 * (1.0 + _BUMP**2 + _KIND**2) + turn + noise
        if not len(self.short):
            return short, np.sqrt(prior)
        known = self._covariance(self.short, self.inputs) + noise * np.eye(len(self.short))
        across = self._covariance(short, inputs)
        weights = np.linalg.solve(known, np.column_stack([self.gains, across.T]))
        variance = np.maximum(prior - (across * weights[:, 1:].T).sum(axis=1), 1e-12)
        return short + across @ weights[:, 0], np.sqrt(variance)

    def _covariance(self, short: Array, inputs: Array) -> Array:
        """Return the covariance of differences with those that were learnt from, shape (k, n)."""
        a, b = (short - self.centre)[:, None], (self.short - self.centre)[None]
        bump = np.exp(-np.square((a - b) / (_BUMP * self.spread)) / 2)
        apart = np.square(inputs).sum(axis=1)[:, None] + np.square(self.inputs).sum(axis=1) - 2 * inputs @ self.inputs.T
        kind = np.exp(-np.maximum(apart, 0.0) / inputs.shape[1])
        return np.asarray(self.spread**2 * (1.0 + _BUMP**2 * bump + _KIND**2 * kind) + _SLOPE**2 * a * b)
