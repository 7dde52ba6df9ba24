from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.objectives.gain import hypervolume_gains
from carbonnas.objectives.hypervolume import hypervolume


def _points(draw: st.DrawFn, objectives: int, most: int) -> np.ndarray:
    coordinate = st.integers(-2, 5)
    rows = draw(st.lists(st.lists(coordinate, min_size=objectives, max_size=objectives), max_size=most))
    return np.array(rows, dtype=np.float64).reshape(len(rows), objectives)


@st.composite
def fronts_and_points(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    objectives = draw(st.integers(1, 4))
    reference = draw(st.lists(st.integers(-1, 2), min_size=objectives, max_size=objectives))
    return _points(draw, objectives, 6), _points(draw, objectives, 6), np.array(reference, dtype=np.float64)


@given(fronts_and_points())
def test_a_gain_is_the_hypervolume_with_the_point_less_that_without(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    points, front, reference = drawn
    before = hypervolume(front.tolist(), reference.tolist())
    after = [hypervolume([*front.tolist(), point], reference.tolist()) for point in points.tolist()]
    assert hypervolume_gains(points, front, reference).tolist() == pytest.approx([value - before for value in after])


def test_only_what_stands_above_the_staircase_counts() -> None:
    front = np.array([[1.0, 3.0], [3.0, 1.0]])
    gains = hypervolume_gains(np.array([[2.0, 2.0], [1.0, 1.0], [4.0, 4.0], [-1.0, 9.0]]), front, np.zeros(2))
    # (2, 2) adds the one square between the steps; (4, 4) makes 16 of the 3 + 3 - 1 = 5.
    assert gains.tolist() == [1.0, 0.0, 11.0, 0.0]
