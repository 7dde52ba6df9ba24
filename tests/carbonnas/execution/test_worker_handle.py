"""What the search makes of a worker's words, with the worker played by the test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from carbon_sources.clock import SystemClock, monotonic_s
from carbonnas.execution.attempt import Verdict
from carbonnas.execution.executor import OutcomeKind
from carbonnas.execution.fork_server import Exited, ForkServer
from carbonnas.execution.protocol import Anchor, Ended, EpochDone, Ready, Run, Setup, Started
from carbonnas.execution.worker_handle import WorkerHandle
from carbonnas.execution.worker_results import WorkerResults
from carbonnas.testing.evaluators import CountingWorkbench
from carbonnas.testing.executors import job


class Ghosts(ForkServer):
    """Forks nobody: the test holds the workers' end of the newest pipe."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.worker: Connection

    def fork(self, worker: str) -> Connection:
        del worker
        ours, self.worker = Pipe(duplex=True)
        return ours

    def kill(self, worker: str) -> None:
        self.killed.append(worker)


class Bomb:
    """Can be sent, but not received."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (__import__, ("a_module_that_only_a_plug_in_has",))


@pytest.fixture
def ghosts() -> Ghosts:
    return Ghosts()


@pytest.fixture
def results(tmp_path: Path) -> WorkerResults:
    return WorkerResults(SystemClock(), tmp_path)


@pytest.fixture
def handle(ghosts: Ghosts, results: WorkerResults, tmp_path: Path) -> WorkerHandle:
    setup = Setup("w", CountingWorkbench(0.0), None, tmp_path, Anchor.of(SystemClock()), 30.0)
    handle = WorkerHandle(ghosts, setup, timedelta(seconds=60), results)
    assert ghosts.worker.recv() == setup
    ghosts.worker.send(Ready())
    handle.listen()
    return handle


def start(handle: WorkerHandle, ghosts: Ghosts) -> None:
    handle.give(job(1))
    assert isinstance(ghosts.worker.recv(), Run)
    ghosts.worker.send(Started(monotonic_s()))
    handle.listen()


def test_a_worker_without_a_job_is_free(handle: WorkerHandle, ghosts: Ghosts) -> None:
    assert handle.free
    start(handle, ghosts)
    assert not handle.free
    ghosts.worker.send(Ended(Verdict(OutcomeKind.FAILED, failure="why"), monotonic_s()))
    handle.listen()
    assert handle.free


@pytest.mark.parametrize(
    "condemn",
    [lambda handle: handle.interrupt(), lambda handle: handle.expire(monotonic_s() + 3600)],
    ids=["interrupt", "expire"],
)
def test_a_worker_that_ends_its_job_just_before_it_is_killed_is_not_free(
    handle: WorkerHandle, ghosts: Ghosts, condemn: Callable[[WorkerHandle], None]
) -> None:
    start(handle, ghosts)
    condemn(handle)
    assert ghosts.killed == ["w"]
    ghosts.worker.send(Ended(Verdict(OutcomeKind.FAILED, failure="why"), monotonic_s()))
    handle.listen()
    assert handle.job is None
    assert handle.doomed
    assert not handle.free


def test_a_worker_whose_pipe_is_closed_is_not_free(handle: WorkerHandle, ghosts: Ghosts) -> None:
    ghosts.worker.close()
    handle.listen()
    assert not handle.free


@pytest.mark.parametrize(
    "message", [Bomb(), "hello", EpochDone(1, 1, {})], ids=["can't be unpickled", "is none", "has no job"]
)
def test_a_worker_that_says_what_makes_no_sense_is_killed_and_the_search_goes_on(
    handle: WorkerHandle, ghosts: Ghosts, caplog: pytest.LogCaptureFixture, message: object
) -> None:
    ghosts.worker.send(message)
    handle.listen()
    assert ghosts.killed == ["w"]
    assert not handle.free
    assert "what it said makes no sense" in caplog.text


def test_a_job_whose_worker_says_what_makes_no_sense_is_lost(
    handle: WorkerHandle, ghosts: Ghosts, results: WorkerResults
) -> None:
    start(handle, ghosts)
    ghosts.worker.send(Bomb())
    handle.listen()
    handle.exited(Exited("w", -9, 0.5, monotonic_s()))
    (outcome,) = results.take().outcomes
    assert (outcome.trial, outcome.kind) == (1, OutcomeKind.LOST)
    assert outcome.failure == "the worker was killed because it said what makes no sense: the log tells more"
