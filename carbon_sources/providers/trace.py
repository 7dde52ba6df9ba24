"""Recorded intensity, replayed."""

from __future__ import annotations

import bisect
from datetime import datetime
from pathlib import Path

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval, require_span, require_utc
from carbon_sources.source import CarbonSource
from carbon_sources.traces.columns import TraceOptions
from carbon_sources.traces.formats import IntensityUnit
from carbon_sources.traces.reader import read_trace


class TraceSource(CarbonSource):
    """A recorded trace, read once when it is opened.

    Args:
        path: A CSV, gzipped CSV or JSON file, or `bundled:NAME` for a trace that comes with the package.
        zone: The zone to take of several, or the name of the only one; by default what the file says, else its name.
        column: The column of the intensity; by default the one for life-cycle emissions.
        kind: Average or marginal, where the file does not say it; average by default.
        basis: Life cycle or direct; chooses the column, or states what the file does not say.
        unit: Unit of the numbers, where it is not the documented one of the format or g/kWh.
        time_zone: IANA name of the zone of times without offset, which are refused otherwise.
        forecasts: A second file with the archived forecasts of this zone, each with its time of issue.

    Raises:
        TraceError: If a file can't be read or anything in it is doubtful; the message names the row and the remedy.
        UnknownZoneError: If a file names its zones and `zone` is not among them.
    """

    def __init__(  # noqa: PLR0913 -- each argument is an option of the configuration
        self,
        *,
        path: Path,
        zone: str | None = None,
        column: str | None = None,
        kind: IntensityKind | None = None,
        basis: Basis | None = None,
        unit: IntensityUnit | None = None,
        time_zone: str | None = None,
        forecasts: Path | None = None,
    ) -> None:
        trace = read_trace(path, TraceOptions(zone, column, kind, basis, unit, time_zone))
        self.zone = trace.zone
        self.kind = trace.kind
        self.basis = trace.basis
        self._trace = trace
        self._forecasts = trace.forecasts
        if forecasts is not None:
            same = TraceOptions(zone=trace.zone, kind=trace.kind, basis=trace.basis, time_zone=time_zone)
            self._forecasts = read_trace(forecasts, same).forecasts

    @property
    def series(self) -> IntensitySeries:
        """The whole recording, of which a search may see only what has begun."""
        return self._trace.series

    @property
    def gaps(self) -> tuple[Interval, ...]:
        """Intervals inside the recording without a value, in order."""
        return self._trace.gaps

    def latest(self, now: datetime) -> IntensitySample | None:
        require_utc(now, "now")
        samples = self._trace.series.samples
        index = bisect.bisect_right(samples, now, key=lambda sample: sample.interval.start)
        return samples[index - 1] if index else None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        return self._trace.series.between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        index = bisect.bisect_right(self._forecasts, now, key=lambda forecast: forecast.issued_at)
        return self._forecasts[index - 1] if index else None
