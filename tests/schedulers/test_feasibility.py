"""Whether a deadline and budgets leave room for the work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.budget import EmissionBudget, Window
from schedulers.feasibility import Feasibility, Verdict, check_feasible
from schedulers.outlook import Outlook
from schedulers.testing import NOW
from schedulers.training_room import TrainingLoad

HOUR = timedelta(hours=1)
LOAD = TrainingLoad(slot_time=4 * HOUR, width=2, training_w=1000.0)
AHEAD = Outlook((3600.0,) * 6, (300.0, 300.0, 200.0, 100.0, 300.0, 400.0))
TWO_DAYS = Outlook((3600.0,) * 36, (300.0,) * 36)
"""From noon to midnight, and the whole day after."""


def asked(
    hours: float | None,
    *limits: float | tuple[float, Window],
    load: TrainingLoad = LOAD,
    ahead: Outlook = AHEAD,
) -> Feasibility:
    """Ask about a deadline in so many hours and budgets, those without a window over the whole search."""
    pairs = [limit if isinstance(limit, tuple) else (limit, Window.SEARCH) for limit in limits]
    budgets = [EmissionBudget(limit_g, window) for limit_g, window in pairs]
    deadline = None if hours is None else NOW + hours * HOUR
    return check_feasible(load, ahead, start=NOW, deadline=deadline, budgets=budgets)


def offered(found: Feasibility) -> list[float]:
    return [budget.limit_g for budget in found.nearest_budgets or ()]


def test_what_fits_says_what_it_emits() -> None:
    found = asked(4, 650.0)
    # 2 h in both slots, the cleanest two of four: 2 kW * (100 + 200) g/kWh.
    assert found.verdict is Verdict.FITS
    assert found.least_g == pytest.approx(600.0)
    assert (
        found.sentence == "the trainings take at least 2 h in 2 slots and emit at least 600 g by 2025-03-10 16:00 UTC"
    )


def test_a_deadline_that_is_too_early_names_the_nearest_one() -> None:
    found = asked(1)
    assert (found.verdict, found.least_g, found.nearest_deadline) == (Verdict.DOES_NOT_FIT, None, NOW + 2 * HOUR)
    assert found.sentence == (
        "the trainings take at least 2 h in 2 slots without a pause, and the deadline is 1 h away:"
        " a deadline of 2 h (2025-03-10 14:00 UTC) fits"
    )


def test_a_deadline_alone_needs_no_outlook() -> None:
    assert asked(1, ahead=Outlook((), ())).verdict is Verdict.DOES_NOT_FIT
    assert asked(3, ahead=Outlook((), ())).verdict is Verdict.FITS


def test_work_that_waits_for_other_work_takes_longer_than_its_share_of_the_slots() -> None:
    waits = TrainingLoad(slot_time=4 * HOUR, width=2, training_w=1000.0, chain=3 * HOUR)
    found = asked(2.5, load=waits)
    assert (found.verdict, found.nearest_deadline) == (Verdict.DOES_NOT_FIT, NOW + 3 * HOUR)
    assert asked(3, load=waits).verdict is Verdict.FITS


def test_a_pair_that_does_not_fit_names_the_budget_for_the_deadline_and_the_deadline_for_the_budget() -> None:
    found = asked(3, 800.0)
    # By 15:00 the best two hours cost 2 * (200 + 300) = 1000 g. Each minute of the fourth hour in place of one at 300 saves 2 * 200 / 60 g:
    # 200 g take half an hour.
    assert found.least_g == pytest.approx(1000.0)
    assert found.nearest_deadline == NOW + 3.5 * HOUR
    assert offered(found) == [1000.0]
    assert found.sentence == (
        "the trainings take at least 2 h in 2 slots and emit at least 1 kg by 2025-03-10 15:00 UTC, which does not fit the budget of 800 g:"
        " a budget of 1 kg would do, and so would a deadline of 210 min (2025-03-10 15:30 UTC)"
    )


def test_what_is_offered_leaves_what_a_search_needs_to_spare() -> None:
    spare = TrainingLoad(4 * HOUR, 2, 1000.0, spare_j=1.8e6, spare_time=HOUR)
    # It may take three hours, each with 4/3 kW * g/kWh: 4/3 * (300 + 300 + 200) = 1067 g, and 0.5 kWh * 400 g/kWh are set aside.
    assert offered(asked(3, 800.0, load=spare)) == [1267.0]
    assert asked(1, load=spare).nearest_deadline == NOW + 3 * HOUR
    assert asked(3, 1000.0, load=spare).verdict is Verdict.FITS, "what may just be done is not refused"


def test_a_budget_that_no_deadline_saves_is_told() -> None:
    found = asked(6, 500.0)
    assert (found.verdict, found.nearest_deadline) == (Verdict.DOES_NOT_FIT, None)
    assert offered(found) == [600.0]
    assert "a budget of 600 g would do, and no later deadline as far as is known ahead" in found.sentence
    assert "no deadline that is known ahead fits the budget of 500 g either" in asked(1, 500.0).sentence


@pytest.mark.parametrize("hours", [None, 90])
def test_what_may_be_saved_by_hours_of_which_nothing_is_known_is_not_judged(hours: float | None) -> None:
    found = asked(hours, 500.0)
    assert found.verdict is Verdict.UNKNOWN
    assert found.least_g == pytest.approx(600.0)
    assert found.sentence.endswith(
        "whether that fits the budget of 500 g can't be said by what is known of the grid until 2025-03-10 18:00 UTC"
    )
    assert asked(hours, 600.0).verdict is Verdict.FITS
    nothing = asked(hours, 500.0, ahead=Outlook((), ()))
    assert (nothing.verdict, nothing.least_g, nothing.nearest_deadline) == (Verdict.UNKNOWN, None, None)


def test_resting_is_paid_until_the_end() -> None:
    idle = TrainingLoad(slot_time=4 * HOUR, width=2, training_w=1000.0, resting_w=500.0)
    # To wait for the third and fourth hour costs 600 g and rest, which counts up to the begin of the hour in which the search ends: 0.5 kW * 800.
    assert asked(None, load=idle).least_g == pytest.approx(1000.0)
    # Where no hour is better it ends with its training: 1200 g, and 0.5 kW * 600 for two hours of rest.
    flat = Outlook((6 * 3600.0,), (300.0,))
    assert asked(None, load=idle, ahead=flat).least_g == pytest.approx(1500.0)
    assert offered(asked(6, 1000.0, load=idle, ahead=flat)) == [1500.0]


def test_each_day_has_its_own_budget() -> None:
    # 1200 g in all: 600 g on each of two days do, on one they don't.
    assert asked(12, (600.0, Window.DAY), ahead=TWO_DAYS).verdict is Verdict.DOES_NOT_FIT
    assert asked(36, (600.0, Window.DAY), ahead=TWO_DAYS).verdict is Verdict.FITS
    found = asked(12, (600.0, Window.DAY), ahead=TWO_DAYS)
    # The first day's share takes an hour of both slots, and so does the second's after midnight.
    assert found.nearest_deadline == NOW + 13 * HOUR
    assert offered(found) == [1200.0]
    assert "does not fit the budget of 600 g per day: a budget of 1.2 kg per day would do" in found.sentence


def test_days_begin_where_the_budget_says() -> None:
    tokyo = EmissionBudget(600.0, Window.DAY, timezone="Asia/Tokyo")  # its midnight is at 15:00 UTC
    found = check_feasible(LOAD, TWO_DAYS, start=NOW, deadline=NOW + 4 * HOUR, budgets=[tokyo])
    assert found.verdict is Verdict.FITS


def test_rest_that_a_window_can_not_hold_fits_nowhere() -> None:
    idle = TrainingLoad(slot_time=40 * HOUR, width=2, training_w=10.0, resting_w=1000.0)
    # Twelve hours of rest cost 3600 g on the first day, and the load ends on the second.
    assert asked(36, (3500.0, Window.DAY), load=idle, ahead=TWO_DAYS).verdict is Verdict.DOES_NOT_FIT
    assert asked(36, (3700.0, Window.DAY), load=idle, ahead=TWO_DAYS).verdict is Verdict.FITS


def test_of_several_budgets_those_are_raised_that_bind() -> None:
    found = asked(36, (500.0, Window.DAY), (5000.0, Window.WEEK), 900.0, ahead=TWO_DAYS)
    # Two days share 1200 g, so 600 g on each.
    assert offered(found) == [600.0, 5000.0, 1200.0]
    assert (
        "the budgets of 500 g per day and 5 kg per week and 900 g: budgets of 600 g per day and 1.2 kg would do"
        in found.sentence
    )


_windows = st.sampled_from((Window.SEARCH, Window.DAY, Window.WEEK))


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(0, 900), min_size=2, max_size=30),
    hours=st.integers(1, 10),
    deadline=st.integers(1, 30),
    resting_w=st.sampled_from((0.0, 300.0)),
    limits=st.lists(st.tuples(st.integers(1, 4000), _windows), max_size=3),
)
def test_what_is_offered_is_feasible(
    values: list[int], hours: int, deadline: int, resting_w: float, limits: list[tuple[int, Window]]
) -> None:
    ahead = Outlook((3600.0,) * len(values), tuple(float(value) for value in values))
    load = TrainingLoad(hours * HOUR / 2, 1, 1000.0, resting_w)
    pairs = [(float(limit_g), window) for limit_g, window in limits]
    found = asked(deadline, *pairs, load=load, ahead=ahead)
    if found.nearest_budgets is not None:
        higher = [(budget.limit_g, budget.window) for budget in found.nearest_budgets]
        assert asked(deadline, *higher, load=load, ahead=ahead).verdict is Verdict.FITS
        assert all(new >= old for (new, _), (old, _) in zip(higher, pairs, strict=True))
    if found.nearest_deadline is not None:
        later = (found.nearest_deadline - NOW) / HOUR
        assert asked(later, *pairs, load=load, ahead=ahead).verdict is Verdict.FITS
