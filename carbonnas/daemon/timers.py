"""Timers: what the daemon does again and again, each in a thread of its group, with APScheduler as the ticker.

APScheduler keeps nothing here: what is due is decided anew at each start. It goes by the wall clock, and says nothing for as long as
that was set back; `pull_back` mends it, and `carbonnas.daemon.watchdog` calls it.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job  # type: ignore[import-untyped]
from apscheduler.jobstores.base import JobLookupError  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from carbon_sources.clock import monotonic_s, wall_time

_log = logging.getLogger(__name__)


class Group(enum.Enum):
    """Threads that share the jobs; a job never waits for one of another group."""

    TICKS = "ticks"
    """One thread: the engine."""
    POLLS = "polls"
    """Four: they wait for servers."""
    CHORES = "chores"
    """One: backups, retention, heartbeat."""


_TOLD_EVERY_S = 3600.0
"""A job that goes on failing is told of as often: a disk that is full is not filled further with stacks."""

_THREADS = {Group.TICKS: 1, Group.POLLS: 4, Group.CHORES: 1}


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands; instants are monotonic seconds.

    Attributes:
        name: Its name.
        interval: How often it should run.
        due_s: When its next run should have ended at the latest, were it to last no time: an interval after the last end, or when its first
            run is due.
        running_since_s: Since when it runs; `None` while it does not.
    """

    name: str
    interval: timedelta
    due_s: float
    running_since_s: float | None


class Timers:
    """Runs jobs at intervals, never one beside itself, and late rather than not at all; several runs that were missed are one.

    A job that raises is logged and runs again when it is due. The threads do not keep the process alive.

    Args:
        monotonic: Reads the monotonic clock, seconds.
        wall: Reads the wall clock, UTC.
    """

    def __init__(self, monotonic: Callable[[], float] = monotonic_s, wall: Callable[[], datetime] = wall_time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._jobs: dict[str, _Job] = {}
        self._groups = {group: _Threads(group.value, number) for group, number in _THREADS.items()}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={group.value: threads for group, threads in self._groups.items()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            daemon=True,
        )
        # It tells of each run, and of each that is left out because the one before goes on; the watchdog tells what matters.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def every(
        self,
        name: str,
        interval: timedelta,
        call: Callable[[], None],
        *,
        group: Group,
        first_after: timedelta | None = None,
    ) -> None:
        """Run a job again and again; one of the same name is replaced.

        Args:
            name: What it is called in logs, and in `remove` and `run_soon`.
            interval: From one start to the next, above zero.
            call: The job.
            group: Whose threads it runs in.
            first_after: How long from now until it runs first; `None`: an interval.
        """
        first_after = interval if first_after is None else first_after
        job = _Job(name, interval, call, group=group, monotonic=self._monotonic, first_after=first_after)
        self._jobs[name] = job
        self._scheduler.add_job(
            job.run,
            _Every(interval),
            id=name,
            executor=group.value,
            next_run_time=self._wall() + first_after,
            replace_existing=True,
        )

    def remove(self, name: str) -> None:
        """Run a job no more; one that runs just now goes on to its end. Nothing happens if there is none."""
        self._jobs.pop(name, None)
        with contextlib.suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def run_soon(self, name: str) -> None:
        """Run a job as soon as a thread of its group is free, whatever the ticker does; nothing happens if there is none.

        If it runs just now it runs once more after that. Asking twice before it begins is asking once.
        """
        job = self._jobs.get(name)
        if job is not None and job.ask():
            self._groups[job.group].put(job.run)

    def pull_back(self) -> None:
        """Let no job be due later than an interval from now, as it is after the wall clock was set back; then look what is due."""
        for job in self._scheduler.get_jobs():
            latest = self._wall() + max(job.trigger.interval, self._until_first(job.id))
            if job.next_run_time > latest:
                with contextlib.suppress(JobLookupError):  # somebody has removed it meanwhile
                    self._scheduler.modify_job(job.id, next_run_time=latest)
        if self._scheduler.running:
            self._scheduler.wakeup()

    def _until_first(self, name: str) -> timedelta:
        job = self._jobs.get(name)
        return timedelta(0) if job is None else timedelta(seconds=job.first_s - self._monotonic())

    def states(self) -> list[JobState]:
        """Return how the jobs stand, sorted by name."""
        return [job.state() for _, job in sorted(self._jobs.items())]

    def troubles(self) -> dict[str, str]:
        """Return a sentence for each job whose last run failed, by name."""
        return {name: trouble for name, job in sorted(self._jobs.items()) if (trouble := job.trouble) is not None}

    def start(self) -> None:
        """Begin; jobs may be entered before and after."""
        self._scheduler.start()

    def stop(self, timeout: timedelta) -> tuple[str, ...]:
        """Begin no more jobs, and wait for those that run; they can't be started again.

        Args:
            timeout: How long to wait at most, real time.

        Returns:
            Names of the jobs that still run, sorted: their threads end with the process.
        """
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        until_s = self._monotonic() + timeout.total_seconds()
        for threads in self._groups.values():
            threads.join(lambda: max(0.0, until_s - self._monotonic()))
        return tuple(state.name for state in self.states() if state.running_since_s is not None)


class _Job:
    """One job, and how its runs went."""

    def __init__(
        self,
        name: str,
        interval: timedelta,
        call: Callable[[], None],
        *,
        group: Group,
        monotonic: Callable[[], float],
        first_after: timedelta,
    ) -> None:
        self.group = group
        self.first_s = monotonic() + first_after.total_seconds()
        self._name = name
        self._interval = interval
        self._call = call
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked = False
        self._ended_s: float | None = None
        self._running_since_s: float | None = None
        self._failures = 0
        self._failure_log = _FailureLog(name, interval, monotonic)
        self._last_error = ""

    def ask(self) -> bool:
        """Ask for a run; return whether a thread has to be told of it: not if one knows already, or runs the job just now."""
        with self._lock:
            is_news = not self._asked and self._running_since_s is None
            self._asked = True
            return is_news

    def run(self) -> bool:
        """Run the job, unless it runs already in another thread; return whether it was asked for once more meanwhile."""
        with self._lock:
            if self._running_since_s is not None:
                self._asked = True
                return False
            self._asked = False
            self._running_since_s = self._monotonic()
        try:
            self._call_it()
        finally:
            with self._lock:
                self._ended_s, self._running_since_s = self._monotonic(), None
        return self._asked

    def _call_it(self) -> None:
        try:
            self._call()
        except Exception as error:  # noqa: BLE001 - whatever a job raises must not end its timer; it is told of by `trouble` and the log
            self._failures += 1
            self._last_error = f"{type(error).__name__}: {error}"
            self._failure_log.tell(error, self._failures)
        else:
            self._failures = 0

    def state(self) -> JobState:
        due_s = self.first_s if self._ended_s is None else self._ended_s + self._interval.total_seconds()
        return JobState(self._name, self._interval, due_s, self._running_since_s)

    @property
    def trouble(self) -> str | None:
        failures = self._failures
        if not failures:
            return None
        times = "the last time" if failures == 1 else f"the last {failures} times"
        return f"{self._name} failed {times}: {self._last_error}"


class _FailureLog:
    """Tells of the failures of a job: of each sort the first with its stack, and then once an hour at most."""

    def __init__(self, name: str, interval: timedelta, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._interval = interval
        self._monotonic = monotonic
        self._told_s: dict[type[Exception], float] = {}

    def tell(self, error: Exception, failures: int) -> None:
        """Tell of a failure, if it is time to; `failures` is how often the job has failed without a success in between."""
        now_s, sort = self._monotonic(), type(error)
        is_first = sort not in self._told_s
        if not is_first and now_s - self._told_s[sort] < _TOLD_EVERY_S:
            return
        self._told_s[sort] = now_s
        if is_first:
            _log.error("the job %r failed; it runs again in %s", self._name, self._interval, exc_info=error)
        else:
            _log.error("the job %r goes on failing, %d times in a row by now: %s", self._name, failures, error)


class _Every(BaseTrigger):  # type: ignore[misc] # APScheduler ships no type information
    """Due an interval after it was due before; what the clock jumped over in either direction is left out.

    The trigger of APScheduler would count through every run that a clock set forward by years has jumped over.
    """

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        latest = now + self.interval
        if previous_fire_time is None or not now < previous_fire_time + self.interval < latest:
            return latest
        return previous_fire_time + self.interval


class _Threads(BaseExecutor):  # type: ignore[misc] # as above
    """Threads that the interpreter does not wait for when it ends, unlike those of `concurrent.futures`: a server may never answer."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self._waiting: queue.SimpleQueue[Callable[[], bool]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(number)
        ]

    def start(self, scheduler: object, alias: str) -> None:
        super().start(scheduler, alias)
        for thread in self._threads:
            thread.start()

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - APScheduler's interface
        del wait  # `join` waits
        self._ending.set()
        for _ in self._threads:
            self._waiting.put(lambda: False)

    def join(self, left_s: Callable[[], float]) -> None:
        """Wait for the threads, each for as long as is left then, in seconds."""
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.is_alive():
                thread.join(left_s())

    def put(self, run: Callable[[], bool]) -> None:
        """Let a thread run a job when one is free, and again if the job says so."""
        self._waiting.put(run)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._waiting.put(lambda: self._run_scheduled(job, run_times))

    def _run_scheduled(self, job: Any, run_times: list[datetime]) -> bool:
        # It raises nothing: an error of the job would be an event to it, and `_Job.run` lets none through.
        events = run_job(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - as APScheduler's own executors
        self._run_job_success(job.id, events)
        return bool(events[-1].retval)

    def _work(self) -> None:
        while not self._ending.is_set():
            run = self._waiting.get()
            if not self._ending.is_set() and run():
                self._waiting.put(run)
