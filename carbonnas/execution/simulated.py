"""Evaluations in virtual time: weeks of a search in seconds."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from carbon_sources.clock import Clock, SimulatedClock
from carbon_sources.units import Duration
from carbonnas.energy.meter import ProbeFactory, Usage
from carbonnas.errors import ExecutionError
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.attempt import Verdict, evaluate_safely, log_failure
from carbonnas.execution.executor import EpochReport, Executor, Job, Outcome, OutcomeKind, Poll, no_free_slot
from carbonnas.execution.simulated_job import SimulatedJob, read_done, write_done
from carbonnas.execution.workbench import Workbench
from carbonnas.trials import TrialKind

_SHORTEST = timedelta(microseconds=1)
"""Resolution of instants: no work takes no time."""


class SimulatedExecutor(Executor):
    """Knows each result at once and hands it out when the clock has come so far; one thread, no randomness.

    Jobs take the modelled seconds of their evaluation. A slot counts as used while its job is there and until its outcome is polled.
    Usage is reported up to the instant of each poll, with one processor second for each second in a slot. A job that is suspended
    leaves at the end of its epoch; the epochs that are done are kept in its checkpoint, if it has one, and lost otherwise. A job that
    finds epochs in its checkpoint loads it before it goes on. Timeouts are of real time, which does not pass here.

    Args:
        clock: The clock of the search; `wait` moves it.
        slots: Jobs at the same time.
        workbench: Makes the evaluators, once.
        spool: Not used: a search that is killed goes on from its snapshot and repeats what was not committed.
        probe: Not used: nothing real is drawn.
        suspend_cost: How long it takes to write a checkpoint before a suspended job leaves.
        resume_cost: How long a job that goes on from a checkpoint needs before its next epoch begins.
        seconds_per_evaluation: Modelled seconds of evaluations that give none themselves; without it they are refused.

    Raises:
        ExecutionError: If the clock is not a simulated one.
    """

    def __init__(  # noqa: PLR0913 - services, and options that users set
        self,
        clock: Clock,
        slots: int,
        workbench: Workbench,
        spool: Path,  # noqa: ARG002 - every executor is offered it
        probe: ProbeFactory | None,  # noqa: ARG002 - every executor is offered it
        *,
        suspend_cost: Duration = timedelta(0),
        resume_cost: Duration = timedelta(0),
        seconds_per_evaluation: Annotated[float, Field(gt=0)] | None = None,
    ) -> None:
        if not isinstance(clock, SimulatedClock):
            raise ExecutionError("simulated work needs a simulated clock: set it, or use the executor 'process'")
        self._clock = clock
        self._slots = slots
        self._workbench = workbench
        self._suspend_cost = suspend_cost
        self._resume_s = resume_cost.total_seconds()
        self._suspensions = 0
        self._seconds = seconds_per_evaluation
        self._evaluators: Mapping[TrialKind, Evaluator] | None = None
        self._running: list[SimulatedJob] = []

    def open(self) -> None:
        self._evaluators = self._workbench.evaluators()

    @property
    def free_slots(self) -> int:
        return 0 if self._evaluators is None else self._slots - len(self._running)

    @property
    def suspensions(self) -> int:
        """How often a job has left its slot before its work was done."""
        return self._suspensions

    @property
    def next_at(self) -> datetime | None:
        return min((running.end for running in self._running), default=None)

    def submit(self, job: Job) -> None:
        if self._evaluators is None or self.free_slots == 0:
            raise no_free_slot(job, self._slots)
        verdict = evaluate_safely(self._evaluators, job.request, _Session())
        log_failure(job, verdict)
        self._running.append(self._simulate(job, verdict))

    def suspend(self, trial: int, *, at_once: bool = False) -> None:
        for running in self._running:
            if running.job.trial == trial:
                if at_once:
                    running.interrupt(self._clock.now())
                else:
                    running.suspend(self._clock.now(), self._suspend_cost)

    def poll(self) -> Poll:
        now = self._clock.now()
        usages = [usage for running in self._running if (usage := running.use(now)) is not None]
        over = [running for running in self._running if running.end <= now]
        self._running = [running for running in self._running if running.end > now]
        for running in over:
            self._suspensions += running.outcome.kind is OutcomeKind.SUSPENDED
            if running.leaving is not None and running.leaving > running.done:
                write_done(running.job.checkpoint, running.leaving, running.end)
        outcomes = sorted((running.outcome for running in over), key=lambda outcome: outcome.at)
        kept = [
            EpochReport(r.job.trial, r.leaving, r.epochs, {})
            for r in over
            if r.leaving is not None and r.job.checkpoint
        ]
        return Poll(tuple(outcomes), tuple(sorted(usages, key=lambda usage: usage.interval)), tuple(kept))

    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Move the clock to `until` or the next outcome, whichever is sooner; what is due already is not waited for."""
        self._clock.wait(min(until, self.next_at or until), wake)

    def recover(self) -> tuple[Usage, ...]:
        return ()

    def acknowledge(self) -> None:
        """Do nothing: nothing was spooled."""

    def snapshot(self) -> str | None:
        return f"[{', '.join(running.encode() for running in self._running)}]"

    def restore(self, snapshot: str | None) -> frozenset[int]:
        if snapshot is None:
            return frozenset()
        try:
            self._running = [SimulatedJob.decode(content) for content in json.loads(snapshot)]
        except (ValueError, TypeError, KeyError) as error:
            raise ExecutionError(f"the snapshot of the simulated work can't be read: {error}") from error
        return frozenset(running.job.trial for running in self._running)

    def close(self) -> None:
        self._evaluators = None
        self._running = []

    def _simulate(self, job: Job, verdict: Verdict) -> SimulatedJob:
        now = self._clock.now()
        if verdict.kind is not OutcomeKind.COMPLETED or verdict.evaluation is None:
            outcome = Outcome(job.trial, job.attempt, verdict.kind, now, failure=verdict.failure)
            return SimulatedJob(job, now, now, now, outcome, epoch_s=math.inf, done=0)
        seconds = verdict.evaluation.modelled_seconds
        seconds = self._seconds if seconds is None else seconds
        if seconds is None:
            raise ExecutionError(
                f"the evaluator of {job.request.kind.value} says not how long its work would take: choose one that does,"
                " or set the option seconds_per_evaluation"
            )
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ExecutionError(f"trial {job.trial} would take {seconds} s, which is no length of time")
        outcome = Outcome(job.trial, job.attempt, OutcomeKind.COMPLETED, now, verdict.evaluation)
        epoch_s = max(seconds, _SHORTEST.total_seconds()) / max(1, job.request.fidelity.epochs)
        done = self._done(job)
        simulated = SimulatedJob(job, now, now, now, outcome, epoch_s=epoch_s, done=done)
        simulated.loading_s = self._resume_s if done else 0.0
        work_s = simulated.loading_s + (simulated.epochs - done) * epoch_s
        simulated.end = now + max(_SHORTEST, timedelta(seconds=work_s))
        simulated.outcome = replace(outcome, at=simulated.end)
        return simulated

    def _done(self, job: Job) -> int:
        try:
            return min(read_done(job.checkpoint), max(1, job.request.fidelity.epochs))
        except ValueError as error:
            raise ExecutionError(str(error)) from error


class _Session:
    """A session in which nothing happens: the evaluation is only looked up."""

    checkpoint: Path | None = None

    def suspend_requested(self) -> bool:
        return False

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Show nothing: the epochs have not come yet."""
