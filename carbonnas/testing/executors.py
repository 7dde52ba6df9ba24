"""The laws that every executor keeps."""

# ruff: noqa: S101 - a conformance suite asserts, like the tests that inherit it

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from carbon_sources.clock import Clock
from carbonnas.energy.meter import Account, Usage
from carbonnas.errors import ExecutionError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.executor import Executor, Job, Outcome, OutcomeKind
from carbonnas.testing.evaluators import Failure
from carbonnas.trials import Fidelity, FidelityName, TrialKind

_PATIENCE = timedelta(hours=3)
"""In the clock of the search; a clock that runs fast or is simulated reaches it, so it is no proof of anything."""


def job(trial: int, *, failure: Failure = Failure.NONE, epochs: int = 1, checkpoint: Path | None = None) -> Job:
    """Return a job for the evaluators in `carbonnas.testing.evaluators`."""
    request = EvaluationRequest(
        (int(failure), trial), TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, epochs), seed=trial
    )
    return Job(trial, attempt=1, request=request, checkpoint=checkpoint, timeout=timedelta(seconds=60))


@dataclass(slots=True)
class Log:
    """All that was polled, in order."""

    outcomes: list[Outcome] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)

    def poll(self, executor: Executor) -> None:
        """Take what there is; the usage of a job that has ended must be here by now."""
        poll = executor.poll()
        self.usages += poll.usages
        self.outcomes += poll.outcomes
        for outcome in poll.outcomes:
            usages = self.usages_of(outcome.trial)
            assert not usages or max(usage.interval.end for usage in usages) == outcome.at

    def usages_of(self, trial: int) -> list[Usage]:
        """Return a trial's usage in order of time."""
        mine = [usage for usage in self.usages if usage.owner.trial == trial]
        return sorted(mine, key=lambda usage: usage.interval)


def follow(executor: Executor, clock: Clock, count: int, log: Log | None = None) -> Log:
    """Wait and poll until there are `count` outcomes."""
    log, wake = log or Log(), threading.Event()
    for _ in range(10_000):
        log.poll(executor)
        if len(log.outcomes) >= count:
            return log
        executor.wait(clock.now() + _PATIENCE, wake)
    raise AssertionError(f"only {len(log.outcomes)} of {count} outcomes came")


class ExecutorConformance(ABC):
    """Inherit in a test class whose name starts with `Test`; say how to make the executor.

    Attributes:
        takes_time: Whether jobs take time in the clock of the search, so that there is usage.
        reports_overhead: Whether there is usage outside jobs too, such as that of workers that start.
    """

    takes_time = True
    reports_overhead = False

    @abstractmethod
    def make_executor(self, folder: Path, slots: int) -> tuple[Executor, Clock]:
        """Return a new executor on a `CountingWorkbench`, not open, with its clock; `folder` is empty."""

    @contextmanager
    def opened(self, folder: Path, slots: int = 2) -> Iterator[tuple[Executor, Clock]]:
        """Open an executor and close it."""
        executor, clock = self.make_executor(folder, slots)
        assert executor.recover() == ()
        executor.open()
        try:
            yield executor, clock
        finally:
            executor.close()

    def test_each_job_gives_exactly_one_outcome_and_its_result(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.submit(job(3, epochs=2))
            executor.submit(job(4, epochs=1))
            log = follow(executor, clock, 2)
            executor.wait(clock.now() + timedelta(seconds=0.05), threading.Event())
            log.poll(executor)
        assert sorted((o.trial, o.attempt, o.kind) for o in log.outcomes) == [
            (3, 1, OutcomeKind.COMPLETED),
            (4, 1, OutcomeKind.COMPLETED),
        ]
        assert {o.trial: o.evaluation.metrics["epochs"] for o in log.outcomes if o.evaluation} == {3: 2.0, 4: 1.0}

    def test_the_usage_of_a_job_covers_its_time_in_the_slot_without_gap_or_overlap(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            begin = clock.now()
            submitted = job(1, epochs=3)
            executor.submit(submitted)
            log = follow(executor, clock, 1)
        usages = log.usages_of(1)
        assert usages if self.takes_time else True
        for before, after in pairwise(usages):
            assert before.interval.end == after.interval.start
        assert all(begin <= usage.interval.start for usage in usages)
        assert all(usage.request == submitted.request and usage.owner.attempt == 1 for usage in usages)

    def test_no_two_usages_have_one_id(self, tmp_path: Path) -> None:
        log = Log()
        with self.opened(tmp_path) as (executor, clock):
            for number in range(4):
                executor.submit(job(number))
                follow(executor, clock, number + 1, log)
        ids = [usage.usage_id for usage in log.usages]
        assert len(set(ids)) == len(ids)

    def test_usage_outside_jobs_is_overhead(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.submit(job(1))
            log = follow(executor, clock, 1)
        others = [usage for usage in log.usages if usage.owner.trial is None]
        assert others if self.reports_overhead else not others
        assert all(usage.owner.account is Account.OVERHEAD and usage.request is None for usage in others)

    def test_a_job_takes_a_slot_and_gives_it_back(self, tmp_path: Path) -> None:
        with self.opened(tmp_path, slots=2) as (executor, clock):
            assert executor.free_slots == 2
            executor.submit(job(1))
            assert executor.free_slots == 1
            executor.submit(job(2))
            assert executor.free_slots == 0
            with pytest.raises(ExecutionError, match="slot"):
                executor.submit(job(3))
            follow(executor, clock, 2)
            assert executor.free_slots == 2

    def test_an_evaluation_without_a_result_fails_with_its_sentence(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.submit(job(1, failure=Failure.FAILS))
            (outcome,) = follow(executor, clock, 1).outcomes
        assert (outcome.kind, outcome.failure) == (OutcomeKind.FAILED, "the loss is not a number")
        assert outcome.evaluation is None

    def test_a_metric_that_is_not_a_number_fails_its_job_and_is_named(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.submit(job(1, failure=Failure.IS_NO_NUMBER))
            (outcome,) = follow(executor, clock, 1).outcomes
        assert (outcome.kind, outcome.evaluation) == (OutcomeKind.FAILED, None)
        assert outcome.failure == "the metric 'epochs' is nan, not a finite number"

    @pytest.mark.parametrize(
        ("failure", "sentence"),
        [(Failure.RAISES, "RuntimeError: no evaluator should say this"), (Failure.LACKS_MEMORY, "MemoryError")],
    )
    def test_a_bug_of_an_evaluator_fails_its_job_only_and_is_logged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, failure: Failure, sentence: str
    ) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.submit(job(1, failure=failure))
            follow_up = follow(executor, clock, 1)
            executor.submit(job(2))
            follow(executor, clock, 2, follow_up)
        assert [(o.kind, o.failure) for o in follow_up.outcomes] == [
            (OutcomeKind.FAILED, sentence),
            (OutcomeKind.COMPLETED, None),
        ]
        assert "Traceback" in caplog.text

    def test_suspending_what_is_not_there_changes_nothing(self, tmp_path: Path) -> None:
        with self.opened(tmp_path) as (executor, clock):
            executor.suspend(99)
            executor.submit(job(1))
            executor.suspend(98)
            (outcome,) = follow(executor, clock, 1).outcomes
        assert outcome.kind is OutcomeKind.COMPLETED

    def test_a_wait_ends_when_it_is_woken_or_its_time_has_come(self, tmp_path: Path) -> None:
        wake = threading.Event()
        with self.opened(tmp_path) as (executor, clock):
            executor.poll()
            until = clock.now() + timedelta(milliseconds=5)
            executor.wait(until, wake)
            assert clock.now() >= until
            wake.set()
            executor.wait(clock.now() + timedelta(days=300), wake)

    def test_closing_twice_is_closing_once(self, tmp_path: Path) -> None:
        executor, _ = self.make_executor(tmp_path, 1)
        executor.open()
        executor.submit(job(1))
        executor.close()
        executor.close()
        assert executor.free_slots == 0
        with pytest.raises(ExecutionError):
            executor.submit(job(2))

    def test_what_was_not_opened_can_be_closed(self, tmp_path: Path) -> None:
        executor, _ = self.make_executor(tmp_path, 1)
        executor.close()


__all__: Sequence[str] = ("ExecutorConformance", "Log", "follow", "job")
