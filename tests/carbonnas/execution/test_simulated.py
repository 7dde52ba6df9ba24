from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.clock import Clock, SimulatedClock, SystemClock
from carbonnas.energy.meter import Usage
from carbonnas.errors import ExecutionError
from carbonnas.execution.executor import Executor, Outcome, OutcomeKind
from carbonnas.execution.simulated import SimulatedExecutor
from carbonnas.testing.evaluators import CountingWorkbench
from carbonnas.testing.executors import ExecutorConformance, Log, follow, job

START = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH_S = 60.0
WAKE = threading.Event()
NOWHERE = Path("nowhere")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened(clock: SimulatedClock, slots: int = 2, suspend_cost: timedelta = timedelta(0)) -> SimulatedExecutor:
    bench = CountingWorkbench(EPOCH_S, modelled=True)
    executor = SimulatedExecutor(clock, slots, bench, NOWHERE, None, suspend_cost=suspend_cost)
    executor.open()
    return executor


class TestSimulatedExecutor(ExecutorConformance):
    def make_executor(self, folder: Path, slots: int) -> tuple[Executor, Clock]:
        clock = SimulatedClock(START)
        return SimulatedExecutor(clock, slots, CountingWorkbench(EPOCH_S, modelled=True), folder / "spool", None), clock


def test_a_job_takes_its_modelled_time_and_a_processor_as_long() -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=3))
    log = follow(executor, clock, 1)
    assert log.outcomes[0].at == clock.now() == at(3 * EPOCH_S)
    assert [(u.interval.start, u.interval.end, u.cpu_seconds) for u in log.usages] == [(START, at(180), 180.0)]


def test_a_wait_goes_to_the_next_outcome_or_to_its_end_whichever_is_sooner() -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=2))
    executor.submit(job(2, epochs=1))
    executor.wait(at(30), WAKE)
    assert clock.now() == at(30)
    executor.wait(at(1000), WAKE)
    assert clock.now() == at(60)
    assert [outcome.trial for outcome in executor.poll().outcomes] == [2]
    executor.wait(at(1000), WAKE)
    assert [outcome.trial for outcome in executor.poll().outcomes] == [1]
    assert clock.now() == at(120)


def test_each_poll_reports_usage_up_to_its_instant_and_outcomes_at_theirs() -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=1))
    clock.advance(at(25))
    assert [usage.interval.end for usage in executor.poll().usages] == [at(25)]
    clock.advance(at(1000))
    poll = executor.poll()
    assert [(u.interval.start, u.interval.end) for u in poll.usages] == [(at(25), at(60))]
    assert [outcome.at for outcome in poll.outcomes] == [at(60)]


def test_the_id_of_a_usage_says_which_piece_of_work_it_is() -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(7))
    (usage,) = follow(executor, clock, 1).usages
    assert usage.usage_id == f"simulated-7-1-{int(at(60).timestamp()) * 1_000_000}"


@pytest.mark.parametrize(("asked_s", "ends_s"), [(0, 60), (59, 60), (60, 120), (61, 120)])
def test_a_job_is_suspended_at_the_next_end_of_an_epoch(tmp_path: Path, asked_s: float, ends_s: float) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=5, checkpoint=tmp_path / "c"))
    clock.advance(at(asked_s))
    executor.suspend(1)
    (outcome,) = follow(executor, clock, 1).outcomes
    assert (outcome.kind, outcome.at) == (OutcomeKind.SUSPENDED, at(ends_s))
    assert json.loads((tmp_path / "c").read_text()) == {"epochs_done": ends_s / EPOCH_S}


def test_suspending_costs_what_it_is_said_to_cost(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock, suspend_cost=timedelta(seconds=5))
    executor.submit(job(1, epochs=5, checkpoint=tmp_path / "c"))
    executor.suspend(1)
    log = follow(executor, clock, 1)
    assert log.outcomes[0].at == at(65)
    assert sum(usage.interval.seconds for usage in log.usages) == 65


@pytest.mark.parametrize(("asked_s", "done"), [(0, 2), (59, 2), (60, 3), (130, 4)])
def test_an_interrupted_job_writes_its_checkpoint_only_if_it_has_made_progress(
    tmp_path: Path, asked_s: float, done: int
) -> None:
    checkpoint = tmp_path / "c"
    checkpoint.write_text(json.dumps({"epochs_done": 2}))
    os.utime(checkpoint, (1000, 1000))
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=5, checkpoint=checkpoint))
    clock.advance(at(asked_s))
    executor.suspend(1, at_once=True)
    assert [outcome.kind for outcome in executor.poll().outcomes] == [OutcomeKind.SUSPENDED]
    assert json.loads(checkpoint.read_text()) == {"epochs_done": done}
    assert (checkpoint.stat().st_mtime == 1000) == (done == 2)


def test_a_job_that_is_suspended_tells_how_many_epochs_it_leaves_behind(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=5, checkpoint=tmp_path / "c"))
    executor.submit(job(2, epochs=5))
    clock.advance(at(70))
    for trial in (1, 2):
        executor.suspend(trial, at_once=True)
    # Without a checkpoint nothing is left behind, and nothing is told.
    assert [(report.trial, report.epoch, report.epochs) for report in executor.poll().reports] == [(1, 1, 5)]


def test_the_last_epoch_is_worked_to_its_end(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=3, checkpoint=tmp_path / "c"))
    clock.advance(at(130))
    executor.suspend(1)
    (outcome,) = follow(executor, clock, 1).outcomes
    assert (outcome.kind, outcome.at) == (OutcomeKind.COMPLETED, at(180))


def test_without_a_checkpoint_the_work_that_was_done_is_lost() -> None:
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=3))
    executor.suspend(1)
    log = follow(executor, clock, 1)
    executor.submit(job(1, epochs=3))
    follow(executor, clock, 2, log)
    assert log.outcomes[1].at == at(60 + 180)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 400), max_size=5), st.integers(1, 6))
def test_however_often_a_job_is_suspended_it_takes_its_time_and_no_more(pauses: list[float], epochs: int) -> None:
    with TemporaryDirectory() as folder:
        clock, log = SimulatedClock(START), Log()
        for attempt, pause_s in enumerate([*pauses, None]):
            executor = opened(clock)  # each time in a new process, so to speak
            executor.submit(job(1, epochs=epochs, checkpoint=Path(folder) / "c"))
            if pause_s is not None:
                executor.wait(clock.now() + timedelta(seconds=pause_s), WAKE)
                executor.suspend(1)
            follow(executor, clock, attempt + 1, log)
            if log.outcomes[-1].kind is OutcomeKind.COMPLETED:
                break
    assert log.outcomes[-1].kind is OutcomeKind.COMPLETED
    assert sum(usage.interval.seconds for usage in log.usages) == pytest.approx(epochs * EPOCH_S, abs=1e-4)


def run(ticks: list[float], crash_after: int | None, folder: Path) -> tuple[list[Outcome], dict[str, Usage]]:
    """Poll at each tick like a search; after one of them start anew from its snapshot."""
    clock = SimulatedClock(START)
    executor = opened(clock)
    executor.submit(job(1, epochs=4, checkpoint=folder / "c"))
    executor.submit(job(2, epochs=2))
    outcomes: list[Outcome] = []
    usages: dict[str, Usage] = {}
    for number, tick in enumerate(sorted(ticks)):
        clock.advance(at(tick))
        poll = executor.poll()
        outcomes += poll.outcomes
        usages |= {usage.usage_id: usage for usage in poll.usages}
        if number == 1:
            executor.suspend(1)
        if number == crash_after:
            snapshot = executor.snapshot()
            executor.close()
            clock = SimulatedClock(at(tick))
            executor = opened(clock)
            assert len(executor.restore(snapshot)) == 2 - len(outcomes)
    return outcomes, usages


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 300), min_size=3, max_size=8, unique=True), st.integers(0, 2))
def test_a_search_that_goes_on_from_a_snapshot_sees_the_same_as_one_that_was_never_killed(
    ticks: list[float], crash_after: int
) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        first = run(ticks, None, Path(one))
        second = run(ticks, crash_after, Path(other))
    assert second[0] == first[0]
    assert {key: usage.interval for key, usage in second[1].items()} == {key: u.interval for key, u in first[1].items()}


def test_the_usage_of_a_simulated_stay_has_neither_gap_nor_overlap() -> None:
    clock = SimulatedClock(START)
    executor, log = opened(clock), Log()
    executor.submit(job(1, epochs=2))
    for tick in (1.5, 1.5, 60, 119.999999, 500):
        clock.advance(at(tick))
        log.poll(executor)
    usages = log.usages_of(1)
    assert [usage.interval.end for usage in usages] == [at(1.5), at(60), at(119.999999), at(120)]
    assert all(before.interval.end == after.interval.start for before, after in pairwise(usages))


def test_a_clock_that_is_not_simulated_is_refused() -> None:
    with pytest.raises(ExecutionError, match="use the executor 'process'"):
        SimulatedExecutor(SystemClock(), 1, CountingWorkbench(1.0, modelled=True), NOWHERE, None)


def test_an_evaluator_without_modelled_time_is_refused_unless_the_option_supplies_it() -> None:
    clock = SimulatedClock(START)
    executor = SimulatedExecutor(clock, 1, CountingWorkbench(0.0), NOWHERE, None)
    executor.open()
    with pytest.raises(ExecutionError, match="seconds_per_evaluation"):
        executor.submit(job(1))
    executor = SimulatedExecutor(clock, 1, CountingWorkbench(0.0), NOWHERE, None, seconds_per_evaluation=90)
    executor.open()
    executor.submit(job(1))
    assert follow(executor, clock, 1).outcomes[0].at == at(90)


def test_work_that_takes_no_time_takes_a_microsecond() -> None:
    clock = SimulatedClock(START)
    executor = SimulatedExecutor(clock, 1, CountingWorkbench(0.0, modelled=True), NOWHERE, None)
    executor.open()
    executor.submit(job(1))
    assert follow(executor, clock, 1).outcomes[0].at == START + timedelta(microseconds=1)


def test_a_checkpoint_of_another_kind_is_refused_with_a_remedy(tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    checkpoint.write_bytes(b"\x00weights")
    with pytest.raises(ExecutionError, match="delete it"):
        opened(SimulatedClock(START)).submit(job(1, checkpoint=checkpoint))


def test_a_snapshot_that_can_t_be_read_is_an_error() -> None:
    executor = opened(SimulatedClock(START))
    assert executor.restore(None) == frozenset()
    with pytest.raises(ExecutionError, match="snapshot"):
        executor.restore('[{"trial": 1}]')
