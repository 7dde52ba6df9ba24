"""Timers that fall silent are woken, and standstills are noticed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.clock import monotonic_s, wall_time
from carbonnas.daemon.timers import Group, Timers
from carbonnas.daemon.watchdog import Pulse, Watchdog

START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = timedelta(seconds=5)
HOUR = timedelta(hours=1)
PATIENCE_S = 120.0


class SteppingClocks:
    """A monotonic and a wall clock that move when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.instant = START

    def pass_time(self, duration: timedelta, *, wall: timedelta | None = None) -> None:
        self.seconds += duration.total_seconds()
        self.instant += duration if wall is None else wall

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return self.instant


@pytest.fixture
def clocks() -> SteppingClocks:
    return SteppingClocks()


@pytest.fixture
def timers(clocks: SteppingClocks) -> Iterator[Timers]:
    """Give timers whose ticker goes by the real clock, hence is silent while only the stepping one moves."""
    timers = Timers(clocks.monotonic, wall_time)
    timers.start()
    yield timers
    timers.stop(timedelta(seconds=PATIENCE_S))


def watchdog(timers: Timers, clocks: SteppingClocks, alive: list[str] | None = None) -> Watchdog:
    told = [] if alive is None else alive
    return Watchdog(
        timers, PERIOD, vital=["tick"], alive=lambda: told.append("alive"), clocks=(clocks.monotonic, clocks.wall)
    )


def pass_looking(dog: Watchdog, clocks: SteppingClocks, looks: int) -> None:
    for _ in range(looks):
        clocks.pass_time(PERIOD)
        dog.look()


def wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.001)):
        if holds():
            return
        pause.wait(0.001)
    raise AssertionError("it never held")


def test_a_job_that_misses_three_intervals_is_told_of_and_run(timers: Timers, clocks: SteppingClocks) -> None:
    ran, told = threading.Event(), list[str]()
    # Entered with an hour to its first run, it counts from there: three intervals of a minute later it is overdue.
    timers.every("tick", timedelta(minutes=1), ran.set, group=Group.TICKS, first_after=HOUR)
    dog = watchdog(timers, clocks, told)
    looks = int((HOUR + timedelta(minutes=2)) / PERIOD)
    pass_looking(dog, clocks, looks)
    assert dog.trouble() is None
    assert len(told) == looks
    assert not ran.is_set()
    pass_looking(dog, clocks, 1)
    assert dog.trouble() == "tick should run every 60 s and is 125 s late"
    assert len(told) == looks
    assert ran.wait(PATIENCE_S)
    wait_until(lambda: timers.states()[0].due_s > clocks.seconds)  # its end is noted after it
    pass_looking(dog, clocks, 1)
    assert dog.trouble() is None
    assert len(told) == looks + 1


def test_a_job_that_hangs_is_told_of_and_does_not_run_beside_itself(timers: Timers, clocks: SteppingClocks) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def hang() -> None:
        begun.release()
        go_on.wait(PATIENCE_S)

    timers.every("poll", timedelta(minutes=1), hang, group=Group.POLLS, first_after=timedelta(0))
    assert begun.acquire(timeout=PATIENCE_S)
    told = list[str]()
    dog = watchdog(timers, clocks, told)
    pass_looking(dog, clocks, 36)
    assert dog.trouble() is None  # 36 * 5 s are three intervals, and not more
    pass_looking(dog, clocks, 1)
    assert dog.trouble() == "poll has been running for 185 s, and should every 60 s"
    assert not begun.acquire(blocking=False)
    assert len(told) == 37  # the daemon lives, although a server does not answer
    go_on.set()


def test_a_loop_that_does_not_come_around_is_woken_and_told_of(timers: Timers, clocks: SteppingClocks) -> None:
    kicks, told = list[str](), list[str]()
    engine = Pulse("tick", PERIOD, lambda: kicks.append("kick"), clocks.monotonic)
    dog = Watchdog(
        timers,
        PERIOD,
        pulses=[engine],
        vital=["tick"],
        alive=lambda: told.append("alive"),
        clocks=(clocks.monotonic, clocks.wall),
    )
    pass_looking(dog, clocks, 3)
    assert (dog.trouble(), kicks, len(told)) == (None, [], 3)
    pass_looking(dog, clocks, 1)
    # It beat 20 s ago, so that it was due 15 s ago.
    assert (dog.trouble(), kicks, len(told)) == ("tick should run every 5 s and is 15 s late", ["kick"], 3)
    engine.beat()
    pass_looking(dog, clocks, 1)
    assert (dog.trouble(), kicks, len(told)) == (None, ["kick"], 4)


def test_a_clock_that_is_set_back_holds_the_timers_up_for_one_look_only() -> None:
    ahead = HOUR
    timers, ran = Timers(monotonic_s, lambda: wall_time() + ahead), threading.Event()
    timers.every("poll", timedelta(milliseconds=5), ran.set, group=Group.POLLS)
    ahead = timedelta(0)
    timers.start()
    try:
        dog = Watchdog(timers)
        dog.look()
        assert ran.wait(PATIENCE_S)
        assert dog.trouble() is None
    finally:
        timers.stop(timedelta(seconds=PATIENCE_S))


def test_it_looks_by_itself_until_it_is_stopped(timers: Timers) -> None:
    looked = threading.Event()
    dog = Watchdog(timers, timedelta(milliseconds=1), alive=looked.set)
    dog.start()
    assert looked.wait(PATIENCE_S)
    dog.stop()
    looked.clear()
    assert not looked.wait(0.02)
    Watchdog(timers).stop()


@pytest.mark.parametrize(
    ("monotonic", "wall", "lasted"),
    [
        pytest.param(timedelta(seconds=5), HOUR, HOUR, id="the machine slept"),
        pytest.param(HOUR, HOUR, HOUR, id="the process was frozen"),
        pytest.param(HOUR, -HOUR, HOUR, id="frozen, and the wall clock set back"),
        pytest.param(timedelta(seconds=5), -HOUR, None, id="only the wall clock was set back"),
        pytest.param(timedelta(seconds=25), timedelta(seconds=25), None, id="the machine was busy: 5 s and 20 s"),
        pytest.param(timedelta(seconds=26), timedelta(seconds=26), timedelta(seconds=26), id="longer than that"),
    ],
)
def test_a_standstill_is_noticed(
    timers: Timers, clocks: SteppingClocks, monotonic: timedelta, wall: timedelta, lasted: timedelta | None
) -> None:
    dog = watchdog(timers, clocks)
    pass_looking(dog, clocks, 1)
    clocks.pass_time(monotonic, wall=wall)
    dog.look()
    assert dog.stalled() == (None if lasted is None else (START + PERIOD, lasted))


WATCH = """
import threading
from datetime import timedelta
from carbonnas.daemon.timers import Timers
from carbonnas.daemon.watchdog import Watchdog
timers = Timers()
dog = Watchdog(timers, timedelta(milliseconds=20), stalled_after=timedelta(milliseconds=300))
timers.start()
dog.start()
print("watches", flush=True)
while dog.stalled() is None:
    threading.Event().wait(0.01)
print(dog.stalled()[1].total_seconds() > 0.32, dog.trouble())
"""


def test_a_process_that_was_really_frozen_says_so_and_goes_on() -> None:
    with subprocess.Popen([sys.executable, "-c", WATCH], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watches\n"
        process.send_signal(signal.SIGSTOP)
        threading.Event().wait(0.5)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.readline() == "True None\n"


def test_after_a_standstill_no_job_is_blamed_for_it(timers: Timers, clocks: SteppingClocks) -> None:
    timers.every("tick", PERIOD, lambda: None, group=Group.TICKS, first_after=HOUR)
    dog = watchdog(timers, clocks)
    clocks.pass_time(HOUR + timedelta(minutes=5))
    dog.look()
    assert dog.trouble() is None
    pass_looking(dog, clocks, 3)
    assert dog.trouble() is None
    pass_looking(dog, clocks, 1)
    assert dog.trouble() is not None


@given(st.lists(st.tuples(st.floats(0, 25), st.floats(-7200, 5)), max_size=30))
def test_no_setting_back_and_no_lateness_is_a_standstill(looks: list[tuple[float, float]]) -> None:
    clocks = SteppingClocks()
    dog = watchdog(Timers(clocks.monotonic, clocks.wall), clocks)
    for passed_s, set_s in looks:
        passed = timedelta(seconds=passed_s)
        clocks.pass_time(passed, wall=min(passed + timedelta(seconds=set_s), timedelta(seconds=25)))
        dog.look()
    assert dog.stalled() is None
