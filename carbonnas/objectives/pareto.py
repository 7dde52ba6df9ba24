"""Pareto fronts; larger is better in every value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pareto_front(values: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the points that no other point dominates, in their order; equal points all belong to it.

    One point dominates another if it is at least as good in every value and better in one.

    Args:
        values: One row per point, one value per objective, larger is better.

    Raises:
        ValueError: If the rows differ in length or a value is not a number.
    """
    if not len(values):
        return []
    import moocore  # a fifth of a second, which commands that have no front need not spend

    kept = moocore.is_nondominated(_points(values), maximise=True, keep_weakly=True)
    return [int(index) for index in np.flatnonzero(kept)]


def _points(values: Sequence[Sequence[float]]) -> np.ndarray:
    if len({len(row) for row in values}) != 1:
        raise ValueError("every point needs one value for each objective")
    points = np.array(values, dtype=np.float64)
    if np.isnan(points).any():
        raise ValueError("a value that is not a number can't be compared: leave points without a result out")
    return points
