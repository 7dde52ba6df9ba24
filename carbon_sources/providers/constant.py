"""An assumed intensity that never changes."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

from pydantic import Field

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval, full_hour, require_span, require_utc
from carbon_sources.source import CarbonSource


class ConstantSource(CarbonSource):
    """The same intensity at every hour, marked `ASSUMED` wherever it is used.

    Args:
        g_per_kwh: Grams of CO2 equivalent per kilowatt-hour, finite and at least zero.
        zone: Name to show for the zone.
        kind: What the number is: average or marginal.
        basis: Which emissions it counts.

    Raises:
        ValueError: If `g_per_kwh` is negative, infinite or not a number.
    """

    def __init__(
        self,
        *,
        g_per_kwh: Annotated[float, Field(ge=0, allow_inf_nan=False)],
        zone: str = "constant",
        kind: IntensityKind = IntensityKind.AVERAGE,
        basis: Basis = Basis.LIFECYCLE,
    ) -> None:
        self.zone = zone
        self.kind = kind
        self.basis = basis
        self._g_per_kwh = g_per_kwh
        if not (math.isfinite(g_per_kwh) and g_per_kwh >= 0):
            raise ValueError(f"g_per_kwh must be finite and at least zero, got {g_per_kwh}")

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

    def _sample(self, interval: Interval) -> IntensitySample:
        return IntensitySample(
            interval=interval,
            g_per_kwh=self._g_per_kwh,
            zone=self.zone,
            kind=self.kind,
            basis=self.basis,
            provenance=Provenance.ASSUMED,
            source="constant",
        )
