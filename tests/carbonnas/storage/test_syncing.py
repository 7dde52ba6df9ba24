"""Commits reach the disk beside whoever made them; what the disk refuses is told to who writes next."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonnas.errors import StorageError
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.store import Store
from carbonnas.storage.syncing import Syncing


@pytest.fixture
def syncing(path: Path) -> Iterator[Syncing]:
    syncing = Syncing(path)
    yield syncing
    syncing.close()


def test_what_was_committed_is_there_for_everybody_and_waited_for(
    path: Path, syncing: Syncing, header: SearchHeader, progress: SearchProgress
) -> None:
    store = Store(path, syncing=syncing)
    store.create(header, progress)
    syncing.wait()
    other = Store(path)
    assert other.ids() == [header.search_id]
    other.close()
    store.close()


def test_what_the_disk_refuses_is_told_once_to_who_writes_next(
    path: Path, syncing: Syncing, header: SearchHeader, progress: SearchProgress
) -> None:
    store = Store(path, syncing=syncing)
    os.mkfifo(path.with_name("pipe"))
    syncing._log_file = path.with_name("pipe")  # noqa: SLF001 - a file that can't be synced stands for a disk that fails
    syncing.note()
    with syncing._log_file.open("wb"):  # noqa: SLF001 - as above
        syncing.wait()
    with pytest.raises(StorageError, match="Invalid argument"):
        store.create(header, progress)
    syncing._log_file = path.with_name(f"{path.name}-wal")  # noqa: SLF001 - as above
    store.create(header, progress)
    assert store.ids() == [header.search_id]
    store.close()


def test_the_log_is_carried_over_into_the_file_now_and_then(path: Path, syncing: Syncing) -> None:
    store = Store(path, syncing=syncing)
    before = path.stat().st_size
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE long AS SELECT zeroblob(1000000) AS bytes")
    for _ in range(200):
        syncing.note()
        syncing.wait()
    syncing.close()
    assert path.stat().st_size > before + 1_000_000
    connection.close()
    store.close()
