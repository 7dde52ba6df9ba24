"""Which columns of a trace file hold what, and what its numbers mean."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from carbon_sources.errors import UnknownZoneError
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.traces.file import TraceTable, unguarded
from carbon_sources.traces.formats import IntensityUnit, TraceFormat, begins, normalised, recognise

_E = TypeVar("_E", bound=enum.Enum)

_ZONES = ("zone id", "zone", "location", "zone name")
_ESTIMATED = ("data estimated", "estimated")


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """What a user says about a file; `None` leaves it to the file.

    Attributes:
        zone: The zone to take of several, or the name of the only one.
        column: Name of the column of the intensity.
        kind: What the numbers are.
        basis: Which emissions they count.
        unit: Unit of the numbers.
        time_zone: IANA name of the zone of times without offset.
    """

    zone: str | None = None
    column: str | None = None
    kind: IntensityKind | None = None
    basis: Basis | None = None
    unit: IntensityUnit | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class TraceColumns:
    """Positions of the columns, `None` where there is none, and the meaning of the numbers.

    Attributes:
        local: Zone of times without offset, `None` if they can't be read.
        factor: Grams per kilowatt-hour in one of the file's unit.
    """

    layout: TraceFormat
    time: int
    end: int | None
    duration: int | None
    value: int | None
    forecast: int | None
    issue: int | None
    lead: int | None
    estimated: int | None
    provenance: int | None
    source: int | None
    method: int | None
    zone: str
    kind: IntensityKind
    basis: Basis
    factor: float
    local: ZoneInfo | None


def choose_zone(table: TraceTable, options: TraceOptions) -> tuple[str | None, TraceTable]:
    """Return the zone, `None` if neither file nor options name it, and the table of its rows alone.

    Raises:
        TraceError: If there are several zones and none was chosen, or a row has none.
        UnknownZoneError: If the chosen zone is not among them.
    """
    column = _first([normalised(name) for name in table.header], _ZONES)
    if column is None:
        return options.zone, table
    found = sorted({unguarded(row[column]) for _, row in table.rows})
    if "" in found:
        number = next(number for number, row in table.rows if not row[column])
        raise table.error(
            f"names no zone in its column {table.header[column]!r}; fill it in or drop the column", number
        )
    if options.zone is not None and options.zone not in found:
        raise UnknownZoneError(f"{table.path}: has no zone {options.zone!r}; there are {_listed(found)}")
    if options.zone is None and len(found) > 1:
        raise table.error(f"holds several zones; choose one with zone=: {_listed(found)}")
    zone = options.zone or found[0]
    return zone, replace(
        table, rows=tuple((number, row) for number, row in table.rows if unguarded(row[column]) == zone)
    )


def find_columns(table: TraceTable, options: TraceOptions, zone: str | None) -> TraceColumns:
    """Tell the layout by the header and settle what `options` leave open.

    Raises:
        TraceError: If there is no time or no intensity, or an option contradicts the file or misses in it.
    """
    names = [normalised(name) for name in table.header]
    layout = recognise(names)
    if layout is None:
        raise table.error(
            f"has no column for the time among {_listed(table.header)}; name it 'time', or 'start' and 'end'"
        )
    value = _value(table, names, layout, options)
    return TraceColumns(
        layout=layout,
        time=names.index(layout.time),
        end=_first(names, [layout.end]),
        duration=_first(names, [layout.duration]),
        value=value,
        forecast=next((i for i, name in enumerate(names) if layout.forecast and begins(name, {layout.forecast})), None),
        issue=_first(names, [layout.issue]),
        lead=_first(names, ["lead h"]),
        estimated=_first(names, _ESTIMATED),
        provenance=_first(names, ["provenance"]),
        source=_first(names, ["source"]) if layout.names_sources else None,
        method=_first(names, ["method"]) if layout.names_sources else None,
        zone=zone or layout.zone or table.path.name.split(".")[0],
        kind=_meaning(
            table,
            layout,
            "kind",
            layout.kind or _uniform(table, names, IntensityKind),
            options.kind,
            IntensityKind.AVERAGE,
        ),
        basis=_meaning(
            table, layout, "basis", _stated_basis(table, names, layout, value), options.basis, Basis.LIFECYCLE
        ),
        factor=_unit(table, names, layout, value, options).g_per_kwh,
        local=_local(table, layout, options),
    )


def column_basis(name: str) -> Basis | None:
    """Return the basis that a normalised column name states, or `None`."""
    words = name.split()
    if "direct" in words:
        return Basis.DIRECT
    return Basis.LIFECYCLE if "lca" in words or "lifecycle" in words or "life cycle" in name else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _first(names: Sequence[str], wanted: Sequence[str | None]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _value(table: TraceTable, names: list[str], layout: TraceFormat, options: TraceOptions) -> int | None:
    """Return the column that was asked for, else the one of the basis that was asked for, else life cycle."""
    if options.column is not None:
        found = [
            i for i, name in enumerate(names) if options.column == table.header[i] or normalised(options.column) == name
        ]
        if not found:
            raise table.error(f"has no column {options.column!r}; there are {_listed(table.header)}")
        return found[0]
    candidates = [i for i, name in enumerate(names) if begins(name, layout.values)]
    wanted = options.basis or Basis.LIFECYCLE
    candidates.sort(key=lambda i: column_basis(names[i]) is not wanted)
    if not candidates and not layout.forecast:
        raise table.error(
            f"has no column that is known to be an intensity among {_listed(table.header)}; name it with column="
        )
    return candidates[0] if candidates else None


def _uniform(table: TraceTable, names: list[str], kind: type[_E]) -> _E | None:
    """Return the one value of the column named `kind` or `basis`, `None` if there is no such column."""
    name = "kind" if kind is IntensityKind else "basis"
    if name not in names:
        return None
    column = names.index(name)
    found = sorted({row[column] for _, row in table.rows})
    if len(found) != 1 or found[0] not in {member.value for member in kind}:
        allowed = " or ".join(repr(member.value) for member in kind)
        raise table.error(f"column {name!r} must be {allowed} in all rows, found {_listed(found)}")
    return kind(found[0])


def _stated_basis(table: TraceTable, names: list[str], layout: TraceFormat, value: int | None) -> Basis | None:
    stated_by = [i for i in (value,) if i is not None] or [
        i for i, name in enumerate(names) if layout.forecast and begins(name, {layout.forecast})
    ]
    by_name = next((column_basis(names[i]) for i in stated_by), None)
    return by_name or layout.basis or _uniform(table, names, Basis)


def _meaning(table: TraceTable, layout: TraceFormat, option: str, stated: _E | None, wish: _E | None, usual: _E) -> _E:
    if stated is not None and wish is not None and stated is not wish:
        raise table.error(
            f"holds {stated.value} values ({layout.name}) and can't be read as {wish.value}: drop {option}="
        )
    if stated is None and wish is None and layout.asks:
        raise table.error(f"does not say its {option}, and {layout.name} files hold either: set {option}=")
    return stated or wish or usual


def _unit(
    table: TraceTable, names: list[str], layout: TraceFormat, value: int | None, options: TraceOptions
) -> IntensityUnit:
    if options.unit is not None:
        return options.unit
    if layout.unit is IntensityUnit.G_PER_KWH and value is not None and {"lb", "lbs", "kg"} & set(names[value].split()):
        raise table.error(f"column {table.header[value]!r} seems not to be in g/kWh: set unit=")
    return layout.unit


def _local(table: TraceTable, layout: TraceFormat, options: TraceOptions) -> ZoneInfo | None:
    if options.time_zone is None:
        return ZoneInfo("UTC") if layout.utc else None
    if layout.utc and options.time_zone != "UTC":
        raise table.error(f"{layout.name} files are written in UTC: drop time_zone=")
    try:
        return ZoneInfo(options.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise table.error(f"time_zone={options.time_zone!r} is no IANA time zone, such as 'Europe/Berlin'") from error
