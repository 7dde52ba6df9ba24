"""The store: everything that survives the process, written one step at a time.

All that one step of a search changes is one transaction: trial states, results, energy, the strategy's state and the decision.
The ledger and the readings are append-only; the database itself refuses to change or delete them. The one exception are lines of a few
minutes that are over, in whose place comes one that stands for them (`carbonnas.storage.joining`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Select, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import EnergySample, MeterReading
from carbonnas.errors import SearchNotFoundError
from carbonnas.record import DecisionRecord, Override
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage import codec
from carbonnas.storage.daemon_rows import override_from
from carbonnas.storage.database import immediate, open_engine, row_errors, storage_errors
from carbonnas.storage.intensity_archive import LAST_KEPT_LAST, StoredArchive
from carbonnas.storage.ledger import read_entries
from carbonnas.storage.search_codec import header_from, progress_from, progress_row, search_row
from carbonnas.storage.settling import Due, Turns, join_rows, keep_joined_until
from carbonnas.storage.syncing import Syncing
from carbonnas.storage.tables import (
    DECISIONS,
    ENDED_SUMS,
    INTENSITIES,
    LEDGER,
    OVERRIDES,
    READINGS,
    SEARCHES,
    SUBMISSIONS,
    TRIALS,
    USAGES,
)
from carbonnas.trials import Trial, TrialState

T = TypeVar("T")


_KEEP_INTENSITY = upsert(INTENSITIES).on_conflict_do_nothing()
_INTENSITY_ID = select(INTENSITIES.c.id).where(
    *(column == bindparam(column.name) for column in INTENSITIES.c if column.name not in {"id", "fetched_at"})
)


def _put(table: Table, *keys: str, kept: str | None = None) -> Executable:
    """Return an insert of rows that replaces the row with the same keys, all of it but the column `kept`."""
    statement = upsert(table)
    others = {column.name: statement.excluded[column.name] for column in table.c if column.name not in {*keys, kept}}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


# Made once: to put a statement together takes as long as to run it.
_ADVANCE = update(SEARCHES).where(SEARCHES.c.id == bindparam("of")).returning(SEARCHES.c.joined_until)
_ADD_DECISION = insert(DECISIONS)
_ADD_READING = insert(READINGS)
_ADD_ENTRY = insert(LEDGER)
_FORGET_SUMS = delete(ENDED_SUMS).where(ENDED_SUMS.c.search_id == bindparam("of"))
_PUT_TRIAL = _put(TRIALS, "search_id", "number", kept="slot_s")
_PUT_SLOT_SECONDS = (
    update(TRIALS)
    .where(TRIALS.c.search_id == bindparam("of"), TRIALS.c.number == bindparam("trial"))
    .values(slot_s=bindparam("seconds"))
)
_PUT_USAGE_MARK = _put(USAGES, "search_id", "stream")


class Store:
    """The SQLite file of one state folder. One process writes a search at a time; reading is always allowed.

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
        self._snapshot: Connection | None = None
        self._turns = Turns()

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    @property
    def archive(self) -> StoredArchive:
        """What is known of grids, whichever search asked for it; other threads may use it, too."""
        return StoredArchive(self._engine, self.path)

    def create(self, header: SearchHeader, progress: SearchProgress) -> None:
        """Enter a new search."""
        with immediate(self._engine, self.path) as connection:
            connection.execute(insert(SEARCHES).values(search_row(header, progress)))

    def commit(self, search_id: str, progress: SearchProgress, step: Step) -> None:
        """Write one step, all of it or nothing."""
        with immediate(self._engine, self.path) as connection:
            joined_until = connection.execute(_ADVANCE, {"of": search_id, **progress_row(progress)}).scalar()
            _execute(connection, _KEEP_INTENSITY, [codec.intensity_row(sample) for sample in step.intensities])
            _execute(connection, _PUT_TRIAL, [codec.trial_row(search_id, trial) for trial in step.trials.values()])
            _execute(connection, _ADD_DECISION, [codec.decision_row(search_id, made) for made in step.decisions])
            _execute(connection, _ADD_READING, [row for r in step.readings for row in _reading_rows(search_id, r)])
            _execute(
                connection,
                _PUT_USAGE_MARK,
                [{"search_id": search_id, "stream": s, "number": n} for s, n in step.usage_marks.items()],
            )
            _execute(
                connection,
                _PUT_SLOT_SECONDS,
                [{"of": search_id, "trial": n, "seconds": s} for n, s in step.slot_seconds.items()],
            )
            _write_entries(connection, search_id, step.entries)
            due = Due.at(progress.clock_at, joined_until, step.entries)
            self._join(connection, search_id, due, progress.clock_at)

    def _join(self, connection: Connection, search_id: str, due: Due, now: datetime) -> None:
        """Join what is due of a search's ledger, if it is its turn, and keep how far that is."""
        reached = join_rows(connection, search_id, due) if self._turns.has_come(search_id, due, now) else due.since
        if reached != due.joined_until:
            keep_joined_until(connection, search_id, reached)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that is read inside stem from one instant, whatever another process writes meanwhile."""
        with storage_errors(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            self._snapshot = connection
            try:
                yield
            finally:
                self._snapshot = None
                connection.connection.rollback()

    def ids(self) -> list[str]:
        """Return the ids of all searches, oldest first."""
        return self._read(select(SEARCHES.c.id).order_by(SEARCHES.c.created), lambda row: str(row["id"]))

    def find(self, text: str) -> str:
        """Return the id that `text` names: an id, or a prefix of exactly one.

        Raises:
            SearchNotFoundError: If none or several match.
        """
        known = self.ids()
        matches = [text] if text in known else [search_id for search_id in known if search_id.startswith(text)]
        if len(matches) != 1:
            what = "several searches match" if matches else "there is no search"
            listed = ", ".join(matches or known) or "none yet"
            raise SearchNotFoundError(f"{what} {text!r}; known are: {listed}")
        return matches[0]

    def by_fingerprint(self, fingerprint: str) -> list[str]:
        """Return the ids of the searches with this configuration, oldest first."""
        query = select(SEARCHES.c.id).where(SEARCHES.c.fingerprint == fingerprint).order_by(SEARCHES.c.created)
        return self._read(query, lambda row: str(row["id"]))

    def header(self, search_id: str) -> SearchHeader:
        """Return what is fixed about a search."""
        return self._search(search_id, header_from)

    def progress(self, search_id: str) -> SearchProgress:
        """Return what changes about a search, as of its last step."""
        return self._search(search_id, progress_from)

    def trials(self, search_id: str, *, open_only: bool = False) -> list[Trial]:
        """Return the trials of a search by number; with `open_only` those that have not ended."""
        query = select(TRIALS).where(TRIALS.c.search_id == search_id).order_by(TRIALS.c.number)
        if open_only:
            query = query.where(TRIALS.c.state.in_([state.value for state in TrialState if not state.final]))
        return self._read(query, codec.trial_from)

    def decisions(self, search_id: str) -> list[DecisionRecord]:
        """Return the decisions of a search in order of time."""
        query = select(DECISIONS).where(DECISIONS.c.search_id == search_id).order_by(DECISIONS.c.id)
        return self._read(query, codec.decision_from)

    def measured(self, search_id: str) -> list[EnergySample]:
        """Return what the meter measured, in order of time."""
        query = select(READINGS).where(READINGS.c.search_id == search_id).order_by(READINGS.c.start, READINGS.c.end)
        return self._read(query, codec.energy_from)

    def entries(self, search_id: str, within: Interval | None = None) -> list[EmissionEntry]:
        """Return the ledger entries that count (superseded ones left out), those that overlap `within` if it is given."""
        conditions = [LEDGER.c.search_id == search_id]
        if within is not None:
            conditions += [LEDGER.c.start < within.end, LEDGER.c.end > within.start]
        with self._reading() as connection:
            return read_entries(connection, *conditions)

    def overrides(self, search_id: str) -> list[Override]:
        """Return what operators ever added to budgets, oldest first; none for a search that was not submitted to the daemon."""
        query = select(OVERRIDES).join(SUBMISSIONS, SUBMISSIONS.c.search_id == search_id).order_by(OVERRIDES.c.id)
        return self._read(query, override_from)

    def usage_marks(self, search_id: str) -> dict[str, int]:
        """Return, for each stream of usage, the number up to which it is accounted for."""
        query = select(USAGES).where(USAGES.c.search_id == search_id)
        return dict(self._read(query, lambda row: (str(row["stream"]), int(row["number"]))))

    def slot_seconds(self, search_id: str) -> dict[int, float]:
        """Return the seconds that trials have had a slot, by number, of those for which they were counted."""
        counted = (TRIALS.c.search_id == search_id, TRIALS.c.slot_s.is_not(None))
        query = select(TRIALS.c.number, TRIALS.c.slot_s).where(*counted)
        return dict(self._read(query, lambda row: (int(row["number"]), float(row["slot_s"]))))

    def intensities(self, like: IntensitySample, within: Interval) -> IntensitySeries:
        """Return the intensities of the source, zone, kind and basis of `like` that overlap `within`; the newest value wins."""
        query = (
            select(INTENSITIES)
            .where(INTENSITIES.c.source == like.source, INTENSITIES.c.zone == like.zone)
            .where(INTENSITIES.c.kind == like.kind.value, INTENSITIES.c.basis == like.basis.value)
            .where(INTENSITIES.c.start < within.end, INTENSITIES.c.end > within.start)
            .order_by(*LAST_KEPT_LAST)
        )
        return IntensitySeries.newest_wins(self._read(query, codec.intensity_from))

    def _search(self, search_id: str, decode: Callable[[codec.Row], T]) -> T:
        found = self._read(select(SEARCHES).where(SEARCHES.c.id == search_id), decode)
        if not found:
            raise SearchNotFoundError(f"there is no search {search_id!r}")
        return found[0]

    def _read(self, query: Select[Any], decode: Callable[[codec.Row], T]) -> list[T]:
        with self._reading() as connection:
            return [decode(dict(row)) for row in connection.execute(query).mappings()]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with storage_errors(self.path), row_errors(self.path):
            if self._snapshot is not None:
                yield self._snapshot
                return
            with self._engine.connect() as connection:
                yield connection


def _execute(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _reading_rows(search_id: str, reading: MeterReading) -> list[dict[str, Any]]:
    return [
        {"reading_id": reading.reading_id, "part": part, "search_id": search_id, **codec.energy_row(sample)}
        for part, sample in enumerate(reading.measured)
    ]


def _write_entries(connection: Connection, search_id: str, entries: Sequence[EmissionEntry]) -> None:
    priced_by = {
        entry.priced.intensity: codec.intensity_row(entry.priced.intensity)
        for entry in entries
        if entry.priced.intensity
    }
    _execute(connection, _KEEP_INTENSITY, list(priced_by.values()))
    if entries:
        connection.execute(_FORGET_SUMS, {"of": search_id})
    ids = {sample: connection.execute(_INTENSITY_ID, row).scalar_one() for sample, row in priced_by.items()}
    rows = [codec.entry_row(search_id, e, ids[e.priced.intensity] if e.priced.intensity else None) for e in entries]
    _execute(connection, _ADD_ENTRY, rows)
