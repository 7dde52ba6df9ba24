"""The database behind the store: opened safely, migrated, its errors turned into sentences."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

from carbonnas.errors import StorageError
from carbonnas.storage.syncing import Syncing

_MIGRATIONS = Path(__file__).parent / "migrations"

_SYNCING = "syncing"
"""Name of the engine's option that holds who has the disk take commits."""

_WRITTEN_THROUGH = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
_SYNCED_BESIDE = ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0", "foreign_keys=ON")

_SENTENCES = (
    (("readonly", "unable to open"), "can't write {path}: {reason}; change its permissions or choose --state DIR"),
    (
        ("disk is full", "disk I/O"),
        "can't write {path}: the disk is full or failing ({reason}); free some space and run again",
    ),
    (
        ("not a database", "malformed"),
        "{path} is damaged or no store of carbonnas ({reason}); move it away or restore a backup",
    ),
    (("locked",), "{path} is locked by another program; end it and run again"),
)
"""What SQLite says and what it means to the user; the first that fits counts."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the database raises into one sentence that names the file and the remedy."""
    try:
        yield
    except DatabaseError as error:
        raise StorageError(_sentence(path, str(error.orig))) from error
    except sqlite3.Error as error:
        raise StorageError(_sentence(path, str(error))) from error
    except OSError as error:
        raise StorageError(f"can't use {path}: {error.strerror}; choose another folder with --state") from error


@contextmanager
def row_errors(path: Path) -> Iterator[None]:
    """Turn what is raised for a row that makes no sense into one sentence: somebody else has written it."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise StorageError(f"{path} holds a row that can't be read ({reason}); restore a backup") from error


def _sentence(path: Path, reason: str) -> str:
    for signs, sentence in _SENTENCES:
        if any(sign in reason for sign in signs):
            return sentence.format(path=path, reason=reason)
    return f"the store {path} failed: {reason}"


def open_engine(path: Path, patience_s: float, syncing: Syncing | None = None) -> Engine:
    """Open the database file, creating and migrating it as needed.

    Args:
        path: The file; its folder is made if it is not there.
        patience_s: How long to wait for another process that writes, in seconds.
        syncing: Has the disk take each commit; without it every commit waits for the disk.

    Raises:
        StorageError: If the file can't be used or was written by a newer release.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        url = URL.create("sqlite", database=str(path))
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": patience_s},
            execution_options={_SYNCING: syncing},
        )
        event.listen(engine, "connect", _configure(_WRITTEN_THROUGH if syncing is None else _SYNCED_BESIDE))
        try:
            with engine.connect() as connection:
                current = _is_current(connection, path)
            if not current:
                with immediate(engine, path) as connection:
                    _migrate(connection, path)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextmanager
def immediate(engine: Engine, path: Path) -> Iterator[Connection]:
    """Run one write transaction that holds the write lock from its start."""
    syncing = _syncing(engine)
    if syncing is None:
        with _transaction(engine, path) as connection:
            yield connection
        return
    syncing.require_sound()
    with syncing.writing, _transaction(engine, path) as connection:
        yield connection
    syncing.note()


def is_shared(engine: Engine) -> bool:
    """Say whether other threads of this process write, too, and must not wait for long."""
    return _syncing(engine) is not None


def _syncing(engine: Engine) -> Syncing | None:
    syncing: Syncing | None = engine.get_execution_options()[_SYNCING]
    return syncing


@contextmanager
def _transaction(engine: Engine, path: Path) -> Iterator[Connection]:
    with storage_errors(path), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        finally:
            # Does nothing after a commit, and nothing where SQLite has rolled back by itself, as it does on a full disk.
            connection.connection.rollback()


def _configure(pragmas: Sequence[str]) -> Callable[[Any, object], None]:
    def configure(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return configure


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _is_current(connection: Connection, path: Path) -> bool:
    newest, *older = _revisions()
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {newest, *older}:
        raise StorageError(f"{path} was written by a newer release of carbonnas (schema {found}); update carbonnas")
    return found == newest


@functools.cache
def _revisions() -> tuple[str, ...]:
    """Return the schemas that this release knows, newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _migrate(connection: Connection, path: Path) -> None:
    # Asked again under the write lock: another process may have migrated in between.
    if not _is_current(connection, path):
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
