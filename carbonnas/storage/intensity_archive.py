"""What is known of grids, in the store: kept for all searches, and offline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, Select, String, Table, func, select, type_coerce
from sqlalchemy.dialects.sqlite import insert as upsert

from carbon_sources.archive import IntensityArchive, Subject
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.storage import codec
from carbonnas.storage.database import immediate, is_shared, row_errors, storage_errors
from carbonnas.storage.forecast_codec import forecast_from, forecast_row
from carbonnas.storage.tables import BY_END, FORECASTS, INTENSITIES

T = TypeVar("T")

LAST_KEPT_LAST = (func.coalesce(INTENSITIES.c.fetched_at, ""), INTENSITIES.c.id)
"""Order of the versions of an interval. What a search priced with alone, without the archive, counts as oldest."""

_new_value = upsert(INTENSITIES)
# A provider may return to a value that it had revised: then that one is the newest again.
_KEEP = _new_value.on_conflict_do_update(
    index_elements=[column for column in INTENSITIES.c if column.name not in {"id", "fetched_at"}],
    set_={"fetched_at": _new_value.excluded.fetched_at},
)
_KEEP_FORECAST = upsert(FORECASTS).on_conflict_do_nothing()
# Mostly the newest values are wanted: reading from the end passes over the years before.
_FROM_THE_END = f"INDEXED BY {BY_END}"
_AT_ONCE = 250
"""As many values are written without letting other threads have their turn: a few milliseconds."""

_PROVENANCE = {member.value: member for member in Provenance}


class StoredArchive(IntensityArchive):
    """The archive in the file of a store.

    Args:
        engine: Opens the file.
        path: Its path, for messages.

    Raises:
        StorageError: From every method, if the file can't be used.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path

    def keep(self, samples: Sequence[IntensitySample], fetched_at: datetime) -> None:
        # Whoever is interrupted keeps the rest the next time, because what is there already stays.
        at_once = _AT_ONCE if is_shared(self._engine) else max(1, len(samples))
        for begin in range(0, len(samples), at_once):
            some = samples[begin : begin + at_once]
            rows = [{**codec.intensity_row(sample), "fetched_at": fetched_at} for sample in some]
            with immediate(self._engine, self._path) as connection:
                connection.execute(_KEEP, rows)

    def keep_forecast(self, forecast: Forecast, fetched_at: datetime) -> None:
        if len(forecast.series):
            with immediate(self._engine, self._path) as connection:
                connection.execute(_KEEP_FORECAST, forecast_row(forecast, fetched_at))

    def series(self, subject: Subject, within: Interval) -> IntensitySeries:
        value = INTENSITIES.c
        ends = (type_coerce(value.start, String), type_coerce(value.end, String))  # read here, which is faster
        query = (
            select(*ends, value.g_per_kwh, value.provenance, value.source, value.method)
            .with_hint(INTENSITIES, _FROM_THE_END, "sqlite")
            .where(*_overlapping(subject, self._hull(subject, within)))
            .order_by(*LAST_KEPT_LAST)
        )

        def sample(row: Any) -> IntensitySample:
            start, end, g_per_kwh, provenance, source, method = row
            interval = Interval(datetime.fromisoformat(start), datetime.fromisoformat(end))
            known = _PROVENANCE[provenance]
            return IntensitySample(
                interval, g_per_kwh, subject.zone, subject.kind, subject.basis, known, source, method
            )

        return IntensitySeries.newest_wins(self._read(query, sample)).between(within.start, within.end)

    def settled(self, subject: Subject, within: Interval, revised_for: timedelta) -> Sequence[Interval]:
        value = INTENSITIES.c
        days_after = func.julianday(value.fetched_at) - func.julianday(value.end)
        query = (
            select(value.start, value.end)
            .with_hint(INTENSITIES, _FROM_THE_END, "sqlite")
            .where(*_overlapping(subject, within), days_after >= revised_for / timedelta(days=1))
            .order_by(value.start, value.end)
        )
        return self._read(query, lambda row: Interval(row.start, row.end))

    def forecasts(self, subject: Subject, within: Interval) -> Iterable[Forecast]:
        query = (
            select(FORECASTS)
            .where(*_of(FORECASTS, subject))
            .where(FORECASTS.c.issued_at >= within.start, FORECASTS.c.issued_at < within.end)
            .order_by(FORECASTS.c.issued_at, FORECASTS.c.id)
        )
        return self._read(query, _forecast)

    def newest_forecast(self, subject: Subject, now: datetime) -> Forecast | None:
        query = (
            select(FORECASTS)
            .where(*_of(FORECASTS, subject))
            .where(FORECASTS.c.issued_at <= now)
            .order_by(FORECASTS.c.issued_at.desc(), FORECASTS.c.id)
            .limit(1)
        )
        return next(iter(self._read(query, _forecast)), None)

    def _hull(self, subject: Subject, within: Interval) -> Interval:
        """Return the interval with all that decides which values within count: what overlaps them, and what overlaps that."""
        ends = (func.min(INTENSITIES.c.start), func.max(INTENSITIES.c.end))
        while True:
            query = select(*ends).with_hint(INTENSITIES, _FROM_THE_END, "sqlite")
            ((start, end),) = self._read(query.where(*_overlapping(subject, within)), tuple)
            if start is None or (start >= within.start and end <= within.end):
                return within
            within = Interval(min(start, within.start), max(end, within.end))

    def _read(self, query: Select[Any], decode: Callable[[Any], T]) -> list[T]:
        with storage_errors(self._path), row_errors(self._path), self._engine.connect() as connection:
            return [decode(row) for row in connection.execute(query)]


def _forecast(row: Any) -> Forecast:
    return forecast_from(row._mapping)  # noqa: SLF001 - public in spite of its name


def _overlapping(subject: Subject, within: Interval) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on values of a subject that were fetched and overlap an interval."""
    # What a search priced with alone was not fetched: it may be a replayed trace that names a provider.
    fetched = INTENSITIES.c.fetched_at.is_not(None)
    return (*_of(INTENSITIES, subject), fetched, INTENSITIES.c.end > within.start, INTENSITIES.c.start < within.end)


def _of(table: Table, subject: Subject) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on rows of a subject."""
    return (
        table.c.source.in_(sorted(subject.names)),
        table.c.zone == subject.zone,
        table.c.kind == subject.kind.value,
        table.c.basis == subject.basis.value,
    )
