from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import IntensitySeries
from schedulers.testing import NOW, hourly, sample
from schedulers.windows import Trailing

HOUR = timedelta(hours=1)
weighted = st.lists(
    st.tuples(st.integers(0, 900).map(float), st.integers(1, 10**10).map(lambda us: timedelta(microseconds=us))),
    min_size=1,
    max_size=12,
)


def trailing_of(values: Iterable[tuple[float, timedelta]]) -> Trailing:
    """Return the window in which each value held as long as stands beside it."""
    intensities, lengths = zip(*values, strict=True)
    return Trailing(intensities, lengths)


def test_each_value_needs_its_length() -> None:
    with pytest.raises(ValueError, match="2 values and 1 lengths"):
        Trailing((1.0, 2.0), (HOUR,))


def test_values_weigh_as_long_as_they_held() -> None:
    # 3 h at 100 and 1 h at 500: three quarters of the time are at 100.
    trailing = Trailing((500.0, 100.0), (HOUR, 3 * HOUR))
    assert trailing.percentile(75) == 100.0
    assert trailing.percentile(75.1) == 500.0


def test_mean_deviation_and_the_cleaner_share_weigh_values_as_long_as_they_held() -> None:
    trailing = Trailing((500.0, 100.0), (HOUR, 3 * HOUR))
    assert trailing.mean == pytest.approx((500 + 3 * 100) / 4)  # 200
    assert trailing.deviation == pytest.approx(((300**2 + 3 * 100**2) / 4) ** 0.5)
    assert trailing.cleaner_than(500.0) == pytest.approx(0.75)  # what is equal is not cleaner
    even = Trailing((100.0, 300.0), (HOUR, HOUR))
    assert (even.mean, even.deviation, even.cleaner_than(100.0)) == (200.0, 100.0, 0.0)


def test_a_sample_that_began_before_the_window_counts_with_its_part_inside() -> None:
    history = IntensitySeries((sample(NOW - 5 * HOUR, 3 * HOUR, 100.0), sample(NOW - 2 * HOUR, 2 * HOUR, 300.0)))
    assert Trailing.of(history, NOW, 4 * HOUR) == Trailing((100.0, 300.0), (2 * HOUR, 2 * HOUR))


def test_samples_that_have_not_ended_do_not_count() -> None:
    history = hourly(NOW - 2 * HOUR, [1.0, 2.0, 3.0, 4.0])
    half_past = NOW + timedelta(minutes=30)
    assert Trailing.of(history, half_past, timedelta(hours=24)) == Trailing((1.0, 2.0), (HOUR, HOUR))


def test_gaps_are_left_out_and_not_filled() -> None:
    history = IntensitySeries((sample(NOW - 5 * HOUR, HOUR, 100.0), sample(NOW - HOUR, HOUR, 200.0)))
    trailing = Trailing.of(history, NOW, 24 * HOUR)
    assert trailing.covered == 2 * HOUR
    assert (trailing.minimum, trailing.maximum) == (100.0, 200.0)


def test_nothing_known_gives_no_number() -> None:
    nothing = Trailing.of(IntensitySeries(()), NOW, HOUR)
    assert nothing.covered == timedelta(0)
    with pytest.raises(ValueError, match="nothing is known"):
        nothing.percentile(50)
    with pytest.raises(ValueError, match="empty"):
        _ = nothing.minimum
    with pytest.raises(ValueError, match="empty"):
        _ = nothing.maximum
    with pytest.raises(ValueError, match="nothing is known"):
        _ = nothing.mean
    with pytest.raises(ValueError, match="nothing is known"):
        _ = nothing.deviation
    with pytest.raises(ValueError, match="nothing is known"):
        nothing.cleaner_than(100.0)


@pytest.mark.parametrize("share", [-1.0, 100.1, float("nan")])
def test_a_percentile_lies_between_0_and_100(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        Trailing((1.0,), (HOUR,)).percentile(share)


@settings(max_examples=40, deadline=None)
@given(values=weighted, share=st.floats(0, 100))
def test_a_percentile_is_the_lowest_value_that_is_not_exceeded_for_its_share_of_time(
    values: list[tuple[float, timedelta]], share: float
) -> None:
    trailing = trailing_of(values)
    found = trailing.percentile(share)
    needed = share / 100 * trailing.covered.total_seconds()
    within = sum(length.total_seconds() for value, length in values if value <= found)
    below = sum(length.total_seconds() for value, length in values if value < found)
    assert within >= needed * (1 - 1e-9)
    assert below <= needed * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(values=weighted)
def test_the_ends_of_the_range_are_the_outermost_percentiles(values: list[tuple[float, timedelta]]) -> None:
    trailing = trailing_of(values)
    assert trailing.percentile(0) == trailing.minimum
    assert trailing.percentile(100) == trailing.maximum


@settings(max_examples=40, deadline=None)
@given(values=weighted, low=st.floats(0, 100), high=st.floats(0, 100))
def test_percentiles_do_not_fall_as_their_share_grows(
    values: list[tuple[float, timedelta]], low: float, high: float
) -> None:
    trailing = trailing_of(values)
    assert trailing.percentile(min(low, high)) <= trailing.percentile(max(low, high))


@settings(max_examples=40, deadline=None)
@given(values=weighted, share=st.floats(0, 100), cut=st.data())
def test_cutting_a_sample_in_two_changes_nothing(
    values: list[tuple[float, timedelta]], share: float, cut: st.DataObject
) -> None:
    value, length = values[0]
    microsecond = timedelta(microseconds=1)
    part = cut.draw(st.integers(0, length // microsecond)) * microsecond
    pieces = tuple((value, piece) for piece in (part, length - part) if piece)
    cut_up, whole = trailing_of((*pieces, *values[1:])), trailing_of(values)
    assert cut_up.percentile(share) == whole.percentile(share)
    assert cut_up.mean == pytest.approx(whole.mean)
    assert cut_up.deviation == pytest.approx(whole.deviation, abs=1e-6)
    assert cut_up.cleaner_than(share) == pytest.approx(whole.cleaner_than(share))


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(0, 900), min_size=1, max_size=12), share=st.floats(0, 100))
def test_values_that_held_equally_long_are_counted_as_any_others(values: list[float], share: float) -> None:
    even = Trailing(tuple(values), (HOUR,) * len(values))
    # The same window, its first hour in two halves: no short cut for equal lengths is open to it.
    uneven = Trailing((values[0], *values), (HOUR / 2, HOUR / 2, *([HOUR] * (len(values) - 1))))
    assert even.percentile(share) == uneven.percentile(share)
    assert even.covered == uneven.covered
    assert even.mean == pytest.approx(uneven.mean)
    assert even.deviation == pytest.approx(uneven.deviation, abs=1e-6)
    assert even.cleaner_than(values[0]) == pytest.approx(uneven.cleaner_than(values[0]))
