"""What going on from a checkpoint costs in simulated time, and what its file tells."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbon_sources.clock import SimulatedClock
from carbonnas.execution.executor import OutcomeKind
from carbonnas.execution.simulated import SimulatedExecutor
from carbonnas.testing.evaluators import CountingWorkbench
from carbonnas.testing.executors import follow, job

START = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH_S = 60.0
WAKE = threading.Event()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened(clock: SimulatedClock) -> SimulatedExecutor:
    bench = CountingWorkbench(EPOCH_S, modelled=True)
    executor = SimulatedExecutor(
        clock, 1, bench, Path("nowhere"), None, suspend_cost=timedelta(seconds=5), resume_cost=timedelta(seconds=20)
    )
    executor.open()
    return executor


def test_a_job_loads_its_checkpoint_before_its_next_epoch_and_pays_for_that_time(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    work = replace(job(1, epochs=3), checkpoint=tmp_path / "one")
    executor.submit(work)
    clock.advance(at(30))
    executor.suspend(1)
    assert follow(executor, clock, 1).outcomes[0].at == at(60 + 5)
    assert executor.suspensions == 1
    executor.submit(work)
    log = follow(executor, clock, 1)
    # 65 s have passed; 20 s to load, and two epochs of 60 s are left.
    assert [(outcome.kind, outcome.at) for outcome in log.outcomes] == [(OutcomeKind.COMPLETED, at(65 + 20 + 120))]
    assert sum(usage.interval.seconds for usage in log.usages) == 140.0
    assert executor.suspensions == 1


def test_a_job_that_is_suspended_while_it_loads_still_works_one_epoch(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    work = replace(job(1, epochs=4), checkpoint=tmp_path / "one")
    executor.submit(work)
    executor.suspend(1)
    follow(executor, clock, 1)
    executor.submit(work)
    clock.advance(at(65 + 10))
    executor.suspend(1)
    # 20 s to load, one epoch, 5 s to write.
    assert follow(executor, clock, 1).outcomes[0].at == at(65 + 20 + 60 + 5)


def test_a_checkpoint_bears_the_time_of_the_search_and_not_that_of_the_machine(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(replace(job(1, epochs=2), checkpoint=tmp_path / "one"))
    executor.suspend(1)
    follow(executor, clock, 1)
    assert (tmp_path / "one").stat().st_mtime_ns == round(at(65).timestamp() * 1e9)


def test_a_job_that_loads_goes_on_in_another_process_as_if_nothing_had_happened(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    work = replace(job(1, epochs=3), checkpoint=tmp_path / "one")
    executor.submit(work)
    executor.suspend(1)
    follow(executor, clock, 1)
    executor.submit(work)
    executor.poll()
    snapshot = executor.snapshot()
    other = opened(clock)
    assert other.restore(snapshot) == frozenset({1})
    clock.advance(at(65 + 10))
    other.suspend(1)
    assert follow(other, clock, 1).outcomes[0].at == at(65 + 20 + 60 + 5)
