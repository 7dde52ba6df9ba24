"""Keeping what was fetched: providers overwrite their forecasts and revise their values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose values: one zone, kind and basis by one or several providers.

    Attributes:
        names: What the samples carry as `source`.
        zone: The zone.
        kind: Average or marginal.
        basis: Life cycle or direct.
    """

    names: frozenset[str]
    zone: str
    kind: IntensityKind
    basis: Basis

    @classmethod
    def of(cls, source: CarbonSource) -> Subject:
        """Return what `source` speaks of."""
        return cls(source.names, source.zone, source.kind, source.basis)

    def covers(self, sample: IntensitySample) -> bool:
        """Say whether a sample is of this subject."""
        return sample.source in self.names and (sample.zone, sample.kind, sample.basis) == (
            self.zone,
            self.kind,
            self.basis,
        )


class IntensityArchive(ABC):
    """Keeps samples in all their versions, and forecasts by their issue. Keeping the same thing again changes nothing."""

    @abstractmethod
    def keep(self, samples: Sequence[IntensitySample], fetched_at: datetime) -> None:
        """Keep samples as they were told at `fetched_at`."""

    @abstractmethod
    def keep_forecast(self, forecast: Forecast, fetched_at: datetime) -> None:
        """Keep a forecast; of one source and issue the first counts."""

    @abstractmethod
    def series(self, subject: Subject, within: Interval) -> IntensitySeries:
        """Return the samples that overlap `within`; of several versions of an interval the one that was kept last."""

    @abstractmethod
    def settled(self, subject: Subject, within: Interval, revised_for: timedelta) -> Sequence[Interval]:
        """Return, in order, the intervals that overlap `within` and whose value was kept when it could not change any more.

        Args:
            subject: Whose values.
            within: The time in question.
            revised_for: How long after its interval a value may still be revised.
        """

    @abstractmethod
    def forecasts(self, subject: Subject, within: Interval) -> Iterable[Forecast]:
        """Return the forecasts that were issued within the interval, in the order of their issue."""

    @abstractmethod
    def newest_forecast(self, subject: Subject, now: datetime) -> Forecast | None:
        """Return the newest forecast that was issued at or before `now`, or `None` if there is none."""


class MemoryArchive(IntensityArchive):
    """An archive that ends with the process."""

    def __init__(self) -> None:
        self.versions: dict[IntensitySample, datetime] = {}
        self._forecasts: dict[tuple[str, str, IntensityKind, Basis, datetime], Forecast] = {}

    def keep(self, samples: Sequence[IntensitySample], fetched_at: datetime) -> None:
        for sample in samples:
            # The last version counts, also when a provider returns to an earlier one.
            self.versions.pop(sample, None)
            self.versions[sample] = fetched_at

    def keep_forecast(self, forecast: Forecast, fetched_at: datetime) -> None:  # noqa: ARG002 -- kept by its issue alone
        first = next(iter(forecast.series), None)
        if first is not None:
            self._forecasts.setdefault(
                (first.source, first.zone, first.kind, first.basis, forecast.issued_at), forecast
            )

    def series(self, subject: Subject, within: Interval) -> IntensitySeries:
        own = [sample for sample in self.versions if subject.covers(sample)]
        return IntensitySeries.newest_wins(own).between(within.start, within.end)

    def settled(self, subject: Subject, within: Interval, revised_for: timedelta) -> Sequence[Interval]:
        return sorted(
            sample.interval
            for sample, fetched_at in self.versions.items()
            if subject.covers(sample)
            and sample.interval.intersection(within)
            and fetched_at - revised_for >= sample.interval.end
        )

    def forecasts(self, subject: Subject, within: Interval) -> Iterable[Forecast]:
        own = [f for f in self._forecasts.values() if subject.covers(f.series.samples[0])]
        return sorted((f for f in own if within.contains(f.issued_at)), key=lambda f: f.issued_at)

    def newest_forecast(self, subject: Subject, now: datetime) -> Forecast | None:
        own = [f for f in self._forecasts.values() if subject.covers(f.series.samples[0]) and f.issued_at <= now]
        return max(own, key=lambda f: f.issued_at, default=None)
