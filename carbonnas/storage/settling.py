"""Joins in the store what `carbonnas.storage.joining` says may be one: a little at a time.

First what lies within five minutes becomes one, a little later what follows is added to it, until they are over; two days later, when hardly any
value is revised any more, what lies within a quarter hour becomes one. Each search has its turn twice in five minutes, at a time of its own.

It is part of the transaction of the step: the process that holds the search is the only one that writes its ledger, and a reader sees all of
it before or after. Only inside such a transaction does the table `joining` hold a row, without which the database deletes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, update

from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import QUARTER_HOUR, Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.storage import codec
from carbonnas.storage.joining import FIVE_MINUTES, Replacement, Runs, begin_of, joined_energy, replacement
from carbonnas.storage.ledger import read_ledger
from carbonnas.storage.tables import JOINING, LEDGER, READINGS, SEARCHES

_TURN = timedelta(minutes=2.5)
"""How often a search is looked at, a part of five minutes: seldom enough to be worth it, and often enough that no step has much to do."""

_SETTLED = timedelta(days=2)
"""After how long values are final for most sources; what is revised later still is shared out evenly over the time of its line."""

_MOST = 500
"""Entries that are looked at at once, above zero; of a single step of time it may be more."""

_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, without their whole parts, lie as far apart as so many numbers between 0 and 1 can, however many there come to be."""

_STARTS = select(LEDGER.c.start).order_by(LEDGER.c.start).limit(_MOST)
_READINGS = select(READINGS).order_by(READINGS.c.start, READINGS.c.end)
_EARLIEST = datetime.min.replace(tzinfo=UTC) + _SETTLED
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
        return cls(joined_until, since, begin_of(_TURN, now))

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.since < self.until

    @property
    def is_late(self) -> bool:
        """Whether there is more than comes from one turn to the next."""
        return bool(self) and self.until - begin_of(_TURN, self.since) > _TURN


class Turns:
    """Says at which steps a search's ledger is joined.

    Every search has its turn twice in five minutes, and the turns of all are spread evenly over them: no search is left out, however many there are, and no
    instant bears the work for all. Who has more to join than comes in that time, such as after a correction or when the store was written by
    an earlier release, is helped besides: one search at an instant.
    """

    def __init__(self) -> None:
        self._phases: dict[str, timedelta] = {}
        self._turns: dict[str, int] = {}
        self._helped_at: datetime | None = None

    def has_come(self, search_id: str, due: Due, now: datetime) -> bool:
        """Say whether a search joins in its step at `now`; to be asked at each of its steps."""
        phase = self._phases.setdefault(search_id, len(self._phases) * _GOLDEN % 1 * _TURN)
        turn = (now - _EARLIEST - phase) // _TURN
        is_new = self._turns.get(search_id, turn) != turn
        self._turns[search_id] = turn
        if due and is_new:
            return True
        if due.is_late and now != self._helped_at:
            self._helped_at = now
            return True
        return False


def keep_joined_until(connection: Connection, search_id: str, until: datetime) -> None:
    """Keep until when all of a search's ledger was looked at."""
    connection.execute(update(SEARCHES).where(SEARCHES.c.id == search_id).values(joined_until=until))


def join_rows(connection: Connection, search_id: str, due: Due) -> datetime:
    """Join what may be one of a search's ledger and readings, and return until when that is done.

    That is sooner than all that is due where it is very much; the rest can follow another time.
    """
    final = begin_of(QUARTER_HOUR, due.until - _SETTLED)
    reached = _join(connection, search_id, due.since - _SETTLED, final, QUARTER_HOUR)
    return _join(connection, search_id, due.since, due.until if reached == final else reached + _SETTLED, FIVE_MINUTES)


def _join(connection: Connection, search_id: str, since: datetime, until: datetime, step: timedelta) -> datetime:
    """Join what lies within each step of time, from that of `since` on, and has ended by `until`; return until when that is done."""
    since = begin_of(step, since)
    if since >= until:
        return until
    within = _starting(LEDGER, search_id, since, until)
    starts = connection.execute(_STARTS.where(*within)).scalars().all()
    if len(starts) == _MOST:
        until = min(until, max(begin_of(step, starts[-1]), begin_of(step, starts[0]) + step))
    # Corrections lie within what they correct: of what has ended by then all are there.
    ended = LEDGER.c.end <= until
    entries, prices = read_ledger(connection, *_starting(LEDGER, search_id, since, until), ended)
    connection.execute(insert(JOINING).values(search_id=search_id, since=since))
    superseded = {entry.supersedes for entry in entries if entry.supersedes is not None}
    changes = replacement(entries, superseded, step)
    _replace_entries(connection, search_id, changes, {price: number for number, price in prices.items()})
    _join_readings(connection, search_id, Interval(since, until), step)
    connection.execute(delete(JOINING))
    return until


def _replace_entries(
    connection: Connection, search_id: str, changes: Replacement, prices: Mapping[IntensitySample, int]
) -> None:
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


def _join_readings(connection: Connection, search_id: str, reach: Interval, step: timedelta) -> None:
    within = _starting(READINGS, search_id, reach.start, reach.end)
    runs = Runs[dict[str, Any]](step)
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
