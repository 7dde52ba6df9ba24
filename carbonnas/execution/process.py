"""Evaluations in worker processes of this machine.

Neither pebble nor loky can take the workers' place: pebble reports no processor time of what it kills and has no word to a running
task, loky breaks all tasks when one worker dies, and neither lets its workers end with a search that is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import pickle
import secrets
import threading
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import Clock, SimulatedClock, monotonic_s
from carbon_sources.units import Duration
from carbonnas.energy.meter import OVERHEAD, ProbeFactory, Usage
from carbonnas.errors import ExecutionError
from carbonnas.execution.executor import Executor, Job, Poll, no_free_slot
from carbonnas.execution.fork_server import Exited, ForkServer, Gone, Opened
from carbonnas.execution.protocol import Anchor, Setup, WorkerUsage, speed_of
from carbonnas.execution.workbench import Workbench
from carbonnas.execution.worker_handle import WorkerHandle
from carbonnas.execution.worker_results import WorkerResults

_POLL_INTERVAL_S = 0.1
"""Longest real time between two looks at the wake-up event, which can't be waited for together with pipes."""

_MOST_FAILED_STARTS = 3
"""So many workers in a row may fail to start before the executor gives up."""

_CLOSE_TIMEOUT_S = 5.0
"""How long killed workers may take to end when the executor is closed: milliseconds, unless the machine is very busy."""


class ProcessExecutor(Executor):
    """Runs each job in a process of its own slot.

    The processes are forked from one that has imported the workbench's modules already, live as long as the executor and use one
    thread each. When the search is killed they are killed by the kernel. A worker that is killed costs its own job only; another
    takes its slot. Usage is in the spool before it is sent, so that a search that is killed loses at most one usage interval.

    Args:
        clock: The clock of the search; it must move by itself.
        slots: Number of workers.
        workbench: Makes the evaluators, once in each worker.
        spool: Folder of this search alone.
        probe: What measures energy in the workers, or `None`.
        usage_interval: Longest time between two usages of a running job, in real time.
        start_timeout: How long a worker may take to be ready, and to begin a job, in real time; a busy machine imports torch for a minute.

    Raises:
        ExecutionError: If the clock is a simulated one.
        ValueError: If `slots` or a duration is not above zero.
    """

    def __init__(
        self,
        clock: Clock,
        slots: int,
        workbench: Workbench,
        spool: Path,
        probe: ProbeFactory | None,
        *,
        usage_interval: Duration = timedelta(seconds=1),
        start_timeout: Duration = timedelta(minutes=5),
    ) -> None:
        if isinstance(clock, SimulatedClock):
            raise ExecutionError(
                "processes work in real time, but the clock is simulated: use the executor 'simulated'"
            )
        if slots < 1 or min(usage_interval, start_timeout) <= timedelta(0):
            raise ValueError(
                f"need slots, usage_interval, start_timeout > 0: {slots}, {usage_interval}, {start_timeout}"
            )
        self._clock = clock
        self._slots = slots
        self._workbench = workbench
        self._spool = spool
        self._probe = probe
        self._usage_interval_s = usage_interval.total_seconds()
        self._start_timeout = start_timeout
        self._results = WorkerResults(clock, spool)
        self._fork_server: ForkServer | None = None
        self._workers: list[WorkerHandle] = []
        self._opened = False
        self._failed_starts = 0
        self._failure = ""

    def open(self) -> None:
        if self._fork_server is not None:
            raise ExecutionError("the executor is open already")
        try:
            pickle.dumps((self._workbench, self._probe))
            self._spool.mkdir(parents=True, exist_ok=True)
            self._fork_server = self._new_fork_server()
            self._start_workers(self._fork_server)
            while not self._complete:
                self._pump(_POLL_INTERVAL_S)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ExecutionError(f"the workbench or the probe can't be sent to the workers: {error}") from error
        except OSError as error:
            raise ExecutionError(f"the workers can't be started: {error}") from error
        finally:
            self._opened = self._complete
            if not self._opened:
                self.close()

    @property
    def free_slots(self) -> int:
        return sum(worker.free for worker in self._workers)

    def submit(self, job: Job) -> None:
        free = [worker for worker in self._workers if worker.free]
        if not free:
            raise no_free_slot(job, self._slots)
        max(free, key=lambda worker: worker.ready).give(job)

    def suspend(self, trial: int, *, at_once: bool = False) -> None:
        for worker in self._workers:
            if worker.job is not None and worker.job.trial == trial:
                if at_once:
                    worker.interrupt()
                else:
                    worker.suspend()

    def poll(self) -> Poll:
        self._pump(0.0)
        return self._results.take()

    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Return as the interface says; usage and reports alone end the wait at most once in a usage interval."""
        speed = speed_of(self._clock)
        while not (wake.is_set() or self._results.pressing(self._usage_interval_s)):
            left_s = (until - self._clock.now()).total_seconds() / speed
            if left_s <= 0:
                return
            self._pump(min(left_s, _POLL_INTERVAL_S))

    def recover(self) -> tuple[Usage, ...]:
        return self._results.recover()

    def acknowledge(self) -> None:
        self._results.acknowledge()

    def close(self) -> None:
        if self._fork_server is None:
            return
        with contextlib.ExitStack() as stack:
            # Whatever goes wrong, no process and no pipe is left: the last comes first.
            stack.callback(self._forget)
            stack.callback(self._fork_server.close)
            for worker in self._workers:
                stack.callback(worker.drop)
            self._kill_workers(self._fork_server)

    def _forget(self) -> None:
        self._workers, self._fork_server, self._opened = [], None, False

    def _kill_workers(self, fork_server: ForkServer) -> None:
        for worker in self._workers:
            fork_server.kill(worker.name)
        # What the killed workers used last goes to the spool, for a later process of this search.
        end = monotonic_s() + _CLOSE_TIMEOUT_S
        while self._workers and (left_s := end - monotonic_s()) > 0:
            multiprocessing.connection.wait([fork_server.fileno()], left_s)
            self._take_events(fork_server)

    @property
    def _complete(self) -> bool:
        return len(self._workers) == self._slots and all(worker.ready for worker in self._workers)

    def _new_fork_server(self) -> ForkServer:
        return ForkServer((type(self._workbench).__module__, *self._workbench.modules()))

    def _start_workers(self, fork_server: ForkServer) -> None:
        while len(self._workers) < self._slots:
            setup = Setup(
                worker=secrets.token_hex(8),
                workbench=self._workbench,
                probe=self._probe,
                spool=self._spool,
                anchor=Anchor.of(self._clock),
                usage_interval_s=self._usage_interval_s,
            )
            self._workers.append(WorkerHandle(fork_server, setup, self._start_timeout, self._results))

    def _pump(self, patience_s: float) -> None:
        """Take what has come, waiting at most `patience_s` real seconds for it, and replace workers that have ended."""
        if self._fork_server is None:
            return
        pipes = [worker.connection for worker in self._workers if worker.connection is not None]
        multiprocessing.connection.wait([self._fork_server.fileno(), *pipes], patience_s)
        for worker in self._workers:
            worker.listen()
            worker.expire(monotonic_s())
        if self._complete:
            self._failed_starts = 0
        gone = self._take_events(self._fork_server)
        if self._failed_starts >= (_MOST_FAILED_STARTS if self._opened else 1):
            raise ExecutionError(self._failure)
        if gone:
            self._fork_server.close()
            self._fork_server = self._new_fork_server()
        with contextlib.suppress(ConnectionError):  # the fork server's end is the next event
            self._start_workers(self._fork_server)

    def _take_events(self, fork_server: ForkServer) -> bool:
        """Remove the workers that have ended, and say whether the fork server has."""
        gone = False
        for event in fork_server.events():
            match event:
                case Opened(cpu_s, start, end):
                    usage = WorkerUsage(secrets.token_hex(8), 0, start, end, OVERHEAD, None, cpu_s, None)
                    self._results.add_own_usage(usage)
                    self._results.mark_ended(usage.worker)
                case Exited(name):
                    for worker in [worker for worker in self._workers if worker.name == name]:
                        self._remove(worker, event)
                case Gone():
                    gone = True
                    if not self._workers:
                        self._failed_starts += 1
                        self._failure = (
                            "the workers can't be started: the process that forks them has ended before it forked one"
                        )
                    for worker in list(self._workers):
                        self._remove(worker, Exited(worker.name, None, None, monotonic_s()))
        return gone

    def _remove(self, worker: WorkerHandle, end: Exited) -> None:
        worker.exited(end)
        self._workers.remove(worker)
        if not worker.ready:
            self._failed_starts += 1
            self._failure = f"the workers can't be started: {worker.exit_description(end)}"
