"""Usage that worker processes measure, whatever becomes of them."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from carbon_sources.clock import ReplayClock, SystemClock
from carbonnas.energy.meter import OVERHEAD, Usage
from carbonnas.execution.executor import OutcomeKind
from carbonnas.execution.process import ProcessExecutor
from carbonnas.execution.protocol import Anchor, WorkerUsage
from carbonnas.execution.spool import SEGMENT_LINES, SpoolWriter
from carbonnas.testing.evaluators import CountingWorkbench, Failure
from carbonnas.testing.executors import Log, follow, job
from carbonnas.testing.probes import Defect, SteadyProbes
from carbonnas.testing.processes import grandchildren, opened, processor_s, stop, wait_until

START = datetime(2026, 3, 1, tzinfo=UTC)
LONG = timedelta(hours=1)
"""An interval that does not end within a test."""


def only_worker() -> int:
    (worker,) = grandchildren(os.getpid())
    return worker


def wait_until_used(pid: int, seconds: float) -> None:
    """Wait until a process has used so much more processor time than it has by now."""
    before_s = processor_s(pid)
    wait_until(lambda: processor_s(pid) >= before_s + seconds, "the worker does not work")


def follow_for(usages: int, executor: ProcessExecutor) -> Log:
    """Have a job run until there are so many usages of it, and see its end."""
    log = Log()
    executor.submit(job(1, epochs=100_000))

    def has_enough() -> bool:
        log.poll(executor)
        return len(log.usages_of(1)) >= usages

    wait_until(has_enough, "there is no usage")
    executor.suspend(1)
    return follow(executor, SystemClock(), 1, log)


def life_of(worker: str, log: Log) -> list[Usage]:
    return sorted((u for u in log.usages if u.usage_id.startswith(f"{worker}-")), key=lambda usage: usage.interval)


def test_all_processor_time_of_a_killed_worker_is_known(tmp_path: Path) -> None:
    with opened(tmp_path, usage_interval=LONG) as executor:
        executor.submit(job(1, failure=Failure.HANGS))
        pid = only_worker()
        wait_until_used(pid, 0.3)
        stop(pid)
        used_s = processor_s(pid)
        os.kill(pid, signal.SIGKILL)
        log = follow(executor, SystemClock(), 1)
    (usage,) = log.usages_of(1)
    total_s = sum(u.cpu_seconds for u in log.usages if u.usage_id.partition("-")[0] == usage.usage_id.partition("-")[0])
    assert used_s - 0.02 <= total_s <= used_s + 0.1  # /proc counts in ticks of 10 ms; to be killed costs a little too
    assert usage.interval.end == log.outcomes[0].at


def test_a_worker_s_life_is_covered_from_its_start_in_usages_of_the_interval(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        log = follow_for(4, executor)
        executor.submit(job(2, epochs=1))
        follow(executor, SystemClock(), 2, log)
    worker = log.usages_of(1)[0].usage_id.partition("-")[0]
    life = life_of(worker, log)
    assert life[0].owner == OVERHEAD
    for before, after in pairwise(life):
        assert before.interval.end == after.interval.start
    assert [usage.usage_id for usage in life] == [f"{worker}-{number}" for number in range(len(life))]


def test_the_start_of_the_processes_is_overhead_that_is_reported(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        usages = executor.poll().usages
    assert sum(usage.cpu_seconds for usage in usages) > 0.01
    assert {usage.owner for usage in usages} == {OVERHEAD}


def test_a_reading_that_fails_is_unknown_and_never_zero(tmp_path: Path) -> None:
    with opened(tmp_path, probe=SteadyProbes(Defect.ODD)) as executor:
        log = follow_for(3, executor)
    worker = log.usages_of(1)[0].usage_id.partition("-")[0]
    life = life_of(worker, log)
    known = [None if u.probe is None else (u.probe.cpu_j, u.probe.gpu_j, u.probe.ram_j) for u in life]
    assert known[:3] == [(2.0, 1.0, 0.0), (2.0, 1.0, 0.0), None]
    assert all(usage.probe is None or usage.probe.interval == usage.interval for usage in life)


def test_readings_that_can_t_be_joules_are_unknown(tmp_path: Path) -> None:
    with opened(tmp_path, probe=SteadyProbes(Defect.NEGATIVE)) as executor:
        executor.submit(job(1))
        log = follow(executor, SystemClock(), 1)
    assert log.usages
    assert all(usage.probe is None for usage in log.usages)


def test_usage_is_in_the_time_of_the_search(tmp_path: Path) -> None:
    clock = ReplayClock(START, 3600)
    with opened(tmp_path, clock=clock, workbench=CountingWorkbench(0.1)) as executor:
        executor.submit(job(1, epochs=2))
        log = follow(executor, clock, 1)
    stay_s = sum(usage.interval.seconds for usage in log.usages_of(1))
    assert stay_s >= 0.2 * 3600
    # Processor time stays in real seconds: a worker has two threads.
    assert sum(usage.cpu_seconds for usage in log.usages_of(1)) <= 2 * stay_s / 3600


def test_what_a_job_used_until_the_executor_was_closed_is_left_in_the_spool(tmp_path: Path) -> None:
    log, clock = Log(), SystemClock()
    with opened(tmp_path, clock=clock, usage_interval=LONG) as executor:
        executor.submit(job(1, failure=Failure.HANGS))
        wait_until_used(only_worker(), 0.3)
        log.poll(executor)
        executor.acknowledge()
        closing = clock.now()
    closed = clock.now()
    assert log.usages_of(1) == []
    later = ProcessExecutor(SystemClock(), 1, CountingWorkbench(0.0), tmp_path / "spool", None)
    (usage,) = [usage for usage in later.recover() if usage.owner.trial == 1]
    assert closing - timedelta(seconds=0.05) <= usage.interval.end <= closed + timedelta(seconds=0.05)
    assert usage.interval.seconds >= 0.25
    later.acknowledge()
    assert later.recover() == ()


def test_a_usage_that_was_polled_and_acknowledged_does_not_come_back_but_for_the_newest_segment(tmp_path: Path) -> None:
    with opened(tmp_path, workbench=CountingWorkbench(0.001), usage_interval=timedelta(seconds=10)) as executor:
        log = Log()
        for number in range(SEGMENT_LINES):  # two usages each: the job and the rest before it
            executor.submit(job(number))
            follow(executor, SystemClock(), number + 1, log)
        executor.acknowledge()
        later = ProcessExecutor(SystemClock(), 1, CountingWorkbench(0.0), tmp_path / "spool", None)
        back = {usage.usage_id for usage in later.recover()}
    assert len(log.usages) >= 2 * SEGMENT_LINES
    assert len(back) <= SEGMENT_LINES
    assert back <= {usage.usage_id for usage in log.usages}


def test_what_a_killed_worker_wrote_down_but_could_not_send_is_counted_once(tmp_path: Path) -> None:
    clock, log = SystemClock(), Log()
    with opened(tmp_path, usage_interval=LONG) as executor:
        executor.submit(job(1, failure=Failure.HANGS))
        wait_until_used(only_worker(), 0.3)
        log.poll(executor)
        (path,) = (tmp_path / "spool").glob("*-00000000.jsonl")
        worker = path.stem.partition("-")[0]
        started_s = json.loads(path.read_text().splitlines()[-1])["end"]
        written = WorkerUsage(worker, 1, started_s, started_s + 0.1, OVERHEAD, None, 0.01, None)
        SpoolWriter(tmp_path / "spool", worker, Anchor.of(clock), segment=1).append(written)
        os.kill(only_worker(), signal.SIGKILL)
        follow(executor, clock, 1, log)
        executor.acknowledge()
        assert not list((tmp_path / "spool").glob(f"{worker}-*"))
    life = life_of(worker, log)
    assert [usage.usage_id for usage in life] == [f"{worker}-{number}" for number in range(3)]
    assert all(before.interval.end == after.interval.start for before, after in pairwise(life))
    assert log.outcomes[0].kind is OutcomeKind.LOST
    assert life[-1].owner.trial == 1
