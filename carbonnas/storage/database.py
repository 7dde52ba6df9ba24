"""The database behind the store: opened safely, migrated, its errors turned into sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from carbonnas.errors import StorageError

_MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the database raises into one sentence that names the file and the remedy."""
    try:
        yield
    except DatabaseError as error:
        raise StorageError(_sentence(path, error)) from error
    except OSError as error:
        raise StorageError(f"can't use {path}: {error.strerror}; choose another folder with --state") from error


def _sentence(path: Path, error: DatabaseError) -> str:
    reason = str(error.orig)
    if "readonly" in reason or "unable to open" in reason:
        return f"can't write {path}: the folder or file is read-only; change its permissions or choose --state DIR"
    if "disk is full" in reason or "disk I/O" in reason:
        return f"can't write {path}: the disk is full or failing ({reason}); free some space and run again"
    if "not a database" in reason or "malformed" in reason:
        return f"{path} is damaged or no store of carbonnas ({reason}); move it away or restore a backup"
    if isinstance(error, OperationalError) and "locked" in reason:
        return f"{path} is locked by another program; end it and run again"
    return f"the store {path} failed: {reason}"


def open_engine(path: Path) -> Engine:
    """Open the database file, creating and migrating it as needed.

    Raises:
        StorageError: If the file can't be used or was written by a newer release.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", connect_args={"timeout": 10})
        event.listen(engine, "connect", _configure)
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
    with storage_errors(path), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _configure(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _is_current(connection: Connection, path: Path) -> bool:
    scripts = ScriptDirectory.from_config(_config())
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(f"{path} was written by a newer release of carbonnas (schema {found}); update carbonnas")
    return found == scripts.get_current_head()


def _migrate(connection: Connection, path: Path) -> None:
    # Asked again under the write lock: another process may have migrated in between.
    if not _is_current(connection, path):
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
