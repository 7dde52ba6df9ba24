"""A source whose answers are kept: history that was once fetched is there without the network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from carbon_sources.answers.reading import Remarks
from carbon_sources.archive import IntensityArchive, Subject
from carbon_sources.clock import Clock
from carbon_sources.errors import CarbonSourceError
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval, require_span, require_utc
from carbon_sources.source import CarbonSource


class CachedSource(CarbonSource):
    """Another source, with a memory.

    What was told when it could not change any more, `revised_for` after its interval, is not asked for again, and a gap in it once
    by each process. `latest` and `forecast` always ask, because what was the newest yesterday is not the newest today.

    Args:
        source: The source to ask; it names its samples (`names`).
        archive: Keeps what it answers.
        clock: Says what is old enough to be final, and stamps what is kept.
    """

    def __init__(self, source: CarbonSource, archive: IntensityArchive, clock: Clock) -> None:
        self.zone, self.kind, self.basis = source.zone, source.kind, source.basis
        self.names, self.revised_for, self.usual_delay = source.names, source.revised_for, source.usual_delay
        self._source = source
        self._archive = archive
        self._clock = clock
        self._subject = Subject.of(source)
        self._asked: tuple[Interval, ...] = ()
        self._problems = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        sample = self._source.latest(now)
        if sample is not None and sample.source in self.names:
            self._archive.keep((sample,), self._clock.now())
        return sample

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return what is kept and, where that may be incomplete or not final, what the source says.

        Where the source fails, what is kept is returned with a remark.

        Raises:
            CarbonSourceError: If the source fails and nothing is kept.
        """
        require_span(start, end)
        if start == end:
            return IntensitySeries(())
        within = Interval(start, end)
        failure, local = self._fetch(self._missing(within))
        kept = self._archive.series(self._subject, within)
        if local:
            kept = IntensitySeries.newest_wins((*local, *kept)).between(start, end)
        if failure is not None and not len(kept):
            raise failure
        self._problems.note("history", [] if failure is None else [_stands_in("values", failure)])
        return kept

    def forecast(self, now: datetime) -> Forecast | None:
        """Return the source's newest forecast; where it fails, the newest that was kept."""
        require_utc(now, "now")
        try:
            forecast = self._source.forecast(now)
        except CarbonSourceError as error:
            kept = self._archive.newest_forecast(self._subject, now)
            if kept is None:
                raise
            self._problems.note("forecast", [_stands_in("forecasts", error)])
            return kept
        self._problems.note("forecast", ())
        if forecast is not None:
            self._archive.keep_forecast(forecast, self._clock.now())
        return forecast

    def remarks(self) -> tuple[str, ...]:
        return (*self._problems.all(), *self._source.remarks())

    def _fetch(self, missing: Iterable[Interval]) -> tuple[CarbonSourceError | None, list[IntensitySample]]:
        """Ask for intervals and keep the answers.

        Returns:
            Why the source can't be asked, or `None`; and what came from a member on this machine, which is not kept but asked for again.
        """
        local: list[IntensitySample] = []
        for interval in missing:
            asked_at = self._clock.now()
            try:
                fetched = self._source.history(interval.start, interval.end)
            except CarbonSourceError as error:
                return error, local
            own = [sample for sample in fetched if sample.source in self.names]
            local += [sample for sample in fetched if sample.source not in self.names]
            self._archive.keep(own, asked_at)
            final_until = min(interval.end, asked_at - self.revised_for)
            if interval.start < final_until and len(own) == len(fetched):
                self._asked = _merged((*self._asked, Interval(interval.start, final_until)))
        return None, local

    def _missing(self, within: Interval) -> tuple[Interval, ...]:
        """Return what has to be asked for: gaps that were not asked for before, and whatever may have changed since."""
        settled = self._archive.settled(self._subject, within, self.revised_for)
        borders = [within.start]
        for span in _merged((*settled, *self._asked)):
            if span.end > within.start and span.start < within.end:
                borders += [max(span.start, within.start), min(span.end, within.end)]
        borders.append(within.end)
        gaps = zip(borders[::2], borders[1::2], strict=True)
        return _merged((Interval(start, end) for start, end in gaps if start < end), _ONE_QUESTION)


_ONE_QUESTION = timedelta(days=7)
"""What is missing no further apart is asked for at once."""


def _merged(spans: Iterable[Interval], apart: timedelta = timedelta(0)) -> tuple[Interval, ...]:
    """Return the same time in as few intervals as possible, in order; with what lies between them where it is not longer than `apart`."""
    merged: list[Interval] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end <= apart:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _stands_in(kept: str, error: CarbonSourceError) -> str:
    return f"the source could not be asked, and {kept} that were kept before stand in: {error}"
