"""Results on a scale on which none is an outlier."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def normal_scores(values: Array) -> Array:
    """Return the quantile of a normal distribution that goes with each value's rank; equal values have equal scores.

    Args:
        values: Shape (n,), finite.

    Returns:
        Shape (n,), finite.
    """
    ranks = np.unique(values, return_inverse=True)[1]
    quantile = NormalDist().inv_cdf
    return np.array([quantile((rank + 0.5) / (int(ranks.max()) + 1)) for rank in ranks.tolist()])
