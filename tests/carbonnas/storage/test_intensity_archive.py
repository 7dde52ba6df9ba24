"""The archive in the store: kept for the next process, written by several, and upgraded without loss."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, create_engine

from carbon_sources.archive import IntensityArchive, MemoryArchive
from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import HOUR, Interval
from carbon_sources.testing_archive import START, SUBJECT, IntensityArchiveConformance, forecast, hour, hours
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Owner
from carbonnas.errors import StorageError
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage import database
from carbonnas.storage.store import Store


class TestStoredArchive(IntensityArchiveConformance):
    @pytest.fixture
    def archive(self, store: Store) -> IntensityArchive:
        return store.archive


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return one store for many examples, each of which has a zone of its own."""
    opened = Store(tmp_path_factory.mktemp("shared") / "carbonnas.db")
    yield opened
    opened.close()


ZONES = itertools.count()
VERSIONS = st.builds(
    lambda start, length, value: replace(hour(0, value), interval=hours(start, start + length)),
    st.integers(0, 8),
    st.integers(1, 3),
    st.sampled_from([100.0, 90.0]),
)


@settings(max_examples=60, deadline=None)
@given(versions=st.lists(VERSIONS, max_size=12), first=st.integers(0, 9), length=st.integers(1, 4))
def test_it_answers_as_the_archive_in_memory_does(
    shared: Store, versions: list[IntensitySample], first: int, length: int
) -> None:
    zone, memory = f"zone {next(ZONES)}", MemoryArchive()
    subject = replace(SUBJECT, zone=zone)
    for fetch, version in enumerate(versions):
        for archive in (memory, shared.archive):
            archive.keep((replace(version, zone=zone),), START + fetch * HOUR)
    within = hours(first, first + length)
    assert shared.archive.series(subject, within) == memory.series(subject, within)


def test_what_is_kept_is_there_when_it_is_opened_again(path: Path, store: Store) -> None:
    store.archive.keep((hour(0), hour(1, 90)), START)
    store.archive.keep_forecast(forecast(0, 1, 2), START)
    store.close()
    again = Store(path)
    assert again.archive.series(SUBJECT, hours(0, 24)).samples == (hour(0), hour(1, 90))
    assert again.archive.newest_forecast(SUBJECT, START) == forecast(0, 1, 2)
    again.close()


def test_the_first_years_of_the_calendar_are_kept_as_they_are(store: Store) -> None:
    ancient = replace(hour(0), interval=Interval(datetime.min.replace(tzinfo=UTC), START))
    store.archive.keep((ancient,), START)
    assert store.archive.series(SUBJECT, hours(-1, 1)).samples == (ancient,)


KEEP = """
import sys
from pathlib import Path
from carbon_sources.testing_archive import START, hour
from carbonnas.storage.store import Store
archive = Store(Path(sys.argv[1]), patience_s=300).archive
for number in range(25):
    archive.keep((hour(int(sys.argv[2]) + number),), START)
"""


def test_two_processes_and_two_threads_keep_at_the_same_time(path: Path) -> None:
    store = Store(path, patience_s=300)
    processes = [subprocess.Popen([sys.executable, "-c", KEEP, str(path), str(first)]) for first in (0, 25)]

    def keep(first: int) -> None:
        for number in range(25):
            store.archive.keep((hour(first + number),), START)

    threads = [threading.Thread(target=keep, args=(first,)) for first in (50, 75)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    assert len(store.archive.series(SUBJECT, hours(0, 100))) == 100
    store.close()


def test_another_thread_keeps_while_a_search_reads_one_instant(store: Store) -> None:
    with store.snapshot():
        before = store.intensities(hour(0), hours(0, 24))
        thread = threading.Thread(target=store.archive.keep, args=((hour(0),), START))
        thread.start()
        thread.join()
        assert store.intensities(hour(0), hours(0, 24)) == before
    assert store.intensities(hour(0), hours(0, 24)).samples == (hour(0),)


def entry(sample: IntensitySample) -> EmissionEntry:
    priced = PricedEnergy(EnergySample(sample.interval, 1.0, 2.0, 3.0), sample)
    return EmissionEntry(f"e{sample.g_per_kwh:g}{sample.method}", Owner(Account.IDLE), priced, 1.0)


def test_the_ledger_finds_values_that_the_archive_keeps(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.archive.keep((hour(0), replace(hour(0), method="m")), START)
    entries = [entry(hour(0)), entry(replace(hour(0), method="m"))]
    store.commit("a-search", progress, Step(entries=entries, intensities=[hour(0)]))
    store.archive.keep((hour(0),), START + HOUR)
    assert sorted(store.entries("a-search"), key=lambda e: e.entry_id) == entries


def test_reports_see_the_value_that_was_kept_last(store: Store) -> None:
    for fetch, value in enumerate((100.0, 90.0, 100.0)):
        store.archive.keep((hour(0, value),), START + fetch * HOUR)
    assert store.intensities(hour(0), hours(0, 24)).samples == (hour(0, 100.0),)


def test_what_a_search_priced_with_alone_was_not_fetched(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.archive.keep((hour(0, 90),), START)
    store.commit("a-search", progress, Step(intensities=[hour(0, 100), hour(1)]))
    assert store.archive.series(SUBJECT, hours(0, 24)).samples == (hour(0, 90),)
    assert store.intensities(hour(0), hours(0, 24)).samples == (hour(0, 90), hour(1))


def first_schema(path: Path) -> None:
    """Make a store of the first release with two versions of an hour, one of which is in the ledger."""
    path.parent.mkdir(parents=True)
    engine = create_engine(URL.create("sqlite", database=str(path)), isolation_level="AUTOCOMMIT")
    config = database._config()  # noqa: SLF001 - its own migrations, up to the first
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    rows = [f"'one','Z','average','direct','measured','{_text(0)}','{_text(1)}',{value}" for value in (100.0, 90.0)]
    with sqlite3.connect(path) as old:
        columns = "source, zone, kind, basis, provenance, start, end, g_per_kwh"
        for number, row in enumerate(rows, 7):
            old.execute(f"INSERT INTO intensities (id, {columns}) VALUES ({number}, {row})")  # noqa: S608 - ours
        old.execute("PRAGMA foreign_keys=OFF")
        old.execute(
            "INSERT INTO ledger (entry_id, search_id, account, start, end, cpu_j, gpu_j, ram_j, pue, intensity_id)"
            " VALUES ('e', 's', 'idle', ?, ?, 1, 2, 3, 1, 7)",
            (_text(0), _text(1)),
        )
    old.close()


def _text(number: int) -> str:
    return (START + number * HOUR).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_store_of_the_first_release_is_upgraded_without_loss(path: Path) -> None:
    first_schema(path)
    store = Store(path)
    assert store.archive.series(SUBJECT, hours(0, 24)).samples == (hour(0, 90.0),)
    (kept,) = store.entries("s")
    assert kept.priced.intensity == hour(0, 100.0)
    # What is fetched now is newer than both, and the method tells values apart that were one before.
    for fetch, sample in enumerate((hour(0, 100.0), replace(hour(0, 100.0), method="m"))):
        store.archive.keep((sample,), START + fetch * HOUR)
        assert store.archive.series(SUBJECT, hours(0, 24)).samples == (sample,)
    store.close()
    with sqlite3.connect(path) as upgraded:
        assert upgraded.execute("SELECT count(*) FROM intensities").fetchone() == (3,)
    upgraded.close()


@pytest.mark.parametrize("payload", [b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"], ids=["garbage", "empty"])
def test_a_damaged_forecast_is_said_to_be_damaged(path: Path, store: Store, payload: bytes) -> None:
    store.archive.keep_forecast(forecast(0, 1), START)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE forecasts SET payload = ?", (payload,))
    connection.close()
    with pytest.raises(StorageError, match=r"holds a row that can't be read .* restore a backup"):
        store.archive.newest_forecast(SUBJECT, START)


def test_a_value_of_another_author_that_makes_no_sense_is_said_to_be_damaged(path: Path, store: Store) -> None:
    store.archive.keep((hour(0),), START)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE intensities SET provenance = 'guessed'")
    connection.close()
    with pytest.raises(StorageError, match="holds a row that can't be read"):
        store.archive.series(SUBJECT, hours(0, 24))
