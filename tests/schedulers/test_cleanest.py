"""Which hours are the cleanest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.cleanest import CheapestEnd, cheapest_end, cleanest_cost, lowest_window, place_in_grams, place_in_time
from schedulers.outlook import Outlook

pieces = st.lists(st.tuples(st.integers(1, 120), st.integers(0, 9)), min_size=1, max_size=12)


def outlook(told: list[tuple[int, int]]) -> Outlook:
    return Outlook(tuple(60.0 * minutes for minutes, _ in told), tuple(100.0 * level for _, level in told))


def test_the_present_gets_what_cleaner_hours_leave() -> None:
    hours = Outlook((3600.0, 3600.0, 3600.0), (200.0, 100.0, 300.0))
    for needed_h, share in ((0.5, 0.0), (1.0, 0.0), (1.25, 0.25), (2.0, 1.0), (9.0, 1.0)):
        place = place_in_time(hours, needed_h * 3600)
        assert place.cleaner == 3600.0
        assert place.share == pytest.approx(share)


def test_of_equal_hours_the_earlier_is_used() -> None:
    assert place_in_time(Outlook((3600.0, 3600.0), (200.0, 200.0)), 3600.0).share == 1.0


def test_a_budget_is_spent_in_the_cleanest_hours() -> None:
    # 1 kW: 100 g fit into the hour at 100 g/kWh, the other 50 of the present 200.
    assert place_in_grams(Outlook((3600.0, 3600.0), (200.0, 100.0)), 1000.0, 150.0).share == pytest.approx(0.25)
    assert place_in_grams(Outlook((3600.0,), (0.0,)), 1000.0, 1.0).share == 1.0
    assert place_in_grams(Outlook((3600.0,), (0.0,)), 1000.0, 0.0).share == 0.0


def test_the_lowest_window_may_end_with_an_hour() -> None:
    # 90 min from 30 min on: half an hour at 300 and an hour at 100; later it would reach into 500.
    assert lowest_window(Outlook((3600.0,) * 4, (300.0, 100.0, 500.0, 400.0)), 5400.0) == 1800.0
    assert lowest_window(Outlook((3600.0,) * 2, (300.0, 100.0)), 7201.0) == 0.0
    assert lowest_window(Outlook((3600.0,) * 3, (0.0, 0.0, 0.0)), 3600.0) == 0.0


@settings(max_examples=60, deadline=None)
@given(told=pieces, needed_min=st.integers(1, 400))
def test_no_window_that_begins_at_a_full_minute_is_lower(told: list[tuple[int, int]], needed_min: int) -> None:
    minutes = [level for length, level in told for _ in range(length)]
    if needed_min > len(minutes):
        return
    sums = [sum(minutes[start : start + needed_min]) for start in range(len(minutes) - needed_min + 1)]
    # Pieces and length are whole minutes, so that some lowest window begins at a full minute, and the first of them is the first of all.
    assert lowest_window(outlook(told), needed_min * 60.0) == 60.0 * sums.index(min(sums))


@settings(max_examples=60, deadline=None)
@given(told=pieces, needed_min=st.integers(1, 1500))
def test_the_present_is_used_as_far_as_its_minutes_are_among_the_cleanest(
    told: list[tuple[int, int]], needed_min: int
) -> None:
    minutes = sorted((level, place, i) for place, (length, level) in enumerate(told) for i in range(length))
    used = sum(place == 0 for _, place, _ in minutes[:needed_min])
    assert place_in_time(outlook(told), needed_min * 60.0).share * told[0][0] == pytest.approx(used)


def emitted(minutes: list[int], needed: int, end: int, rest: float) -> float:
    """Return what work of `needed` minutes and rest emit that end after `end` minutes, minute by minute."""
    return sum(sorted(minutes[:end])[:needed]) + rest * sum(minutes[:end])


def test_work_ends_as_soon_as_rest_costs_more_than_cleaner_hours_save() -> None:
    # An hour at 400, or later one at 100 after a rest of three hours that sum up to 400 + 300 + 100 = 800 g/kWh.
    hours = Outlook((3600.0,) * 3, (400.0, 300.0, 100.0))
    # At a rest of a quarter: 400 + 100 at once, 300 + 175 after an hour, 100 + 200 at the end.
    assert cheapest_end(hours, 3600.0, 0.25) == CheapestEnd(10800.0, 3600.0 * (100 + 200))
    assert cheapest_end(hours, 3600.0, 1.0) == CheapestEnd(3600.0, 3600.0 * 800)
    assert cheapest_end(hours, 10801.0, 0.0) is None


@settings(max_examples=100, deadline=None)
@given(told=pieces, needed_min=st.integers(1, 400), rest=st.sampled_from((0.0, 0.1, 0.5, 2.0)))
def test_no_end_at_a_full_minute_is_cheaper(told: list[tuple[int, int]], needed_min: int, rest: float) -> None:
    minutes = [100 * level for length, level in told for _ in range(length)]
    found = cheapest_end(outlook(told), needed_min * 60.0, rest)
    if needed_min > len(minutes):
        assert found is None
        return
    assert found is not None
    costs = {end: emitted(minutes, needed_min, end, rest) for end in range(needed_min, len(minutes) + 1)}
    assert found.cost == pytest.approx(60.0 * costs[round(found.end_s / 60)])
    assert found.cost <= 60.0 * min(costs.values()) * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(told=pieces, needed_min=st.integers(1, 1500))
def test_the_cleanest_minutes_cost_what_they_sum_up_to(told: list[tuple[int, int]], needed_min: int) -> None:
    minutes = sorted(100 * level for length, level in told for _ in range(length))
    assert cleanest_cost(outlook(told), needed_min * 60.0) == pytest.approx(60.0 * sum(minutes[:needed_min]))


@settings(max_examples=60, deadline=None)
@given(told=pieces, needed_min=st.integers(1, 400), rest=st.sampled_from((0.2, 1.0)))
def test_no_window_with_its_rest_is_cheaper(told: list[tuple[int, int]], needed_min: int, rest: float) -> None:
    minutes = [100 * level for length, level in told for _ in range(length)]
    if needed_min > len(minutes):
        return

    def cost(start: int) -> float:
        return sum(minutes[start : start + needed_min]) + rest * sum(minutes[: start + needed_min])

    start = lowest_window(outlook(told), needed_min * 60.0, rest) / 60
    assert cost(round(start)) == pytest.approx(min(map(cost, range(len(minutes) - needed_min + 1))))
