"""Half-open intervals and instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import QUARTER_HOUR, Interval, parse_instant, quarter_hour, quarter_shares, require_span

T = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 48).map(lambda hours: T + timedelta(hours=hours))


def hours(start: int, end: int) -> Interval:
    return Interval(T + timedelta(hours=start), T + timedelta(hours=end))


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    assert hours(0, 1).contains(T)
    assert not hours(0, 1).contains(T + timedelta(hours=1))
    assert hours(0, 2).seconds == 7200.0


@pytest.mark.parametrize("end", [T, T - timedelta(seconds=1)])
def test_an_interval_ends_after_it_starts(end: datetime) -> None:
    with pytest.raises(ValueError, match="end after it starts"):
        Interval(T, end)


@pytest.mark.parametrize("tz", [None, timezone(timedelta(hours=1))])
def test_only_utc_is_accepted(tz: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Interval(T.replace(tzinfo=tz), T + timedelta(days=1))


@given(st.tuples(HOURS, HOURS, HOURS, HOURS), HOURS)
def test_an_intersection_holds_exactly_what_both_hold(
    ends: tuple[datetime, datetime, datetime, datetime], instant: datetime
) -> None:
    a, b, c, d = ends
    if a < b and c < d:
        one, other = Interval(a, b), Interval(c, d)
        common = one.intersection(other)
        both = one.contains(instant) and other.contains(instant)
        assert (common is not None and common.contains(instant)) == both
        assert common == other.intersection(one)


def test_an_hour_from_ten_past_lies_in_five_quarter_hours() -> None:
    start = T + timedelta(minutes=10)
    # 5, 15, 15, 15 and 10 minutes of 60.
    expected = [(T + n * QUARTER_HOUR, minutes / 60) for n, minutes in enumerate((5, 15, 15, 15, 10))]
    assert list(quarter_shares(start, start + timedelta(hours=1))) == expected


@given(st.timedeltas(timedelta(0), timedelta(days=1)), st.timedeltas(timedelta(microseconds=1), timedelta(hours=3)))
def test_the_shares_of_quarter_hours_cover_a_time_once(since: timedelta, length: timedelta) -> None:
    start, end = T + since, T + since + length
    shares = list(quarter_shares(start, end))
    begins = [begin for begin, _ in shares]
    assert begins == [quarter_hour(start) + n * QUARTER_HOUR for n in range(len(begins))]
    assert begins[-1] < end <= begins[-1] + QUARTER_HOUR
    assert sum(share for _, share in shares) == pytest.approx(1.0, rel=1e-12)


def test_an_instant_with_an_offset_is_read_in_utc() -> None:
    assert parse_instant("2026-01-01T01:00+01:00") == T
    assert parse_instant("2026-01-01T00:00Z") == T


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2026-01-01T00:00", "no UTC offset"), ("yesterday", "isoformat"), ("0001-01-01T00:00+05:00", "years 1 to 9999")],
)
def test_an_instant_is_never_guessed(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_instant(text)


def test_a_span_may_be_empty_but_not_backwards() -> None:
    require_span(T, T)
    with pytest.raises(ValueError, match="before it starts"):
        require_span(T, T - timedelta(hours=1))
