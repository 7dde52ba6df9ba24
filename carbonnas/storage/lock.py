"""One process at a time works on a search, or on anything else that a file stands for."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonnas.errors import SearchLockedError
from carbonnas.storage.database import storage_errors


class FileHeldError(Exception):
    """Another process holds the file.

    Attributes:
        note: What that process wrote into it; empty if nothing yet.
    """

    def __init__(self, note: str) -> None:
        self.note = note
        super().__init__(note)


class HeldFile:
    """A file that this process holds, with a note of one line on who holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write_note(self, note: str) -> None:
        """Replace the note, which is one line."""
        line = f"{note}\n".encode()
        os.pwrite(self._descriptor, line, 0)
        os.ftruncate(self._descriptor, len(line))


@contextmanager
def held_file(path: Path, mode: int = 0o666) -> Iterator[HeldFile]:
    """Hold a file; the kernel lets go of it when the process ends, however it ends.

    Args:
        path: The file; it and its folder are made if need be, and it stays, empty, when it is let go of.
        mode: Who may open it at most, and so hold it: whoever can read a file can lock it.

    Raises:
        FileHeldError: At once, if another process holds it.
        StorageError: If the file can't be written.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        file = path.open("r+b")
        os.fchmod(file.fileno(), os.fstat(file.fileno()).st_mode & mode)
    with file:
        while not _is_taken(file.fileno(), fcntl.LOCK_EX):
            # Whoever only looks holds it as well, for an instant, but does not mind others that look.
            if not _is_taken(file.fileno(), fcntl.LOCK_SH):
                raise FileHeldError(_note(path))
            fcntl.flock(file, fcntl.LOCK_UN)
        os.ftruncate(file.fileno(), 0)
        try:
            yield HeldFile(file.fileno())
        finally:
            os.ftruncate(file.fileno(), 0)


def holders_note(path: Path) -> str | None:
    """Return the note of the process that holds a file at this moment, empty if it wrote none yet; `None` if none holds it.

    Raises:
        StorageError: If the file can't be read.
    """
    if not path.exists():
        return None
    with storage_errors(path), path.open("rb") as file:
        return None if _is_taken(file.fileno(), fcntl.LOCK_SH) else _note(path)


def _is_taken(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(path: Path) -> str:
    with storage_errors(path):
        before, content = None, path.read_bytes()
        # A reading that met a writing may hold parts of both; two that agree do not.
        while content != before:
            before, content = content, path.read_bytes()
        return content.partition(b"\n")[0].decode("utf-8", "replace").strip()


@contextmanager
def search_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a search; the kernel releases it when the process ends, however it ends.

    Raises:
        SearchLockedError: If another process holds it.
        StorageError: If the folder can't be written.
    """
    try:
        with held_file(_lock_of(folder)) as file:
            file.write_note(str(os.getpid()))
            yield
    except FileHeldError as error:
        raise SearchLockedError(
            f"the search in {folder} is being worked on by process {error.note or 'unknown'}: wait for it, or interrupt it first"
        ) from None


def is_worked_on(folder: Path) -> bool:
    """Say whether a process holds the lock of a search at this moment."""
    return holders_note(_lock_of(folder)) is not None


def _lock_of(folder: Path) -> Path:
    return folder / "lock"
