"""Yearly mean intensity of a country, from a table that comes with the package: for places without a live provider.

Life-cycle emissions of the electricity generated in the country, g CO2 equivalent per kWh, by Our World in Data, most of it for
2022 or 2023; imports are ignored. `carbon_sources/data/PROVENANCE.md` tells where the numbers come from, under which licence, and
what was left out.
"""

from __future__ import annotations

import csv
import difflib
import functools
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from carbon_sources.errors import UnknownZoneError
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval, full_hour, require_span, require_utc
from carbon_sources.source import CarbonSource

ROUGH_BELOW_TWH = 0.1
"""The table's amounts are rounded to 0.01 TWh, so below this a quotient of them may be wrong by a tenth and more."""

_USUAL_AGE_YEARS = 1


@dataclass(frozen=True, slots=True)
class CountryAverage:
    """One row of the table.

    Attributes:
        alpha_2: ISO 3166-1 code of two letters.
        alpha_3: ISO 3166-1 code of three letters.
        country: English name.
        year: The year of the mean.
        g_per_kwh: Grams of CO2 equivalent per kilowatt-hour generated, life cycle.
        generation_twh: Generation in that year in TWh, rounded to 0.01.
    """

    alpha_2: str
    alpha_3: str
    country: str
    year: int
    g_per_kwh: float
    generation_twh: float


@functools.cache
def country_averages() -> tuple[CountryAverage, ...]:
    """Return the table, in order of the three-letter codes."""
    text = files("carbon_sources").joinpath("data", "country_averages.csv").read_text(encoding="utf-8")
    return tuple(
        CountryAverage(
            alpha_2=row["alpha_2"],
            alpha_3=row["alpha_3"],
            country=row["country"],
            year=int(row["year"]),
            g_per_kwh=float(row["g_per_kwh"]),
            generation_twh=float(row["generation_twh"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


def find_country(code: str) -> CountryAverage:
    """Return the row of an ISO 3166-1 code of two or three letters, in any case.

    Raises:
        UnknownZoneError: If there is none; names countries that may have been meant.
    """
    wanted = code.strip().upper()
    for row in country_averages():
        if wanted in {row.alpha_2, row.alpha_3}:
            return row
    close = ", ".join(f"{row.alpha_2} ({row.country})" for row in _close(wanted))
    hint = f"close are {close}" if close else "codes have two or three letters, such as DE or DEU"
    raise UnknownZoneError(f"no yearly average for {code!r}: zone must be an ISO 3166-1 country code; {hint}")


class CountryAverageSource(CarbonSource):
    """The same intensity at every hour: a country's mean of one past year, always marked `ASSUMED`.

    The day's and the season's swings are not in it, so it can price energy roughly and can't tell when the grid is clean.

    Args:
        zone: ISO 3166-1 code of the country, two or three letters.

    Raises:
        UnknownZoneError: If the table has no such country.
    """

    kind = IntensityKind.AVERAGE
    basis = Basis.LIFECYCLE

    def __init__(self, *, zone: str) -> None:
        self.zone = zone
        self._row = find_country(zone)

    def latest(self, now: datetime) -> IntensitySample:
        """Return the hour that `now` lies in."""
        require_utc(now, "now")
        start = full_hour(now)
        return self._sample(Interval(start, start + HOUR))

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        hour, samples = full_hour(start), []
        while start < end and hour < end:
            samples.append(self._sample(Interval(hour, hour + HOUR)))
            hour += HOUR
        return IntensitySeries(tuple(samples))

    def remarks(self) -> tuple[str, ...]:
        row = self._row
        remarks = []
        if row.year < max(other.year for other in country_averages()) - _USUAL_AGE_YEARS:
            remarks.append(f"country_average: the mean of {row.country} is of {row.year}, older than most")
        if row.generation_twh < ROUGH_BELOW_TWH:
            remarks.append(
                f"country_average: the mean of {row.country} is rough: it was divided by {row.generation_twh:g} TWh, "
                "rounded to 0.01"
            )
        return tuple(remarks)

    def _sample(self, interval: Interval) -> IntensitySample:
        return IntensitySample(
            interval=interval,
            g_per_kwh=self._row.g_per_kwh,
            zone=self.zone,
            kind=self.kind,
            basis=self.basis,
            provenance=Provenance.ASSUMED,
            source="country_average",
            method=f"mean of {self._row.year}, {self._row.country}, Our World in Data",
        )


def _close(wanted: str) -> list[CountryAverage]:
    """Return rows whose name, codes or initials (UK, USA, UAE) are like what was written."""
    by_name = {row.country.upper(): row for row in country_averages()}
    initials = [row for name, row in by_name.items() if "".join(word[0] for word in name.split()) == wanted]
    names = [by_name[name] for name in difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.75)]
    codes = {code: row for row in country_averages() for code in (row.alpha_2, row.alpha_3)}
    spelt = [codes[code] for code in difflib.get_close_matches(wanted, codes, n=3, cutoff=0.6)]
    return list(dict.fromkeys((*initials, *names, *spelt)))[:5]
