"""What is known of a grid at the moment: the source asked politely, its answers kept in order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from carbon_sources.errors import CarbonSourceError
from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of the grid at one instant.

    Attributes:
        now: The instant.
        current: The sample that covers `now`; `None` while the intensity is unknown.
        series: All samples that were fetched so far, the current one included.
        changed: The stretch within which values are new or revised since the observation before; `None` if nothing changed.
        problem: Why the source could not be asked, in one sentence; `None` if it answered or was not due.
        due_at: When the source is to be asked again, after `now`.
    """

    now: datetime
    current: IntensitySample | None
    series: IntensitySeries
    changed: Interval | None
    problem: str | None
    due_at: datetime


class IntensityMonitor:
    """Asks a source when its newest sample has run out, but not more often than `poll_interval`.

    Args:
        source: The source.
        poll_interval: Shortest time between two questions, above zero.
        lookback: How much of the past is wanted at the start.
        overlap: How much of the past is fetched again each time, so that late and revised values arrive.
        reach: How far back values are asked for that somebody still waits for.
    """

    def __init__(
        self,
        source: CarbonSource,
        *,
        poll_interval: timedelta,
        lookback: timedelta,
        overlap: timedelta,
        reach: timedelta = timedelta(days=60),
    ) -> None:
        self._source = source
        self._poll_interval = poll_interval
        self._lookback = lookback
        self._overlap = overlap
        self._series = IntensitySeries(())
        self._reach = max(reach, lookback)
        self._due_at = datetime.min.replace(tzinfo=UTC)
        self._answered_at: datetime | None = None
        self._problem: str | None = None

    def observe(self, now: datetime, wanted_since: datetime | None = None) -> Observation:
        """Return what is known at `now`, having asked the source if that is due. Never raises for a failing source.

        Args:
            now: The present instant.
            wanted_since: From when on somebody waits for values; `None` if all that is wanted is known.
        """
        changed = self._refresh(now, wanted_since) if self._due_at <= now else None
        return Observation(now, self._series.at(now), self._series, changed, self._problem, self._due_at)

    def _next_question(self, now: datetime, *, news: bool) -> datetime:
        """Return when to ask again: at the end of the newest sample, or after a pause where nothing newer was to be had."""
        newest_end = self._series.samples[-1].interval.end if self._series.samples else now
        if news and newest_end > now:
            return min(newest_end, now + self._overlap)
        return max(now + self._poll_interval, min(newest_end, now + self._overlap))

    def _refresh(self, now: datetime, wanted_since: datetime | None) -> Interval | None:
        start = now - self._lookback if self._answered_at is None else self._answered_at - self._overlap
        start = max(min(start, wanted_since or start), now - self._reach)
        self._due_at = now + self._poll_interval
        try:
            fetched = list(self._source.history(start, now))
            latest = self._source.latest(now)
        except CarbonSourceError as error:
            if str(error) != self._problem:
                _log.warning("the carbon source did not answer: %s", error)
            self._problem = str(error)
            return None
        self._problem, self._answered_at = None, now
        if latest is not None:
            fetched.insert(0, latest)  # what the history says of the same time counts
        changed = self._merge(fetched)
        self._due_at = self._next_question(now, news=changed is not None)
        return changed

    def _merge(self, fetched: list[IntensitySample]) -> Interval | None:
        known = frozenset(self._series)
        news = [sample for sample in IntensitySeries.newest_wins(fetched) if sample not in known]
        if not news:
            return None
        self._series = IntensitySeries.newest_wins((*self._series, *news))
        return Interval(min(s.interval.start for s in news), max(s.interval.end for s in news))
