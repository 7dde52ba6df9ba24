"""A trace file as a series with its gaps, and the forecasts that were archived with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.traces.columns import TraceOptions, choose_zone, find_columns
from carbon_sources.traces.file import read_table, trace_path
from carbon_sources.traces.rows import RowReader, TraceRow, common_step, spans

_BLOCK_ROWS = 96


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded history of one zone.

    Attributes:
        zone: Name of the zone.
        kind: What the numbers are.
        basis: Which emissions they count.
        series: The recorded values.
        gaps: Intervals between the first row and the last without a value, whether rows are missing or empty.
        forecasts: Archived forecasts in the order of their issue.
    """

    zone: str
    kind: IntensityKind
    basis: Basis
    series: IntensitySeries
    gaps: tuple[Interval, ...]
    forecasts: tuple[Forecast, ...]


def read_trace(path: str | Path, options: TraceOptions) -> Trace:
    """Read a file, or a shipped trace as `bundled:NAME`.

    Without a column for the end, rows last until the next one but no longer than the most frequent distance between rows.

    Raises:
        TraceError: If the file can't be read or anything in it is doubtful; the message names the row and the remedy.
        UnknownZoneError: If the file names its zones and the one that was asked for is not among them.
    """
    zone, table = choose_zone(read_table(trace_path(path)), options)
    reader = RowReader(table, find_columns(table, options, zone))
    columns = reader.columns
    forecasts = () if columns.forecast is None else _forecasts(reader, columns.forecast)
    rows = [] if columns.value is None else _rows(reader)
    intervals = _intervals(reader, rows)
    samples = [
        reader.sample(interval, row.value, row.provenance, source=row.source, method=row.method)
        for row, interval in zip(rows, intervals, strict=True)
        if row.value is not None
    ]
    if not samples and not forecasts:
        raise table.error("has no value in any row")
    series = IntensitySeries(tuple(samples))
    gaps = series.gaps(Interval(intervals[0].start, intervals[-1].end)) if intervals else ()
    return Trace(columns.zone, columns.kind, columns.basis, series, gaps, forecasts)


def _rows(reader: RowReader) -> list[TraceRow]:
    """Return the rows in order; a file of forecasts repeats each target, and its repeats must agree."""
    rows: list[TraceRow] = []
    by_start: dict[datetime, TraceRow] = {}
    repeats = reader.columns.forecast is not None
    for number, fields in reader.table.rows:
        row = reader.row(number, fields, rows[-1].start if rows else None)
        known = by_start.setdefault(row.start, row)
        if known is not row and not (repeats and known.value == row.value):
            raise reader.table.error(f"repeats the time {row.start} of row {known.number}; keep one of them", number)
        if rows and row.start < rows[-1].start and not repeats:
            raise reader.table.error(f"goes back in time to {row.start}; sort the rows by time", number)
        rows.append(row)
    return sorted(by_start.values(), key=lambda row: row.start)


def _intervals(reader: RowReader, rows: Sequence[TraceRow]) -> list[Interval]:
    stated = [Interval(row.start, row.end) for row in rows if row.end is not None]
    if len(stated) == len(rows):
        for (interval, row), (following, _) in pairwise(zip(stated, rows, strict=True)):
            if interval.end > following.start:
                raise reader.table.error(f"lasts until {interval.end}, beyond the start of the next row", row.number)
        return stated
    starts = [row.start for row in rows]
    step = common_step(starts)
    if step is None:
        raise reader.table.error("is the only row, so its length is unknown; add a column 'end'", rows[0].number)
    return spans(starts, step)


@dataclass(frozen=True, slots=True)
class _Expected:
    """A forecast row: what it speaks of, when it was issued, and its value in g/kWh or `None`."""

    number: int
    target: datetime
    issued_at: datetime
    value: float | None


def _forecasts(reader: RowReader, column: int) -> tuple[Forecast, ...]:
    issues = [list(group) for _, group in groupby(_expected(reader, column), key=lambda row: row.issued_at)]
    steps = [step for issue in issues if (step := common_step(row.target for row in issue)) is not None]
    if not steps:
        raise reader.table.error("has no issue of two rows or more, so the length of its rows is unknown")
    forecasts: list[Forecast] = []
    for issue in issues:
        _check_issue(reader, issue, forecasts)
        intervals = spans([row.target for row in issue], min(steps))
        samples = tuple(
            reader.sample(interval, row.value, Provenance.ESTIMATED)
            for row, interval in zip(issue, intervals, strict=True)
            if row.value is not None
        )
        forecasts.append(Forecast(issue[0].issued_at, IntensitySeries(samples)))
    return tuple(forecasts)


def _check_issue(reader: RowReader, issue: Sequence[_Expected], earlier: Sequence[Forecast]) -> None:
    first = issue[0]
    if earlier and first.issued_at <= earlier[-1].issued_at:
        raise reader.table.error(f"belongs to the issue of {first.issued_at}, which is out of order", first.number)
    if first.target < first.issued_at:
        raise reader.table.error(f"forecasts {first.target}, before its issue at {first.issued_at}", first.number)
    for before, after in pairwise(issue):
        if after.target <= before.target:
            raise reader.table.error(f"goes back to {after.target}; sort the rows of each issue by time", after.number)


def _expected(reader: RowReader, column: int) -> list[_Expected]:
    """Return the forecast rows; the issue is in a column of its own, or the first hour of each block of 96 rows."""
    rows, at = reader.table.rows, reader.columns
    targets = [reader.instant(number, fields[at.time]) for number, fields in rows]
    if at.issue is not None:
        issues = [_issue(reader, row, target, at.issue) for row, target in zip(rows, targets, strict=True)]
    elif len(rows) % _BLOCK_ROWS:
        raise reader.table.error(f"must hold blocks of {_BLOCK_ROWS} hours, but has {len(rows)} rows")
    else:
        issues = [targets[index - index % _BLOCK_ROWS] for index in range(len(rows))]
    return [
        _Expected(number, target, issued_at, reader.number(number, fields[column]))
        for (number, fields), target, issued_at in zip(rows, targets, issues, strict=True)
    ]


def _issue(reader: RowReader, row: tuple[int, list[str]], target: datetime, column: int) -> datetime:
    number, fields = row
    issued_at = reader.instant(number, fields[column])
    lead = reader.columns.lead
    if lead is not None and reader.plain_number(number, fields[lead]) != (target - issued_at) / timedelta(hours=1):
        raise reader.table.error(f"speaks of {target}, which is not {fields[lead]} h after its issue", number)
    return issued_at
