"""Backups that rotate, retention and the heartbeat, on a real store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.clock import SimulatedClock
from carbon_sources.interval import HOUR
from carbon_sources.testing_archive import START, SUBJECT, hour, hours
from carbonnas.daemon.config import BackupSection, DaemonConfig
from carbonnas.daemon.housekeeping import Housekeeper, backups_in, until_next_backup
from carbonnas.daemon.timers import Group, Timers
from carbonnas.errors import StorageError
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class House:
    """A state folder with an open store and who keeps it in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wall = Wall()
        self.store = DaemonStore(store_path(folder))
        self.run = self.store.begin_run(NOW)
        self.keeper = Housekeeper(folder, self.store, run=self.run, now=self.wall)

    @property
    def backups(self) -> list[str]:
        return [path.name for path in backups_in(self.folder / "backups")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.store.close()


def test_of_a_backup_each_day_the_newest_are_kept(house: House) -> None:
    for _ in range(4):
        house.keeper.back_up(BackupSection(keep=2))
        house.wall.now += DAY
    assert house.backups == ["carbonnas-20260303T030000Z.db", "carbonnas-20260304T030000Z.db"]
    assert (house.folder / "backups").stat().st_mode & 0o777 == 0o700


def test_a_backup_put_in_place_is_the_store_as_it_was(house: House, tmp_path: Path) -> None:
    house.keeper.back_up(BackupSection(folder=tmp_path / "elsewhere"))
    house.store.end_run(house.run, NOW + DAY)
    restored = tmp_path / "restored"
    restored.mkdir()
    (backup,) = backups_in(tmp_path / "elsewhere")
    backup.rename(store_path(restored))
    store = DaemonStore(store_path(restored))
    (run,) = store.runs(10)
    store.close()
    assert (run.started_at, run.ended_at) == (NOW, None)


def test_a_backup_that_fails_leaves_the_others_and_says_why(house: House) -> None:
    house.keeper.back_up(BackupSection(keep=1))
    house.wall.now += DAY
    store_path(house.folder).rename(house.folder / "gone")
    with pytest.raises(StorageError, match=r"carbonnas\.db"):
        house.keeper.back_up(BackupSection(keep=1))
    assert house.backups == ["carbonnas-20260301T030000Z.db"]
    (house.folder / "file").touch()
    with pytest.raises(StorageError, match="can't use"):
        house.keeper.back_up(BackupSection(folder=house.folder / "file"))


def test_a_new_backup_is_kept_beside_one_from_a_clock_that_was_ahead(house: House) -> None:
    house.wall.now = NOW + 9 * DAY
    house.keeper.back_up(BackupSection(keep=1))
    house.wall.now = NOW
    house.keeper.back_up(BackupSection(keep=1))
    assert house.backups == ["carbonnas-20260301T030000Z.db"]


def test_what_a_killed_backup_left_goes_and_what_others_put_there_stays(house: House) -> None:
    folder = house.folder / "backups"
    folder.mkdir()
    left = ["carbonnas-20260101T000000Z.db.new", "carbonnas-20260101T000000Z.db.new-journal"]
    others = ["notes.txt", "carbonnas-before-upgrade.db", "thesis.new", "carbonnas-2026031T030000Z.db"]
    for name in (*left, *others):
        (folder / name).touch()
    for _ in range(3):
        house.keeper.back_up(BackupSection(keep=1))
        house.wall.now += DAY
    assert {path.name for path in folder.iterdir()} == {*others, "carbonnas-20260303T030000Z.db"}


def test_a_backup_is_due_an_interval_after_the_newest_however_often_the_daemon_starts(house: House) -> None:
    folder = house.folder / "backups"
    assert until_next_backup(folder, DAY, NOW) == timedelta(0)
    house.keeper.back_up(BackupSection())
    assert until_next_backup(folder, DAY, NOW + timedelta(hours=10)) == timedelta(hours=14)
    assert until_next_backup(folder, DAY, NOW + 3 * DAY) == timedelta(0)


@given(
    st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), max_size=5),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.timedeltas(timedelta(seconds=1), timedelta(days=365)),
)
def test_the_next_backup_is_never_further_away_than_an_interval(
    tmp_path_factory: pytest.TempPathFactory, made: list[datetime], every: timedelta
) -> None:
    folder = tmp_path_factory.mktemp("backups")
    for instant in made:
        (folder / f"carbonnas-{instant:%Y%m%dT%H%M%SZ}.db").touch()
    assert timedelta(0) <= until_next_backup(folder, every, NOW) <= every


def test_the_heartbeat_is_written_down(house: House) -> None:
    house.wall.now += timedelta(seconds=30)
    house.keeper.beat()
    assert house.store.runs(1)[0].seen_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize("ahead", ["wall", "clock"])
def test_retention_goes_by_whichever_clock_is_behind(house: House, ahead: str) -> None:
    store = Store(store_path(house.folder))
    store.archive.keep([hour(number) for number in range(3000)], NOW)
    clock = SimulatedClock(START + (3000 * HOUR if ahead == "wall" else 9999 * HOUR))
    house.wall.now = START + (9999 * HOUR if ahead == "wall" else 3000 * HOUR)
    Housekeeper(house.folder, house.store, run=house.run, now=house.wall, clock=clock).prune(500 * HOUR)
    left = store.archive.series(SUBJECT, hours(0, 3000))
    store.close()
    # What ended before 3000 h - 500 h went: 2,499 hours, in pieces of a thousand.
    assert [sample.interval.start for sample in left] == [START + index * HOUR for index in range(2499, 3000)]


def test_the_chores_are_entered_once_and_again_after_a_reload(house: House) -> None:
    timers, idle = Timers(), threading.Event()
    for keep in (1, 2):
        house.keeper.schedule(timers, DaemonConfig(backup=BackupSection(keep=keep)))
    assert [(state.name, state.interval) for state in timers.states()] == [
        ("backup", DAY),
        ("heartbeat", timedelta(seconds=30)),
        ("retention", DAY),
    ]
    house.wall.now += timedelta(hours=1)
    timers.start()
    # The group has one thread: what is asked for after the chores has run after them.
    timers.run_soon("backup")
    timers.run_soon("retention")
    timers.every("last", DAY, idle.set, group=Group.CHORES)
    timers.run_soon("last")
    assert idle.wait(120)
    assert timers.stop(timedelta(seconds=120)) == ()
    assert timers.troubles() == {}
    assert house.backups == ["carbonnas-20260301T040000Z.db"]
    assert house.store.runs(1)[0].seen_at == NOW + timedelta(hours=1)
