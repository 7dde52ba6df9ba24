"""Emissions: energy priced with the intensity of the very interval in which it was drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.units import J_PER_KWH
from carbonnas.energy.meter import Account, EnergySample, MeterReading, Owner
from carbonnas.energy.split import divide


@dataclass(frozen=True, slots=True)
class PricedEnergy:
    """Energy of an interval within which the intensity is constant.

    Attributes:
        sample: The energy.
        intensity: The sample that prices it, or `None` while the intensity is unknown.
    """

    sample: EnergySample
    intensity: IntensitySample | None

    def emissions_g(self, pue: float) -> float | None:
        """Return the emissions with a power usage effectiveness of `pue` (>= 1), or `None` while they are unknown."""
        if self.intensity is None:
            return None
        return self.sample.joules / J_PER_KWH * self.intensity.g_per_kwh * pue


@dataclass(frozen=True, slots=True)
class EmissionEntry:
    """One line of the ledger: who drew how much energy when, and the intensity that prices it.

    Attributes:
        entry_id: Unique for ever; the same energy gives the same id, so that it can't be entered twice.
        owner: Who pays.
        priced: The energy and its price.
        pue: Power usage effectiveness that was configured, at least 1.
        supersedes: Id of the entry that this one corrects; an entry that is superseded counts no more.
    """

    entry_id: str
    owner: Owner
    priced: PricedEnergy
    pue: float = 1.0
    supersedes: str | None = None

    @property
    def emissions_g(self) -> float | None:
        """Grams of CO2 equivalent, or `None` while the intensity is unknown."""
        return self.priced.emissions_g(self.pue)


def price(sample: EnergySample, series: IntensitySeries) -> tuple[PricedEnergy, ...]:
    """Split energy at the borders of the intensity samples, in proportion to time.

    Power is taken as constant within the sample. Where the series has a gap, the piece stays without a price.

    Returns:
        Pieces in order of time that cover the sample's interval; each component of their energy sums to the sample's.
    """
    whole = sample.interval
    first = series.at(whole.start)
    if first is not None and whole.end <= first.interval.end:
        return (PricedEnergy(sample, first),)  # so it usually is
    cuts = _cuts(whole, series)
    shares = [(interval, interval.duration / whole.duration) for interval, _ in cuts]
    pieces = divide(sample, shares)
    return tuple(PricedEnergy(piece, intensity) for piece, (_, intensity) in zip(pieces, cuts, strict=True))


def _cuts(whole: Interval, series: IntensitySeries) -> list[tuple[Interval, IntensitySample | None]]:
    cuts: list[tuple[Interval, IntensitySample | None]] = []
    reached = whole.start
    for intensity in series.between(whole.start, whole.end):
        common = intensity.interval.intersection(whole)
        if common is None:
            continue
        if reached < common.start:
            cuts.append((Interval(reached, common.start), None))
        cuts.append((common, intensity))
        reached = common.end
    if reached < whole.end:
        cuts.append((Interval(reached, whole.end), None))
    return cuts


def entries_for(reading: MeterReading, series: IntensitySeries, pue: float) -> tuple[EmissionEntry, ...]:
    """Return the ledger's entries of a reading, priced as far as `series` is known.

    The ids follow from the reading's id and the entry's place in it, so the same reading can't be entered twice.

    Args:
        reading: What was measured and for whom.
        series: Intensity over the reading's time; gaps give entries without a price.
        pue: Power usage effectiveness, finite and at least 1.

    Raises:
        ValueError: If `pue` is out of range.
    """
    if not (math.isfinite(pue) and pue >= 1):
        raise ValueError(f"a power usage effectiveness is at least 1, got {pue}")
    return tuple(
        EmissionEntry(f"{reading.reading_id}/{place}.{number}", attribution.owner, piece, pue)
        for place, attribution in enumerate(reading.attributions)
        for number, piece in enumerate(price(attribution.sample, series))
    )


def reprice(entry: EmissionEntry, series: IntensitySeries) -> tuple[EmissionEntry, ...]:
    """Return the entries that take the place of `entry` now that `series` is known, or none if nothing changes.

    Energy is conserved. Time that `series` does not cover keeps the price it has: known data never become unknown again.
    """
    pieces = tuple(
        piece if piece.intensity is not None else replace(piece, intensity=entry.priced.intensity)
        for piece in price(entry.priced.sample, series)
    )
    if all(piece.intensity == entry.priced.intensity for piece in pieces):
        return ()
    return tuple(
        EmissionEntry(f"{entry.entry_id}+{number}", entry.owner, piece, entry.pue, supersedes=entry.entry_id)
        for number, piece in enumerate(pieces)
    )


def conservative_g(entry: EmissionEntry, bound_g_per_kwh: float) -> float:
    """Return the grams that an entry counts with in a budget: its price, or without one that of `bound_g_per_kwh`.

    Args:
        entry: The entry.
        bound_g_per_kwh: An intensity that the grid is not expected to exceed, at least zero.
    """
    if entry.emissions_g is not None:
        return entry.emissions_g
    return entry.priced.sample.joules / J_PER_KWH * bound_g_per_kwh * entry.pue


def current(entries: Iterable[EmissionEntry]) -> tuple[EmissionEntry, ...]:
    """Return the entries that count: those that no other one supersedes, in the same order."""
    known = tuple(entries)
    superseded = {entry.supersedes for entry in known}
    return tuple(entry for entry in known if entry.entry_id not in superseded)


@dataclass(frozen=True, slots=True)
class EmissionTotals:
    """Sums over entries of the ledger.

    Attributes:
        energy_j: Energy of all entries, priced or not, without the power usage effectiveness.
        emissions_g: Grams of the entries that have a price; a lower bound while `unpriced_j` is above zero.
        trials_g: The part of `emissions_g` that trials pay for.
        overhead_g: The part of `emissions_g` that the search's own work pays for.
        idle_g: The part of `emissions_g` that is the machine's idle share.
        unpriced_j: Energy whose intensity is not known yet.
    """

    energy_j: float
    emissions_g: float
    trials_g: float
    overhead_g: float
    idle_g: float
    unpriced_j: float


def totals(entries: Iterable[EmissionEntry]) -> EmissionTotals:
    """Return the sums over the entries that count; superseded ones among them are left out."""
    counting = current(entries)
    grams: dict[Account, list[float]] = {account: [] for account in Account}
    for entry in counting:
        if entry.emissions_g is not None:
            grams[entry.owner.account].append(entry.emissions_g)
    return EmissionTotals(
        energy_j=math.fsum(entry.priced.sample.joules for entry in counting),
        emissions_g=math.fsum(value for values in grams.values() for value in values),
        trials_g=math.fsum(grams[Account.TRIAL]),
        overhead_g=math.fsum(grams[Account.OVERHEAD]),
        idle_g=math.fsum(grams[Account.IDLE]),
        unpriced_j=math.fsum(entry.priced.sample.joules for entry in counting if entry.emissions_g is None),
    )


def by_trial(entries: Iterable[EmissionEntry]) -> dict[int, EmissionTotals]:
    """Return the totals of each trial over all its attempts, by its number and in order of it."""
    groups: dict[int, list[EmissionEntry]] = {}
    for entry in current(entries):
        if entry.owner.trial is not None:
            groups.setdefault(entry.owner.trial, []).append(entry)
    return {trial: totals(groups[trial]) for trial in sorted(groups)}
