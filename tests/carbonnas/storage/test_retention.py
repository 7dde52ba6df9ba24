"""What is known of grids is forgotten once nothing needs it, and nothing else ever is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carbon_sources.interval import Interval
from carbon_sources.testing_archive import SUBJECT, forecast
from carbonnas.search_state import Step
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.records import load_record
from carbonnas.storage.retention import remove, unneeded
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import HOUR, START, at, entry, hours, intensity, new_search

LONG_AFTER = at(1000)


@pytest.fixture
def daemon(path: Path, store: Store) -> Iterator[DaemonStore]:
    opened = DaemonStore(path)
    yield opened
    opened.close()


def left(path: Path, table: str) -> int:
    with sqlite3.connect(path) as raw:
        (count,) = raw.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    raw.close()
    return int(count)


def test_old_values_go_and_newer_ones_stay(path: Path, store: Store, daemon: DaemonStore) -> None:
    store.archive.keep([intensity(hour) for hour in range(10)], START)
    # Seven of them ended before hour 8: those that begin at 0, 1, ..., 6.
    assert daemon.prune_archive(at(8)) == 7
    assert daemon.prune_archive(at(8)) == 0
    assert left(path, "intensities") == 3


def test_old_forecasts_go_whatever_they_speak_of(store: Store, daemon: DaemonStore) -> None:
    issues = [forecast(hour, 100.0, 90.0) for hour in (0, 1, 5)]
    for issue in issues:
        store.archive.keep_forecast(issue, START)
    assert daemon.prune_archive(issues[-1].issued_at) == 2
    always = Interval(issues[0].issued_at, issues[-1].issued_at + HOUR)
    assert list(store.archive.forecasts(SUBJECT, always)) == issues[-1:]


def test_no_more_rows_go_at_once_than_are_asked_for(path: Path, store: Store, daemon: DaemonStore) -> None:
    store.archive.keep([intensity(hour) for hour in range(10)], START)
    assert [daemon.prune_archive(LONG_AFTER, limit=4) for _ in range(4)] == [4, 4, 2, 0]


def test_every_version_that_the_ledger_refers_to_stays(path: Path, store: Store, daemon: DaemonStore) -> None:
    header, progress = new_search("s")
    # The search priced energy of the day before it began, which happens to clocks that are set back.
    day_before = intensity(-24), intensity(-24, 90.0)
    store.create(header, progress)
    entries = [
        entry("e", hours(-24, -23), day_before[0]),
        entry("e+0", hours(-24, -23), day_before[1], supersedes="e"),
    ]
    store.commit("s", progress, Step(entries=entries))
    store.archive.keep([intensity(-24, 80.0)], START)
    ledger = store.entries("s")
    assert daemon.prune_archive(LONG_AFTER) == 1
    assert store.entries("s") == ledger
    assert left(path, "intensities") == 2


def test_what_stays_does_not_keep_the_rest_from_going(store: Store, daemon: DaemonStore) -> None:
    header, progress = new_search("s")
    store.create(header, progress)
    store.commit("s", progress, Step(entries=[entry("e", hours(-48, -47), intensity(-48))]))
    store.archive.keep([intensity(-47)], START)
    assert [daemon.prune_archive(LONG_AFTER, limit=1) for _ in range(2)] == [1, 0]


def test_a_value_that_the_ledger_comes_to_refer_to_meanwhile_stays(
    path: Path, store: Store, daemon: DaemonStore
) -> None:
    header, progress = new_search("s")
    store.create(header, progress)
    store.archive.keep([intensity(-24), intensity(-25)], START)
    with daemon._instant() as connection:  # noqa: SLF001 - what happens between its two transactions
        found = unneeded(connection, LONG_AFTER, 10)
    store.commit("s", progress, Step(entries=[entry("e", hours(-24, -23), intensity(-24))]))
    with daemon._write() as connection:  # noqa: SLF001 - as above
        assert remove(connection, found) == 1
    assert store.entries("s") == [entry("e", hours(-24, -23), intensity(-24))]


def test_the_report_of_a_search_shows_what_it_showed(path: Path, store: Store, daemon: DaemonStore) -> None:
    header, progress = new_search("s")
    progress = replace(progress, clock_at=at(30))
    store.create(header, progress)
    store.commit("s", progress, Step(entries=[entry("e", hours(0, 1), intensity(0))]))
    store.archive.keep([intensity(hour) for hour in range(-20, 60)], START)
    before = load_record(store, "s")
    # Twelve hours before the search and after it are shown as well: of 80 values those from -12 to 41 overlap them.
    assert len(before.intensities) == 54
    assert daemon.prune_archive(LONG_AFTER) == 80 - 54
    assert load_record(store, "s") == before
    assert (left(path, "searches"), left(path, "ledger")) == (1, 1)


def test_the_time_between_two_searches_is_not_shown(path: Path, store: Store, daemon: DaemonStore) -> None:
    for search_id, begin, end in (("b", 100, 130), ("a", 0, 10), ("c", 105, 110)):
        header, progress = new_search(search_id)
        store.create(replace(header, started_at=at(begin)), replace(progress, clock_at=at(end)))
    store.archive.keep([intensity(hour) for hour in range(200)], START)
    # Shown are the hours before 10 + 12 = 22, and those from 100 - 12 = 88 to 130 + 12 = 142.
    assert daemon.prune_archive(LONG_AFTER) == 200 - 22 - (142 - 88)
