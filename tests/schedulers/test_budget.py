from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from schedulers.budget import AtLimit, BudgetState, EmissionBudget, Window
from schedulers.errors import BudgetError

ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe")
"""Havana and Beirut change their clocks at midnight, Apia skipped a whole day at the end of 2011, Lord Howe moves by 30 min."""


def window(instant: datetime, over: Window, zone: str = "UTC") -> Interval:
    found = EmissionBudget(100.0, over, timezone=zone).window_at(instant)
    assert found is not None
    return found


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type] # only numbers are passed on


@pytest.mark.parametrize(
    ("instant", "over", "zone", "start", "end"),
    [
        (utc(2025, 5, 7, 12), Window.DAY, "UTC", utc(2025, 5, 7), utc(2025, 5, 8)),
        (utc(2025, 5, 7), Window.DAY, "UTC", utc(2025, 5, 7), utc(2025, 5, 8)),
        (utc(2025, 5, 7, 22, 30), Window.DAY, "Europe/Berlin", utc(2025, 5, 7, 22), utc(2025, 5, 8, 22)),
        (utc(2025, 3, 30, 12), Window.DAY, "Europe/Berlin", utc(2025, 3, 29, 23), utc(2025, 3, 30, 22)),
        (utc(2025, 10, 26, 12), Window.DAY, "Europe/Berlin", utc(2025, 10, 25, 22), utc(2025, 10, 26, 23)),
        (utc(2025, 5, 11, 12), Window.WEEK, "UTC", utc(2025, 5, 5), utc(2025, 5, 12)),
        (utc(2025, 3, 28, 12), Window.WEEK, "Europe/Berlin", utc(2025, 3, 23, 23), utc(2025, 3, 30, 22)),
        (utc(2025, 1, 31, 12), Window.MONTH, "UTC", utc(2025, 1, 1), utc(2025, 2, 1)),
        (utc(2024, 2, 29, 23, 59), Window.MONTH, "UTC", utc(2024, 2, 1), utc(2024, 3, 1)),
        (utc(2025, 12, 31, 23, 30), Window.MONTH, "Europe/Berlin", utc(2025, 12, 31, 23), utc(2026, 1, 31, 23)),
        (utc(2025, 10, 15), Window.MONTH, "Europe/Berlin", utc(2025, 9, 30, 22), utc(2025, 10, 31, 23)),
    ],
    ids=[
        "a day",
        "a day begins with its midnight",
        "midnight of the zone",
        "spring day of 23 h",
        "autumn day of 25 h",
        "a week begins on Monday",
        "week of 167 h",
        "January",
        "leap February",
        "over New Year",
        "October of 745 h",
    ],
)
def test_a_window_follows_the_wall_clock_of_its_zone(
    instant: datetime, over: Window, zone: str, start: datetime, end: datetime
) -> None:
    assert window(instant, over, zone) == Interval(start, end)


def test_a_day_begins_at_the_first_midnight_where_clocks_go_back_over_it() -> None:
    # Havana, 2 November 2025: 01:00 (UTC-4) becomes 00:00 (UTC-5), so midnight comes at 04:00 and at 05:00 UTC.
    assert window(utc(2025, 11, 2, 5, 30), Window.DAY, "America/Havana").start == utc(2025, 11, 2, 4)


@given(
    instant=st.integers(0, 30 * 366 * 24 * 60).map(lambda minutes: utc(2005, 1, 1) + timedelta(minutes=minutes)),
    over=st.sampled_from((Window.DAY, Window.WEEK, Window.MONTH)),
    zone=st.sampled_from(ZONES),
)
def test_windows_hold_their_instant_and_follow_each_other_without_a_gap(
    instant: datetime, over: Window, zone: str
) -> None:
    found = window(instant, over, zone)
    assert found.contains(instant)
    assert window(found.start, over, zone) == found
    assert window(found.end, over, zone).start == found.end


def test_a_budget_over_the_whole_search_has_no_window() -> None:
    assert EmissionBudget(100.0).window_at(utc(2025, 1, 1)) is None


@pytest.mark.parametrize(
    "instant",
    [utc(2025, 1, 1).replace(tzinfo=None), datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
    ids=["naive", "another offset"],
)
def test_a_window_is_asked_for_in_utc(instant: datetime) -> None:
    with pytest.raises(ValueError, match="aware datetime in UTC"):
        EmissionBudget(100.0, Window.DAY).window_at(instant)


@pytest.mark.parametrize("zone", ["Europe/Bärlin", "Mars", "", "../etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_refused_with_the_remedy(zone: str) -> None:
    with pytest.raises(BudgetError, match=r"unknown time zone .*: write an IANA name such as 'Europe/Berlin'"):
        EmissionBudget(100.0, timezone=zone)


@pytest.mark.parametrize("limit_g", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_is_above_zero_and_finite(limit_g: float) -> None:
    with pytest.raises(BudgetError, match="above zero"):
        EmissionBudget(limit_g)


@pytest.mark.parametrize("warn_at", [-0.1, 1.1, math.nan])
def test_a_warning_is_set_at_a_share(warn_at: float) -> None:
    with pytest.raises(BudgetError, match="share between 0 and 1"):
        EmissionBudget(100.0, warn_at=warn_at)


def test_a_budget_error_is_a_value_error_so_that_configurations_can_collect_it() -> None:
    assert issubclass(BudgetError, ValueError)


@pytest.mark.parametrize(("spent_g", "reserved_g"), [(math.nan, 0.0), (0.0, math.nan)])
def test_amounts_that_are_not_numbers_are_refused(spent_g: float, reserved_g: float) -> None:
    with pytest.raises(BudgetError, match="must be numbers"):
        BudgetState(EmissionBudget(100.0), spent_g, reserved_g)


def test_what_is_left_is_neither_spent_nor_reserved() -> None:
    # 500 - 120 - 80
    assert BudgetState(EmissionBudget(500.0), 120.0, 80.0).remaining_g == 300.0


def test_an_overshoot_shows_as_less_than_nothing() -> None:
    state = BudgetState(EmissionBudget(100.0, at_limit=AtLimit.WAIT), 130.0, 0.0)
    assert state.remaining_g == -30.0
    assert state.exhausted


grams = st.integers(0, 10**6).map(float)


@given(limit_g=st.integers(1, 10**6).map(float), spent_g=grams, reserved_g=grams, estimate_g=grams)
def test_work_is_admitted_just_when_it_fits_what_remains(
    limit_g: float, spent_g: float, reserved_g: float, estimate_g: float
) -> None:
    state = BudgetState(EmissionBudget(limit_g), spent_g, reserved_g)
    assert state.admits(estimate_g) == (estimate_g <= state.remaining_g)
    assert state.admits(0.0) or not state.admits(estimate_g)
    assert state.exhausted == (spent_g >= limit_g)
    assert state.warned or not state.exhausted
    assert not (state.exhausted and state.admits(1.0))


def test_an_unknown_estimate_is_never_admitted() -> None:
    assert not BudgetState(EmissionBudget(100.0), 0.0, 0.0).admits(math.nan)


def test_the_warning_comes_at_its_share_and_not_before() -> None:
    budget = EmissionBudget(100.0, warn_at=0.5)
    assert not BudgetState(budget, 49.0, 40.0).warned
    assert BudgetState(budget, 50.0, 0.0).warned


def test_energy_that_may_have_emitted_more_than_is_expected_counts_against_the_limit() -> None:
    # 60 g have a price, 20 g are expected of the rest at most, and at the bound that would be 25 g more: 105 g.
    state = BudgetState(EmissionBudget(100.0), 80.0, 5.0, unpriced_g=20.0, doubt_g=25.0)
    assert state.exhausted
    assert not state.surely_exhausted
    assert state.remaining_g == 100 - 80 - 25 - 5
    assert not state.admits(1.0)


def test_what_may_fit_once_prices_have_come_is_told_from_what_never_will() -> None:
    state = BudgetState(EmissionBudget(100.0), 80.0, 5.0, unpriced_g=20.0)
    assert state.may_admit(35.0)
    assert not state.may_admit(36.0)
    assert BudgetState(EmissionBudget(100.0), 120.0, 0.0, unpriced_g=20.0).surely_exhausted


def test_a_doubt_that_is_no_number_is_refused() -> None:
    for unpriced_g, doubt_g in ((math.nan, 0.0), (0.0, math.nan)):
        with pytest.raises(BudgetError, match="must be numbers"):
            BudgetState(EmissionBudget(100.0), 1.0, 0.0, unpriced_g=unpriced_g, doubt_g=doubt_g)


@pytest.mark.parametrize(("unpriced_g", "doubt_g"), [(-1.0, 0.0), (0.0, -1.0)])
def test_neither_what_is_unpriced_nor_the_doubt_is_below_zero(unpriced_g: float, doubt_g: float) -> None:
    with pytest.raises(BudgetError, match=f"at least zero, got 7.0 g, 3.0 g, {unpriced_g} g and {doubt_g} g"):
        BudgetState(EmissionBudget(100.0), 7.0, 3.0, unpriced_g=unpriced_g, doubt_g=doubt_g)


@given(limit_g=st.floats(1e-3, 1e9), spent=st.floats(0.0, 0.999), doubt=st.floats(0.0, 1.0), slots=st.integers(1, 64))
def test_what_is_left_admits_as_many_equal_shares_of_it_as_there_are_slots(
    limit_g: float, spent: float, doubt: float, slots: int
) -> None:
    spent_g = spent * limit_g
    doubt_g = 0.9 * doubt * (limit_g - spent_g)
    share_g = BudgetState(EmissionBudget(limit_g), spent_g, 0.0, doubt_g=doubt_g).remaining_g / slots
    for running in range(slots):
        reserved_g = sum(share_g for _ in range(running))
        assert BudgetState(EmissionBudget(limit_g), spent_g, reserved_g, doubt_g=doubt_g).admits(share_g)
