"""Commits reach the disk beside whoever made them; what the disk refuses is told to who writes next."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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


@contextmanager
def _failing(syncing: Syncing) -> Iterator[None]:
    """Have syncs refused inside: a device that can't be synced stands for a disk that fails."""
    log_file, syncing._log_file = syncing._log_file, Path(os.devnull)  # noqa: SLF001 - no argument names a log of its own
    yield
    syncing._log_file = log_file  # noqa: SLF001 - as above


def _wait_out(syncing: Syncing) -> None:
    with suppress(StorageError):
        syncing.wait()


def test_what_the_disk_refuses_is_told_once_to_who_writes_next(
    path: Path, syncing: Syncing, header: SearchHeader, progress: SearchProgress
) -> None:
    store = Store(path, syncing=syncing)
    with _failing(syncing):
        syncing.note()
        _wait_out(syncing)
    with pytest.raises(StorageError, match=f"the disk does not take what was written to {path} .Invalid argument"):
        store.create(header, progress)
    store.create(header, progress)
    assert store.ids() == [header.search_id]
    store.close()


def test_what_the_disk_refuses_is_told_to_who_waits_for_it(syncing: Syncing) -> None:
    with _failing(syncing), pytest.raises(StorageError, match="free some space, or replace the disk"), syncing.kept():
        syncing.note()


def test_a_refusal_is_told_to_who_waits_although_it_came_before_they_began_to_wait(syncing: Syncing) -> None:
    told = None
    try:
        with syncing.kept():
            with _failing(syncing):
                syncing.note()
                _wait_out(syncing)
            syncing.note()
    except StorageError as error:
        told = str(error)
    assert told is not None
    assert "Invalid argument" in told


def test_what_the_disk_refused_before_is_not_told_to_who_waits_for_something_else(syncing: Syncing) -> None:
    with _failing(syncing):
        syncing.note()
        _wait_out(syncing)
    with syncing.kept():
        syncing.note()
    syncing.wait()


@contextmanager
def _much_written(path: Path, syncing: Syncing) -> Iterator[Path]:
    """Put a megabyte into the log of a store, have it synced until it is due to be carried over, and give the log."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE long AS SELECT zeroblob(1000000) AS bytes")
        for _ in range(200):
            syncing.note()
            syncing.wait()
        yield path.with_name(f"{path.name}-wal")


def test_the_log_is_carried_over_into_the_file_now_and_then(path: Path) -> None:
    syncing = Syncing(path)
    Store(path, syncing=syncing).close()
    with _much_written(path, syncing) as log:
        syncing.close()
        assert path.stat().st_size > 1_000_000
        assert log.stat().st_size > 1_000_000


def test_a_log_that_is_long_is_emptied(path: Path) -> None:
    syncing = Syncing(path, long_log=999_999)
    Store(path, syncing=syncing).close()
    with _much_written(path, syncing) as log:
        syncing.close()
        assert path.stat().st_size > 1_000_000
        assert log.stat().st_size == 0
