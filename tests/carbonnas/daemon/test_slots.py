"""The machine's slots go to the highest priority first, and fairly among equals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carbonnas.daemon.slots import Claim, share_out


def claim(name: str, wanted: int, *, priority: int = 0, settled: int = 0, served_s: float = 0.0) -> Claim:
    return Claim(name, priority, wanted, settled, served_s)


def test_a_higher_priority_gets_all_that_it_wants_first() -> None:
    assert share_out(4, [claim("low", 4), claim("high", 3, priority=1)]) == {"low": 1, "high": 3}


def test_equals_share_evenly_and_what_one_does_not_want_goes_to_the_others() -> None:
    assert share_out(6, [claim("a", 4), claim("b", 4), claim("c", 1)]) == {"a": 3, "b": 2, "c": 1}


def test_who_was_served_least_gets_the_slot_that_cannot_be_halved() -> None:
    assert share_out(1, [claim("a", 1, served_s=100), claim("b", 1, served_s=20)]) == {"a": 0, "b": 1}


def test_who_was_granted_a_slot_a_moment_ago_keeps_it() -> None:
    assert share_out(1, [claim("a", 1, served_s=100, settled=1), claim("b", 1)]) == {"a": 1, "b": 0}


def test_a_slot_is_not_kept_from_a_higher_priority() -> None:
    assert share_out(1, [claim("a", 1, settled=1), claim("b", 1, priority=5)]) == {"a": 0, "b": 1}


_claims = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(0, 6), st.integers(0, 6), st.floats(0, 1e6)), max_size=8
).map(lambda rows: [Claim(str(i), p, w, s, t) for i, (p, w, s, t) in enumerate(rows)])


@given(st.integers(0, 16), _claims)
def test_no_slot_is_lost_or_granted_twice_and_nobody_gets_more_than_it_wants(slots: int, claims: list[Claim]) -> None:
    granted = share_out(slots, claims)
    assert sum(granted.values()) == min(slots, sum(each.wanted for each in claims))
    assert all(0 <= granted[each.search_id] <= each.wanted for each in claims)


@given(st.integers(0, 16), _claims)
def test_nobody_has_two_slots_more_than_an_equal_that_wants_more(slots: int, claims: list[Claim]) -> None:
    granted = share_out(slots, claims)
    for one in claims:
        for other in claims:
            if one.priority == other.priority and granted[one.search_id] < one.wanted:
                assert granted[other.search_id] <= granted[one.search_id] + 1


@given(st.integers(0, 16), _claims)
def test_a_lower_priority_gets_nothing_while_a_higher_one_wants_more(slots: int, claims: list[Claim]) -> None:
    granted = share_out(slots, claims)
    unmet = [each.priority for each in claims if granted[each.search_id] < each.wanted]
    assert all(granted[each.search_id] == 0 for each in claims if unmet and each.priority < max(unmet))
