from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.objectives.pareto import pareto_front

Points = list[list[float]]


@st.composite
def points(draw: st.DrawFn) -> Points:
    dimensions = draw(st.integers(1, 4))
    row = st.lists(st.integers(-3, 3).map(float), min_size=dimensions, max_size=dimensions)
    return draw(st.lists(row, max_size=12))


def dominates(left: list[float], right: list[float]) -> bool:
    return all(a >= b for a, b in zip(left, right, strict=True)) and left != right


@settings(max_examples=40, deadline=None)
@given(values=points())
def test_the_front_is_what_nothing_dominates(values: Points) -> None:
    expected = [i for i, point in enumerate(values) if not any(dominates(other, point) for other in values)]
    assert pareto_front(values) == expected


@settings(max_examples=40, deadline=None)
@given(values=points(), data=st.data())
def test_the_front_does_not_depend_on_the_order_of_points(values: Points, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(values))))
    front = pareto_front([values[i] for i in order])
    assert sorted(order[i] for i in front) == pareto_front(values)


def test_without_points_there_is_no_front() -> None:
    assert pareto_front([]) == []


def test_equal_points_all_belong_to_the_front() -> None:
    assert pareto_front([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]) == [0, 2]


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be compared"):
        pareto_front([[1.0, math.nan]])


def test_points_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one value for each objective"):
        pareto_front([[1.0, 2.0], [1.0]])


def test_importing_the_module_does_not_import_the_library() -> None:
    code = "import sys, carbonnas.objectives.pareto; sys.exit('moocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
