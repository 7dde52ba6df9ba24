"""What keeps a daemon in order over months: backups, retention, and a heartbeat that later shows when it was down."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbon_sources.clock import Clock, wall_time
from carbonnas.daemon.config import BackupSection, DaemonConfig
from carbonnas.daemon.timers import Group, Timers
from carbonnas.storage.backup import backup
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.database import storage_errors
from carbonnas.storage.paths import store_path

_log = logging.getLogger(__name__)

_NAME = "carbonnas-%Y%m%dT%H%M%SZ.db"
_SOON = timedelta(minutes=1)
"""How long after the start a backup that is overdue waits, so that it does not hold up the start."""
_NOT_SO_SOON = timedelta(minutes=10)
"""The same for the retention, which never hurries; a daemon that is restarted each day gets round to it as well."""
_PRUNE_EVERY = timedelta(days=1)
_MOST_PRUNINGS = 1000
"""Transactions of one pruning; what is left then goes the next time."""


class Housekeeper:
    """The chores of one daemon.

    Args:
        state_folder: Folder of the store.
        store: The daemon's part of it.
        run: Number of this run of the daemon, of `DaemonStore.begin_run`.
        now: Reads the wall clock, UTC: backups and runs are of this world.
        clock: The clock that the searches live by; where it is behind, retention goes by it. `None`: it is the wall clock.
    """

    def __init__(
        self,
        state_folder: Path,
        store: DaemonStore,
        *,
        run: int,
        now: Callable[[], datetime] = wall_time,
        clock: Clock | None = None,
    ) -> None:
        self._state_folder = state_folder
        self._store = store
        self._run = run
        self._now = now
        self._searched_now = now if clock is None else clock.now

    def schedule(self, timers: Timers, config: DaemonConfig) -> None:
        """Enter the chores; called again after a reload it replaces them."""
        kept, folder = config.backup, self._backups(config.backup)
        # Asked before anything is changed: a folder that can't be read is a reason to refuse a configuration.
        next_backup = max(_SOON, until_next_backup(folder, kept.every, self._now()))
        timers.every("heartbeat", config.daemon.heartbeat, self.beat, group=Group.CHORES, first_after=timedelta(0))
        timers.every(
            "backup",
            kept.every,
            lambda: self.back_up(kept),
            group=Group.CHORES,
            first_after=next_backup,
        )
        timers.every(
            "retention",
            _PRUNE_EVERY,
            lambda: self.prune(config.retention.intensities),
            group=Group.CHORES,
            first_after=_NOT_SO_SOON,
        )

    def beat(self) -> None:
        """Write down that the daemon lives."""
        self._store.heartbeat(self._run, self._now())

    def back_up(self, section: BackupSection) -> None:
        """Make a backup, and remove the oldest beyond those that are to be kept.

        Raises:
            StorageError: If it can't be made; those that are there stay then.
        """
        folder = self._backups(section)
        target = folder / self._now().strftime(_NAME)
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in _begun_in(folder):
                path.unlink(missing_ok=True)
        backup(store_path(self._state_folder), target)
        # The newest is the one just made, even beside backups of a clock that once was ahead.
        others = [path for path in reversed(backups_in(folder)) if path != target]
        with storage_errors(folder):
            for path in others[section.keep - 1 :]:
                path.unlink(missing_ok=True)
        _log.info("made the backup %s", target)

    def prune(self, age: timedelta) -> None:
        """Remove intensities and forecasts older than `age` that nothing refers to, in many small transactions."""
        before, removed = min(self._searched_now(), self._now()) - age, 0
        for _ in range(_MOST_PRUNINGS):
            rows = self._store.prune_archive(before)
            removed += rows
            if not rows:
                break
        if removed:
            _log.info("removed %d intensities and forecasts from before %s", removed, before.date())

    def _backups(self, section: BackupSection) -> Path:
        return self._state_folder / "backups" if section.folder is None else section.folder


def backups_in(folder: Path) -> list[Path]:
    """Return the backups in a folder, oldest first; none if there is no such folder. Whatever else lies there is none."""
    with storage_errors(folder):
        found = [path for path in folder.iterdir() if _made_at(path) is not None] if folder.is_dir() else []
    return sorted(found)


def _begun_in(folder: Path) -> list[Path]:
    """Return what backups left that were cut off by the end of the process."""
    names = ((path, path.name.partition(".new")) for path in folder.iterdir())
    return [path for path, (name, begun, _) in names if begun and _made_at(path.with_name(name)) is not None]


def until_next_backup(folder: Path, every: timedelta, now: datetime) -> timedelta:
    """Return how long it is until a backup is due, at least zero and at most `every`.

    It goes by the newest one there is, so that a daemon that is restarted again and again makes them nevertheless.
    """
    made = [made_at for path in backups_in(folder) if (made_at := _made_at(path)) is not None]
    before = [made_at for made_at in made if made_at <= now]
    return max(timedelta(0), max(before) + every - now) if before else timedelta(0)


def _made_at(path: Path) -> datetime | None:
    try:
        made_at = datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return made_at if made_at.strftime(_NAME) == path.name else None
