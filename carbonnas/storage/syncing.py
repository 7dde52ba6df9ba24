"""Commits that reach the disk beside whoever made them."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from carbonnas.errors import StorageError
from carbonnas.storage.fair_lock import FairLock

_LONG_LOG = 32 * 2**20
"""Bytes from which the log is emptied while nobody writes: commits that go on without a pause would let it grow for ever."""

_log = logging.getLogger(__name__)

_CHECKPOINT_EVERY = 200
"""After this many syncs what is in the write-ahead log is carried over into the file itself: SQLite would do so about as often."""


class Syncing:
    """Has the disk take what the threads of one process commit to one file, at once, in a thread of its own.

    A process that is killed loses no commit: the operating system has it. Where the machine itself loses its power, whole commits of the
    last moments may be missing, from the last one back; as many as were made while one sync took.

    Args:
        path: The SQLite file, in write-ahead mode; it may not be there yet.
        long_log: Bytes of the write-ahead log above which it is emptied while nobody writes.

    Attributes:
        path: As above.
        writing: Held by whoever writes. SQLite itself would have who waits ask again and again, after pauses that grow, with luck
            deciding who is next.
    """

    def __init__(self, path: Path, *, long_log: int = _LONG_LOG) -> None:
        self.path = path
        self.writing = FairLock()
        self._long_log = long_log
        self._log_file = path.with_name(f"{path.name}-wal")
        self._changed = threading.Condition()
        self._noted = 0
        self._synced = 0
        self._refused: tuple[int, OSError] | None = None
        self._is_told = True
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="syncing", daemon=True)
        self._thread.start()

    def note(self) -> None:
        """Take note that something was committed."""
        with self._changed:
            self._noted += 1
            self._changed.notify_all()

    def require_sound(self) -> None:
        """Raise `StorageError` if the disk refused what was committed before, once: whoever writes next learns of it."""
        with self._changed:
            was_told, self._is_told = self._is_told, True
        if not was_told:
            self._raise_after(0)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do what has something committed, by whichever thread, and wait until the disk has it.

        Raises:
            StorageError: If the disk has refused what was committed meanwhile.
        """
        with self._changed:
            before = self._noted
        yield
        self.wait(before)

    def wait(self, since: int | None = None) -> None:
        """Wait until the disk has everything that was noted so far, or has refused it; at the end nobody waits.

        Args:
            since: So much had been noted when what is waited for began; without it all counts that waits for the disk now.

        Raises:
            StorageError: If the disk has refused some of it.
        """
        with self._changed:
            wanted, begun = self._noted, self._synced if since is None else since
            self._changed.wait_for(lambda: self._synced >= wanted or self._closing)
        self._raise_after(begun)

    def close(self) -> None:
        """Have the disk take what was noted so far, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _raise_after(self, begun: int) -> None:
        """Raise what came of the last sync that failed, if it took more than the first `begun` commits."""
        refused = self._refused
        if refused is not None and refused[0] > begun:
            raise StorageError(
                f"the disk does not take what was written to {self.path} ({refused[1].strerror}): what was done last may be lost "
                "if the machine loses its power; free some space, or replace the disk"
            ) from refused[1]

    def _run(self) -> None:
        syncs = 0
        while (noted := self._next()) is not None:
            problem = self._sync()
            syncs += 1
            with self._changed:
                self._synced = noted
                if problem is not None:
                    self._refused, self._is_told = (noted, problem), False
                self._changed.notify_all()
            if syncs % _CHECKPOINT_EVERY == 0:
                self._carry_over()

    def _next(self) -> int | None:
        """Wait for something to sync and return how much was noted by then; `None` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._noted > self._synced or self._closing)
            return self._noted if self._noted > self._synced else None

    def _sync(self) -> OSError | None:
        try:
            # Without a log all is in the file itself, which SQLite syncs before it removes the log.
            with suppress(FileNotFoundError):
                descriptor = os.open(self._log_file, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            _log.error("the disk does not take what was written to %s: %s", self.path, error)
            return error
        return None

    def _carry_over(self) -> None:
        try:
            with closing(sqlite3.connect(self.path, timeout=0.0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if self._log_file.stat().st_size > self._long_log:
                    with self.writing:
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, OSError) as error:
            # Nothing is lost: the log grows until the next time.
            _log.warning("the log of %s could not be carried over: %s", self.path, error)
