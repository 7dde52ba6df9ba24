"""The hypervolume indicator; larger is better in every value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def hypervolume(values: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """Return the volume between the reference point and all points that exceed it in every value.

    Zitzler and Thiele 1998, "Multiobjective Optimization Using Evolutionary Algorithms". Points that do not exceed the reference in
    every value contribute nothing, and neither do dominated ones.

    Args:
        values: One row per point, one value per objective, larger is better.
        reference: A point with one value per objective, in the same units: what is barely not acceptable.

    Returns:
        The volume in the product of the objectives' units, at least 0; 0 without points.

    Raises:
        ValueError: If a row and the reference differ in length, the reference is empty, or a value is not finite.
    """
    if not len(reference):
        raise ValueError("the reference point needs one value for each objective, got none")
    lowest = np.array(reference, dtype=np.float64)
    if not np.isfinite(lowest).all():
        raise ValueError(f"the reference point must be finite, got {list(reference)}")
    if any(len(row) != len(lowest) for row in values):
        raise ValueError(f"every point needs {len(lowest)} values, one for each of the reference point")
    points = np.array(values, dtype=np.float64).reshape(-1, len(lowest))
    if not np.isfinite(points).all():
        raise ValueError("a value that is not finite has no volume: leave points without a result out")
    points = points[(points > lowest).all(axis=1)]
    if not len(points):
        return 0.0
    import moocore  # a fifth of a second, which commands that have no front need not spend

    return float(moocore.hypervolume(points, ref=lowest, maximise=True))
