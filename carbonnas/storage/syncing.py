"""What the threads of one process that write one file have in common: turns, and commits that reach the disk beside whoever made them."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

_LONG_LOG = 32 * 2**20
"""Bytes from which the log is emptied while nobody writes: commits that go on without a pause would let it grow for ever."""

_log = logging.getLogger(__name__)

_CHECKPOINT_EVERY = 200
"""After this many syncs what is in the write-ahead log is carried over into the file itself: SQLite would do so about as often."""


class Syncing:
    """Lets one thread after the other write, first come, first served, and has the disk take what was committed, at once, in a thread of its own.

    SQLite itself would have who waits ask again and again, after pauses that grow, with luck deciding who is next.

    A process that is killed loses no commit: the operating system has it. Where the machine itself loses its power, whole commits of the
    last moments may be missing, from the last one back; as many as were made while one sync took.

    Args:
        path: The SQLite file, in write-ahead mode; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log_file = path.with_name(f"{path.name}-wal")
        self._turns = threading.Condition()
        self._came = 0
        self._served = 0
        self._changed = threading.Condition()
        self._noted = 0
        self._synced = 0
        self._problem: OSError | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="syncing", daemon=True)
        self._thread.start()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Write when all who came before have done so."""
        with self._turns:
            place, self._came = self._came, self._came + 1
            self._turns.wait_for(lambda: self._served == place)
        try:
            yield
        finally:
            with self._turns:
                self._served += 1
                self._turns.notify_all()

    def note(self) -> None:
        """Take note that something was committed."""
        with self._changed:
            self._noted += 1
            self._changed.notify_all()

    def require_sound(self) -> None:
        """Raise the `OSError` with which the disk refused what was committed before, once: whoever writes next learns of it."""
        with self._changed:
            problem, self._problem = self._problem, None
        if problem is not None:
            raise problem

    def wait(self) -> None:
        """Wait until the disk has everything that was noted so far, or has refused it; at the end nobody waits."""
        with self._changed:
            wanted = self._noted
            self._changed.wait_for(lambda: self._synced >= wanted or self._closing)

    def close(self) -> None:
        """Have the disk take what was noted so far, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        syncs = 0
        while (noted := self._next()) is not None:
            problem = self._sync()
            syncs += 1
            with self._changed:
                self._synced, self._problem = noted, problem or self._problem
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
                if self._log_file.stat().st_size > _LONG_LOG:
                    with self.turn():
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, OSError) as error:
            # Nothing is lost: the log grows until the next time.
            _log.warning("the log of %s could not be carried over: %s", self.path, error)
