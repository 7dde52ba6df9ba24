"""What the daemon does again and again, with the real APScheduler."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.clock import wall_time
from carbonnas.daemon.timers import Group, Timers, _Every, _FailureLog

SOON = timedelta(milliseconds=5)
LONG = timedelta(hours=1)
PATIENCE_S = 120.0


class SettableClock:
    """The machine's wall clock, as somebody sets it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return wall_time() + self.ahead


@pytest.fixture
def timers() -> Iterator[Timers]:
    timers = Timers()
    timers.start()
    yield timers
    timers.stop(timedelta(seconds=PATIENCE_S))


class Counter:
    """A job that counts its runs, and fails where it is told to."""

    def __init__(self, *, failing: bool = False) -> None:
        self.runs = 0
        self.failing = failing
        self._ran = threading.Condition()

    def __call__(self) -> None:
        with self._ran:
            self.runs += 1
            self._ran.notify_all()
        if self.failing:
            raise OSError("the disk is full")

    def reached(self, runs: int) -> bool:
        with self._ran:
            return self._ran.wait_for(lambda: self.runs >= runs, PATIENCE_S)


def test_a_job_runs_again_and_again_until_it_is_removed(timers: Timers) -> None:
    job = Counter()
    timers.every("look", SOON, job, group=Group.POLLS)
    assert job.reached(3)
    timers.remove("look")
    timers.remove("look")
    assert timers.states() == []


def test_the_first_run_comes_when_it_was_asked_for(timers: Timers) -> None:
    job = Counter()
    timers.every("look", LONG, job, group=Group.POLLS, first_after=timedelta(0))
    assert job.reached(1)


def test_a_job_runs_soon_when_it_is_asked_to(timers: Timers) -> None:
    job = Counter()
    timers.every("look", LONG, job, group=Group.POLLS)
    for runs in (1, 2):
        timers.run_soon("look")
        assert job.reached(runs)
    timers.run_soon("nothing of that name")


def test_a_job_that_is_asked_for_while_it_runs_runs_once_more(timers: Timers) -> None:
    begun, go_on = Counter(), threading.Semaphore(0)

    def work() -> None:
        begun()
        go_on.acquire(timeout=PATIENCE_S)

    timers.every("tick", LONG, work, group=Group.TICKS)
    timers.run_soon("tick")
    assert begun.reached(1)
    for _ in range(3):
        timers.run_soon("tick")
    go_on.release(2)
    assert begun.reached(2)
    assert timers.stop(timedelta(seconds=PATIENCE_S)) == ()
    assert begun.runs == 2


def test_asking_twice_before_a_job_begins_is_asking_once() -> None:
    timers, job, after = Timers(), Counter(), Counter()
    timers.every("tick", LONG, job, group=Group.TICKS)
    timers.every("after", LONG, after, group=Group.TICKS)
    for _ in range(3):
        timers.run_soon("tick")
    timers.run_soon("after")
    timers.start()
    assert after.reached(1)
    assert timers.stop(timedelta(seconds=PATIENCE_S)) == ()
    assert job.runs == 1


def test_a_job_of_the_same_name_takes_the_place_of_the_one_before(timers: Timers) -> None:
    former, job = Counter(), Counter()
    timers.every("look", LONG, former, group=Group.POLLS)
    timers.every("look", SOON, job, group=Group.POLLS)
    assert job.reached(2)
    assert former.runs == 0


def test_a_job_that_fails_is_told_of_and_runs_again(timers: Timers, caplog: pytest.LogCaptureFixture) -> None:
    job = Counter(failing=True)
    timers.every("look", SOON, job, group=Group.CHORES)
    # The third run begins after the failure of the second was counted.
    assert job.reached(3)
    trouble = timers.troubles()["look"]
    assert trouble.startswith("look failed the last ")
    assert trouble.endswith(" times: OSError: the disk is full")
    assert "the job 'look' failed" in caplog.text
    job.failing = False
    assert job.reached(job.runs + 2)
    assert timers.troubles() == {}


def test_failures_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    log = _FailureLog("heartbeat", timedelta(seconds=30), lambda: now_s)
    # every 30 s for 3 hours, the last run at 3 h itself: 361 failures
    for failures in range(1, 362):
        log.tell(OSError("the disk is full"), failures)
        now_s += 30.0
    told = [(record.exc_info is not None, record.getMessage()) for record in caplog.records]
    assert told == [
        (True, "the job 'heartbeat' failed; it runs again in 0:00:30"),
        *(
            # 120 runs an hour, and the one at its end
            (False, f"the job 'heartbeat' goes on failing, {120 * hour + 1} times in a row by now: the disk is full")
            for hour in (1, 2, 3)
        ),
    ]


def test_a_failure_of_another_sort_is_told_at_once_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    log = _FailureLog("heartbeat", timedelta(seconds=30), lambda: 0.0)
    for error in (OSError("full"), ValueError("odd"), OSError("full"), ValueError("odd")):
        log.tell(error, 1)
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_job_that_hangs_holds_up_only_its_own_group_and_never_runs_beside_itself(timers: Timers) -> None:
    go_on, tick = threading.Event(), Counter()
    begun = Counter()

    def hang() -> None:
        begun()
        go_on.wait(PATIENCE_S)

    timers.every("poll", SOON, hang, group=Group.CHORES)
    timers.every("tick", SOON, tick, group=Group.TICKS)
    assert begun.reached(1)
    assert tick.reached(20)
    assert begun.runs == 1
    assert {state.name: state.running_since_s is None for state in timers.states()}["poll"] is False
    go_on.set()
    assert begun.reached(2)


def test_stopping_waits_for_what_runs_and_names_what_does_not_end() -> None:
    timers, begun, go_on = Timers(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    timers.every("poll", SOON, hang, group=Group.POLLS)
    timers.start()
    assert begun.wait(PATIENCE_S)
    assert timers.stop(timedelta(milliseconds=10)) == ("poll",)
    go_on.set()


def test_a_job_that_never_ends_does_not_keep_the_process_alive() -> None:
    code = """
import threading
from datetime import timedelta
from carbonnas.daemon.timers import Group, Timers
timers, begun = Timers(), threading.Event()
def hang():
    begun.set()
    threading.Event().wait()
timers.every("poll", timedelta(hours=1), hang, group=Group.POLLS, first_after=timedelta(0))
timers.start()
begun.wait()
print(timers.stop(timedelta(0)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert answer.stdout == "('poll',)\n"


def test_jobs_go_on_after_the_clock_was_set_back_once_they_are_pulled_back() -> None:
    # The ticker reads the machine's clock; that the jobs were entered while it was an hour ahead is the same as setting it back.
    clock = SettableClock()
    timers, job, rare = Timers(wall=clock), Counter(), Counter()
    clock.ahead = LONG
    timers.every("look", SOON, job, group=Group.POLLS)
    timers.every("rare", timedelta(days=1), rare, group=Group.POLLS)
    clock.ahead = timedelta(0)
    timers.start()
    try:
        assert job.runs == 0
        timers.pull_back()
        assert job.reached(3)
        assert rare.runs == 0
    finally:
        timers.stop(timedelta(seconds=PATIENCE_S))


def test_a_late_first_run_is_not_pulled_back_to_an_interval(timers: Timers) -> None:
    late, other = Counter(), Counter()
    timers.every("late", SOON, late, group=Group.CHORES, first_after=LONG)
    timers.every("other", SOON, other, group=Group.CHORES)
    timers.pull_back()
    assert other.reached(5)
    assert late.runs == 0


INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(INSTANTS, INSTANTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=3000)))
def test_the_next_run_lies_within_an_interval_whatever_the_clock_did(
    previous: datetime, now: datetime, interval: timedelta
) -> None:
    due = _Every(interval).get_next_fire_time(previous, now)
    assert now < due <= now + interval
    if now < previous + interval <= now + interval:
        assert due == previous + interval
