"""What the trained allocator sees."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.policies.actor_critic_state import (
    COMING_H,
    MONOTONE,
    OTHERS,
    Situation,
    Situations,
    last_needed,
    observe,
    observe_one,
)

RISING = np.arange(COMING_H, dtype=np.float64)


def situation(**changes: Any) -> Situations:
    """Return one situation: a week of 200 +- 50 g/kWh, the present as expected, hours to come at 200, 201 .. 247 g/kWh, half of 48 h needed."""
    values = {
        "present": 225.0,
        "mean": 200.0,
        "deviation": 50.0,
        "cleaner": 0.7,
        "expected": [225.0, *(200 + RISING)],
        "hours_left": 48.0,
        "load": 0.5,
        "share_done": 0.25,
        "slots": 4.0,
    }
    return Situations(**{name: np.asarray(value, dtype=np.float64)[None] for name, value in (values | changes).items()})


def test_dirtiness_is_told_in_six_numbers() -> None:
    dirtiness, others = observe(situation())
    assert dirtiness.shape == (1, MONOTONE)
    assert others.shape == (1, OTHERS)
    # (225 - 200) / 50; the share of the week; 25 of 48 hours are cleaner; all 24 of the first day; and the 24th cleanest hour to come,
    # which half of 48 hours of work would take last, has 223 g/kWh: (225 - 223) / 50, with the error of the forecast and without it.
    assert dirtiness[0] == pytest.approx([0.5, 0.7, 25 / 48, 1.0, 0.04, 0.04])


def test_what_a_forecast_missed_now_it_will_miss_for_a_while() -> None:
    flat = [200.0] * (COMING_H + 1)
    dirtiness, _ = observe(situation(expected=flat, present=250.0, load=1 / 48))
    # 50 g/kWh too low now, 50 exp(-k / 36) after k hours: the present hour is dirtier than all, and than the last of 47 by most.
    assert dirtiness[0, 4:] == pytest.approx([1.0, 1 - np.exp(-47 / 36)])
    assert dirtiness[0, 2] == pytest.approx(47 / 48)


def test_everything_else_is_told_in_seventeen() -> None:
    _, others = observe(situation())
    work = [0.25, 0.5, np.log(49) / np.log(169), 0.25, 0.25]
    last_needed_hour = (223 - 200) / 50 / 2
    blocks = [(1 + 3 * block) / 50 / 2 for block in range(8)]  # the means of 0, 1, 2 and of 3, 4, 5 and so on
    second_day = [(24 + 47) / 2 / 50 / 2]
    cleanest = [0.0, 24 / 50 / 2]
    assert others[0] == pytest.approx([*work, last_needed_hour, *blocks, *second_day, *cleanest])


def test_hours_after_the_deadline_count_for_nothing() -> None:
    dirtiness, _ = observe(situation(hours_left=3.0, present=201.5, expected=[201.5, *(200 + RISING)]))
    assert dirtiness[0, 2] == pytest.approx(2 / 3)  # 200 and 201 g/kWh still come, and are cleaner


@pytest.mark.parametrize("changes", [{"load": 1.0}, {"hours_left": 0.2}, {"hours_left": 500.0, "load": 1.0}])
def test_a_present_hour_that_is_needed_in_any_case_is_as_clean_as_can_be(changes: dict[str, float]) -> None:
    assert observe(situation(**changes))[0][0, -1] == -4.0


def test_the_last_hour_needed_is_the_dirtiest_of_the_cleanest() -> None:
    hours = np.tile(RISING[::-1], (3, 1, 1))
    assert last_needed(hours, np.array([0.4, 3.0, 48.5])).tolist() == [[0.0], [2.0], [np.inf]]


def test_a_grid_that_never_changed_is_no_reason_to_wait_for_noise() -> None:
    dirtiness, _ = observe(situation(deviation=0.0, present=202.0))
    assert dirtiness[0, 0] == pytest.approx(2 / (0.02 * 200))


@settings(max_examples=50, deadline=None)
@given(
    present=st.floats(0, 1000),
    dirtier_by=st.floats(0.01, 500),
    load=st.floats(0, 1),
    hours_left=st.floats(0.01, 200),
    deviation=st.floats(0, 200),
)
def test_only_the_dirtiness_rises_with_the_present_intensity(
    present: float, dirtier_by: float, load: float, hours_left: float, deviation: float
) -> None:
    first = situation(present=present, load=load, hours_left=hours_left, deviation=deviation, cleaner=present / 2000)
    dirtier = replace(first, present=first.present + dirtier_by, cleaner=(first.present + dirtier_by) / 2000)
    (before, others), (after, same) = observe(first), observe(dirtier)
    assert (after >= before - 1e-9).all()
    assert (others == same).all()


def test_zones_that_differ_by_a_factor_alone_look_the_same() -> None:
    tenfold = situation(present=2250.0, mean=2000.0, deviation=500.0, expected=[2250.0, *(2000 + 10 * RISING)])
    for one, other in zip(observe(situation()), observe(tenfold), strict=True):
        assert one == pytest.approx(other)


@settings(max_examples=200, deadline=None)
@given(
    expected=st.lists(st.integers(0, 900), min_size=COMING_H + 1, max_size=COMING_H + 1),
    present=st.integers(0, 900),
    deviation=st.integers(0, 200),
    hours_left=st.one_of(st.integers(1, 400).map(lambda quarters: quarters / 4), st.floats(1e-3, 1e4)),
    load=st.floats(0, 1),
    share_done=st.floats(0, 1),
    slots=st.integers(1, 64),
)
def test_one_situation_looks_alone_as_it_looks_among_many(
    expected: list[int],
    present: int,
    deviation: int,
    *,
    hours_left: float,
    load: float,
    share_done: float,
    slots: int,
) -> None:
    one = Situation(present, 300.0, deviation, 0.3, expected, hours_left, load, share_done, slots)
    many = situation(**{field.name: getattr(one, field.name) for field in fields(one)})
    for alone, among in zip(observe_one(one), observe(many), strict=True):
        assert alone == pytest.approx(among[0].tolist(), abs=1e-9)
