from __future__ import annotations

from pathlib import Path

from carbon_sources.clock import Clock, SystemClock
from carbonnas.execution.executor import Executor, OutcomeKind
from carbonnas.execution.inline import InlineExecutor
from carbonnas.testing.evaluators import CountingWorkbench
from carbonnas.testing.executors import ExecutorConformance, follow, job


class TestInlineExecutor(ExecutorConformance):
    def make_executor(self, folder: Path, slots: int) -> tuple[Executor, Clock]:
        clock = SystemClock()
        return InlineExecutor(clock, slots, CountingWorkbench(0.002), folder / "spool", None), clock


def test_a_job_is_one_usage_without_a_probe(tmp_path: Path) -> None:
    clock = SystemClock()
    executor = InlineExecutor(clock, 1, CountingWorkbench(0.01), tmp_path, None)
    executor.open()
    executor.submit(job(1, epochs=3))
    (usage,) = follow(executor, clock, 1).usages_of(1)
    assert usage.interval.seconds >= 3 * 0.01
    assert usage.probe is None
    assert 0 <= usage.cpu_seconds <= usage.interval.seconds + 0.02


def test_all_that_a_job_did_waits_for_the_poll(tmp_path: Path) -> None:
    executor = InlineExecutor(SystemClock(), 1, CountingWorkbench(0.0), tmp_path, None)
    executor.open()
    executor.submit(job(5, epochs=2))
    poll = executor.poll()
    assert [outcome.kind for outcome in poll.outcomes] == [OutcomeKind.COMPLETED]
    assert [(report.trial, report.epoch) for report in poll.reports] == [(5, 1), (5, 2)]
    assert executor.poll().outcomes == ()
