"""The open file of a store, for those who read and write it beside the searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select

from carbonnas.storage.codec import Row
from carbonnas.storage.database import immediate, open_engine, row_errors, storage_errors
from carbonnas.storage.syncing import Syncing

T = TypeVar("T")


class StoreFile:
    """The SQLite file of one state folder; several threads may share it.

    Args:
        path: The file; it is made if it is not there.
        patience_s: How long to wait for another process that is writing, in seconds.
        syncing: Has the disk take each commit; without it every commit waits for the disk.

    Raises:
        StorageError: From every method, if the file can't be used.
    """

    def __init__(self, path: Path, *, patience_s: float = 10.0, syncing: Syncing | None = None) -> None:
        self.path = path
        self._engine = open_engine(path, patience_s, syncing)

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    def _write(self) -> AbstractContextManager[Connection]:
        """Run one write transaction: all of it or nothing."""
        return immediate(self._engine, self.path)

    @contextmanager
    def _instant(self) -> Iterator[Connection]:
        """Let everything that is read with the connection stem from one instant."""
        with storage_errors(self.path), row_errors(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.connection.rollback()

    def _read(self, query: Select[Any], decode: Callable[[Row], T]) -> list[T]:
        with storage_errors(self.path), row_errors(self.path), self._engine.connect() as connection:
            return [decode(dict(row)) for row in connection.execute(query).mappings()]
