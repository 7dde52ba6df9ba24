"""Budgets that searches have in common sum what all of them emit and what all of them may still emit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.budgeting import BudgetBook, Grams
from carbonnas.daemon.common_budgets import CommonBudgets, NamedBudget
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Owner
from schedulers.budget import EmissionBudget, Window

MONDAY = datetime(2021, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOUND = 1000.0


def entry(hour: float, grams: float) -> EmissionEntry:
    """Return an entry of a quarter of an hour, `hour` hours after Monday began."""
    interval = Interval(MONDAY + hour * HOUR, MONDAY + (hour + 0.25) * HOUR)
    price = IntensitySample(interval, 100.0, "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "s")
    # At 100 g/kWh a gram is 36 kJ.
    energy = EnergySample(interval, grams * 36_000.0, 0, 0)
    return EmissionEntry("e", Owner(Account.IDLE), PricedEnergy(energy, price), 1.0)


def common(*budgets: NamedBudget) -> CommonBudgets:
    return CommonBudgets(budgets, BOUND)


ALL = NamedBudget("all", EmissionBudget(100.0, Window.DAY))
TEAM = NamedBudget("team", EmissionBudget(50.0, Window.TOTAL), "team")


def test_a_budget_counts_what_every_search_emits() -> None:
    budgets = common(ALL)
    first, second = (budgets.open(name, (), BudgetBook((), BOUND)) for name in ("a", "b"))
    first.add([entry(1, 30.0)])
    second.add([entry(2, 50.0)])
    (state,) = first.states(MONDAY + 3 * HOUR, 0.0)
    assert state.spent_g == pytest.approx(80.0)


def test_what_others_have_set_aside_is_not_there_to_be_spent() -> None:
    budgets = common(ALL)
    first, second = (budgets.open(name, (), BudgetBook((), BOUND)) for name in ("a", "b"))
    first.add([entry(1, 30.0)])
    first.reserve(60.0)
    (state,) = second.states(MONDAY + 2 * HOUR, 0.0)
    assert state.remaining_g == pytest.approx(10.0)
    assert not state.admits(20.0)
    # Its own is given with the question, and counts once.
    assert first.states(MONDAY + 2 * HOUR, 60.0)[0].remaining_g == pytest.approx(10.0)


def test_a_search_that_is_closed_has_nothing_set_aside_and_what_it_emitted_counts() -> None:
    budgets = common(ALL)
    first = budgets.open("a", (), BudgetBook((), BOUND))
    first.add([entry(1, 30.0)])
    first.reserve(60.0)
    budgets.close("a")
    assert budgets.states(MONDAY + 2 * HOUR)["all"].remaining_g == pytest.approx(70.0)


def test_a_search_that_is_opened_again_counts_once_and_at_no_time_not_at_all() -> None:
    budgets = common(ALL)
    budgets.open("a", (), BudgetBook((), BOUND)).add([entry(1, 30.0)])
    again = budgets.open("a", (), BudgetBook((), BOUND))
    assert budgets.states(MONDAY + 2 * HOUR)["all"].spent_g == pytest.approx(30.0)
    again.add([entry(1, 30.0)])
    assert budgets.states(MONDAY + 2 * HOUR)["all"].spent_g == pytest.approx(30.0)


def test_a_budget_of_a_label_counts_only_searches_that_bear_it() -> None:
    budgets = common(ALL, TEAM)
    labelled = budgets.open("a", ("team", "x"), BudgetBook((), BOUND))
    other = budgets.open("b", (), BudgetBook((), BOUND))
    labelled.add([entry(1, 10.0)])
    other.add([entry(1, 20.0)])
    states = budgets.states(MONDAY + 2 * HOUR)
    assert states["all"].spent_g == pytest.approx(30.0)
    assert states["team"].spent_g == pytest.approx(10.0)
    assert [state.budget.limit_g for state in labelled.states(MONDAY + 2 * HOUR, 0.0)] == [100.0, 50.0]
    assert [state.budget.limit_g for state in other.states(MONDAY + 2 * HOUR, 0.0)] == [100.0]


def test_the_own_budgets_of_a_search_come_first() -> None:
    own = BudgetBook([EmissionBudget(7.0)], BOUND)
    limits = [state.budget.limit_g for state in common(ALL).open("a", (), own).states(MONDAY, 0.0)]
    assert limits == [7.0, 100.0]


def test_grams_that_an_operator_adds_count_in_one_window_only() -> None:
    budgets = common(ALL)
    budgets.raise_limit("all", ALL.budget.window_at(MONDAY), 25.0)
    assert budgets.states(MONDAY + HOUR)["all"].budget.limit_g == 125.0
    assert budgets.states(MONDAY + 24 * HOUR)["all"].budget.limit_g == 100.0


_emissions = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 95), st.floats(0, 1e3)), max_size=20)


@given(_emissions, st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")))
def test_ending_and_taking_over_searches_changes_no_sum(
    emissions: list[tuple[str, int, float]], ended: set[str], taken_over: set[str]
) -> None:
    plain, moved = common(ALL), common(ALL)
    for name in "abc":
        entries = [entry(quarter / 4, grams) for whose, quarter, grams in emissions if whose == name]
        plain.open(name, (), BudgetBook((), BOUND)).add(entries)
        if name in taken_over:
            quarters: dict[datetime, Grams] = {}
            for each in entries:
                start = each.priced.sample.interval.start
                quarters[start] = quarters.get(start, Grams()) + Grams(priced=each.emissions_g or 0.0)
            moved.take_over(name, (), quarters)
        else:
            moved.open(name, (), BudgetBook((), BOUND)).add(entries)
        if name in ended:
            moved.end(name)
    for day in (MONDAY, MONDAY + 24 * HOUR):
        expected, found = plain.states(day)["all"].spent_g, moved.states(day)["all"].spent_g
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
