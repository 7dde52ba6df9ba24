"""Emissions: energy priced with the intensity of the very interval in which it was drawn."""

from __future__ import annotations

from dataclasses import dataclass

from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.units import J_PER_KWH
from carbonnas.energy.meter import EnergySample, Owner


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
    """Split energy at the borders of the intensity samples, in proportion to time."""
    raise NotImplementedError
