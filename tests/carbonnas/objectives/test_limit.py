"""Hard limits and targets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("least", "most"), [(-math.inf, math.inf), (2.0, 1.0), (math.nan, 1.0)], ids=["open", "empty", "no number"]
)
def test_a_limit_that_binds_nothing_or_leaves_nothing_is_refused(least: float, most: float) -> None:
    with pytest.raises(ValueError, match=r"limit|nothing"):
        Limit("params", least, most)


@given(NUMBERS, NUMBERS)
def test_a_known_value_either_keeps_a_limit_or_breaks_it(end: float, value: float) -> None:
    limit = Limit("params", at_most=end)
    assert limit.kept_by({"params": value}) == (value <= end)
    assert limit.broken_by({"params": value}) == (value > end)


def test_an_unknown_value_neither_keeps_a_limit_nor_breaks_it() -> None:
    limit = Limit("params", at_least=1.0)
    assert not limit.kept_by({"macs": 2.0})
    assert not limit.broken_by({"macs": 2.0})


def test_a_value_that_is_no_number_keeps_no_limit() -> None:
    assert Limit("params", at_most=1.0).broken_by({"params": math.nan})


def test_limits_are_said_in_words() -> None:
    assert str(Limit("params", at_most=1_000_000)) == "params at most 1e+06"
    assert str(Limit("params", 10, 250_000)) == "params at least 10 and at most 250,000"


def test_a_target_puts_its_latency_in_place_of_others() -> None:
    target = Target("phone", "latency_ms.phone", 20.0)
    given_ones = tuple(map(Objective.parse, ("maximize val_accuracy", "minimize latency_ms", "minimize params")))
    found = target.objectives(given_ones, ["latency_ms", "latency_ms.phone", "latency_ms.server"])
    assert list(map(str, found)) == ["maximize val_accuracy", "minimize params", "minimize latency_ms.phone"]
    assert target.limits == (Limit("latency_ms.phone", at_most=20.0),)
    assert Target("server", "latency_ms.server").limits == ()
