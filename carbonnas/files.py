"""Files that are replaced in one step, and the room that there is for them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LEAST_BYTES = 32 * 2**20
"""Less room than this on the disk and nothing runs: checkpoints that can't be written would fail trials that are not to blame."""


def lack_of_room(folder: Path) -> str | None:
    """Return one sentence, without a stop, on a disk that has no room to work with, or can't be asked; `None` if all is well."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"the folder {folder} can't be used: {error.strerror}"
    return None if free >= _LEAST_BYTES else f"there is hardly any room on the disk of {folder}: make some"


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
