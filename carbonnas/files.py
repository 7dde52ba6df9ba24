"""Files that are replaced in one step."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, content: bytes) -> None:
    """Put the content in place of the file's former one, atomically: after a crash one of the two is there, whole.

    Of several processes that do so at once one comes after the other.

    Args:
        path: The file; its folder is made if need be.
        content: All that is to stand in it.

    Raises:
        OSError: If it can't be written; the former content is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _fresh(path)
    with _alone(fresh) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        fresh.replace(path)


def remove_file(path: Path) -> None:
    """Remove the file and what a crash while it was replaced may have left; nothing happens if there is none."""
    path.unlink(missing_ok=True)
    _fresh(path).unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, empty, once no other process does."""
    while True:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever had it before may have put it in its place meanwhile.
            if _is_at(path, file):
                file.truncate(0)
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
