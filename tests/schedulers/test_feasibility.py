"""Whether a deadline and a budget leave room for the work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.feasibility import TrainingLoad, check_feasible
from schedulers.outlook import Outlook
from schedulers.testing import NOW

HOUR = timedelta(hours=1)
LOAD = TrainingLoad(slot_time=4 * HOUR, width=2, training_w=1000.0)
AHEAD = Outlook((3600.0,) * 6, (300.0, 300.0, 200.0, 100.0, 300.0, 400.0))


def test_what_fits_says_what_it_emits() -> None:
    found = check_feasible(LOAD, AHEAD, start=NOW, deadline=NOW + 4 * HOUR, budget_g=650.0)
    # 2 h in both slots, the cleanest two of four: 2 kW * (100 + 200) g/kWh.
    assert found.feasible
    assert found.least_g == pytest.approx(600.0)
    assert (
        found.sentence
        == "the trainings take 2 h in 2 slots and emit at least 600 g of the 650 g by 2025-03-10 16:00 UTC"
    )


def test_a_deadline_that_is_too_early_names_the_nearest_one() -> None:
    found = check_feasible(LOAD, AHEAD, start=NOW, deadline=NOW + HOUR, budget_g=None)
    assert (found.feasible, found.least_g, found.nearest_deadline) == (False, None, NOW + 2 * HOUR)
    assert found.sentence == (
        "the trainings take 2 h in 2 slots without a pause, and the deadline is 1 h away: a deadline from 2025-03-10 14:00 UTC on fits"
    )


def test_a_pair_that_does_not_fit_names_the_budget_for_the_deadline_and_the_deadline_for_the_budget() -> None:
    found = check_feasible(LOAD, AHEAD, start=NOW, deadline=NOW + 3 * HOUR, budget_g=800.0)
    # By 15:00 the best two hours cost 2 * (200 + 300) = 1000 g. Each minute of the fourth hour in place of one at 300 saves 2 * 200 / 60 g:
    # 200 g take half an hour.
    assert found.least_g == pytest.approx(1000.0)
    assert found.nearest_deadline is not None
    assert abs(found.nearest_deadline - (NOW + 3.5 * HOUR)) < timedelta(seconds=1)
    assert "a budget of 1000 g fits, or a deadline from 2025-03-10 15:30 UTC on" in found.sentence


def test_a_budget_that_no_deadline_saves_is_told() -> None:
    found = check_feasible(LOAD, AHEAD, start=NOW, deadline=None, budget_g=500.0)
    assert (found.feasible, found.nearest_deadline) == (False, None)
    assert found.least_g == pytest.approx(600.0)
    assert "or no later deadline as far as is known ahead" in found.sentence
    early = check_feasible(LOAD, AHEAD, start=NOW, deadline=NOW + HOUR, budget_g=500.0)
    assert "no deadline that is known ahead fits the budget either" in early.sentence


def test_resting_is_paid_until_the_end() -> None:
    idle = TrainingLoad(slot_time=4 * HOUR, width=2, training_w=1000.0, resting_w=500.0)
    # To wait for the third and fourth hour costs 0.5 kW * 900 + 600 = 1050 g; without a pause it is 0.5 * 600 + 1200 = 1500 g.
    assert check_feasible(idle, AHEAD, start=NOW, deadline=None, budget_g=None).least_g == pytest.approx(1050.0)
    flat = Outlook((3600.0,) * 6, (300.0,) * 6)
    assert check_feasible(idle, flat, start=NOW, deadline=None, budget_g=None).least_g == pytest.approx(1500.0)


def test_what_takes_longer_than_anything_is_known_is_not_judged() -> None:
    long = TrainingLoad(slot_time=40 * HOUR, width=2, training_w=1000.0)
    found = check_feasible(long, AHEAD, start=NOW, deadline=NOW + 90 * HOUR, budget_g=1.0)
    assert (found.feasible, found.least_g, found.nearest_deadline) == (False, None, None)
    assert "whether they fit can't be said" in found.sentence


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(0, 900), min_size=2, max_size=10),
    hours=st.integers(1, 10),
    deadline=st.integers(1, 10),
    resting_w=st.sampled_from((0.0, 300.0)),
    share=st.floats(0.3, 1.5),
)
def test_what_is_proposed_is_feasible(
    values: list[int], hours: int, deadline: int, resting_w: float, share: float
) -> None:
    ahead = Outlook((3600.0,) * len(values), tuple(float(value) for value in values))
    load = TrainingLoad(hours * HOUR / 2, 1, 1000.0, resting_w)
    free = check_feasible(load, ahead, start=NOW, deadline=NOW + deadline * HOUR, budget_g=None)
    if free.least_g is None:
        return
    assert check_feasible(load, ahead, start=NOW, deadline=NOW + deadline * HOUR, budget_g=free.least_g).feasible
    tight = check_feasible(load, ahead, start=NOW, deadline=NOW + deadline * HOUR, budget_g=free.least_g * share)
    if tight.nearest_deadline is not None:
        assert check_feasible(
            load, ahead, start=NOW, deadline=tight.nearest_deadline, budget_g=free.least_g * share * (1 + 1e-9) + 1e-9
        ).feasible
