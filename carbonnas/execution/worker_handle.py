"""One worker, seen from the search: from its fork to its exit status."""

from __future__ import annotations

import logging
import pickle
import signal
from datetime import timedelta
from multiprocessing.connection import Connection

from carbon_sources.clock import monotonic_s
from carbonnas.energy.meter import OVERHEAD, Account, Owner
from carbonnas.execution.attempt import log_failure
from carbonnas.execution.executor import Job, OutcomeKind
from carbonnas.execution.fork_server import Exited, ForkServer
from carbonnas.execution.protocol import (
    Broken,
    Ended,
    EpochDone,
    Ready,
    Run,
    Setup,
    Started,
    Suspend,
    Used,
    WorkerUsage,
)
from carbonnas.execution.worker_results import WorkerResults

logger = logging.getLogger(__name__)


class WorkerHandle:
    """A worker process and the job that it holds, if any.

    Args:
        fork_server: Forks the process.
        setup: Its first message; names it.
        start_timeout: How long it may take to be ready, and to begin a job, in real time.
        results: Takes what it says.

    Raises:
        OSError: If the fork server is gone.
    """

    def __init__(self, fork_server: ForkServer, setup: Setup, start_timeout: timedelta, results: WorkerResults) -> None:
        self.name = setup.worker
        self.job: Job | None = None
        self.ready = False
        self.broken: Broken | None = None
        self._fork_server = fork_server
        self._start_timeout_s = start_timeout.total_seconds()
        self._results = results
        self._newest = WorkerUsage(self.name, -1, 0.0, monotonic_s(), OVERHEAD, None, 0.0, None)
        self._cpu_s = 0.0
        self._deadline: float | None = monotonic_s() + self._start_timeout_s
        self._overdue = False
        self._misspoken = False
        self._running = False
        self._suspending = False
        self._interrupted = False
        self.connection: Connection | None = fork_server.fork(self.name)
        self._send(setup)

    @property
    def doomed(self) -> bool:
        """Whether it is being killed, or can't be spoken to any more: what it were given would die with it."""
        return self._overdue or self._interrupted or self._misspoken or self.connection is None

    @property
    def free(self) -> bool:
        """Whether it can be given a job."""
        return self.job is None and not self.doomed

    def give(self, job: Job) -> None:
        """Send a job; a worker that is not ready yet begins it when it is."""
        self.job, self._running, self._suspending = job, False, False
        if self.ready:
            self._deadline = monotonic_s() + self._start_timeout_s
        self._send(Run(job))

    def suspend(self) -> None:
        """Ask the job to suspend at its next epoch; idempotent."""
        if self.job is not None and not self._suspending:
            self._suspending = True
            self._send(Suspend(self.job.trial, self.job.attempt))

    def interrupt(self) -> None:
        """Suspend the job by killing the worker: it goes on from its last checkpoint another time."""
        if self.job is not None and not self._interrupted:
            self._interrupted = True
            self._fork_server.kill(self.name)

    def listen(self) -> None:
        """Take what the worker has said; one that says what makes no sense is killed, and its job is lost."""
        while (message := self._receive()) is not None:
            try:
                self._hear(pickle.loads(message))  # noqa: S301 - from a process of our own
            except Exception:
                # Whatever a plug-in made of the message, it may cost its own worker only.
                logger.exception("worker %s is killed: what it said makes no sense", self.name)
                self._misspoken = True
                self.drop()
                self._fork_server.kill(self.name)

    def _receive(self) -> bytes | None:
        try:
            if self.connection is not None and self.connection.poll():
                return self.connection.recv_bytes()
        except (EOFError, OSError):
            self.drop()
        return None

    def drop(self) -> None:
        """Close the pipe; idempotent."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def expire(self, now: float) -> None:
        """Kill the worker if its time is up at `now` monotonic seconds."""
        if self._deadline is not None and now >= self._deadline and not self._overdue:
            self._overdue = True
            self._fork_server.kill(self.name)

    def exited(self, end: Exited) -> None:
        """Take what a worker sent before it ended, and find out what it could not send."""
        self.listen()
        self.drop()
        for usage in self._results.add_lost_usage(self.name, self._newest.sequence):
            self._note(usage)
        if end.cpu_seconds is None:
            logger.warning("nobody can tell what worker %s used in its last moments", self.name)
        else:
            self._results.add_own_usage(self._tail(end.monotonic, end.cpu_seconds))
        if self.job is not None:
            self._results.add_outcome(
                self.name, self.job, self._loss(), end.monotonic, None, self.exit_description(end)
            )
            self.job = None
        self._results.mark_ended(self.name)

    def _loss(self) -> OutcomeKind:
        if self._misspoken:
            return OutcomeKind.LOST
        if self._interrupted:
            return OutcomeKind.SUSPENDED
        return OutcomeKind.TIMED_OUT if self._overdue and self._running else OutcomeKind.LOST

    def exit_description(self, end: Exited) -> str:
        """Say in one sentence how the worker ended."""
        if self.broken is not None:
            return f"the worker can't be set up: {self.broken.failure}"
        if self._misspoken:
            return "the worker was killed because it said what makes no sense: the log tells more"
        if self._overdue:
            limit = (
                self.job.timeout if self.job is not None and self._running else timedelta(seconds=self._start_timeout_s)
            )
            return (
                f"the worker was killed because {'its job' if self._running else 'its start'} took longer than {limit}"
            )
        if end.status is None:
            return "the worker was killed together with the process that forked it"
        if end.status >= 0:
            return f"the worker ended by itself with exit code {end.status}"
        hint = ", perhaps because memory ran out" if end.status == -signal.SIGKILL else ""
        return f"the worker was killed by signal {-end.status} ({_signal_name(-end.status)}){hint}"

    def _hear(self, message: object) -> None:
        match message:
            case Used(usage, segment):
                self._note(usage)
                self._results.add_usage(usage, segment)
            case Ready():
                self.ready = True
                self._deadline = None if self.job is None else monotonic_s() + self._start_timeout_s
            case Broken(_, details):
                self.broken = message
                logger.error("worker %s can't be set up\n%s", self.name, details)
            case _ if self.job is None:
                raise TypeError(f"a worker without a job can't say {type(message).__name__}")
            case Started(monotonic):
                self._running = True
                self._deadline = monotonic + self.job.timeout.total_seconds()
            case EpochDone(epoch, epochs, metrics):
                self._results.add_report(self.job, epoch, epochs, metrics)
            case Ended():
                self._finish(self.job, message)
            case _:
                raise TypeError(f"no worker can say {type(message).__name__}")

    def _finish(self, job: Job, end: Ended) -> None:
        verdict = end.verdict
        log_failure(job, verdict)
        self._results.add_outcome(self.name, job, verdict.kind, end.monotonic, verdict.evaluation, verdict.failure)
        self.job, self._running, self._deadline = None, False, None

    def _note(self, usage: WorkerUsage) -> None:
        self._newest = usage
        self._cpu_s += usage.cpu_seconds

    def _tail(self, end: float, cpu_s: float) -> WorkerUsage:
        trial = self._running and self.job is not None
        owner = Owner(Account.TRIAL, self.job.trial, self.job.attempt) if trial and self.job else OVERHEAD
        return WorkerUsage(
            worker=self.name,
            sequence=self._newest.sequence + 1,
            start=self._newest.end,
            end=end,
            owner=owner,
            request=self.job.request if trial and self.job else None,
            cpu_seconds=max(0.0, cpu_s - self._cpu_s),
            joules=None,
        )

    def _send(self, message: object) -> None:
        try:
            if self.connection is not None:
                self.connection.send(message)
        except ConnectionError:
            # It has ended; its exit status is on the way and tells the rest.
            self.drop()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"
