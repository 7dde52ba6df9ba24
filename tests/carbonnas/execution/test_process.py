from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import Clock, SimulatedClock, SystemClock, monotonic_s
from carbonnas.errors import ExecutionError
from carbonnas.execution.executor import EpochReport, Executor, Job, OutcomeKind
from carbonnas.execution.process import ProcessExecutor
from carbonnas.testing.evaluators import BrokenWorkbench, CountingWorkbench, Failure, ThreadCountingWorkbench
from carbonnas.testing.executors import ExecutorConformance, Log, follow, job
from carbonnas.testing.probes import Defect, SteadyProbes
from carbonnas.testing.processes import (
    USAGE_INTERVAL,
    alive,
    children,
    grandchildren,
    opened,
    processor_s,
    wait_for_end,
    wait_until,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def with_timeout(made: Job, timeout: timedelta) -> Job:
    return Job(made.trial, made.attempt, made.request, made.checkpoint, timeout)


class TestProcessExecutor(ExecutorConformance):
    reports_overhead = True

    def make_executor(self, folder: Path, slots: int) -> tuple[Executor, Clock]:
        clock = SystemClock()
        return ProcessExecutor(
            clock, slots, CountingWorkbench(0.03), folder / "spool", None, usage_interval=USAGE_INTERVAL
        ), clock


def test_a_simulated_clock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match="use the executor 'simulated'"):
        ProcessExecutor(SimulatedClock(START), 1, CountingWorkbench(0.0), tmp_path, None)


@pytest.mark.parametrize(("slots", "interval"), [(0, USAGE_INTERVAL), (1, timedelta(0))])
def test_nothing_can_be_done_with_no_slots_or_no_interval(tmp_path: Path, slots: int, interval: timedelta) -> None:
    with pytest.raises(ValueError, match="need slots"):
        ProcessExecutor(SystemClock(), slots, CountingWorkbench(0.0), tmp_path, None, usage_interval=interval)


def test_a_worker_makes_its_evaluators_once_and_serves_many_jobs_with_them(tmp_path: Path) -> None:
    count = tmp_path / "count"
    with opened(tmp_path, slots=2, workbench=CountingWorkbench(0.0, count=count)) as executor:
        log = Log()
        for number in range(6):
            executor.submit(job(number))
            follow(executor, SystemClock(), number + 1, log)
    assert count.read_text() == ".."


def first_to_use(seconds: float, before_s: dict[int, float]) -> int:
    """Wait until a process has used so much more processor time than before, and return its id."""
    busy: list[int] = []

    def is_any_busy() -> bool:
        busy.extend(pid for pid, used_s in before_s.items() if processor_s(pid) >= used_s + seconds)
        return bool(busy)

    wait_until(is_any_busy, "no process works")
    return busy[0]


def test_a_killed_worker_loses_its_own_job_and_no_other(tmp_path: Path) -> None:
    with opened(tmp_path, slots=2, workbench=CountingWorkbench(0.1)) as executor:
        before_s = {pid: processor_s(pid) for pid in grandchildren(os.getpid())}
        executor.submit(job(1, failure=Failure.HANGS))
        executor.submit(job(2, epochs=6))
        os.kill(first_to_use(0.3, before_s), signal.SIGKILL)
        log = follow(executor, SystemClock(), 2)
        assert executor.free_slots == 2
        executor.submit(job(3))
        executor.submit(job(4))
        follow(executor, SystemClock(), 4, log)
    kinds = {outcome.trial: outcome.kind for outcome in log.outcomes}
    done = OutcomeKind.COMPLETED
    assert kinds == {1: OutcomeKind.LOST, 2: done, 3: done, 4: done}
    (lost,) = [outcome for outcome in log.outcomes if outcome.trial == 1]
    assert lost.failure == "the worker was killed by signal 9 (SIGKILL), perhaps because memory ran out"


def test_a_worker_that_ends_itself_is_lost_with_its_exit_code(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.EXITS))
        (outcome,) = follow(executor, SystemClock(), 1).outcomes
    assert (outcome.kind, outcome.failure) == (OutcomeKind.LOST, "the worker ended by itself with exit code 3")


def test_a_job_that_takes_too_long_is_killed_and_its_slot_works_on(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        begin = monotonic_s()
        executor.submit(with_timeout(job(1, failure=Failure.HANGS), timedelta(seconds=0.3)))
        log = follow(executor, SystemClock(), 1)
        followed_s = monotonic_s() - begin
        executor.submit(job(2))
        follow(executor, SystemClock(), 2, log)
    timed_out, completed = log.outcomes
    assert (timed_out.kind, completed.kind) == (OutcomeKind.TIMED_OUT, OutcomeKind.COMPLETED)
    assert timed_out.failure == "the worker was killed because its job took longer than 0:00:00.300000"
    stay_s = sum(usage.interval.seconds for usage in log.usages_of(1))
    assert 0.29 <= stay_s <= followed_s + 0.01


def test_a_suspended_job_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "trial.checkpoint"
    log, reports = Log(), 0
    with opened(tmp_path, workbench=CountingWorkbench(0.1)) as executor:
        executor.submit(job(1, epochs=10_000, checkpoint=checkpoint))
        while not reports:
            executor.wait(datetime.now(UTC) + timedelta(seconds=0.05), threading.Event())
            poll = executor.poll()
            log.usages += poll.usages
            reports += len(poll.reports)
        executor.suspend(1)
        executor.suspend(1)
        follow(executor, SystemClock(), 1, log)
        done = int(checkpoint.read_text())
        executor.submit(job(1, epochs=done + 1, checkpoint=checkpoint))
        follow(executor, SystemClock(), 2, log)
    suspended, completed = log.outcomes
    assert (suspended.kind, suspended.evaluation) == (OutcomeKind.SUSPENDED, None)
    assert completed.evaluation is not None
    assert 1 <= completed.evaluation.metrics["resumed_from"] == done


def test_a_request_to_suspend_does_not_reach_the_next_job(tmp_path: Path) -> None:
    with opened(tmp_path, workbench=CountingWorkbench(0.05)) as executor:
        executor.submit(job(1, epochs=1))
        executor.suspend(1)
        log = follow(executor, SystemClock(), 1)
        executor.submit(job(2, epochs=3))
        follow(executor, SystemClock(), 2, log)
    assert [outcome.kind for outcome in log.outcomes] == [OutcomeKind.COMPLETED, OutcomeKind.COMPLETED]


def test_reports_tell_the_progress(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(7, epochs=2))
        reports: list[EpochReport] = []
        while len(reports) < 2:
            reports += executor.poll().reports
    assert [(r.trial, r.epoch, r.epochs, dict(r.metrics)) for r in reports] == [
        (7, 1, 2, {"epoch": 1.0}),
        (7, 2, 2, {"epoch": 2.0}),
    ]


def test_a_probe_that_can_t_start_stops_the_executor_with_its_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(ExecutionError, match="there is nothing to measure"),
        opened(tmp_path, probe=SteadyProbes(Defect.DEAD)),
    ):
        pass


def test_evaluators_that_can_t_be_made_stop_the_executor_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "stone").touch()
    bench = BrokenWorkbench(tmp_path / "stone")
    with pytest.raises(ExecutionError, match="FileExistsError: stone is in the way"), opened(tmp_path, workbench=bench):
        pass
    assert grandchildren(os.getpid()) == []


def test_workers_that_can_t_be_replaced_are_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    bench = BrokenWorkbench(tmp_path / "stone")
    with opened(tmp_path, workbench=bench) as executor:
        (tmp_path / "stone").touch()
        executor.submit(job(1, failure=Failure.DIES))
        with pytest.raises(ExecutionError, match="stone is in the way"):
            follow(executor, SystemClock(), 9)


def test_a_workbench_that_can_t_be_sent_is_refused(tmp_path: Path) -> None:
    class Local(CountingWorkbench):
        pass

    with pytest.raises(ExecutionError, match="can't be sent"), opened(tmp_path, workbench=Local(0.0)):
        pass


def test_a_worker_that_is_not_ready_in_time_stops_the_executor(tmp_path: Path) -> None:
    with (
        pytest.raises(ExecutionError, match="its start took longer than"),
        opened(tmp_path, start_timeout=timedelta(milliseconds=1)),
    ):
        pass


def test_when_the_fork_server_is_killed_the_jobs_are_lost_and_the_slots_work_on(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.HANGS))
        (fork_server,) = children(os.getpid())
        old = grandchildren(os.getpid())
        os.kill(fork_server, signal.SIGKILL)
        log = follow(executor, SystemClock(), 1)
        executor.submit(job(2))
        follow(executor, SystemClock(), 2, log)
    assert [outcome.kind for outcome in log.outcomes] == [OutcomeKind.LOST, OutcomeKind.COMPLETED]
    wait_for_end(old)


def test_a_long_wait_ends_when_it_is_woken_from_another_thread(tmp_path: Path) -> None:
    wake, until = threading.Event(), datetime.now(UTC) + timedelta(hours=1)
    with opened(tmp_path) as executor:
        executor.poll()
        timer = threading.Timer(0.2, wake.set)
        timer.start()
        executor.wait(until, wake)
        assert wake.is_set()
        timer.join()
    assert datetime.now(UTC) < until


def test_an_interrupt_of_the_group_does_not_reach_the_workers(tmp_path: Path) -> None:
    with opened(tmp_path, workbench=CountingWorkbench(0.2)) as executor:
        executor.submit(job(1))
        (fork_server,) = children(os.getpid())
        assert os.getpgid(fork_server) != os.getpgrp()
        os.killpg(os.getpgid(fork_server), signal.SIGINT)
        (outcome,) = follow(executor, SystemClock(), 1).outcomes
    assert outcome.kind is OutcomeKind.COMPLETED


def test_closing_waits_for_no_job_and_leaves_no_process_behind(tmp_path: Path) -> None:
    with opened(tmp_path, slots=2) as executor:
        executor.submit(job(1, failure=Failure.HANGS))
        pids = [*children(os.getpid()), *grandchildren(os.getpid())]
    assert len(pids) == 3
    assert not any(alive(pid) for pid in pids)


@pytest.mark.torch
@pytest.mark.usefixtures("two_threads")
def test_torch_has_one_thread_in_a_worker_and_keeps_its_own_in_the_search(tmp_path: Path) -> None:
    import torch

    with opened(tmp_path, workbench=ThreadCountingWorkbench()) as executor:
        executor.submit(job(1))
        (outcome,) = follow(executor, SystemClock(), 1).outcomes
    assert outcome.evaluation is not None
    assert outcome.evaluation.metrics == {"threads": 1.0}
    assert torch.get_num_threads() == 2


def test_many_jobs_leave_no_descriptor_and_no_thread_behind(tmp_path: Path) -> None:
    with opened(tmp_path, slots=2, workbench=CountingWorkbench(0.0)) as executor:
        log, handles, threads = Log(), list[int](), list[set[threading.Thread]]()
        for number in range(100):
            executor.submit(job(number, failure=Failure.EXITS if number % 20 == 10 else Failure.NONE))
            follow(executor, SystemClock(), number + 1, log)
            executor.acknowledge()
            if number in {4, 99}:
                handles.append(len(list(Path("/proc/self/fd").iterdir())))
                threads.append(set(threading.enumerate()))
                files = len(list((tmp_path / "spool").iterdir()))
    # What tests before this one have left behind may end meanwhile.
    assert handles[1] <= handles[0]
    assert threads[1] <= threads[0]
    assert files <= 2 + 2  # the current segments of two workers, and of two that were just replaced
    lost = [outcome.trial for outcome in log.outcomes if outcome.kind is OutcomeKind.LOST]
    assert lost == [10, 30, 50, 70, 90]
