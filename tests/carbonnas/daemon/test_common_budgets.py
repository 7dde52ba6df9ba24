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


DAY = 24 * HOUR
NOON = MONDAY + 12 * HOUR


def unpriced(name: str, hour: float, grams: float) -> EmissionEntry:
    """Return an entry without a price that counts with `grams`: the bound is 1000 g/kWh, so a gram is 3.6 kJ."""
    interval = Interval(MONDAY + hour * HOUR, MONDAY + (hour + 0.25) * HOUR)
    energy = EnergySample(interval, grams * 3_600.0, 0, 0)
    return EmissionEntry(name, Owner(Account.IDLE), PricedEnergy(energy, None), 1.0)


def test_a_window_that_a_later_price_takes_over_its_limit_is_shown_with_what_counted_at_its_end() -> None:
    budgets = common(ALL, TEAM)
    search = budgets.open("a", ("team",), BudgetBook((), BOUND))
    early = entry(1, 90.0)
    search.add([early])
    assert budgets.exceeded(NOON) == {"all": (), "team": ()}
    assert budgets.exceeded(NOON + DAY) == {"all": (), "team": ()}
    # A source revises what it told of Monday.
    search.withdraw([early])
    search.add([entry(1, 130.0)])
    (window,) = budgets.exceeded(NOON + DAY + HOUR)["all"]
    assert window.state.window == Interval(MONDAY, MONDAY + DAY)
    assert window.state.spent_g == pytest.approx(130.0)
    assert window.state.remaining_g == pytest.approx(-30.0)
    assert window.at_end_g == pytest.approx(90.0)
    # A budget for ever has no windows that end.
    assert budgets.exceeded(NOON + DAY + HOUR)["team"] == ()


def test_a_price_that_takes_a_window_back_within_its_limit_takes_it_off_the_list() -> None:
    budgets = common(ALL)
    search = budgets.open("a", (), BudgetBook((), BOUND))
    late = unpriced("late", 23, 60.0)
    search.add([entry(1, 90.0), late])
    budgets.exceeded(NOON)
    (window,) = budgets.exceeded(NOON + DAY)["all"]
    assert (window.state.spent_g, window.state.unpriced_g) == pytest.approx((150.0, 60.0))
    assert window.at_end_g == pytest.approx(150.0)
    search.withdraw([late])
    search.add([entry(23, 5.0)])
    assert budgets.exceeded(NOON + DAY + HOUR)["all"] == ()


def test_what_counted_at_the_end_is_unknown_where_the_daemon_did_not_see_it() -> None:
    budgets = common(ALL)
    budgets.take_over("a", (), {MONDAY: Grams(priced=120.0)})
    (window,) = budgets.exceeded(NOON + DAY)["all"]
    assert window.at_end_g is None


def test_the_newest_windows_come_first_and_old_ones_are_left_out() -> None:
    budgets = common(ALL)
    days = [MONDAY + day * DAY for day in range(20)]
    budgets.take_over("a", (), {day: Grams(priced=101.0 if index % 2 else 99.0) for index, day in enumerate(days)})
    shown = [window.state.window for window in budgets.exceeded(days[19])["all"]]
    # Of the fourteen days before the twentieth every other one is over: the 18th, the 16th and so on, with indices from 5 to 17.
    assert shown == [Interval(day, day + DAY) for day in days[17:4:-2]]


def test_grams_added_to_a_window_count_when_it_has_ended() -> None:
    budgets = common(ALL)
    budgets.take_over("a", (), {MONDAY: Grams(priced=120.0)})
    assert budgets.exceeded(NOON + DAY)["all"] != ()
    budgets.raise_limit("all", Interval(MONDAY, MONDAY + DAY), 25.0)
    assert budgets.exceeded(NOON + DAY)["all"] == ()


def test_a_budget_that_gets_other_windows_does_not_mix_them_up() -> None:
    budgets = common(ALL)
    budgets.take_over("a", (), {MONDAY: Grams(priced=120.0)})
    budgets.exceeded(NOON)
    budgets.replace([NamedBudget("all", EmissionBudget(110.0, Window.WEEK))])
    assert budgets.exceeded(NOON + DAY)["all"] == ()
    (week,) = budgets.exceeded(NOON + 7 * DAY)["all"]
    assert week.state.window == Interval(MONDAY, MONDAY + 7 * DAY)
    assert week.at_end_g == pytest.approx(120.0)


@given(_emissions, st.lists(st.integers(0, 20), max_size=4))
def test_what_is_kept_in_between_changes_nothing(emissions: list[tuple[str, int, float]], looks: list[int]) -> None:
    """Asked at any time in between, the windows are the same as of one who asks at the end only."""
    asked, silent = common(ALL), common(ALL)
    opened = [
        (budgets, {name: budgets.open(name, (), BudgetBook((), BOUND)) for name in "abc"})
        for budgets in (asked, silent)
    ]
    now = MONDAY + 2 * DAY + HOUR
    for place, (name, quarter, grams) in enumerate(emissions):
        for _, searches in opened:
            searches[name].add([entry(quarter / 4, grams)])
        if place in looks:
            asked.exceeded(now)
            asked.states(now)
    for instant in (now, now + DAY):
        found = [[each.state for each in budgets.exceeded(instant)["all"]] for budgets in (asked, silent)]
        assert found[0] == found[1]


def test_a_search_that_ends_while_its_ledger_is_being_read_counts_once() -> None:
    budgets = common(ALL)
    budgets.take_over("a", (), {MONDAY: Grams(priced=30.0)})
    search = budgets.open("a", (), BudgetBook((), BOUND))
    budgets.end("a")
    search.add([entry(0, 30.0)])
    assert budgets.states(MONDAY + HOUR)["all"].spent_g == pytest.approx(30.0)
