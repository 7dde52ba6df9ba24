"""Joins in the store what `carbonnas.storage.joining` says may be one: a little at each step of a search.

It is part of the transaction of the step: the process that holds the search is the only one that writes its ledger, and a reader sees all of
it before or after. Only inside such a transaction does the table `joining` hold a row, without which the database deletes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, update

from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import QUARTER_HOUR, Interval, quarter_hour
from carbonnas.emissions import EmissionEntry
from carbonnas.storage import codec
from carbonnas.storage.joining import Runs, joined_energy, replacement
from carbonnas.storage.ledger import read_ledger
from carbonnas.storage.tables import JOINING, LEDGER, READINGS, SEARCHES

_EVERY_MINUTES = 3
"""How often a search is looked at, a divisor of 60: seldom enough to be worth it, and often enough that no step has much to do."""

_MOST = 1000
"""Entries that one step looks at, above zero; of a single quarter hour it may be more."""

_STARTS = select(LEDGER.c.start).order_by(LEDGER.c.start).limit(_MOST)
_READINGS = select(READINGS).order_by(READINGS.c.start, READINGS.c.end)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_DELETE_ENTRY = delete(LEDGER).where(LEDGER.c.entry_id == bindparam("gone"))
_DELETE_READING = delete(READINGS).where(
    READINGS.c.reading_id == bindparam("gone"), READINGS.c.part == bindparam("gone_part")
)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be looked at of a search's ledger.

    Attributes:
        joined_until: Until when all was looked at before this step; `None` if nothing ever was.
        since: From when on something is to be looked at.
        until: Until when.
    """

    joined_until: datetime | None
    since: datetime
    until: datetime

    @classmethod
    def at(cls, now: datetime, joined_until: datetime | None, entered: Sequence[EmissionEntry]) -> Due:
        """Return what is due in a step at `now` that enters something, such as corrections of earlier times."""
        starts = (entry.priced.sample.interval.start for entry in entered)
        since = min((joined_until or _EARLIEST, *starts))
        until = now.replace(minute=now.minute - now.minute % _EVERY_MINUTES, second=0, microsecond=0)
        return cls(joined_until, since, until)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.since < self.until


def keep_joined_until(connection: Connection, search_id: str, until: datetime) -> None:
    """Keep until when all of a search's ledger was looked at."""
    connection.execute(update(SEARCHES).where(SEARCHES.c.id == search_id).values(joined_until=until))


def join_rows(connection: Connection, search_id: str, due: Due) -> datetime:
    """Join what may be one of a search's ledger and readings, and return until when that is done.

    That is sooner than all that is due where it is very much; the rest can follow another time.
    """
    since, until = quarter_hour(due.since), due.until
    within = _starting(LEDGER, search_id, since, until)
    starts = connection.execute(_STARTS.where(*within)).scalars().all()
    if len(starts) == _MOST:
        until = min(until, max(quarter_hour(starts[-1]), quarter_hour(starts[0]) + QUARTER_HOUR))
    # Corrections lie within what they correct: of what has ended by then all are there.
    ended = LEDGER.c.end <= until
    entries, prices = read_ledger(connection, *_starting(LEDGER, search_id, since, until), ended)
    connection.execute(insert(JOINING).values(search_id=search_id, since=since))
    _join_entries(connection, search_id, entries, {price: number for number, price in prices.items()})
    _join_readings(connection, search_id, since, until)
    connection.execute(delete(JOINING))
    return until


def _join_entries(
    connection: Connection, search_id: str, entries: Sequence[EmissionEntry], prices: Mapping[IntensitySample, int]
) -> None:
    superseded = {entry.supersedes for entry in entries if entry.supersedes is not None}
    changes = replacement(entries, superseded)
    if not changes.gone:
        return
    # What refers to an entry goes a moment after it, or comes a moment before the one that stands for it.
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    connection.execute(_DELETE_ENTRY, [{"gone": entry.entry_id} for entry in changes.gone])
    rows = [
        codec.entry_row(search_id, each, None if each.priced.intensity is None else prices[each.priced.intensity])
        for each in changes.come
    ]
    connection.execute(insert(LEDGER), rows)


def _join_readings(connection: Connection, search_id: str, since: datetime, until: datetime) -> None:
    within = _starting(READINGS, search_id, since, until)
    runs = Runs[dict[str, Any]]()
    for row in connection.execute(_READINGS.where(*within)).mappings():
        runs.add(dict(row), Interval(row["start"], row["end"]), like=True)
    several = [run for run in runs.found if len(run) > 1]
    if not several:
        return
    gone = [{"gone": row["reading_id"], "gone_part": row["part"]} for run in several for row in run]
    connection.execute(_DELETE_READING, gone)
    come = [{**run[0], **codec.energy_row(joined_energy([codec.energy_from(row) for row in run]))} for run in several]
    connection.execute(insert(READINGS), come)


def _starting(table: Table, search_id: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return table.c.search_id == search_id, table.c.start >= since, table.c.start < until
