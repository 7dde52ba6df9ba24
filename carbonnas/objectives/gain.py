"""What a further point would add to a hypervolume; larger is better in every value."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def hypervolume_gains(points: Points, front: Points, reference: Points) -> Points:
    """Return by how much each point alone would enlarge the hypervolume of a front.

    Args:
        points: Shape (n, objectives); any that does not exceed the reference adds nothing.
        front: Shape (m, objectives), of which some may be dominated.
        reference: Shape (objectives,): what a point has to exceed in every value to count.

    Returns:
        Shape (n,), at least zero.
    """
    above, held = np.maximum(points - reference, 0.0), np.maximum(front - reference, 0.0)
    if above.shape[1] == 1:
        return np.asarray(np.maximum(above[:, 0] - held.max(initial=0.0), 0.0))
    if above.shape[1] == 2:
        return _staircase_gains(above, held)
    return _swept_gains(above, held)


def _staircase_gains(points: Points, front: Points) -> Points:
    """Sum over the steps of the front what of each step's column a point stands above it."""
    order = np.argsort(-front[:, 1], kind="stable")
    ends = np.concatenate([front[order, 1], [0.0]])
    levels = np.concatenate([[0.0], np.maximum.accumulate(front[order, 0])])
    begins = np.concatenate([[np.inf], ends[:-1]])
    width = np.clip(np.minimum(begins, points[:, 1:]) - ends, 0.0, None)
    return np.asarray((width * np.clip(points[:, :1] - levels, 0.0, None)).sum(axis=1))


def _swept_gains(points: Points, front: Points) -> Points:
    """Sweep the last objective: between two of its levels the gain is that of fewer objectives, times the distance."""
    levels = np.unique(np.concatenate([[0.0], front[:, -1], points[:, -1]]))
    gains = np.zeros(len(points))
    zero = np.zeros(points.shape[1] - 1)
    for low, high in itertools.pairwise(levels):
        reached = points[:, -1] >= high
        held = front[front[:, -1] >= high, :-1]
        gains[reached] += (high - low) * hypervolume_gains(points[reached, :-1], held, zero)
    return gains
