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

    def mean(self, short: Array, inputs: Array) -> Array:
        """Return the full results that are expected after `short`, shape (k,); `inputs` has shape (k, features)."""
        if not len(self.short):
            return short
        across = self._covariance(short, inputs, self.short, self.inputs)
        return np.asarray(short + across @ np.linalg.solve(self._known(), self.gains))

    def covariance(self, short: Array, inputs: Array) -> Array:
        """Return the covariance, shape (k, k), of the full results after `short`, what nothing tells of a training included."""
        prior = self._covariance(short, inputs, short, inputs) + self._noise * np.eye(len(short))
        if not len(self.short):
            return prior
        across = self._covariance(short, inputs, self.short, self.inputs)
        return np.asarray(prior - across @ np.linalg.solve(self._known(), across.T))

    @property
    def _noise(self) -> float:
        return (_NOISE * self.spread) ** 2

    def _known(self) -> Array:
        own = self._covariance(self.short, self.inputs, self.short, self.inputs)
        return own + self._noise * np.eye(len(self.short))

    def _covariance(self, short: Array, inputs: Array, other_short: Array, other_inputs: Array) -> Array:
        """Return the covariance of differences between (k,) and (n,) networks, shape (k, n), without noise."""
        a, b = (short - self.centre)[:, None], (other_short - self.centre)[None]
        bump = np.exp(-np.square((a - b) / (_BUMP * self.spread)) / 2)
        squares = np.square(inputs).sum(axis=1)[:, None] + np.square(other_inputs).sum(axis=1)
        kind = np.exp(-np.maximum(squares - 2 * inputs @ other_inputs.T, 0.0) / inputs.shape[1])
        return np.asarray(self.spread**2 * (1.0 + _BUMP**2 * bump + _KIND**2 * kind) + _SLOPE**2 * a * b)
