"""Evaluations in the process of the search itself, for notebooks and debuggers."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from carbon_sources.clock import Clock
from carbon_sources.interval import Interval
from carbonnas.energy.meter import Account, Owner, ProbeFactory, Usage
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.attempt import evaluate_safely, log_failure, plain
from carbonnas.execution.executor import EpochReport, Executor, Job, Outcome, Poll, no_free_slot
from carbonnas.execution.reporter import processor_seconds
from carbonnas.execution.spool import Spool
from carbonnas.execution.workbench import Workbench
from carbonnas.trials import TrialKind


class InlineExecutor(Executor):
    """Runs each job when it is submitted, blocking, one at a time; a slot is free again when its outcome has been polled.

    Meant for looking closely, not for long searches: a job can't be killed, so its timeout is not kept; it can only be suspended from
    inside, such as by a callback of its own reports; budgets are checked between jobs only; and a process that is killed loses the
    usage of the job that it was at.

    Args:
        clock: The clock of the search.
        slots: How many outcomes can wait to be polled.
        workbench: Makes the evaluators, once.
        spool: Where workers of an earlier process may have left usage; nothing is added to it.
        probe: Not used: the work is part of what the meter measures of this process.
    """

    def __init__(
        self,
        clock: Clock,
        slots: int,
        workbench: Workbench,
        spool: Path,
        probe: ProbeFactory | None,  # noqa: ARG002 - every executor is offered it
    ) -> None:
        self._clock = clock
        self._slots = slots
        self._workbench = workbench
        self._spool = Spool(spool)
        self._evaluators: Mapping[TrialKind, Evaluator] | None = None
        self._name = secrets.token_hex(8)
        self._jobs = 0
        self._session: _Session | None = None
        self._outcomes: list[Outcome] = []
        self._usages: list[Usage] = []
        self._reports: list[EpochReport] = []

    def open(self) -> None:
        self._evaluators = self._workbench.evaluators()

    @property
    def free_slots(self) -> int:
        busy = len(self._outcomes) + (self._session is not None)
        return 0 if self._evaluators is None else self._slots - busy

    def submit(self, job: Job) -> None:
        if self._evaluators is None or self.free_slots == 0:
            raise no_free_slot(job, self._slots)
        self._session = session = _Session(job, self._reports)
        start, cpu_s = self._clock.now(), processor_seconds()
        try:
            verdict = evaluate_safely(self._evaluators, job.request, session)
        finally:
            self._session = None
            end = max(start, self._clock.now())
            self._use(job, start, end, processor_seconds() - cpu_s)
        log_failure(job, verdict)
        self._outcomes.append(Outcome(job.trial, job.attempt, verdict.kind, end, verdict.evaluation, verdict.failure))

    def suspend(self, trial: int, *, at_once: bool = False) -> None:  # noqa: ARG002 - nothing can interrupt its own process
        if self._session is not None and self._session.job.trial == trial:
            self._session.suspend = True

    def poll(self) -> Poll:
        poll = Poll(tuple(self._outcomes), tuple(self._usages), tuple(self._reports))
        self._outcomes.clear()
        self._usages.clear()
        self._reports.clear()
        return poll

    def wait(self, until: datetime, wake: threading.Event) -> None:
        if not (self._outcomes or self._usages or self._reports):
            self._clock.wait(until, wake)

    def recover(self) -> tuple[Usage, ...]:
        return self._spool.recover()

    def acknowledge(self) -> None:
        self._spool.forget_recovered()

    def close(self) -> None:
        self._evaluators = None
        self.poll()

    def _use(self, job: Job, start: datetime, end: datetime, cpu_s: float) -> None:
        self._jobs += 1
        if end > start:
            owner = Owner(Account.TRIAL, job.trial, job.attempt)
            self._usages.append(
                Usage(
                    self._name, self._jobs, Interval(start, end), owner, job.request, max(0.0, cpu_s), None, inline=True
                )
            )


class _Session:
    def __init__(self, job: Job, reports: list[EpochReport]) -> None:
        self.job = job
        self.suspend = False
        self._reports = reports

    @property
    def checkpoint(self) -> Path | None:
        return self.job.checkpoint

    def suspend_requested(self) -> bool:
        return self.suspend

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        self._reports.append(EpochReport(self.job.trial, int(epoch), int(epochs), plain(metrics)))
