"""Several sources in the order of trust: the next one is asked where the one before is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import Field

from carbon_sources.errors import CarbonSourceError, SourceUnavailableError
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import require_span, require_utc
from carbon_sources.source import CarbonSource
from carbon_sources.source_choice import SourceChoice
from carbon_sources.units import Duration

_T = TypeVar("_T")

SourceFactory = Callable[[str, Mapping[str, Any]], CarbonSource]


class FailoverSource(CarbonSource):
    """The first of several sources that knows.

    Every sample keeps the name of the source that it came from. The sources speak of one place, which they may call by different
    names; the samples carry `zone`.

    Args:
        make_source: Makes a source of its name and options.
        sources: Two sources or more, the most trusted first.
        zone: Name of the place; may be left out where all sources call it alike.
        patience: How long after the end of an interval its value may be missing before the next source is asked for it; by default the
            delay that is usual for the first source, and an hour more.

    Raises:
        ValueError: If the sources differ in kind or basis (average and marginal, life-cycle and direct values are never mixed), or in
            the name of the place while no `zone` says that they mean the same.
        CarbonSourceError: If one of them can't be made.
    """

    def __init__(
        self,
        make_source: SourceFactory,
        *,
        sources: Annotated[tuple[SourceChoice, ...], Field(min_length=2)],
        zone: str | None = None,
        patience: Duration | None = None,
    ) -> None:
        names = [f"{choice.use} (source {place})" for place, choice in enumerate(sources, 1)]
        self._members = [
            (name, make_source(choice.use, choice.options)) for name, choice in zip(names, sources, strict=True)
        ]
        first = self._members[0][1]
        for name, member in self._members[1:]:
            _require_same(self._members[0][0], first, name, member)
        if zone is None:
            _require_one_name({name: member.zone for name, member in self._members})
        self.kind, self.basis = first.kind, first.basis
        self.zone = zone or first.zone
        self.names = frozenset[str]().union(*(member.names for _, member in self._members))
        self.revised_for = max(member.revised_for for _, member in self._members)
        self.usual_delay = first.usual_delay
        self._patience = first.usual_delay + _GRACE if patience is None else patience
        self._problems: dict[str, str] = {}
        self._active: str | None = None

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest sample of the first source that is not late; if all are, the newest of all."""
        require_utc(now, "now")
        newest: IntensitySample | None = None
        for name, sample in self._answers(lambda member: member.latest(now)):
            if sample is not None and (newest is None or sample.interval.end > newest.interval.end):
                newest, self._active = self._as_own(sample), name
            if newest is not None and newest.interval.end >= now - self._patience:
                break
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return what the first source knows, and of the gaps that are overdue what the others know, in their order."""
        require_span(start, end)
        known: list[IntensitySample] = []
        for _, series in self._answers(lambda member: member.history(start, end)):
            # The earlier source's values win over those of the later one.
            known = [*(self._as_own(sample) for sample in series), *known]
            if not _overdue(IntensitySeries.newest_wins(known), start, end - self._patience):
                break
        return IntensitySeries.newest_wins(known).between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        """Return the forecast of the first source that has one."""
        require_utc(now, "now")
        for _, forecast in self._answers(lambda member: member.forecast(now)):
            if forecast is not None:
                own = IntensitySeries(tuple(self._as_own(sample) for sample in forecast.series))
                return replace(forecast, series=own)
        return None

    def remarks(self) -> tuple[str, ...]:
        """Return what is odd about the sources, and which one answers in place of the first."""
        first = self._members[0][0]
        stands_in = (f"{self._active} answers in place of {first}",) if self._active not in {None, first} else ()
        # All at once, because a forecaster that learns in the background asks meanwhile.
        known = tuple(self._problems.items())
        problems = (f"{name} could not be asked: {problem}" for name, problem in known)
        return (*stands_in, *problems, *(remark for _, member in self._members for remark in member.remarks()))

    def _answers(self, ask: Callable[[CarbonSource], _T]) -> Iterator[tuple[str, _T]]:
        """Yield each member's answer; if none gives any, raise what they had to say."""
        answered = False
        for name, member in self._members:
            try:
                answer = ask(member)
            except CarbonSourceError as error:
                self._problems[name] = str(error)
                continue
            self._problems.pop(name, None)
            answered = True
            yield name, answer
        if not answered:
            reasons = "; ".join(f"{name}: {problem}" for name, problem in tuple(self._problems.items()))
            raise SourceUnavailableError(f"none of the sources can be asked ({reasons})")

    def _as_own(self, sample: IntensitySample) -> IntensitySample:
        return sample if sample.zone == self.zone else replace(sample, zone=self.zone)


_GRACE = timedelta(hours=1)


def _require_same(first_name: str, first: CarbonSource, name: str, other: CarbonSource) -> None:
    for what, one, another in (("kind", first.kind, other.kind), ("basis", first.basis, other.basis)):
        if one is not another:
            raise ValueError(
                f"{name} gives {another.value} intensity but {first_name} gives {one.value}: sources of another {what} can't stand "
                "in for each other; choose the same by their options, or leave one out"
            )


def _require_one_name(zones: Mapping[str, str]) -> None:
    if len({*zones.values()}) > 1:
        told = ", ".join(f"{name} speaks of {zone}" for name, zone in zones.items())
        raise ValueError(f"{told}: if these are names of one place, give it a name with zone = '...'")


def _overdue(series: IntensitySeries, start: datetime, end: datetime) -> bool:
    """Say whether `start .. end` has a gap."""
    known_until = start
    for sample in series:
        if sample.interval.start > known_until:
            break
        known_until = max(known_until, sample.interval.end)
    return known_until < end
