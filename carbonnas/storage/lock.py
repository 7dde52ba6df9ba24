"""One process at a time works on a search."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonnas.errors import SearchLockedError
from carbonnas.storage.database import storage_errors


@contextmanager
def search_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a search; the kernel releases it when the process ends, however it ends.

    Raises:
        SearchLockedError: If another process holds it.
        StorageError: If the folder can't be written.
    """
    path = folder / "lock"
    with storage_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise SearchLockedError(
                f"the search in {folder} is being worked on by process {owner}: wait for it, or interrupt it first"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_worked_on(folder: Path) -> bool:
    """Say whether a process holds the lock of a search at this moment."""
    path = folder / "lock"
    if not path.exists():
        return False
    with storage_errors(path), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
