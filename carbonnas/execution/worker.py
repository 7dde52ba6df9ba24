"""The worker: one process that evaluates one job after the other and reports its usage."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.attempt import describe, evaluate_safely, plain
from carbonnas.execution.executor import Job
from carbonnas.execution.protocol import Broken, Ended, EpochDone, FromWorker, Ready, Run, Setup, Started, Suspend
from carbonnas.execution.reporter import Reporter
from carbonnas.execution.spool import SpoolWriter
from carbonnas.trials import TrialKind


class Channel:
    """The worker's end of the pipe; its threads take turns in sending, and processes that it forks have no say."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()
        self._pid = os.getpid()

    def send(self, message: FromWorker) -> None:
        """Send a message; without a reader there is no reason to go on, so the process ends, as does a forked one."""
        self.end_forked()
        try:
            with self._turn:
                self._connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(os.EX_OK)

    def receive(self) -> object:
        """Return the next message, waiting for it. Raises `EOFError` if there is no sender any more."""
        try:
            return self._connection.recv()
        except ConnectionResetError:
            raise EOFError from None

    def pending(self) -> bool:
        """Say whether `receive` would return at once."""
        self.end_forked()
        return self._connection.poll()

    def end_forked(self) -> None:
        """End this process if it is not the worker but was forked by it."""
        if os.getpid() != self._pid:
            os._exit(os.EX_SOFTWARE)


class PipeSession:
    """What an evaluation sees of the search at the other end of the pipe."""

    def __init__(self, job: Job, channel: Channel) -> None:
        self._job = job
        self._channel = channel
        self._suspend = False

    @property
    def checkpoint(self) -> Path | None:
        """File that the job keeps its state in."""
        return self._job.checkpoint

    def suspend_requested(self) -> bool:
        """Say whether the search wants the slot back."""
        wanted = Suspend(self._job.trial, self._job.attempt)
        while self._channel.pending():
            self._suspend = self._channel.receive() == wanted or self._suspend
        return self._suspend

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Tell the search about an epoch."""
        self._channel.send(EpochDone(int(epoch), int(epochs), plain(metrics)))


def work(connection: Connection, since: float) -> None:
    """Evaluate what comes over the pipe until it is closed at the other end.

    Args:
        connection: The pipe; its first message is the `Setup`.
        since: Monotonic seconds at which the process began.
    """
    channel = Channel(connection)
    with contextlib.ExitStack() as at_end:
        try:
            evaluators, reporter = _prepare(channel, since, at_end)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it was, the search says it to the user
            channel.send(Broken(*describe(error)))
            return
        channel.send(Ready())
        _serve(channel, evaluators, reporter)


def _serve(channel: Channel, evaluators: Mapping[TrialKind, Evaluator], reporter: Reporter) -> None:
    while True:
        try:
            message = channel.receive()
        except EOFError:
            return
        if isinstance(message, Run):
            _run(message.job, evaluators, channel, reporter)


def _prepare(
    channel: Channel, since: float, at_end: contextlib.ExitStack
) -> tuple[Mapping[TrialKind, Evaluator], Reporter]:
    setup = channel.receive()
    if not isinstance(setup, Setup):
        raise TypeError(f"a worker's first message is its set-up, got {setup!r}")
    spool = SpoolWriter(setup.spool, setup.worker, setup.anchor)
    reporter = Reporter(setup.worker, spool, send=channel.send, since=since, interval_s=setup.usage_interval_s)
    probe = None if setup.probe is None else setup.probe()
    if probe is not None:
        probe.start()
    reporter.start(probe)
    at_end.callback(reporter.close)
    return setup.workbench.evaluators(), reporter


def _run(job: Job, evaluators: Mapping[TrialKind, Evaluator], channel: Channel, reporter: Reporter) -> None:
    channel.send(Started(reporter.begin(job)))
    try:
        verdict = evaluate_safely(evaluators, job.request, PipeSession(job, channel))
    finally:
        channel.end_forked()
    channel.send(Ended(verdict, reporter.end()))
