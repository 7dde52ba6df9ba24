"""The three clocks."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.clock import Clock, ReplayClock, SimulatedClock, SystemClock, monotonic_s

T = datetime(2021, 7, 2, 6, tzinfo=UTC)


def test_the_system_clock_shows_utc_and_places_monotonic_seconds_in_it() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.now()
    a_minute_ago = clock.instant_of(monotonic_s() - 60)
    # Seconds and microseconds are rounded.
    rounding = timedelta(milliseconds=1)
    assert before - rounding <= a_minute_ago + timedelta(seconds=60) <= clock.now() + rounding


def test_a_replay_passes_as_many_times_faster_as_it_was_told() -> None:
    clock = ReplayClock(T, speed=3600.0)
    shown, at = clock.now(), monotonic_s()
    assert shown >= T
    # One real second later the replay is one hour further.
    assert clock.instant_of(at + 1) - clock.instant_of(at) == timedelta(hours=1)


@pytest.mark.parametrize("clock", [SystemClock(), ReplayClock(T, 3600.0)], ids=["system", "replay"])
def test_a_wait_lasts_until_the_instant_has_come(clock: Clock) -> None:
    until = clock.now() + timedelta(seconds=0.02 if isinstance(clock, SystemClock) else 72)
    clock.wait(until, threading.Event())
    assert clock.now() >= until


@pytest.mark.parametrize(
    "clock", [SystemClock(), ReplayClock(T, 1.0), SimulatedClock(T)], ids=lambda c: type(c).__name__
)
def test_a_wait_ends_at_once_when_woken(clock: Clock) -> None:
    wake = threading.Event()
    wake.set()
    clock.wait(datetime.max.replace(tzinfo=UTC), wake)
    assert clock.now().year < 9999


@pytest.mark.parametrize(
    "clock", [SystemClock(), ReplayClock(T, 1.0), SimulatedClock(T)], ids=lambda c: type(c).__name__
)
def test_a_wait_for_the_past_returns_at_once(clock: Clock) -> None:
    before = clock.now()
    clock.wait(before - timedelta(days=1), threading.Event())
    assert timedelta(0) <= clock.now() - before < timedelta(hours=1)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_replay_needs_a_speed(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        ReplayClock(T, speed)


@pytest.mark.parametrize("make", [SimulatedClock, lambda start: ReplayClock(start, 1.0)])
def test_a_clock_starts_in_utc(make: type[SimulatedClock]) -> None:
    with pytest.raises(ValueError, match="start"):
        make(T.replace(tzinfo=None))


def test_simulated_time_moves_only_when_told_and_never_back() -> None:
    clock = SimulatedClock(T)
    assert clock.now() == T
    clock.wait(T + timedelta(hours=2), threading.Event())
    assert clock.now() == T + timedelta(hours=2)
    clock.advance(T)
    assert clock.now() == T + timedelta(hours=2)
    assert clock.instant_of(90.0) == T + timedelta(seconds=90)
    with pytest.raises(ValueError, match="until"):
        clock.advance(T.replace(tzinfo=None))


class Hands:
    """A wall clock and a monotonic clock that are set by hand."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 1, tzinfo=UTC)
        self.monotonic = 100.0

    def pass_s(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds


def test_a_wall_clock_that_is_set_back_does_not_turn_time_back() -> None:
    hands = Hands()
    clock = SystemClock(lambda: hands.wall, lambda: hands.monotonic)
    hands.pass_s(10)
    before = clock.now()
    hands.wall -= timedelta(hours=1)
    hands.pass_s(5)
    assert clock.now() == before + timedelta(seconds=5)
    assert clock.instant_of(hands.monotonic - 15) == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_wall_clock_that_is_set_forward_is_followed() -> None:
    hands = Hands()
    clock = SystemClock(lambda: hands.wall, lambda: hands.monotonic)
    hands.wall += timedelta(hours=1)
    assert clock.now() == hands.wall
