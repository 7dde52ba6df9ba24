"""A process that forks workers which are ready at once, seen from the search.

It is not `multiprocessing`'s fork server because that one imports the main module into every worker, hands each worker a
descriptor that keeps it alive after the search was killed, is shared by everything in the process and hides exit statuses and
processor times, which the ledger needs for workers that were killed.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from carbon_sources.clock import monotonic_s

_LONGEST_PACKET = 4096
_STDERR = 2

_PATIENCE_S = 5.0
"""How long the fork server may take to end by itself."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Opened:
    """The imports are done: processor seconds that they took, and when it was done, in monotonic seconds."""

    cpu_seconds: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Exited:
    """A worker has ended.

    Attributes:
        worker: Its name.
        status: Exit code, or minus the number of the signal that killed it; `None` if nobody can tell.
        cpu_seconds: Processor time of its whole life; `None` if nobody can tell.
        monotonic: When, in monotonic seconds.
    """

    worker: str
    status: int | None
    cpu_seconds: float | None
    monotonic: float


@dataclass(frozen=True, slots=True)
class Gone:
    """The fork server has ended, and with it all its workers."""


class ForkServer:
    """One process that forks workers; all of them end with it, and it ends with this process or when it is closed.

    What it or a worker prints goes to stderr: stdout belongs to the search. With a worker end the processes that its evaluators have
    started, unless they have left its process group. What such a process used counts only if its worker has waited for it: the
    processor time of an orphan is not part of any usage.

    Args:
        modules: What to import before the first fork.

    Raises:
        OSError: If the process can't be started.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self._start = monotonic_s()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {
            **os.environ,
            **_ONE_THREAD,
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        }
        command = [
            sys.executable,
            "-u",
            "-P",
            "-m",
            "carbonnas.execution.fork_server_main",
            str(theirs.fileno()),
            *modules,
        ]
        with theirs:
            # A process group of its own, so that Ctrl-C in a terminal is for the search alone.
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=_STDERR,
                pass_fds=[theirs.fileno()],
                env=environment,
                process_group=0,
            )
        self._control.settimeout(0)

    @property
    def pid(self) -> int:
        """Process id of the fork server."""
        return self._process.pid

    def fileno(self) -> int:
        """Descriptor that is readable when there are events."""
        return self._control.fileno()

    def fork(self, worker: str) -> Connection:
        """Order a worker and return the pipe to it. Raises `OSError` if the fork server is gone."""
        ours, theirs = Pipe(duplex=True)
        with theirs:
            self._order(theirs.fileno(), fork=worker)
        return ours

    def kill(self, worker: str) -> None:
        """Kill a worker, if it still lives; `Exited` follows."""
        try:
            self._order(None, kill=worker)
        except ConnectionError:
            # The fork server is gone, and the worker with it.
            return

    def events(self) -> list[Opened | Exited | Gone]:
        """Return what happened since the call before, without waiting."""
        events: list[Opened | Exited | Gone] = []
        while True:
            try:
                packet = self._control.recv(_LONGEST_PACKET)
            except BlockingIOError:
                return events
            except ConnectionError:
                packet = b""
            if not packet:
                return [*events, Gone()]
            events.append(self._event(json.loads(packet)))

    def close(self) -> None:
        """End the fork server and all its workers, and wait until they have ended."""
        self._control.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _event(self, packet: dict[str, Any]) -> Opened | Exited:
        if "worker" in packet:
            return Exited(packet["worker"], packet["status"], packet["cpu_s"], packet["monotonic"])
        return Opened(packet["cpu_s"], self._start, packet["monotonic"])

    def _order(self, handle: int | None, **order: str) -> None:
        socket.send_fds(self._control, [json.dumps(order).encode()], [] if handle is None else [handle])
