"""Half-open intervals of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
QUARTER_HOUR = timedelta(minutes=15)


def full_hour(instant: datetime) -> datetime:
    """Return the begin of the hour that `instant` lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def quarter_hour(instant: datetime) -> datetime:
    """Return the begin of the quarter hour that `instant` lies in. In every time zone days begin on one, UTC."""
    return instant.replace(minute=instant.minute - instant.minute % 15, second=0, microsecond=0)


def require_utc(instant: datetime, name: str) -> None:
    """Raise `ValueError` unless `instant` is aware and its offset from UTC is zero."""
    # Nearly every instant bears this very object, and a simulation asks a million times.
    if instant.tzinfo is not UTC and instant.utcoffset() != timedelta(0):
        raise ValueError(f"{name} must be an aware datetime in UTC, got {instant!r}")


def require_span(start: datetime, end: datetime) -> None:
    """Raise `ValueError` unless both are in UTC and `end` is not before `start` (an empty span is fine)."""
    require_utc(start, "start")
    require_utc(end, "end")
    if end < start:
        raise ValueError(f"a span can't end before it starts, got {start} .. {end}")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The instants from `start` (included) to `end` (excluded), both aware and in UTC.

    Raises:
        ValueError: If an end is naive or not in UTC, or `end` is not after `start`.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        require_utc(self.start, "start")
        require_utc(self.end, "end")
        if self.end <= self.start:
            raise ValueError(f"an interval must end after it starts, got {self.start} .. {self.end}")

    @property
    def duration(self) -> timedelta:
        """Length of the interval, above zero."""
        return self.end - self.start

    @property
    def seconds(self) -> float:
        """Length of the interval in seconds, above zero."""
        return self.duration.total_seconds()

    def contains(self, instant: datetime) -> bool:
        """Say whether `start <= instant < end`."""
        return self.start <= instant < self.end

    def intersection(self, other: Interval) -> Interval | None:
        """Return the common part, or `None` where the two do not overlap."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def quarter_shares(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield the begins of the quarter hours that a time overlaps, each with its share of the time; `end` is after `start`."""
    quarter = quarter_hour(start)
    if end - quarter <= QUARTER_HOUR:  # so it usually is
        yield quarter, 1.0
        return
    for piece in pieces(quarter, end, QUARTER_HOUR):
        yield piece.start, (piece.end - max(piece.start, start)) / (end - start)


def pieces(start: datetime, end: datetime, longest: timedelta) -> Iterator[Interval]:
    """Yield intervals of at most `longest` that together make `start .. end`, in order; none for an empty span."""
    while start < end:
        # Not `start + longest` at once, which may lie beyond the calendar.
        until = end if end - start <= longest else start + longest
        yield Interval(start, until)
        start = until


def clock_text(instant: datetime) -> str:
    """Return an instant in UTC to the minute, for messages."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant that carries its offset and return it in UTC.

    Raises:
        ValueError: If the text is not ISO 8601 or has no offset (a naive time is never guessed).
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset: write it as {text}Z or {text}+00:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC") from None
