"""Scales that intensities are learnt in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from carbon_sources.forecasting.hourly import Array

_OFFSET = 0.05
"""Share of the mean that is added before the logarithm, so that hours without emissions have one."""
_NO_SPREAD = 1e-6
_LARGEST_LOG = 20.0


class Scale(Protocol):
    """Turns g/kWh into numbers of mean 0 and deviation 1, and back."""

    def scaled(self, values: Array) -> Array:
        """Return g/kWh in this scale."""
        ...

    def unscaled(self, scaled: Array) -> Array:
        """Return what is given in this scale as g/kWh, at least zero."""
        ...


@dataclass(frozen=True, slots=True)
class LogScale:
    """Standardised logarithms: errors count relative to the actual value, and the small ones come out small.

    Attributes:
        offset: Added before the logarithm, g/kWh, above zero.
        centre: Mean of the logarithms.
        spread: Their standard deviation, above zero.
    """

    offset: float
    centre: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> LogScale:
        """Return the scale in which `values` have mean 0 and deviation 1, or 0 if all are the same."""
        mean = float(values.mean())
        offset = _OFFSET * mean if mean > 0 else 1.0
        logs = np.log(values + offset)
        return cls(offset, float(logs.mean()), _spread(logs))

    def scaled(self, values: Array) -> Array:
        """Return g/kWh as standardised logarithms."""
        result: Array = (np.log(values + self.offset) - self.centre) / self.spread
        return result

    def unscaled(self, scaled: Array) -> Array:
        """Return standardised logarithms as g/kWh, at least zero."""
        return np.maximum(np.exp(np.minimum(scaled * self.spread + self.centre, _LARGEST_LOG)) - self.offset, 0.0)


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Standardised g/kWh: every gram counts the same, and the mean of what may come comes out.

    Attributes:
        centre: Mean of the values, g/kWh.
        spread: Their standard deviation, g/kWh, above zero.
    """

    centre: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> LinearScale:
        """Return the scale in which `values` have mean 0 and deviation 1, or 0 if all are the same."""
        return cls(float(values.mean()), _spread(values))

    def scaled(self, values: Array) -> Array:
        """Return g/kWh, standardised."""
        result: Array = (values - self.centre) / self.spread
        return result

    def unscaled(self, scaled: Array) -> Array:
        """Return what was standardised as g/kWh, at least zero."""
        return np.maximum(scaled * self.spread + self.centre, 0.0)


def _spread(values: Array) -> float:
    """Return the standard deviation, or 1 if there is none."""
    spread = float(values.std())
    return spread if spread > _NO_SPREAD else 1.0
