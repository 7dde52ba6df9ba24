"""What a short training tells about a full one.

After Kennedy and O'Hagan 2000, "Predicting the output from a complex computer code when fast approximations are available": the
full result is the short one plus a difference, which is itself a Gaussian process, here in the short result alone.
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
_NOISE = 0.3
"""Standard deviation of what the short result does not tell at all, in the same unit."""


@dataclass(frozen=True, slots=True)
class FidelityLink:
    """From values of short trainings to those of full ones.

    Attributes:
        centre: Short result about which the slope turns.
        spread: Standard deviation of the short results, above zero.
        short: Shape (n,), short results of what was trained in full.
        gains: Shape (n,), how much larger the full results were.
    """

    centre: float
    spread: float
    short: Array
    gains: Array

    @classmethod
    def fit(cls, population: Array, short: Array, full: Array) -> FidelityLink:
        """Learn from pairs.

        Args:
            population: Shape (m,), all short results, at least one.
            short: Shape (n,), those of what was trained in full; n may be 0.
            full: Shape (n,), the full results.
        """
        return cls(float(np.quantile(population, 0.75)), float(population.std()) or 1.0, short, full - short)

    def predict(self, short: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the full results of `short`, shape (k,) each."""
        prior = self._covariance(short, short).diagonal() + (_NOISE * self.spread) ** 2
        if not len(self.short):
            return short, np.sqrt(prior)
        known = self._covariance(self.short, self.short) + (_NOISE * self.spread) ** 2 * np.eye(len(self.short))
        across = self._covariance(short, self.short)
        weights = np.linalg.solve(known, np.column_stack([self.gains, across.T]))
        variance = np.maximum(prior - (across * weights[:, 1:].T).sum(axis=1), 1e-12)
        return short + across @ weights[:, 0], np.sqrt(variance)

    def _covariance(self, left: Array, right: Array) -> Array:
        a, b = (left - self.centre)[:, None], (right - self.centre)[None]
        bump = np.exp(-np.square((a - b) / (_BUMP * self.spread)) / 2)
        return np.asarray(self.spread**2 * (1.0 + _BUMP**2 * bump) + _SLOPE**2 * a * b)
