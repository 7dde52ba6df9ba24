from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.objectives.objective import Direction, Objective


@given(metric=st.from_regex(r"[a-z_0-9]+", fullmatch=True), direction=st.sampled_from(Direction))
def test_an_objective_is_read_as_it_is_written(metric: str, direction: Direction) -> None:
    objective = Objective(metric, direction)
    assert Objective.parse(str(objective)) == objective


@pytest.mark.parametrize("text", ["", "maximize", "val_accuracy", "maximise val_accuracy", "minimize two words"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 'maximize METRIC' or 'minimize METRIC'"):
        Objective.parse(text)


def test_larger_is_better_whatever_the_direction() -> None:
    metrics = {"val_accuracy": 0.9, "params": 100.0}
    assert Objective.parse("maximize val_accuracy").value(metrics) == 0.9
    assert Objective.parse("minimize params").value(metrics) == -100.0


def test_a_metric_that_was_not_measured_is_no_number() -> None:
    with pytest.raises(KeyError, match="val_accuracy"):
        Objective.parse("maximize val_accuracy").value({})
