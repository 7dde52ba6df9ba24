"""A store in memory answers what the store in a file answers."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.config_file import load_config
from carbonnas.driver import drive
from carbonnas.errors import SearchNotFoundError
from carbonnas.record import SearchRecord
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.records import load_record
from carbonnas.storage.search_store import SearchStore
from carbonnas.storage.store import Store
from carbonnas.testing.searches import write_simulated_search
from carbonnas.wiring import open_search, search_id_for


def ended(store: SearchStore, config_path: Path, folder: Path) -> SearchRecord:
    config, text = load_config(config_path)
    search_id = search_id_for(config, 1)
    drive(
        open_search(config, text, store, search_id=search_id, state_folder=folder),
        lambda _status: None,
        threading.Event(),
    )
    assert store.by_fingerprint(config.fingerprint) == [search_id]
    return load_record(store, search_id)


def test_a_search_leaves_the_same_record_in_memory_and_in_a_file(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path, rounds=2, budgets=[{"limit": "5 kg", "window": "day"}])
    (tmp_path / "other").mkdir()
    in_file = ended(Store(tmp_path / "store" / "carbonnas.db"), config, tmp_path / "store")
    in_memory = ended(MemoryStore(), config, tmp_path / "other")
    # Ids of readings are drawn at random.
    assert replace(in_memory, entries=()) == replace(in_file, entries=())
    assert sorted(
        (e.priced.sample.interval, e.priced.sample.joules, e.emissions_g) for e in in_memory.entries
    ) == sorted((e.priced.sample.interval, e.priced.sample.joules, e.emissions_g) for e in in_file.entries)


def test_a_search_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SearchNotFoundError, match="there is no search 'x'"):
        MemoryStore().trials("x")
