"""Backups of a store while it is being written to.

A backup is a whole store in one file. To restore it, end all programs that use the state folder, remove `carbonnas.db-wal` and
`carbonnas.db-shm` there, and put the backup in the place of `carbonnas.db`: searches go on where they were. What their workers spooled and
their checkpoints lie beside the store; without them trainings under way begin again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from carbonnas.errors import StorageError
from carbonnas.storage.database import storage_errors


def backup(path: Path, target: Path) -> None:
    """Copy a store as it is at one instant, check the copy, and put it in the place of the target in one step.

    Writers go on meanwhile. A target that is there already stays until the new copy is whole.

    Args:
        path: The store.
        target: The file to make; its folder is made if it is not there.

    Raises:
        StorageError: If the store can't be read, the target can't be written, or the copy is damaged.
    """
    fresh = target.with_name(f"{target.name}.new")
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
    try:
        _copy(path, fresh)
        with storage_errors(target):
            fresh.replace(target)
            _sync_folder(target.parent)
    finally:
        with storage_errors(target):
            fresh.unlink(missing_ok=True)


def _copy(path: Path, fresh: Path) -> None:
    source = f"{path.absolute().as_uri()}?mode=rw"
    with storage_errors(path), closing(sqlite3.connect(source, uri=True)) as store:
        store.execute("SELECT count(*) FROM sqlite_master")
        with storage_errors(fresh), closing(sqlite3.connect(fresh)) as copy:
            # In one piece: a copy in several begins anew whenever another process writes in between.
            store.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
            found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise StorageError(f"the copy of {path} is damaged ({found[0]}); restore an older backup")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
