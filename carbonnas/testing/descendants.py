"""The processes that a process has started, whichever of its threads did: psutil's handles are safe against numbers that are used again."""

from __future__ import annotations

import psutil

_PROGRAM = "carbonnas.execution.fork_server_main"


def descendants(pid: int) -> list[psutil.Process]:
    """Return the children of a process, theirs, and so on; none if it has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def workers(pid: int) -> list[psutil.Process]:
    """Return the workers of a daemon or a search, and the processes that fork them."""
    return [process for process in descendants(pid) if _PROGRAM in _words(process)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
