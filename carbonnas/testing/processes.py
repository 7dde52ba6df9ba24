"""For tests of the executor of processes: an open one, and processes as Linux lists them under /proc."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from carbon_sources.clock import Clock, SystemClock, monotonic_s
from carbonnas.energy.meter import ProbeFactory
from carbonnas.execution.process import ProcessExecutor
from carbonnas.execution.workbench import Workbench
from carbonnas.testing.evaluators import CountingWorkbench

USAGE_INTERVAL = timedelta(seconds=0.05)
_PATIENCE_S = 300.0


@contextmanager
def opened(
    folder: Path,
    *,
    slots: int = 1,
    clock: Clock | None = None,
    workbench: Workbench | None = None,
    probe: ProbeFactory | None = None,
    usage_interval: timedelta = USAGE_INTERVAL,
    start_timeout: timedelta = timedelta(minutes=5),
) -> Iterator[ProcessExecutor]:
    """Open an executor, on a `CountingWorkbench` with epochs of 0.02 s if no other is given, and close it."""
    executor = ProcessExecutor(
        clock or SystemClock(),
        slots,
        workbench or CountingWorkbench(0.02),
        folder / "spool",
        probe,
        usage_interval=usage_interval,
        start_timeout=start_timeout,
    )
    executor.open()
    try:
        yield executor
    finally:
        executor.close()


def children(pid: int) -> list[int]:
    """Return the processes that the main thread of a process has started and not yet waited for.

    Those with which Python looks after what processes share are left out: whatever ran before in this process may have started one, and it stays.
    """
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if "resource_tracker" not in _command(child)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def grandchildren(pid: int) -> list[int]:
    """Return the children of the children: the workers of the fork servers that a process has started."""
    return [grandchild for child in children(pid) for grandchild in children(child)]


def alive(pid: int) -> bool:
    """Say whether a process runs: one that has ended and was not yet waited for does not."""
    try:
        return _fields(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_end(pids: Iterable[int]) -> None:
    """Wait until none of these processes runs any more.

    Raises:
        TimeoutError: If one goes on for minutes.
    """
    wait_until(lambda: not any(map(alive, pids)), "a process does not end")


def stop(pid: int) -> None:
    """Stop a process, and wait until it uses no more processor time. Raises `TimeoutError` if it goes on for minutes."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: _fields(pid)[0] in "TZ", "a process does not stop")


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds. Raises `TimeoutError`, which says what is so `otherwise`, after minutes."""
    pause, end_s = threading.Event(), monotonic_s() + _PATIENCE_S
    while not holds():
        if monotonic_s() > end_s:
            raise TimeoutError(otherwise)
        pause.wait(0.02)


def processor_s(pid: int) -> float:
    """Return the processor time of a process in seconds, without its children; the resolution is a clock tick (10 ms)."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    """Return what follows the name, which may hold blanks, in proc(5)'s stat: the first is the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
