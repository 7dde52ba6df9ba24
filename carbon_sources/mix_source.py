"""What sources have in common that tell generation by fuel and leave its price to us."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta

from carbon_sources.answers.mix_hours import Generation, MixPricer, ceil_hour, floor_hour, newest_of
from carbon_sources.answers.reading import Remarks
from carbon_sources.answers.timeliness import LARGEST_SKEW
from carbon_sources.intensity import IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, require_span, require_utc
from carbon_sources.source import CarbonSource


class MixSource(CarbonSource):
    """Intensity of a place, calculated from its generation by fuel; an average, without a forecast.

    Args:
        pricer: Prices the hours.
        look_back: How far back the newest value is looked for.
    """

    kind = IntensityKind.AVERAGE
    revised_for = timedelta(days=7)

    def __init__(self, pricer: MixPricer, look_back: timedelta) -> None:
        self._identity = pricer.identity
        self.zone, self.basis = pricer.identity.zone, pricer.identity.basis
        self._pricer = pricer
        self._look_back = look_back
        self._remarks = Remarks()

    @abstractmethod
    def _ask(self, start: datetime, end: datetime) -> tuple[Generation, tuple[str, ...]]:
        """Return the generation of the full hours `start .. end` and of the `REFERENCE` before, and what is odd about it.

        Raises:
            CarbonSourceError: If the provider can't be asked or its answer can't be trusted.
        """

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest hour that could be priced; with such providers it ended an hour or many ago."""
        require_utc(now, "now")
        start, end = floor_hour(now - self._look_back), ceil_hour(now + HOUR)
        generation, remarks = self._ask(start, end)
        priced = self._pricer.price(generation, start, end)
        sample, late = newest_of(priced, generation, now, delay=self.usual_delay, skew=LARGEST_SKEW)
        self._remarks.note("latest", (*priced.remarks, *self._identity.say(*remarks, *late)))
        return sample

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        if start == end:
            return IntensitySeries(())
        generation, remarks = self._ask(floor_hour(start), ceil_hour(end))
        priced = self._pricer.price(generation, start, end)
        self._remarks.note("history", (*priced.remarks, *self._identity.say(*remarks)))
        return priced.series

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()
