"""Which intensities and forecasts nothing needs any more."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select

from carbonnas.storage.records import CONTEXT
from carbonnas.storage.tables import FORECASTS, INTENSITIES, LEDGER, SEARCHES

_FREE: ColumnElement[bool] = ~select(LEDGER.c.id).where(LEDGER.c.intensity_id == INTENSITIES.c.id).exists()
"""Whether no entry of the ledger refers to an intensity."""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """Ids of intensities and forecasts that can go."""

    intensities: tuple[int, ...]
    forecasts: tuple[int, ...]


def unneeded(connection: Connection, before: datetime, limit: int) -> Unneeded:
    """Return what is older than an instant and needed by nothing, `limit` of each at most.

    Intensities over the time of a search stay, whether or not the ledger refers to them: its report shows them.
    """
    value = INTENSITIES.c
    shown = _Shown(_spans(connection))
    old = connection.execute(
        select(value.id, value.start, value.end).where(value.end < before, _FREE).order_by(value.id)
    )
    intensities: list[int] = []
    with old:
        for number, start, end in old:
            if not shown.overlaps(start, end):
                intensities.append(number)
            if len(intensities) == limit:
                break
    issued = FORECASTS.c.issued_at
    forecasts = connection.execute(
        select(FORECASTS.c.id).where(issued < before).order_by(FORECASTS.c.id).limit(limit)
    ).scalars()
    return Unneeded(tuple(intensities), tuple(forecasts))


def remove(connection: Connection, what: Unneeded) -> int:
    """Remove what is still unneeded and return how many rows that was."""
    # Meanwhile the ledger may have come to refer to one.
    values = connection.execute(delete(INTENSITIES).where(INTENSITIES.c.id.in_(what.intensities), _FREE))
    issues = connection.execute(delete(FORECASTS).where(FORECASTS.c.id.in_(what.forecasts)))
    return values.rowcount + issues.rowcount


class _Shown:
    """The time that reports of searches show: merged spans in order of time."""

    def __init__(self, spans: Iterator[tuple[datetime, datetime]]) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for start, end in spans:
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Say whether a report shows something of an interval."""
        last = bisect_left(self._starts, end) - 1
        return last >= 0 and self._ends[last] > start


def _spans(connection: Connection) -> Iterator[tuple[datetime, datetime]]:
    search = SEARCHES.c
    for started_at, clock_at in connection.execute(
        select(search.started_at, search.clock_at).order_by(search.started_at)
    ):
        yield started_at - CONTEXT, clock_at + CONTEXT
