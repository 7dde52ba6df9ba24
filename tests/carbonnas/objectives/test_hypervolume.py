from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.objectives.hypervolume import hypervolume

Points = list[list[float]]


@st.composite
def problems(draw: st.DrawFn, most: int = 4) -> tuple[Points, list[float]]:
    """Points and a reference point with coordinates from -1 to 4."""
    dimensions = draw(st.integers(1, most))
    row = st.lists(st.integers(-1, 4).map(float), min_size=dimensions, max_size=dimensions)
    return draw(st.lists(row, max_size=8)), draw(row)


def unit_cells(values: Points, reference: list[float]) -> int:
    """Count the unit cells above the reference that lie below a point; exact for whole numbers up to 4."""
    corners = itertools.product(*(range(int(low), 4) for low in reference))
    return sum(any(all(v >= c + 1 for v, c in zip(p, cell, strict=True)) for p in values) for cell in corners)


@settings(max_examples=60, deadline=None)
@given(problem=problems(most=3))
def test_it_is_the_volume_below_the_points(problem: tuple[Points, list[float]]) -> None:
    values, reference = problem
    assert hypervolume(values, reference) == pytest.approx(unit_cells(values, reference), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(problem=problems(), data=st.data())
def test_it_does_not_depend_on_the_order_of_points(problem: tuple[Points, list[float]], data: st.DataObject) -> None:
    values, reference = problem
    shuffled = data.draw(st.permutations(values))
    assert hypervolume(shuffled, reference) == pytest.approx(hypervolume(values, reference))


@settings(max_examples=40, deadline=None)
@given(problem=problems(), data=st.data())
def test_another_point_never_makes_it_smaller(problem: tuple[Points, list[float]], data: st.DataObject) -> None:
    values, reference = problem
    another = [float(data.draw(st.integers(-1, 4))) for _ in reference]
    assert hypervolume([*values, another], reference) >= hypervolume(values, reference) - 1e-9


@settings(max_examples=40, deadline=None)
@given(problem=problems(), data=st.data())
def test_a_dominated_point_changes_nothing(problem: tuple[Points, list[float]], data: st.DataObject) -> None:
    values, reference = problem
    dominated = [[v - data.draw(st.integers(0, 2)) for v in row] for row in values[:2]]
    assert hypervolume([*values, *dominated], reference) == pytest.approx(hypervolume(values, reference))


def test_two_points_share_what_lies_below_both() -> None:
    # 90 % at 10 mJ and 80 % at 5 mJ against 0 % at 50 mJ: 90 x 40 + 80 x (45 - 40).
    assert hypervolume([[90.0, -10.0], [80.0, -5.0]], [0.0, -50.0]) == pytest.approx(3600 + 400)


def test_without_points_it_is_zero() -> None:
    assert hypervolume([], [0.0, 0.0]) == 0.0


def test_a_point_that_equals_the_reference_in_one_value_contributes_nothing() -> None:
    assert hypervolume([[5.0, 0.0]], [0.0, 0.0]) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        hypervolume([[1.0, value]], [0.0, 0.0])
    with pytest.raises(ValueError, match="must be finite"):
        hypervolume([[1.0, 1.0]], [0.0, value])


def test_points_of_another_length_than_the_reference_are_refused() -> None:
    with pytest.raises(ValueError, match="every point needs 2 values"):
        hypervolume([[1.0, 2.0], [1.0]], [0.0, 0.0])
    with pytest.raises(ValueError, match="got none"):
        hypervolume([], [])


def test_importing_the_module_does_not_import_the_library() -> None:
    code = "import sys, carbonnas.objectives.hypervolume; sys.exit('moocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
