"""What evaluators must not be able to do to the search or to each other."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import SystemClock, monotonic_s
from carbonnas.execution.executor import OutcomeKind
from carbonnas.execution.process import ProcessExecutor
from carbonnas.testing.evaluators import CountingWorkbench, Failure
from carbonnas.testing.executors import follow, job
from carbonnas.testing.processes import alive, children, grandchildren, opened


def wait_for_slot(executor: ProcessExecutor) -> None:
    deadline = monotonic_s() + 30
    while executor.free_slots == 0:
        assert monotonic_s() < deadline
        executor.wait(datetime.now(UTC) + timedelta(seconds=0.02), threading.Event())
        executor.poll()


def wait_for_end(pid: int) -> None:
    deadline = monotonic_s() + 30
    while alive(pid):
        assert monotonic_s() < deadline
        time.sleep(0.02)


def test_a_kill_that_comes_late_does_not_hit_the_next_job(tmp_path: Path) -> None:
    with opened(tmp_path, workbench=CountingWorkbench(0.3)) as executor:
        (fork_server,) = children(os.getpid())
        os.kill(fork_server, signal.SIGSTOP)
        executor.submit(replace(job(1, epochs=2), timeout=timedelta(seconds=0.2)))
        log = follow(executor, SystemClock(), 1)  # done after 0.6 s; the kill, ordered after 0.2 s, is yet to come
        free_slots = executor.free_slots
        os.kill(fork_server, signal.SIGCONT)
        wait_for_slot(executor)
        executor.submit(job(2))
        follow(executor, SystemClock(), 2, log)
    assert free_slots == 0
    assert [outcome.kind for outcome in log.outcomes] == [OutcomeKind.COMPLETED, OutcomeKind.COMPLETED]


def test_what_an_evaluator_prints_is_not_on_the_output_of_the_search(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.PRINTS))
        follow(executor, SystemClock(), 1)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "a word of an evaluator\n" in captured.err


def test_a_child_of_an_evaluator_has_no_say(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.HAS_A_CHILD_THAT_RAISES))
        log = follow(executor, SystemClock(), 1)
        executor.submit(job(2))
        follow(executor, SystemClock(), 2, log)
    assert [outcome.kind for outcome in log.outcomes] == [OutcomeKind.COMPLETED, OutcomeKind.COMPLETED]


def test_a_child_of_an_evaluator_ends_with_its_worker_even_if_that_is_killed(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.LEAVES_A_CHILD))
        follow(executor, SystemClock(), 1)
        (worker,) = grandchildren(os.getpid())
        (child,) = children(worker)
        assert alive(child)
        os.kill(worker, signal.SIGKILL)
        wait_for_end(child)


def test_a_child_of_an_evaluator_ends_when_the_executor_is_closed(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.LEAVES_A_CHILD))
        follow(executor, SystemClock(), 1)
        (worker,) = grandchildren(os.getpid())
        (child,) = children(worker)
    wait_for_end(child)
