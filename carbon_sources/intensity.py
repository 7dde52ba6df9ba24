"""Carbon intensity of a grid zone: one sample, a series of them, and a forecast."""

from __future__ import annotations

import bisect
import enum
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from carbon_sources.interval import Interval, require_utc


class IntensityKind(enum.Enum):
    """What one more kilowatt-hour is charged with; the two are never mixed in one series."""

    AVERAGE = "average"
    """Emissions of all generation divided by all generation."""
    MARGINAL = "marginal"
    """Emissions of the plants that would answer a change of load."""


class Basis(enum.Enum):
    """Which emissions are counted; the two are never mixed in one series."""

    LIFECYCLE = "lifecycle"
    DIRECT = "direct"


class Provenance(enum.Enum):
    """How well a value is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    """Modelled or still to be revised, by the provider's own word."""
    ASSUMED = "assumed"
    """Configured by the user, such as a constant or a yearly average: never passed off as live."""


@dataclass(frozen=True, slots=True)
class IntensitySample:
    """Mean carbon intensity of a zone over a half-open interval.

    Attributes:
        interval: The instants that the value speaks of, UTC.
        g_per_kwh: Grams of CO2 equivalent per kilowatt-hour, finite and at least zero.
        zone: The provider's name of the grid zone.
        kind: Average or marginal.
        basis: Life-cycle or direct emissions.
        provenance: How well the value is known.
        source: Who said so: the provider's name, or the trace's file name.
        method: How the number came about, where the provider says it or a mix was priced: a model's date, a table of factors.

    Raises:
        ValueError: If the value is negative, infinite or not a number.
    """

    interval: Interval
    g_per_kwh: float
    zone: str
    kind: IntensityKind
    basis: Basis
    provenance: Provenance
    source: str
    method: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.g_per_kwh) and self.g_per_kwh >= 0):
            raise ValueError(f"an intensity must be finite and at least zero, got {self.g_per_kwh}")


@dataclass(frozen=True, slots=True)
class IntensitySeries:
    """Samples of one zone, kind and basis in order of time, without overlap; gaps are allowed and stay gaps.

    Raises:
        ValueError: If samples overlap, are out of order, or mix zones, kinds or bases.
    """

    samples: tuple[IntensitySample, ...]
    _starts: tuple[datetime, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", tuple(sample.interval.start for sample in self.samples))
        for before, after in zip(self.samples, self.samples[1:], strict=False):
            if after.interval.start < before.interval.end:
                raise ValueError(f"samples overlap or are out of order at {after.interval.start}")
            if (after.zone, after.kind, after.basis) != (before.zone, before.kind, before.basis):
                raise ValueError("one series can't mix zones, kinds or bases")

    def __iter__(self) -> Iterator[IntensitySample]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    def at(self, instant: datetime) -> IntensitySample | None:
        """Return the sample that covers `instant`, or `None` in a gap."""
        index = bisect.bisect_right(self._starts, instant) - 1
        if index < 0 or not self.samples[index].interval.contains(instant):
            return None
        return self.samples[index]

    def between(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return the samples that overlap `start .. end`, whole, not cut at the ends."""
        first = max(0, bisect.bisect_right(self._starts, start) - 1)
        last = bisect.bisect_left(self._starts, end)
        # Samples do not overlap: only the first of these may have ended before.
        if first < last and self.samples[first].interval.end <= start:
            first += 1
        return self._part(first, last)

    def before(self, instant: datetime) -> IntensitySeries:
        """Return the samples that had ended at `instant`: what was known of the past by then."""
        index = bisect.bisect_right(self._starts, instant)
        if index and self.samples[index - 1].interval.end > instant:
            index -= 1
        return self._part(0, index)

    def _part(self, first: int, last: int) -> IntensitySeries:
        """Return the samples from one place to before another; what was in order stays so, and is not checked again."""
        part = object.__new__(IntensitySeries)
        object.__setattr__(part, "samples", self.samples[first:last])
        object.__setattr__(part, "_starts", self._starts[first:last])
        return part

    def gaps(self, within: Interval) -> tuple[Interval, ...]:
        """Return the intervals of `within` that no sample covers, in order."""
        borders = [within.start]
        for sample in self.between(within.start, within.end):
            borders += [max(sample.interval.start, within.start), min(sample.interval.end, within.end)]
        borders.append(within.end)
        holes = zip(borders[::2], borders[1::2], strict=True)
        return tuple(Interval(start, end) for start, end in holes if start < end)

    def updated(self, news: Sequence[IntensitySample]) -> IntensitySeries:
        """Return the series with `news` in it; what they overlap gives way."""
        if not news:
            return self
        first = min(sample.interval.start for sample in news)
        untouched = max(0, bisect.bisect_right(self._starts, first) - 1)
        changed = IntensitySeries.newest_wins((*self.samples[untouched:], *news))
        return IntensitySeries((*self.samples[:untouched], *changed))

    @classmethod
    def newest_wins(cls, samples: Sequence[IntensitySample]) -> IntensitySeries:
        """Return the samples in order of time; of those that overlap, the one that comes last in `samples`.

        A provider that changes the length of its intervals thus replaces the old values instead of contradicting them.

        Raises:
            ValueError: If samples mix zones, kinds or bases.
        """
        if all(before.interval.end <= after.interval.start for before, after in itertools.pairwise(samples)):
            return cls(tuple(samples))  # so it usually is, and a year of five minutes takes seconds otherwise
        kept: list[IntensitySample] = []
        for sample in reversed(samples):
            place = bisect.bisect_left(kept, sample.interval.end, key=lambda other: other.interval.start)
            if place == 0 or kept[place - 1].interval.end <= sample.interval.start:
                kept.insert(place, sample)
        return cls(tuple(kept))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Intensity expected for the time after `issued_at`; it uses nothing that was not known then.

    Attributes:
        issued_at: When the forecast was made, UTC.
        series: The expected values, provenance `ESTIMATED`.
        levels: The quantiles that are given, between 0 and 1 and in order; empty where only the expected values are known.
        quantiles: For each sample its quantiles in g/kWh, as many as `levels`, not decreasing.
        averages: For each sample the mean of all that may come in g/kWh, which is what emissions add up to; empty where it is not told apart
            from the expected values. Those may be meant to have small relative errors, which makes them smaller.

    Raises:
        ValueError: If there are quantiles or averages for other samples or levels than there are.
    """

    issued_at: datetime
    series: IntensitySeries
    levels: tuple[float, ...] = ()
    quantiles: tuple[tuple[float, ...], ...] = ()
    averages: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require_utc(self.issued_at, "issued_at")
        if len(self.quantiles) != (len(self.series) if self.levels else 0):
            raise ValueError(f"{len(self.series)} samples can't have {len(self.quantiles)} sets of quantiles")
        if any(len(values) != len(self.levels) for values in self.quantiles):
            raise ValueError(f"each sample needs {len(self.levels)} quantiles")
        if self.averages and len(self.averages) != len(self.series):
            raise ValueError(f"{len(self.series)} samples can't have {len(self.averages)} averages")

    def upper(self, instant: datetime) -> float | None:
        """Return the highest quantile at `instant` in g/kWh, or `None` where there is none."""
        return self.highest(instant, instant)

    def highest(self, start: datetime, end: datetime) -> float | None:
        """Return the highest quantile from `start` to `end`, both included, in g/kWh, or `None` where there is none."""
        held = (
            values[-1]
            for sample, values in zip(self.series, self.quantiles, strict=bool(self.levels))
            if sample.interval.start <= end and sample.interval.end > start
        )
        return max(held, default=None)
