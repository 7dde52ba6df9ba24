"""Fields of a trace file as instants and numbers, and rows as samples."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from carbon_sources.intensity import IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbon_sources.traces.columns import TraceColumns
from carbon_sources.traces.file import TraceTable, unguarded

_MISSING = {"", "nan", "na", "n/a", "null", "none"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SPAN = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One row with its place in the file; `end`, `value` and `source` are `None` where the row has none."""

    number: int
    start: datetime
    end: datetime | None
    value: float | None
    provenance: Provenance
    source: str | None = None
    method: str = ""


class RowReader:
    """Reads the fields of one file.

    Args:
        table: Rows of text, and the place that messages name.
        columns: Where to find what.
    """

    def __init__(self, table: TraceTable, columns: TraceColumns) -> None:
        self.table = table
        self.columns = columns

    def row(self, number: int, fields: Sequence[str], after: datetime | None) -> TraceRow:
        """Read one row; `after` is the start of the row before, which tells repeated local hours apart."""
        at = self.columns
        start = self.instant(number, fields[at.time], after)
        end = None
        if at.end is not None:
            end = self.instant(number, fields[at.end], start)
        elif at.duration is not None:
            end = start + self._span(number, fields[at.duration])
        if end is not None and end <= start:
            raise self.table.error(f"ends at {end} before or when it starts", number)
        value = None if at.value is None else self.number(number, fields[at.value])
        source = None if at.source is None else unguarded(fields[at.source]) or None
        method = "" if at.method is None else unguarded(fields[at.method])
        return TraceRow(number, start, end, value, self._provenance(number, fields), source, method)

    def instant(self, number: int, text: str, after: datetime | None = None) -> datetime:
        """Return the instant in UTC; naive times need a layout or an option that says their zone."""
        try:
            instant = datetime.fromisoformat(text.strip())
            instant = instant.astimezone(UTC) if instant.tzinfo else instant
        except (ValueError, OverflowError):
            raise self.table.error(f"time {text!r} is not ISO 8601, such as 2026-01-31T18:00Z", number) from None
        if instant.tzinfo is not None:
            return instant
        local = self.columns.local
        if local is None:
            raise self.table.error(
                f"time {text!r} has no UTC offset: write {text.strip()}Z, or say the zone of such times with "
                "time_zone= ('UTC', 'Europe/Berlin')",
                number,
            )
        if local.key == "UTC":
            return instant.replace(tzinfo=UTC)
        first = instant.replace(tzinfo=local).astimezone(UTC)
        if first.astimezone(local).replace(tzinfo=None) != instant:
            raise self.table.error(
                f"time {text!r} does not exist in {local.key}: the clock is set forward then", number
            )
        return first if after is None or first > after else instant.replace(tzinfo=local, fold=1).astimezone(UTC)

    def number(self, number: int, text: str) -> float | None:
        """Return g/kWh, or `None` for a missing value; what is no number, or no intensity, is an error."""
        value = self.plain_number(number, text)
        if value is None or (value == 0 and self.columns.layout.zero_is_gap):
            return None
        if value < 0:
            raise self.table.error(
                f"value {text} is below zero, which no intensity is; empty the field if it is wrong", number
            )
        converted = value * self.columns.factor
        if not math.isfinite(converted):
            raise self.table.error(f"value {text} is too large for its unit", number)
        return converted

    def plain_number(self, number: int, text: str) -> float | None:
        """Return a finite number in the file's unit, or `None` for a missing value."""
        text = text.strip()
        if text.lower() in _MISSING:
            return None
        if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
            raise self.table.error(
                f"value {text!r} is not a finite number; leave the field empty where nothing is known", number
            )
        return value

    def sample(
        self, interval: Interval, value: float, provenance: Provenance, *, source: str | None = None, method: str = ""
    ) -> IntensitySample:
        """Return a sample with what all rows of the file have in common; unless a row says otherwise, the file is the source."""
        at, told_by = self.columns, source or self.table.path.name
        return IntensitySample(interval, value, at.zone, at.kind, at.basis, provenance, told_by, method)

    def _span(self, number: int, text: str) -> timedelta:
        if match := _SPAN.fullmatch(text.strip()):
            hours, minutes, seconds = map(int, match.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if text.strip().isdecimal():
            return timedelta(minutes=int(text))
        raise self.table.error(f"duration {text!r} is neither hh:mm:ss nor a number of minutes", number)

    def _provenance(self, number: int, fields: Sequence[str]) -> Provenance:
        at = self.columns
        if at.provenance is not None:
            text = fields[at.provenance].strip()
            if text not in {member.value for member in Provenance}:
                raise self.table.error(
                    f"provenance {text!r} is none of {', '.join(member.value for member in Provenance)}", number
                )
            return Provenance(text)
        if at.estimated is None:
            return at.layout.provenance
        flag = fields[at.estimated].strip().lower()
        if flag not in {"", "true", "false"}:
            raise self.table.error(f"'estimated' must be True or False, got {flag!r}", number)
        return Provenance.ESTIMATED if flag == "true" else at.layout.provenance


def common_step(starts: Iterable[datetime]) -> timedelta | None:
    """Return the most frequent distance between neighbours, the shorter of two; `None` for fewer than two instants."""
    counts = Counter(after - before for before, after in pairwise(starts) if after > before)
    return min(counts, key=lambda step: (-counts[step], step)) if counts else None


def spans(starts: Sequence[datetime], step: timedelta) -> list[Interval]:
    """Return an interval from each start to the next one, but no longer than `step`."""
    ends = [min(start + step, following) for start, following in pairwise(starts)]
    return [Interval(start, end) for start, end in zip(starts, [*ends, starts[-1] + step], strict=True)]
