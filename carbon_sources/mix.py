"""Pricing a generation mix: what a kilowatt-hour emits where a provider publishes megawatts by fuel and no intensity.

    intensity = sum(MW of a fuel x its factor) / sum(MW)        over positive generation

It is production-based: imports are ignored. What storage gives back is left out, since it was counted when it was generated.
Two tables of factors are here, by name and version; both are in grams of CO2 equivalent per kilowatt-hour.

Sources of the factors: Schlömer et al. 2014, IPCC AR5 WG III, Annex III, table A.III.2 (life cycle, medians); National Grid ESO,
Carbon Intensity Forecast Methodology (combustion, Great Britain). Neither lists every fuel; each value that stands in is
explained where it stands.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass

from carbon_sources.intensity import Basis


class Fuel(enum.Enum):
    """What electricity is made of."""

    BIOMASS = "biomass"
    COAL_GAS = "gas derived from coal"
    GAS = "natural gas"
    GEOTHERMAL = "geothermal"
    HARD_COAL = "hard coal"
    HYDRO = "hydro"
    LIGNITE = "lignite"
    MARINE = "marine"
    NUCLEAR = "nuclear"
    OIL = "oil"
    OIL_SHALE = "oil shale"
    OTHER = "other or unknown"
    OTHER_RENEWABLE = "other renewable"
    PEAT = "peat"
    SOLAR = "solar"
    STORAGE = "storage"
    """Pumped storage and batteries: no generation, in neither direction."""
    WASTE = "waste"
    WIND_OFFSHORE = "wind offshore"
    WIND_ONSHORE = "wind onshore"


@dataclass(frozen=True, slots=True)
class FactorTable:
    """What each fuel emits.

    Attributes:
        name: Name of the table, for people.
        version: Grows whenever a factor changes, so that old samples tell what they were priced with.
        basis: Which emissions it counts.
        g_per_kwh: Grams of CO2 equivalent per kilowatt-hour for every fuel but storage, at least zero.

    Raises:
        ValueError: If a fuel has no factor, storage has one, or a factor is negative or not finite.
    """

    name: str
    version: int
    basis: Basis
    g_per_kwh: Mapping[Fuel, float]

    def __post_init__(self) -> None:
        if set(self.g_per_kwh) != set(Fuel) - {Fuel.STORAGE}:
            raise ValueError(f"the factors {self.name!r} must name every fuel but storage")
        if not all(math.isfinite(factor) and factor >= 0 for factor in self.g_per_kwh.values()):
            raise ValueError(f"the factors {self.name!r} must be finite and at least zero")

    @property
    def method(self) -> str:
        """How a sample's value came about, for its `method`."""
        return f"mix priced with {self.name} (version {self.version}), imports ignored"


LIFECYCLE = FactorTable(
    name="IPCC AR5 life-cycle medians",
    version=1,
    basis=Basis.LIFECYCLE,
    g_per_kwh={
        Fuel.BIOMASS: 230.0,  # dedicated biomass, not taken as neutral
        Fuel.COAL_GAS: 820.0,  # not listed: its carbon is that of hard coal
        Fuel.GAS: 490.0,
        Fuel.GEOTHERMAL: 38.0,
        Fuel.HARD_COAL: 820.0,
        Fuel.HYDRO: 24.0,
        Fuel.LIGNITE: 1000.0,  # not listed: usual value; some take 1,050
        Fuel.MARINE: 17.0,
        Fuel.NUCLEAR: 12.0,
        Fuel.OIL: 650.0,  # not listed: usual value
        Fuel.OIL_SHALE: 1000.0,  # not listed: burns about as clean as lignite
        Fuel.OTHER: 700.0,  # published are 300 to 700: what is unknown must not look clean
        Fuel.OTHER_RENEWABLE: 230.0,  # not listed: the dirtiest renewable
        Fuel.PEAT: 1000.0,  # not listed: burns about as clean as lignite
        Fuel.SOLAR: 48.0,  # utility scale, which is what grid operators meter; rooftops 41
        Fuel.WASTE: 330.0,  # not listed: usual value
        Fuel.WIND_OFFSHORE: 12.0,
        Fuel.WIND_ONSHORE: 11.0,
    },
)

DIRECT = FactorTable(
    name="combustion factors after NESO",
    version=1,
    basis=Basis.DIRECT,
    g_per_kwh={
        Fuel.BIOMASS: 120.0,
        Fuel.COAL_GAS: 937.0,  # not listed: its carbon is that of hard coal
        Fuel.GAS: 394.0,  # combined cycle; open cycle would be 651
        Fuel.GEOTHERMAL: 0.0,
        Fuel.HARD_COAL: 937.0,
        Fuel.HYDRO: 0.0,
        Fuel.LIGNITE: 1000.0,  # not listed: lower end of what is published
        Fuel.MARINE: 0.0,
        Fuel.NUCLEAR: 0.0,
        Fuel.OIL: 935.0,
        Fuel.OIL_SHALE: 1000.0,  # not listed: burns about as clean as lignite
        Fuel.OTHER: 300.0,
        Fuel.OTHER_RENEWABLE: 120.0,  # not listed: the dirtiest renewable
        Fuel.PEAT: 1000.0,  # not listed: burns about as clean as lignite
        Fuel.SOLAR: 0.0,
        Fuel.WASTE: 300.0,  # not listed: as other
        Fuel.WIND_OFFSHORE: 0.0,
        Fuel.WIND_ONSHORE: 0.0,
    },
)

_TABLES = {table.basis: table for table in (LIFECYCLE, DIRECT)}


def factors(basis: Basis) -> FactorTable:
    """Return the table that counts these emissions."""
    return _TABLES[basis]


def mix_intensity(generation: Mapping[Fuel, float], table: FactorTable) -> float | None:
    """Return the intensity of a mix in g/kWh, or `None` where nothing is generated.

    Args:
        generation: Power or energy by fuel, in any one unit, finite. Negative values and storage are no generation.
        table: The factors.
    """
    positive = {fuel: amount for fuel, amount in generation.items() if amount > 0 and fuel is not Fuel.STORAGE}
    largest = max(positive.values(), default=0.0)
    if largest == 0:
        return None
    # Shares of the largest, so that neither sum can overflow.
    shares = {fuel: amount / largest for fuel, amount in positive.items()}
    emitted = math.fsum(share * table.g_per_kwh[fuel] for fuel, share in shares.items())
    return emitted / math.fsum(shares.values())
