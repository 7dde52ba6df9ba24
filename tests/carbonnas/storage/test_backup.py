"""A backup is a whole store of one instant, and a search goes on from it."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.config_file import load_config
from carbonnas.driver import drive
from carbonnas.errors import StorageError
from carbonnas.record import SearchRecord, SearchState
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.backup import backup
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.searches import write_simulated_search
from carbonnas.wiring import open_search, search_id_for
from tests.carbonnas.storage.made import START, at, entry, hours, trial


def test_a_backup_holds_what_was_committed_and_nothing_later(
    path: Path, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.commit("a-search", progress, Step(trials={0: trial(0)}))
    target = path.parent / "backups" / "one.db"
    backup(path, target)
    store.commit("a-search", progress, Step(trials={1: trial(1)}))
    assert [file.name for file in target.parent.iterdir()] == ["one.db"]
    copy = Store(target)
    assert copy.trials("a-search") == [trial(0)]
    copy.close()


def test_a_backup_is_one_file_that_can_be_read_where_nothing_can_be_written(path: Path, store: Store) -> None:
    target = path.parent / "backup.db"
    backup(path, target)
    connection = sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)
    # A database that is read through a write-ahead log needs files beside it.
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_backup_takes_the_place_of_the_one_before(
    path: Path, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    target = path.parent / "backup.db"
    backup(path, target)
    store.create(header, progress)
    backup(path, target)
    copy = Store(target)
    assert copy.ids() == ["a-search"]
    copy.close()


def test_a_backup_that_a_crash_left_half_made_is_made_anew(path: Path, store: Store) -> None:
    target = path.parent / "backup.db"
    for suffix in ("", "-journal", "-wal", "-shm"):
        target.with_name(f"backup.db.new{suffix}").write_bytes(b"rubbish")
    backup(path, target)
    assert sorted(file.name for file in path.parent.glob("backup.db*")) == ["backup.db"]
    copy = Store(target)
    assert copy.ids() == []
    copy.close()


def test_a_backup_is_whole_while_a_search_is_being_written(
    path: Path, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            now = replace(progress, clock_at=at(number))
            store.commit("a-search", now, Step({number: trial(number)}, entries=[entry(f"e{number}", hours(0, 1))]))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while not done.is_set() or not seen:
        backup(path, path.parent / f"{len(seen)}.db")
        copy = Store(path.parent / f"{len(seen)}.db")
        steps = len(copy.trials("a-search"))
        # One step is a trial, an entry and an hour of the clock; a copy holds all three or none.
        assert len(copy.entries("a-search")) == steps
        assert copy.progress("a-search").clock_at == (at(steps - 1) if steps else START)
        copy.close()
        seen.append(steps)
    writer.join()
    assert seen == sorted(seen)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        backup(tmp_path / "nothing.db", tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_not_passed_off_as_a_backup(path: Path, store: Store) -> None:
    target = path.parent / "backup.db"
    backup(path, target)
    good = target.read_bytes()
    store.close()
    # A page is empty, as if a write had not reached the disk.
    with sqlite3.connect(path) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    with pytest.raises(StorageError, match="damaged"):
        backup(path, target)
    assert target.read_bytes() == good
    assert sorted(file.name for file in path.parent.glob("backup.db*")) == ["backup.db"]


def test_a_target_that_can_not_be_written_is_said_to_be(path: Path, store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"can't use .*backup\.db"):
        backup(path, tmp_path / "file" / "backup.db")


def _driven(config_path: Path, folder: Path, *, steps: int | None = None) -> SearchRecord:
    config, text = load_config(config_path)
    search_id, store, stop, ticks = (
        search_id_for(config, 1),
        Store(store_path(folder)),
        threading.Event(),
        itertools.count(1),
    )

    def look(_status: object) -> None:
        if next(ticks) == steps:
            stop.set()

    drive(open_search(config, text, store, search_id=search_id, state_folder=folder), look, stop)
    record = load_record(store, search_id)
    store.close()
    return record


def _energy(record: SearchRecord) -> list[tuple[object, ...]]:
    """Return the ledger without the ids, which are drawn at random."""
    return sorted(
        (e.priced.sample.interval, e.owner.trial or -1, e.priced.sample.joules, e.emissions_g) for e in record.entries
    )


def test_a_search_goes_on_from_a_restored_backup_to_the_same_end(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path, rounds=2, budgets=[{"limit": "5 kg", "window": "day"}])
    whole = _driven(config, tmp_path / "whole")
    state = tmp_path / "state"
    _driven(config, state, steps=12)
    backup(store_path(state), tmp_path / "backup.db")
    lost = _driven(config, state, steps=6)
    assert lost.state is SearchState.RUNNING
    # The disk fails; the backup is put in the place of the store.
    shutil.rmtree(state)
    state.mkdir()
    shutil.copy(tmp_path / "backup.db", store_path(state))
    restored = _driven(config, state)
    assert restored.state is SearchState.COMPLETED
    assert restored.trials == whole.trials
    assert _energy(restored) == _energy(whole)
