"""The program of the fork server: imports what workers need once, then forks one worker for each order.

It talks over a SOCK_SEQPACKET socket in JSON packets. Orders: `{"fork": worker}` with the worker's pipe attached and
`{"kill": worker}`. Events: `{"cpu_s", "monotonic"}` when the imports are done and `{"worker", "status", "cpu_s", "monotonic"}`
when a worker has ended. It has one thread, so that forking is safe, and ends, with all workers, when the socket is closed.
Each worker leads a process group, which is killed with it or when it has ended: its evaluators may have forked processes too.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
from multiprocessing.connection import Connection
from types import FrameType

from carbon_sources.clock import monotonic_s
from carbonnas.execution.parent_death import die_with_parent
from carbonnas.execution.reporter import processor_seconds
from carbonnas.execution.worker import work

logger = logging.getLogger(__name__)

_LONGEST_PACKET = 4096


class ForkedWorkers:
    """The workers that live.

    Args:
        control: The socket to the process of the search.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: dict[int, str] = {}
        self._wakeup_receiver, self._wakeup_sender = socket.socketpair()
        self._wakeup_receiver.settimeout(0)
        self._wakeup_sender.settimeout(0)

    def serve(self) -> None:
        """Carry out orders until the socket is closed, then kill what lives."""
        signal.signal(signal.SIGCHLD, _ignore)
        signal.set_wakeup_fd(self._wakeup_sender.fileno(), warn_on_full_buffer=False)
        self._tell(cpu_s=processor_seconds(), monotonic=monotonic_s())
        try:
            while self._step():
                pass
        finally:
            for pid in self._workers:
                _kill_group(pid)
            for pid in self._workers:
                os.waitpid(pid, 0)

    def _step(self) -> bool:
        ready, _, _ = select.select([self._control, self._wakeup_receiver], [], [])
        if self._wakeup_receiver in ready:
            self._wakeup_receiver.recv(_LONGEST_PACKET)
            self._reap()
        if self._control not in ready:
            return True
        packet, handles, _, _ = socket.recv_fds(self._control, _LONGEST_PACKET, 1)
        if not packet:
            return False
        self._obey(json.loads(packet), handles)
        return True

    def _obey(self, order: dict[str, str], handles: list[int]) -> None:
        if "fork" in order:
            self._fork(order["fork"], handles[0])
            os.close(handles[0])
        else:
            for pid, worker in self._workers.items():
                if worker == order["kill"]:
                    _kill_group(pid)

    def _reap(self) -> None:
        while self._workers:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            # Before it is waited for, nobody else can have its number.
            _kill_group(ended.si_pid)
            pid, status, usage = os.wait4(ended.si_pid, 0)
            self._tell(
                worker=self._workers.pop(pid),
                status=os.waitstatus_to_exitcode(status),
                cpu_s=usage.ru_utime + usage.ru_stime,
                monotonic=monotonic_s(),
            )

    def _fork(self, worker: str, handle: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(handle, parent)
        # The worker says so too: either may be first to need it.
        os.setpgid(pid, pid)
        self._workers[pid] = worker

    def _become_worker(self, handle: int, parent: int) -> None:
        since = monotonic_s()
        status = os.EX_SOFTWARE
        try:
            die_with_parent(parent)
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for inherited in (self._control, self._wakeup_receiver, self._wakeup_sender):
                inherited.close()
            work(Connection(handle), since)
            status = os.EX_OK
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else status
        except BaseException:
            logger.exception("a worker ends by an error of its own")
        finally:
            os._exit(status)

    def _tell(self, **event: float | str) -> None:
        self._control.send(json.dumps(event).encode())


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is the first argument; the others are modules to import beforehand."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in arguments[1:]:
        try:
            importlib.import_module(module)
        except Exception:
            logger.exception("%s can't be imported beforehand; the workers that need it will say so", module)
    with socket.socket(fileno=int(arguments[0])) as control:
        try:
            ForkedWorkers(control).serve()
        except ConnectionError:
            logger.debug("the search has ended without a word")


def _kill_group(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # it has moved to another group
        os.killpg(worker, signal.SIGKILL)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Let the wake-up descriptor tell; a handler must exist for it to be written to."""
    del number, frame


if __name__ == "__main__":
    main(sys.argv[1:])
