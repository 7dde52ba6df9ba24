"""Reading what Great Britain's provider answers: the half hours of the nation and those of one region.

Interface: https://carbon-intensity.github.io/api-definitions/. Every value is in g/kWh. The shapes differ by the path: the nation
is a list of periods; one region is a list of one region for the present and a bare region for a range, its periods inside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.answers.reading import (
    Identity,
    Parsed,
    SampleCollector,
    as_instant,
    as_list,
    as_number,
    as_object,
    as_text,
)
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Provenance
from carbon_sources.interval import Interval

HALF_HOUR = timedelta(minutes=30)

HIGHEST_G_PER_KWH = 1000.0
"""A mix can't be dirtier than its dirtiest fuel, and the largest factor that NESO uses is coal with 937 g/kWh."""

REGIONS: Mapping[int, str] = {
    1: "North Scotland",
    2: "South Scotland",
    3: "North West England",
    4: "North East England",
    5: "Yorkshire",
    6: "North Wales",
    7: "South Wales",
    8: "West Midlands",
    9: "East Midlands",
    10: "East England",
    11: "South West England",
    12: "South England",
    13: "London",
    14: "South East England",
    15: "England",
    16: "Scotland",
    17: "Wales",
}
"""The names of the regions by their numbers."""

_EMISSION_FREE = frozenset({"nuclear", "hydro", "solar", "wind", "storage", "pumped"})
_FUELS = _EMISSION_FREE | {"gas", "coal", "biomass", "imports", "oil", "other"}
_WHOLE_MIX_PERCENT = 99.0
"""Shares are rounded to tenths, so a whole mix may sum to a little less than 100 %."""

_OUTWARD_CODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")
_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class HalfHours:
    """The two columns of a national answer.

    Attributes:
        measured: `actual`: estimated from metered generation afterwards, the best that this provider knows.
        expected: `forecast`: the newest one; for the running period it is the provider's estimate.
    """

    measured: Parsed
    expected: Parsed


@dataclass(frozen=True, slots=True)
class Place:
    """One region, by its number or by a postcode that lies in it.

    Attributes:
        region: Number of the region, 1 to 17.
        postcode: First half of a postcode in capitals, such as `RG10`.

    Raises:
        ValueError: If both or neither are given, the region does not exist, or the postcode is no outward code.
    """

    region: int | None = None
    postcode: str | None = None

    def __post_init__(self) -> None:
        if (self.region is None) == (self.postcode is None):
            raise ValueError("name either the region or the postcode: the provider answers for one of them at a time")
        if self.region is not None and self.region not in REGIONS:
            raise ValueError(f"there are regions 1 to {max(REGIONS)}, got {self.region}")
        if self.postcode is not None and not _OUTWARD_CODE.fullmatch(self.postcode):
            raise ValueError(f"expected the first half of a postcode, such as 'RG10' or 'SW1A', got {self.postcode!r}")

    @property
    def zone(self) -> str:
        """Name of the zone, such as `GB-North Scotland` or `GB-RG10`."""
        return f"GB-{self.postcode or REGIONS[self.region or 0]}"

    @property
    def path(self) -> str:
        """The part of a path that chooses this place."""
        return f"/postcode/{self.postcode}" if self.postcode else f"/regionid/{self.region}"

    def require(self, answered: Mapping[str, object]) -> None:
        """Raise `SourceAnswerError` if a region of an answer is another one; a postcode may be left out of answers."""
        number = as_number(answered.get("regionid"), "the number of a region of NESO")
        if self.region is not None and number != self.region:
            name = (
                str(answered.get("shortname"))[:_EXCERPT] if isinstance(answered.get("shortname"), str) else "no name"
            )
            raise SourceAnswerError(
                f"NESO was asked for region {self.region} ({REGIONS[self.region]}) but answered for {number} ({name!r})"
            )
        postcode = answered.get("postcode")
        if self.postcode is not None and postcode is not None:
            told = as_text(postcode, "the postcode of a region of NESO").upper()[:_EXCERPT]
            if told != self.postcode:
                raise SourceAnswerError(f"NESO was asked for postcode {self.postcode} but answered for {told!r}")


def parse_national(document: object, identity: Identity) -> HalfHours:
    """Return both columns of an answer about the nation; an empty answer gives none.

    Zero is what the provider sends during outages (a forecast of 185 beside an `actual` of 0 for two hours on 2023-06-07), so
    it counts as no value, as do negative values and those above `HIGHEST_G_PER_KWH`.

    Raises:
        SourceAnswerError: If the answer is an error or has another shape, or periods overlap.
    """
    measured = SampleCollector(identity, highest=HIGHEST_G_PER_KWH)
    expected = SampleCollector(identity, highest=HIGHEST_G_PER_KWH)
    actuals: list[tuple[Interval, float | None]] = []
    forecasts: list[tuple[Interval, float | None]] = []
    for row in as_list(_data(document), "'data' of NESO"):
        interval, intensity = _period(as_object(row, "a period of NESO"))
        actuals.append((interval, as_number(intensity.get("actual"), "an actual intensity of NESO")))
        forecasts.append((interval, as_number(intensity.get("forecast"), "a forecast intensity of NESO")))
    return HalfHours(
        measured=_gathered(measured, actuals, Provenance.MEASURED),
        expected=_gathered(expected, forecasts, Provenance.ESTIMATED),
    )


def parse_region(document: object, identity: Identity, place: Place) -> Parsed:
    """Return the half hours of one region, all of them estimates; an empty answer gives none.

    A region may be free of emissions, as North Scotland is in the wind: zero is believed where the mix of the same row is wholly of
    fuels without emissions, and is a gap otherwise.

    Raises:
        SourceAnswerError: If the answer is an error, of another shape or about another place, or periods overlap.
    """
    collector = SampleCollector(identity, zero_is_gap=False, highest=HIGHEST_G_PER_KWH)
    rows: list[tuple[Interval, float | None]] = []
    for row in _rows_of_region(document, place):
        fields = as_object(row, "a period of NESO")
        interval, intensity = _period(fields)
        value = as_number(intensity.get("forecast"), "a forecast intensity of NESO")
        shares = _shares(fields.get("generationmix"))
        for fuel in sorted(shares.keys() - _FUELS):
            collector.odd(f"the mix names {fuel[:_EXCERPT]!r}, a fuel that is not documented")
        if value == 0 and not _is_emission_free(shares):
            collector.odd("zeros stand beside a mix that is not free of emissions; they were left out")
            value = None
        rows.append((interval, value))
    return _gathered(collector, rows, Provenance.ESTIMATED)


def _gathered(
    collector: SampleCollector, rows: Sequence[tuple[Interval, float | None]], provenance: Provenance
) -> Parsed:
    for interval, value in rows:
        collector.add(interval, value, provenance)
    _note_oddities(collector, rows)
    return collector.parsed()


def _note_oddities(collector: SampleCollector, rows: Sequence[tuple[Interval, float | None]]) -> None:
    """Note what the collector does not see: gaps, repeats, disorder, and periods of another length."""
    intervals = [interval for interval, _ in rows]
    newest = max((interval.start for interval, value in rows if value is not None), default=None)
    for interval, value in rows:
        if value is None and newest is not None and interval.start < newest:
            collector.odd("half hours before the newest value have none")
        if interval.duration != HALF_HOUR:
            collector.odd(f"periods last {interval.duration} instead of half an hour")
    for _ in range(len(intervals) - len(set(intervals))):
        collector.odd("half hours came twice")
    if intervals != sorted(intervals):
        collector.odd("half hours came out of order")


def _data(document: object) -> object:
    answer = as_object(document, "an answer of NESO")
    if "error" in answer:
        error = answer["error"]
        said = error.get("message") if isinstance(error, Mapping) else error
        shown = repr(said[:_EXCERPT]) if isinstance(said, str) else "without a reason"
        raise SourceAnswerError(f"NESO answered with an error: {shown}")
    return answer.get("data", [])


def _rows_of_region(document: object, place: Place) -> Iterable[object]:
    data = _data(document)
    if isinstance(data, list):
        if not data:
            return ()
        if len(data) > 1:
            raise SourceAnswerError(f"NESO was asked for one region but answered with {len(data)}")
        data = data[0]
    region = as_object(data, "a region of NESO")
    place.require(region)
    return as_list(region.get("data", []), "'data' of a region of NESO")


def _period(fields: Mapping[str, object]) -> tuple[Interval, Mapping[str, object]]:
    start = as_instant(fields.get("from"), "'from' of a period of NESO")
    end = as_instant(fields.get("to"), "'to' of a period of NESO")
    if end <= start:
        raise SourceAnswerError(f"a period of NESO must end after it starts, got {_shown(start)} .. {_shown(end)}")
    return Interval(start, end), as_object(fields.get("intensity"), "'intensity' of a period of NESO")


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"


def _shares(mix: object) -> dict[str, float]:
    """Return the percentages by fuel; a share that is missing counts as unknown, and so does the whole mix then."""
    shares: dict[str, float] = {}
    for entry in as_list([] if mix is None else mix, "'generationmix' of NESO"):
        fields = as_object(entry, "a fuel of NESO")
        share = as_number(fields.get("perc"), "the share of a fuel of NESO")
        fuel = as_text(fields.get("fuel"), "the name of a fuel of NESO")
        shares[fuel] = shares.get(fuel, 0.0) + (math.nan if share is None else share)
    return shares


def _is_emission_free(shares: Mapping[str, float]) -> bool:
    """Say whether the mix is known, and nothing in it but fuels to which NESO's table gives 0 g/kWh."""
    clean = sum(share for fuel, share in shares.items() if fuel in _EMISSION_FREE)
    return clean >= _WHOLE_MIX_PERCENT and all(
        share == 0 for fuel, share in shares.items() if fuel not in _EMISSION_FREE
    )
