"""What evaluators must not be able to do to the search or to each other."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import SystemClock, monotonic_s
from carbonnas.execution.executor import OutcomeKind
from carbonnas.execution.process import ProcessExecutor
from carbonnas.testing.evaluators import Failure
from carbonnas.testing.executors import follow, job
from carbonnas.testing.processes import alive, children, grandchildren, opened, stop, wait_for_end, wait_until


def wait_for_slot(executor: ProcessExecutor) -> None:
    def is_free() -> bool:
        executor.poll()
        return executor.free_slots > 0

    wait_until(is_free, "no slot becomes free")


def test_a_kill_that_comes_late_does_not_hit_the_next_job(tmp_path: Path) -> None:
    limit_s = 0.2
    with opened(tmp_path) as executor:
        (fork_server,) = children(os.getpid())
        stop(fork_server)
        executor.submit(replace(job(1, epochs=100_000), timeout=timedelta(seconds=limit_s)))
        wait_until(lambda: bool(executor.poll().reports), "the job does not begin")
        begun_s = monotonic_s()
        wait_until(lambda: monotonic_s() > begun_s + limit_s, "time stands still")
        executor.poll()  # orders the kill, which is yet to come when the job ends by itself
        executor.suspend(1)
        log = follow(executor, SystemClock(), 1)
        free_slots = executor.free_slots
        os.kill(fork_server, signal.SIGCONT)
        wait_for_slot(executor)
        executor.submit(job(2))
        follow(executor, SystemClock(), 2, log)
    assert free_slots == 0
    assert [outcome.kind for outcome in log.outcomes] == [OutcomeKind.SUSPENDED, OutcomeKind.COMPLETED]


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
        wait_for_end([child])


def test_a_child_of_an_evaluator_ends_when_the_executor_is_closed(tmp_path: Path) -> None:
    with opened(tmp_path) as executor:
        executor.submit(job(1, failure=Failure.LEAVES_A_CHILD))
        follow(executor, SystemClock(), 1)
        (worker,) = grandchildren(os.getpid())
        (child,) = children(worker)
    wait_for_end([child])
