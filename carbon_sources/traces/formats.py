"""The layouts of recorded intensity that are understood, told apart by their headers.

Headers are compared loosely: case, punctuation and the subscript of CO₂ do not count. A layout says what its publisher
documents: the zone of naive times, what the numbers are and their unit. Nothing else is assumed.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.units import G_PER_KWH_PER_LB_PER_MWH


class IntensityUnit(enum.Enum):
    """Unit of the numbers in a file."""

    G_PER_KWH = "g/kWh"
    KG_PER_KWH = "kg/kWh"
    KG_PER_MWH = "kg/MWh"
    LB_PER_MWH = "lb/MWh"

    @property
    def g_per_kwh(self) -> float:
        """Grams per kilowatt-hour in one of this unit."""
        return _G_PER_KWH[self]


_G_PER_KWH = {
    IntensityUnit.G_PER_KWH: 1.0,
    IntensityUnit.KG_PER_KWH: 1e3,
    IntensityUnit.KG_PER_MWH: 1.0,
    IntensityUnit.LB_PER_MWH: G_PER_KWH_PER_LB_PER_MWH,
}


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """One layout. Column names are as `normalised` writes them.

    Attributes:
        name: What to call it in messages.
        needs: Columns, or beginnings of their names, that together tell it from the others.
        time: Column of the start of a row's interval, or of what a forecast speaks of.
        end: Column of the end, if the file has one.
        duration: Column of the length, as `hh:mm:ss` or in minutes, if the file has one.
        values: Beginnings of the names of columns that can hold the intensity.
        utc: Whether the publisher documents times without offset as UTC.
        kind: What the numbers are; `None` where the layout leaves it open.
        basis: Which emissions they count; `None` where the layout leaves it open. A column that says so wins.
        asks: Whether the user must state what is left open; average and life cycle otherwise.
        provenance: How well the values are known, unless a column says so.
        unit: Unit of the numbers.
        zone: Zone of all rows, where the layout belongs to one.
        issue: Column of the instant at which a forecast was made.
        forecast: Beginning of the name of the column with forecast values.
        blocks: Whether forecasts come as blocks of 96 hours, each issued at its first hour.
        zero_is_gap: Whether zero is known to stand for a missing value.
        names_sources: Whether columns `source` and `method` say of each row who told it and how it came about.
    """

    name: str
    needs: frozenset[str]
    time: str
    values: tuple[str, ...]
    end: str | None = None
    duration: str | None = None
    utc: bool = False
    kind: IntensityKind | None = IntensityKind.AVERAGE
    basis: Basis | None = None
    asks: bool = False
    provenance: Provenance = Provenance.MEASURED
    unit: IntensityUnit = IntensityUnit.G_PER_KWH
    zone: str | None = None
    issue: str | None = None
    forecast: str | None = None
    blocks: bool = False
    zero_is_gap: bool = False
    names_sources: bool = False


def normalised(header: str) -> str:
    """Return a column name in lower case with one space between its words and digits in place of subscripts."""
    text = unicodedata.normalize("NFKC", header).lower()
    return " ".join(re.findall(r"[a-z0-9]+", text))


def begins(column: str, beginnings: Collection[str]) -> bool:
    """Say whether a normalised name is one of `beginnings` or goes on with further words."""
    return any(column == beginning or column.startswith(f"{beginning} ") for beginning in beginnings)


def recognise(columns: Collection[str]) -> TraceFormat | None:
    """Return the layout of a file with these normalised column names, or `None` if it has no time or no intensity."""
    for layout in FORMATS:
        if all(any(begins(column, {need}) for column in columns) for need in layout.needs):
            return layout
    time = next((column for column in columns if column in _PLAIN_TIMES), None)
    if time is None:
        return None
    values = tuple(column for column in columns if _PLAIN_VALUE.search(column))
    return TraceFormat("plain table", frozenset(), time, values, utc="utc" in time.split(), kind=None)


_PLAIN_TIMES = {
    "time",
    "datetime",
    "timestamp",
    "date",
    "start",
    "utc time",
    "datetime utc",
    "time utc",
    "timestamp utc",
}
_PLAIN_VALUE = re.compile(r"\b(intensity|g per kwh|kg per kwh|gco2\w*|co2 intensity|moer)\b")

FORMATS = (
    TraceFormat(
        "carbonnas trace",
        frozenset({"start", "end", "g per kwh"}),
        "start",
        ("g per kwh",),
        end="end",
        kind=None,
        names_sources=True,
    ),
    TraceFormat(
        "forecast table with issue times",
        frozenset({"issue utc", "target utc", "forecast"}),
        "target utc",
        ("actual",),
        utc=True,
        issue="issue utc",
        forecast="forecast",
    ),
    TraceFormat(
        "CarbonCast forecasts",
        frozenset({"utc time", "forecasted"}),
        "utc time",
        ("actual",),
        utc=True,
        forecast="forecasted",
        blocks=True,
    ),
    TraceFormat(
        "Sundial forecasts",
        frozenset({"datetime utc", "carbon intensity forecast"}),
        "datetime utc",
        (),
        utc=True,
        basis=Basis.DIRECT,
        forecast="carbon intensity forecast",
        blocks=True,
    ),
    TraceFormat(
        "NESO half hours",
        frozenset({"from", "to", "actual"}),
        "from",
        ("actual",),
        end="to",
        utc=True,
        basis=Basis.DIRECT,
        zone="GB",
        zero_is_gap=True,
    ),
    TraceFormat(
        "Electricity Maps",
        frozenset({"datetime utc", "carbon intensity"}),
        "datetime utc",
        ("carbon intensity",),
        utc=True,
    ),
    TraceFormat("Electricity Maps, short names", frozenset({"datetime utc", "ci"}), "datetime utc", ("ci",), utc=True),
    TraceFormat(
        "Electricity Maps with mix",
        frozenset({"datetime", "carbon intensity avg"}),
        "datetime",
        ("carbon intensity avg",),
        utc=True,
    ),
    TraceFormat("CarbonCast", frozenset({"utc time", "carbon intensity"}), "utc time", ("carbon intensity",), utc=True),
    *(
        TraceFormat(
            "WattTime",
            frozenset({time, value}),
            time,
            (value,),
            utc=True,
            kind=IntensityKind.MARGINAL,
            basis=Basis.DIRECT,
            provenance=Provenance.ESTIMATED,
            unit=IntensityUnit.LB_PER_MWH,
        )
        for time, value in (("point time", "value"), ("timestamp", "moer"))
    ),
    *(
        TraceFormat(
            "Carbon Aware SDK",
            frozenset({"location", time, value}),
            time,
            (value,),
            duration="duration",
            kind=None,
            asks=True,
        )
        for time, value in (("time", "rating"), ("timestamp", "rating"), ("timestamp", "value"))
    ),
)
"""The first whose needs are met counts, so the more particular ones come first."""
