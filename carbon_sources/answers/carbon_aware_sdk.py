"""Reading what the Web API of the Carbon Aware SDK answers: emissions, forecasts, and problems in the form of RFC 9457.

Interface: https://github.com/Green-Software-Foundation/carbon-aware-sdk. Values are in g/kWh. Durations are written `hh:mm:ss` or
`hh:mm` beside emissions and in minutes beside forecasts; both are read in both places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.answers.reading import (
    Identity,
    Parsed,
    SampleCollector,
    as_instant,
    as_interval,
    as_list,
    as_number,
    as_object,
    as_text,
)
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Provenance
from carbon_sources.interval import Interval

_DURATION = re.compile(r"(?:([0-9]{1,3})\.)?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,7})?)?")
_EXCERPT = 160
_NAME_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class Emissions:
    """What is known of a location.

    Attributes:
        parsed: The values, all of them estimates, since the service does not say how well they are known.
        grids: What the rows name as their location, which may be a region of the grid, in the order of their appearance.
        steps: The lengths of the rows' intervals in the order of their appearance.
    """

    parsed: Parsed
    grids: tuple[str, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssuedForecast:
    """What is expected of a location.

    Attributes:
        issued_at: When the provider behind the service made the forecast, UTC.
        ends_at: How far the service says that it reaches, UTC; `None` if it does not say.
        expected: The values.
    """

    issued_at: datetime
    ends_at: datetime | None
    expected: Emissions


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the service refused.

    Attributes:
        detail: Its words, or nothing if it gave none.
        names_location: Whether it found fault with the location.
    """

    detail: str = ""
    names_location: bool = False

    def __str__(self) -> str:
        return f": {self.detail}" if self.detail else ""


def read_duration(value: object, what: str) -> timedelta:
    """Return a duration that is written as `hh:mm:ss`, `hh:mm` or `d.hh:mm:ss`, or as a number of minutes.

    Raises:
        SourceAnswerError: If it is anything else, or is not above zero.
    """
    try:
        length = _spelled(value, what) if isinstance(value, str) else timedelta(minutes=as_number(value, what) or 0.0)
    except (OverflowError, ValueError):
        raise SourceAnswerError(f"{what} is longer than a duration can be") from None
    if length <= timedelta(0):
        raise SourceAnswerError(f"{what} should be above zero")
    return length


def parse_emissions(document: object, identity: Identity, asked: Interval) -> Emissions:
    """Return the emissions of an answer that overlap what was asked for, with both ends.

    Raises:
        SourceAnswerError: If the answer has another shape, or intervals overlap.
    """
    reader = _Reader(identity)
    for row in as_list(document, "an answer of the Carbon Aware SDK"):
        fields = as_object(row, "a row of the Carbon Aware SDK")
        interval = _interval(fields, "time")
        if interval.end < asked.start or interval.start > asked.end:
            reader.collector.odd(
                "values outside of what was asked for were left out; does the service know the parameters 'time' and 'toTime'?"
            )
        else:
            reader.take(fields, interval, "rating")
    return reader.emissions()


def parse_forecast(document: object, identity: Identity) -> IssuedForecast | None:
    """Return the forecast of an answer, or `None` if it holds none; the optimal points are of no use here.

    Raises:
        SourceAnswerError: If the answer has another shape, is about another location, or intervals overlap.
    """
    forecasts = as_list(document, "an answer of the Carbon Aware SDK")
    if not forecasts:
        return None
    if len(forecasts) > 1:
        raise SourceAnswerError(f"the Carbon Aware SDK was asked for one forecast but answered with {len(forecasts)}")
    fields = as_object(forecasts[0], "a forecast of the Carbon Aware SDK")
    location = as_text(fields.get("location"), "the location of a forecast of the Carbon Aware SDK")
    if location.casefold() != identity.zone.casefold():
        raise SourceAnswerError(
            f"the Carbon Aware SDK was asked for {identity.zone!r} but its forecast is of {location[:_NAME_EXCERPT]!r}"
        )
    reader = _Reader(identity)
    for row in as_list(fields.get("forecastData"), "'forecastData' of the Carbon Aware SDK"):
        point = as_object(row, "a row of a forecast of the Carbon Aware SDK")
        reader.take(point, _interval(point, "timestamp"), "value")
    ends_at = fields.get("dataEndAt")
    return IssuedForecast(
        as_instant(fields.get("generatedAt"), "'generatedAt' of the Carbon Aware SDK"),
        None if ends_at is None else as_instant(ends_at, "'dataEndAt' of the Carbon Aware SDK"),
        reader.emissions(),
    )


def read_problem(body: bytes) -> Problem:
    """Return what a refusal says, as far as it can be read; never raises, since a refusal is an error anyway."""
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Problem()
    if not isinstance(document, Mapping):
        return Problem()
    errors = document.get("errors")
    named = errors if isinstance(errors, Mapping) else {}
    faults = [fault for faults in named.values() if isinstance(faults, list) for fault in faults]
    told = [text for text in (document.get("title"), document.get("detail"), *faults) if isinstance(text, str) and text]
    printable = "".join(c for c in "; ".join(told) if c.isprintable())
    return Problem(printable[:_EXCERPT], any(str(name).casefold().startswith("location") for name in named))


class _Reader:
    """Gathers the rows of an answer, and what they have in common."""

    def __init__(self, identity: Identity) -> None:
        self.collector = SampleCollector(identity)
        self._intervals: list[Interval] = []
        self._grids: dict[str, None] = {}
        self._steps: dict[str, None] = {}

    def take(self, fields: Mapping[str, object], interval: Interval, name: str) -> None:
        """Take the row's value, which stands under `name`; one that is missing is a gap."""
        grid = as_text(fields.get("location"), "the location of a row of the Carbon Aware SDK")
        value = as_number(fields.get(name), f"{name!r} of a row of the Carbon Aware SDK")
        self._intervals.append(interval)
        self._grids.setdefault(repr(grid[:_NAME_EXCERPT]))
        self._steps.setdefault(str(interval.duration))
        if value is None:
            self.collector.odd("rows came without a value")
        self.collector.add(interval, value, Provenance.ESTIMATED)

    def emissions(self) -> Emissions:
        """Return what was gathered."""
        _note_disorder(self.collector, self._intervals)
        return Emissions(self.collector.parsed(), tuple(self._grids), tuple(self._steps))


def _note_disorder(collector: SampleCollector, intervals: Sequence[Interval]) -> None:
    for _ in range(len(intervals) - len(set(intervals))):
        collector.odd("rows came twice")
    if list(intervals) != sorted(intervals):
        collector.odd("rows came out of order")


def _interval(fields: Mapping[str, object], name: str) -> Interval:
    start = as_instant(fields.get(name), f"{name!r} of a row of the Carbon Aware SDK")
    return as_interval(start, read_duration(fields.get("duration"), "'duration' of a row of the Carbon Aware SDK"))


def _spelled(text: str, what: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise SourceAnswerError(f"{what} should be written as hh:mm:ss but is {text[:_NAME_EXCERPT]!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
