"""Reading what Open Electricity answers: energy and emissions, and the intensity that follows from them.

Intensity in g/kWh is the sum of emissions in t divided by the sum of energy in MWh, times 1,000 (1 t/MWh = 1,000 g/kWh), over all
groups that generate. Storage is left out: what it gives back was counted when it was generated, and charging is a load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

ENERGY, EMISSIONS = "energy", "emissions"
UNITS = {ENERGY: frozenset({"MWh"}), EMISSIONS: frozenset({"t", "tCO2", "tCO2e"})}
LENGTHS = {"5m": timedelta(minutes=5), "30m": timedelta(minutes=30), "1h": timedelta(hours=1)}

GENERATING = frozenset({"bioenergy", "coal", "distillate", "gas", "hydro", "solar", "wind"})
FUEL_FREE = frozenset({"hydro", "solar", "wind"})
"""Groups without direct emissions, for which the provider may send none."""
LEFT_OUT = frozenset({"battery", "battery_charging", "battery_discharging", "pumps", "imports", "exports"})
ZERO_IS_TRUE = frozenset({"TAS1"})
"""Regions that run on water and wind alone for days; elsewhere fuel is always burnt, and zero stands for a missing value."""

SETTLING = timedelta(minutes=30)
"""How long after its end an interval may lack plants: the provider's delay is 5 to 20 minutes, and more for emissions."""

_WHOLE = ""
"""The group of a result that is not split by fuel."""
_METHOD = "direct emissions / generation, storage left out"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer has to be about.

    Attributes:
        identity: What the samples have in common; the zone is the region.
        interval: Length of the intervals, as the provider names it.
    """

    identity: Identity
    interval: str

    @property
    def network(self) -> str:
        """The network that the region belongs to."""
        return "WEM" if self.identity.zone == "WEM" else "NEM"

    @property
    def offset(self) -> timedelta:
        """The network's time minus UTC, without summer time."""
        return timedelta(hours=8 if self.network == "WEM" else 10)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer holds.

    Attributes:
        parsed: Values of intervals that had ended when it was made.
        created_at: When it was made by the provider's clock, UTC.
    """

    parsed: Parsed
    created_at: datetime


@dataclass(slots=True)
class _Table:
    """Values by metric, fuel group and start of the interval; `None` is a gap."""

    values: dict[str, dict[str, dict[datetime, float | None]]] = field(
        default_factory=lambda: {ENERGY: {}, EMISSIONS: {}}
    )
    intervals: set[str] = field(default_factory=set)
    other_zones: set[str] = field(default_factory=set)

    @property
    def groups(self) -> list[str]:
        """The groups of either metric, in order."""
        return sorted({*self.values[ENERGY], *self.values[EMISSIONS]})

    @property
    def starts(self) -> list[datetime]:
        """The starts of all intervals, in order."""
        return sorted({start for groups in self.values.values() for rows in groups.values() for start in rows})


def has_failed(document: object) -> bool:
    """Say whether an answer with status 200 reports a failure."""
    return isinstance(document, Mapping) and (document.get("success", True) is not True or bool(document.get("error")))


def parse(document: object, asked: Asked) -> Answered:
    """Return the intensities of an answer.

    Raises:
        SourceAnswerError: If it reports a failure or has another shape, unit, network, region or length of intervals.
    """
    source = asked.identity.source
    answer = as_object(document, f"the answer of {source}")
    if has_failed(answer):
        raise SourceAnswerError(f"{source} answered that it failed")
    created_at = as_instant(answer.get("created_at"), f"'created_at' of {source}")
    collector = SampleCollector(asked.identity, zero_is_gap=asked.identity.zone not in ZERO_IS_TRUE)
    table = _Table()
    for block in as_list(answer.get("data"), f"'data' of {source}"):
        _read_block(as_object(block, f"a block of {source}"), asked, table, collector)
    _check_zones(table, asked, collector)
    if table.starts:
        _combine(table, _length(table, asked, collector), created_at, collector)
    else:
        collector.odd("the answer holds no values for the time asked for")
    return Answered(collector.parsed(), created_at)


def _read_block(block: Mapping[str, object], asked: Asked, table: _Table, collector: SampleCollector) -> None:
    source = asked.identity.source
    metric = as_text(block.get("metric"), f"'metric' of {source}")
    if metric not in UNITS:
        collector.odd(f"the metric {metric[:40]!r} was not asked for")
        return
    unit = as_text(block.get("unit"), f"'unit' of {source}")
    if unit not in UNITS[metric]:
        raise SourceAnswerError(f"{source} answered with {metric} in {unit[:40]!r} instead of {min(UNITS[metric])}")
    network = as_text(block.get("network_code"), f"'network_code' of {source}")
    if network != asked.network:
        raise SourceAnswerError(f"{source} was asked for network {asked.network} and answered with {network[:40]!r}")
    table.intervals.add(as_text(block.get("interval"), f"'interval' of {source}"))
    for entry in as_list(block.get("results"), f"'results' of {source}"):
        _read_result(as_object(entry, f"a result of {source}"), metric, asked, table, collector)


def _read_result(
    result: Mapping[str, object], metric: str, asked: Asked, table: _Table, collector: SampleCollector
) -> None:
    source = asked.identity.source
    columns = as_object(result.get("columns"), f"'columns' of {source}")
    zone = as_text(columns.get("region", columns.get("network_region")), f"the region of a result of {source}")
    if zone != asked.identity.zone:
        table.other_zones.add(zone)
        return
    group = as_text(columns.get("fueltech_group") or _WHOLE, f"'fueltech_group' of {source}")
    rows = table.values[metric].setdefault(group, {})
    latest_start: datetime | None = None
    for row in as_list(result.get("data"), f"'data' of a result of {source}"):
        pair = as_list(row, f"a row of {source}")
        start = as_instant(pair[0] if pair else None, f"the time of a row of {source}")
        value = as_number(pair[1] if len(pair) > 1 else None, f"{metric} of {source}")
        if latest_start is not None and start < latest_start:
            collector.odd("rows came out of order")
        latest_start = start
        if start in rows:
            same = rows[start] == value
            collector.odd("rows came more than once" + ("" if same else " with different values and were left out"))
            value = value if same else None
        rows[start] = value


def _check_zones(table: _Table, asked: Asked, collector: SampleCollector) -> None:
    others = ", ".join(repr(zone[:40]) for zone in sorted(table.other_zones)[:5])
    if others and not table.groups:
        raise SourceAnswerError(
            f"{asked.identity.source} was asked for {asked.identity.zone} and answered with {others}"
        )
    if others:
        collector.odd(f"values of {others} came besides those of {asked.identity.zone}; they were left out")


def _length(table: _Table, asked: Asked, collector: SampleCollector) -> timedelta:
    """Return the length of the intervals, as the answer states it."""
    source = asked.identity.source
    stated = sorted(table.intervals)
    if len(stated) != 1 or stated[0] not in LENGTHS:
        shown = ", ".join(repr(name[:40]) for name in stated)
        raise SourceAnswerError(f"{source} was asked for intervals of {asked.interval} and answered with {shown}")
    if stated[0] != asked.interval:
        collector.odd(f"intervals of {stated[0]} came instead of {asked.interval}")
    return LENGTHS[stated[0]]


def _combine(table: _Table, length: timedelta, created_at: datetime, collector: SampleCollector) -> None:
    """Divide emissions by energy wherever both are known of every group that generates."""
    groups = _counted(table, collector)
    for start in table.starts:
        interval = as_interval(start, length)
        if interval.end > created_at:
            continue
        intensity, problem = _intensity(table, groups, start)
        settled = created_at - interval.end >= SETTLING
        if problem and settled:
            collector.odd(problem)
        collector.add(interval, intensity, Provenance.MEASURED if settled else Provenance.ESTIMATED, method=_METHOD)


def _counted(table: _Table, collector: SampleCollector) -> list[str]:
    """Return the groups that are summed up, noting what is unusual about them."""
    groups = [group for group in table.groups if group not in LEFT_OUT]
    if _WHOLE in groups and len(table.groups) > 1:
        raise SourceAnswerError(f"{collector.identity.source} answered with sums beside the fuel groups they are of")
    if _WHOLE in groups:
        collector.odd("the values are not split by fuel, so storage is counted as generation")
    for group in groups:
        if group not in GENERATING | {_WHOLE}:
            collector.odd(f"the fuel group {group[:40]!r} is unknown; it was counted as generation")
    return groups


def _intensity(table: _Table, groups: list[str], start: datetime) -> tuple[float | None, str]:
    """Return g/kWh, or `None` and what is wrong in a gap."""
    energy_mwh = emissions_t = 0.0
    for group in groups:
        energy = table.values[ENERGY].get(group, {}).get(start)
        emitted = table.values[EMISSIONS].get(group, {}).get(start)
        if emitted is None and group in FUEL_FREE and table.values[EMISSIONS]:
            emitted = 0.0
        if energy is None or emitted is None:
            return None, f"values of {group[:40] or 'the region'} are missing; these intervals are gaps"
        if emitted < 0:
            return None, "emissions below zero can't be true; these intervals are gaps"
        energy_mwh += energy
        emissions_t += emitted
    if not energy_mwh > 0:
        return None, "generation of zero or less can't be true; these intervals are gaps"
    return emissions_t / energy_mwh * 1000.0, ""
