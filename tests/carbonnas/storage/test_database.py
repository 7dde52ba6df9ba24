"""Opening the database: what can go wrong is said in one sentence."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, create_engine

from carbonnas.errors import SearchLockedError, StorageError
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.lock import search_lock
from carbonnas.storage.store import Store
from carbonnas.storage.syncing import Syncing
from carbonnas.storage.tables import METADATA


def test_the_migrations_make_exactly_the_tables(path: Path, store: Store) -> None:
    engine = create_engine(URL.create("sqlite", database=str(path)))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_opening_again_changes_nothing(
    path: Path, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    again = Store(path)
    assert again.ids() == ["a-search"]
    again.close()


@pytest.mark.parametrize("name", ["a?b=c#d%20e.db", "with space é.db"])
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    Store(tmp_path / name).close()
    assert (tmp_path / name).exists()


def test_the_database_writes_through_and_checks_foreign_keys(path: Path, store: Store) -> None:
    assert _settings(store) == ["wal", 2, 1]


def _settings(store: Store) -> list[object]:
    names = ("journal_mode", "synchronous", "foreign_keys")
    with store._engine.connect() as connection:  # noqa: SLF001 - the settings of its own connections
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]


def test_where_somebody_else_syncs_no_commit_waits_for_the_disk(path: Path) -> None:
    syncing = Syncing(path)
    store = Store(path, syncing=syncing)
    assert _settings(store) == ["wal", 1, 1]
    syncing.close()
    store.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all, " * 100)


def _truncated(path: Path) -> None:
    Store(path).close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _newer(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_garbage, "is damaged or no store of carbonnas"),
        (_truncated, "is damaged or no store of carbonnas"),
        (_newer, r"was written by a newer release of carbonnas \(schema 9999\); update carbonnas"),
        (Path.mkdir, "can't write .* choose --state DIR"),
    ],
    ids=["garbage", "truncated", "newer", "folder"],
)
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, make: Callable[[Path], None], sentence: str) -> None:
    path = tmp_path / "carbonnas.db"
    make(path)
    before = path.stat()
    with pytest.raises(StorageError, match=sentence):
        Store(path).ids()
    assert path.stat().st_size == before.st_size


@pytest.mark.parametrize("folder", ["file/below", "/proc/nothing"])
def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"can't use .*; choose another folder with --state"):
        Store(tmp_path / folder / "carbonnas.db")


@pytest.mark.parametrize("at", ["opening", "writing"])
def test_a_database_that_another_program_holds_is_said_to_be_locked(
    path: Path, store: Store, header: SearchHeader, progress: SearchProgress, at: str
) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    if at == "opening":
        store.close()
        holder.execute("PRAGMA journal_mode=DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="is locked by another program; end it and run again"):
            Store(path, patience_s=0.1)
    else:
        holder.execute("BEGIN IMMEDIATE")
        hasty = Store(path, patience_s=0.1)
        with pytest.raises(StorageError, match="is locked by another program; end it and run again"):
            hasty.create(header, progress)
        hasty.close()
    holder.execute("ROLLBACK")
    holder.close()
    Store(path).create(header, progress)


def test_a_full_database_is_said_to_be_and_keeps_what_it_has(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    with store._engine.connect() as connection:  # noqa: SLF001 - the limit holds for the pooled connection
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    big = replace(progress, strategy_state=os.urandom(1 << 20))
    with pytest.raises(StorageError, match=r"the disk is full or failing .*; free some space and run again"):
        store.commit("a-search", big, Step())
    assert store.progress("a-search") == progress
    store.commit("a-search", progress, Step())


HOLD = """
import sys
from pathlib import Path
from carbonnas.storage.lock import search_lock
with search_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_search_that_another_process_works_on_is_refused_with_its_id(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "s")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(SearchLockedError, match=f"by process {other.pid}: wait for it"),
            search_lock(tmp_path / "s"),
        ):
            pass
        other.kill()
        other.wait()
        with search_lock(tmp_path / "s"):
            assert (tmp_path / "s" / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="can't use"), search_lock(tmp_path / "file" / "s"):
        pass
