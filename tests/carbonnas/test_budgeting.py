"""Budgets: what was spent in which window, and when there is nothing left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.budgeting import Blocked, BudgetBook, why_over
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Owner
from carbonnas.trials import TrialKind
from schedulers.budget import AtLimit, BudgetState, EmissionBudget, Window

MONDAY = datetime(2021, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOUND = 1000.0
WINDOWS = tuple(EmissionBudget(1e3, window) for window in Window)


def entry(start: float, end: float, kwh: float, g_per_kwh: float | None, pue: float = 1.0) -> EmissionEntry:
    """Return an entry from `start` to `end` hours after Monday."""
    interval = Interval(MONDAY + start * HOUR, MONDAY + end * HOUR)
    price = None
    if g_per_kwh is not None:
        price = IntensitySample(
            interval, g_per_kwh, "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "s"
        )
    return EmissionEntry("e", Owner(Account.IDLE), PricedEnergy(EnergySample(interval, kwh * 3.6e6, 0, 0), price), pue)


def spent(book: BudgetBook, at: datetime) -> dict[Window, float]:
    return {state.budget.window: state.spent_g for state in book.states(at, 0.0)}


def test_each_window_counts_what_lies_within_it() -> None:
    book = BudgetBook(WINDOWS, BOUND)
    # Sunday 28 February, Monday 1 March, Tuesday 2 March; 1 kWh at 100, 200 and 400 g/kWh.
    book.add([entry(-2, -1, 1, 100), entry(5, 6, 1, 200), entry(30, 31, 1, 400)])
    whole = dict.fromkeys((Window.SEARCH, Window.TOTAL), 700)
    assert spent(book, MONDAY - HOUR) == whole | {Window.DAY: 100, Window.WEEK: 100, Window.MONTH: 100}
    assert spent(book, MONDAY) == whole | {Window.DAY: 200, Window.WEEK: 600, Window.MONTH: 600}
    assert spent(book, MONDAY + 40 * HOUR) == whole | {Window.DAY: 400, Window.WEEK: 600, Window.MONTH: 600}


def test_a_day_begins_where_the_budget_is() -> None:
    # In Kathmandu (UTC+5:45) Tuesday begins at 18:15 UTC on Monday.
    book = BudgetBook([EmissionBudget(1e3, Window.DAY, timezone="Asia/Kathmandu")], BOUND)
    book.add([entry(18, 18.25, 1, 100), entry(18.25, 19, 1, 300)])
    assert spent(book, MONDAY + 18 * HOUR) == {Window.DAY: 100}
    assert spent(book, MONDAY + 18.25 * HOUR) == {Window.DAY: 300}


def test_energy_across_midnight_is_shared_by_time() -> None:
    book = BudgetBook([EmissionBudget(1e3, Window.DAY)], BOUND)
    # 40 minutes, 10 of them on Sunday.
    book.add([entry(-1 / 6, 0.5, 4, 100)])
    assert spent(book, MONDAY - HOUR)[Window.DAY] == pytest.approx(100)
    assert spent(book, MONDAY)[Window.DAY] == pytest.approx(300)


def test_a_day_that_a_revised_value_takes_over_its_limit_after_its_end_is_told() -> None:
    book = BudgetBook([EmissionBudget(150.0, Window.DAY)], BOUND)
    before, after = entry(1, 2, 1, 100), entry(1, 2, 1, 180)
    book.add([before])
    tuesday = MONDAY + 30 * HOUR
    assert book.exceeded(tuesday) == ()
    book.withdraw([before])
    book.add([after])
    ((place, state),) = book.exceeded(tuesday)
    assert place == 0
    assert state.window is not None
    assert state.window.start == MONDAY
    assert state.remaining_g == pytest.approx(-30.0)
    # It says nothing of today, and today's budget is as it was.
    assert book.states(tuesday, 0.0)[0].spent_g == 0.0
    # While the day goes on it is the present window that shows it.
    assert book.exceeded(MONDAY + 3 * HOUR) == ()


def test_unpriced_energy_counts_with_the_bound_until_it_is_priced() -> None:
    book = BudgetBook([EmissionBudget(1e3)], BOUND)
    unknown = entry(0, 1, 0.5, None, pue=1.2)
    book.add([unknown])
    assert spent(book, MONDAY) == {Window.SEARCH: 600}
    book.withdraw([unknown])
    book.add([entry(0, 1, 0.5, 100, pue=1.2)])
    assert spent(book, MONDAY)[Window.SEARCH] == pytest.approx(60)


def test_what_is_left_unpriced_of_an_entry_keeps_the_bound_that_was_expected() -> None:
    book = BudgetBook([EmissionBudget(1e3)], BOUND)
    unknown = entry(0, 2, 1, None)
    book.add([unknown], expected_bound=300.0)
    assert spent(book, MONDAY) == {Window.SEARCH: 300}
    bound = book.expected_bound(unknown)
    book.withdraw([unknown])
    book.add([entry(0, 1, 0.5, 200), entry(1, 2, 0.5, None)], bound)
    # 0.5 kWh at 200 g/kWh and 0.5 kWh at 300 g/kWh
    assert spent(book, MONDAY)[Window.SEARCH] == pytest.approx(250)


def test_reserved_grams_are_handed_on() -> None:
    (state,) = BudgetBook([EmissionBudget(100.0)], BOUND).states(MONDAY, 30.0)
    assert (state.spent_g, state.reserved_g, state.remaining_g) == (0.0, 30.0, 70.0)


spans = st.tuples(st.floats(-100, 100), st.floats(0.01, 100), st.floats(0, 10), st.none() | st.floats(0, 1000))


@given(st.lists(spans, max_size=6))
def test_days_sum_to_the_search_and_what_is_withdrawn_is_gone(
    drawn: list[tuple[float, float, float, float | None]],
) -> None:
    entries = [entry(start, start + length, kwh, price) for start, length, kwh, price in drawn]
    book = BudgetBook([EmissionBudget(1e3), EmissionBudget(1e3, Window.DAY)], BOUND)
    book.add(entries)
    days = sum(book.states(MONDAY + day * 24 * HOUR, 0.0)[1].spent_g for day in range(-6, 10))
    assert days == pytest.approx(book.states(MONDAY, 0.0)[0].spent_g)
    book.withdraw(entries)
    assert book.states(MONDAY, 0.0)[0].spent_g == pytest.approx(0.0, abs=1e-6)


def test_rounding_leaves_nothing_below_zero_of_what_is_withdrawn() -> None:
    book = BudgetBook([EmissionBudget(1e3)], BOUND)
    entries = [entry(0, 0.25, kwh, None) for kwh in (0.1, 0.3, 0.7)]
    book.add(entries, expected_bound=0.1)
    book.withdraw(entries)
    (left,) = book.states(MONDAY, 0.0)
    assert (left.unpriced_g, left.doubt_g) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert min(left.unpriced_g, left.doubt_g) >= 0


def state(at_limit: AtLimit, window: Window, spent_g: float) -> BudgetState:
    budget = EmissionBudget(100.0, window, at_limit)
    return BudgetState(budget, spent_g, 0.0, budget.window_at(MONDAY))


STOP = state(AtLimit.STOP, Window.SEARCH, 100)
STOP_DAY = state(AtLimit.STOP, Window.DAY, 100)
WAIT = state(AtLimit.WAIT, Window.SEARCH, 100)
WAIT_DAY = state(AtLimit.WAIT, Window.DAY, 100)
SCORE = state(AtLimit.SCORE_ONLY, Window.SEARCH, 100)
SCORE_LEFT = state(AtLimit.SCORE_ONLY, Window.SEARCH, 90)
FREE = state(AtLimit.STOP, Window.SEARCH, 10)
NEARLY = state(AtLimit.STOP, Window.SEARCH, 90)
NEARLY_DAY = state(AtLimit.WAIT, Window.DAY, 90)


SCORE_DAY = state(AtLimit.SCORE_ONLY, Window.DAY, 100)


def training(budget: BudgetState, estimate_g: float = 20) -> Blocked:
    return Blocked(budget, TrialKind.TRAIN, estimate_g)


def scoring(budget: BudgetState) -> Blocked:
    return Blocked(budget, TrialKind.SCORE, 20)


@pytest.mark.parametrize(
    ("states", "blocked", "scoring_left", "ends"),
    [
        ([], [], True, False),
        ([FREE], [], True, False),
        ([STOP], [], True, True),
        ([STOP_DAY], [], True, True),
        ([WAIT], [], True, True),
        ([WAIT_DAY], [], True, False),
        ([WAIT_DAY], [training(WAIT_DAY)], False, False),
        ([SCORE], [], True, True),
        ([SCORE_DAY], [], True, False),
        ([NEARLY], [training(NEARLY)], True, True),
        ([NEARLY_DAY], [training(NEARLY_DAY)], True, False),
        ([NEARLY_DAY], [training(NEARLY_DAY, estimate_g=101)], True, True),
        ([SCORE_LEFT], [training(SCORE_LEFT)], True, False),
        ([SCORE_LEFT], [training(SCORE_LEFT)], False, True),
        ([SCORE_LEFT], [training(SCORE_LEFT), scoring(SCORE_LEFT)], True, True),
        ([WAIT_DAY, FREE], [], True, False),
        ([WAIT_DAY, STOP], [], True, True),
    ],
)
def test_a_search_ends_when_no_budget_leaves_it_anything_to_do(
    states: list[BudgetState], blocked: list[Blocked], *, scoring_left: bool, ends: bool
) -> None:
    assert (why_over(states, blocked, scoring_left=scoring_left) is not None) is ends


def test_the_end_is_explained_by_what_does_not_fit() -> None:
    too_large = training(NEARLY_DAY, estimate_g=101)
    assert why_over([NEARLY_DAY], [too_large], scoring_left=True) == (
        "The next trial to train may emit 101 g, more than all of the budget of 100 g within a day."
    )
    assert why_over([STOP], [], scoring_left=True) == "Nothing is left of the budget of 100 g."


def test_a_forecast_is_not_relied_upon_at_the_limit() -> None:
    book = BudgetBook([EmissionBudget(500.0)], BOUND)
    unknown = entry(0, 1, 0.5, None)
    book.add([entry(1, 2, 1, 100), unknown], expected_bound=300.0)
    (now,) = book.states(MONDAY, 0.0)
    # 100 g have a price; 0.5 kWh at 300 g/kWh are 150 g more, and 500 g at the bound.
    assert (now.spent_g, now.unpriced_g, now.doubt_g) == (250, 150, 350)
    assert now.exhausted
    assert not now.surely_exhausted
    book.withdraw([unknown])
    book.add([entry(0, 1, 0.5, 400)])
    (later,) = book.states(MONDAY, 0.0)
    assert (later.spent_g, later.unpriced_g, later.doubt_g) == (300, 0, 0)
    assert not later.exhausted


UNSURE = replace(STOP, unpriced_g=30.0)
UNSURE_NEARLY = replace(NEARLY, unpriced_g=30.0)


@pytest.mark.parametrize(
    ("states", "blocked", "ends"),
    [
        ([UNSURE], [], False),
        ([UNSURE, STOP], [], True),
        ([UNSURE_NEARLY], [training(UNSURE_NEARLY)], False),
        ([UNSURE_NEARLY], [training(UNSURE_NEARLY, estimate_g=41)], True),
        ([NEARLY], [training(NEARLY)], True),
    ],
)
def test_a_search_waits_for_prices_that_may_leave_it_something(
    states: list[BudgetState], blocked: list[Blocked], *, ends: bool
) -> None:
    assert (why_over(states, blocked, scoring_left=True, prices_may_come=True) is not None) is ends
    assert why_over(states, blocked, scoring_left=True, prices_may_come=False) is not None
