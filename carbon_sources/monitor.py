"""What is known of a grid at the moment: the source asked politely, its answers kept in order."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from carbon_sources.asking import Answer, Question, ask
from carbon_sources.errors import CarbonSourceError
from carbon_sources.forecasting.desk import ForecastDesk
from carbon_sources.health import Health, Outage, assess
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource

_PATIENCE = 0.25
"""Share of an interval that passes before an overdue value is asked for again."""

_TAIL_EVERY = timedelta(hours=6)
"""Revisions are no news that cannot wait; asking for days of the past each time is a burden to the provider."""

_FORECASTS_EVERY = timedelta(minutes=30)
"""Providers issue anew every half hour or hour and keep no old issues."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of the grid at one instant.

    Attributes:
        now: The instant.
        current: The sample that covers `now`; `None` while the intensity is unknown.
        series: The samples of the lookback, and older ones that somebody waits for; the current one included.
        changed: The stretch within which values are new or revised since the observation before; `None` if nothing changed.
        problem: Why the source could not be asked, in one sentence; `None` if it answered or was not due.
        due_at: When the source is to be asked again, after `now`.
        forecast: What is expected, where it was wanted or the present is unknown; `None` where nothing can be expected.
    """

    now: datetime
    current: IntensitySample | None
    series: IntensitySeries
    changed: Interval | None
    problem: str | None
    due_at: datetime
    forecast: Forecast | None = None

    @property
    def expected(self) -> IntensitySample | None:
        """What the forecast says of `now`, an estimate to act upon while the intensity is unknown."""
        return None if self.forecast is None else self.forecast.series.at(self.now)


@dataclass(frozen=True, slots=True)
class Polling:
    """How a source is asked.

    Attributes:
        every: Shortest time between two questions, above zero; only the second one may come sooner.
        lookback: How much of the past is wanted.
        overlap: How much of the past is fetched again each time, so that late values arrive.
        tail: How much of it is fetched again four times a day, so that revised values arrive; at least `overlap`.
        reach: How far back values are asked for that somebody still waits for.
    """

    every: timedelta
    lookback: timedelta
    overlap: timedelta
    tail: timedelta = timedelta(0)
    reach: timedelta = timedelta(days=60)


class GridMonitor(ABC):
    """Knows what a grid is like, for one search."""

    @abstractmethod
    def observe(
        self, now: datetime, wanted_since: datetime | None = None, *, with_forecast: bool = False
    ) -> Observation:
        """Return what is known at `now`. Never raises for a failing source.

        Args:
            now: The present instant.
            wanted_since: From when on somebody waits for values; `None` if all that is wanted is known.
            with_forecast: Whether a forecast is wanted although the present is known.
        """

    @abstractmethod
    def health(self, now: datetime) -> Health:
        """Return how well the source serves at `now`."""


class IntensityMonitor(GridMonitor):
    """Asks a source when its newest sample has run out, but not more often than `polling.every`, the first question apart.

    To look is three steps, so that whoever shares a monitor between threads can do without it while the source takes its time: `question` and
    `absorb` are fast and change the monitor, `ask` speaks to the source and changes nothing. `observe` does all three.

    Args:
        source: The source.
        polling: How to ask it.
        desk: Issues forecasts; without one there are none.
    """

    def __init__(self, source: CarbonSource, polling: Polling, desk: ForecastDesk | None = None) -> None:
        self._source = source
        self._polling = polling
        self._desk = desk
        self._series = IntensitySeries(())
        self._due_at = datetime.min.replace(tzinfo=UTC)
        self._forecast_due_at = self._tail_due_at = self._due_at
        self._answered_at: datetime | None = None
        self._problem: str | None = None
        self._outage: Outage | None = None
        self._remarks: tuple[str, ...] = ()
        self._was_odd = False
        self._revision: str | None = None
        self._forecast_problem: str | None = None

    @property
    def polling(self) -> Polling:
        """How the source is asked."""
        return self._polling

    @property
    def due_at(self) -> datetime:
        """When the source is to be asked again."""
        return self._due_at

    def observe(
        self, now: datetime, wanted_since: datetime | None = None, *, with_forecast: bool = False
    ) -> Observation:
        """Return what is known at `now`, having asked the source if that is due."""
        changed = None
        if self._due_at <= now:
            changed = self.absorb(self.ask(self.question(now, wanted_since)), wanted_since)
        seen = self.known(now, changed)
        if not (with_forecast or seen.current is None):
            return seen
        return replace(seen, forecast=self.forecast(now, seen.series))

    def question(self, now: datetime, wanted_since: datetime | None = None) -> Question:
        """Return what to ask at `now`; the source is not due again before `polling.every` has passed, whatever it answers."""
        start = self._wanted_from(now)
        start = max(min(start, wanted_since or start), self.reaches_to(now))
        self._due_at = now + self._polling.every
        return Question(now, start, with_forecast=bool(self._source.names) and now >= self._forecast_due_at)

    def reaches_to(self, now: datetime) -> datetime:
        """Return how far back the source is asked at `now` at most."""
        return now - max(self._polling.reach, self._polling.lookback)

    def ask(self, question: Question) -> Answer:
        """Ask the source, which may take as long as its transport lets it; the monitor stays as it is."""
        return ask(self._source, question)

    def absorb(self, answer: Answer, needed_since: datetime | None = None) -> Interval | None:
        """Take an answer in and return the stretch within which values are new or revised; `None` if nothing changed.

        Args:
            answer: What the source told.
            needed_since: From when on values are kept although they are older than the lookback.
        """
        now, failed = answer.question.now, answer.failure
        began = self._answered_at is None
        self._remarks = answer.remarks
        if answer.forecast_asked:
            self._note_forecast(now, answer.forecast_failure)
        if failed is None:
            # A history out of a cache is no answer: only the newest value proves one.
            self._answered_at = now
            self._plan_tail(now, asked_tail=answer.question.start <= now - self._polling.tail)
        self._note_problem(now, None if failed is None else str(failed))
        changed = self._merge(answer.fetched, now, needed_since)
        if self._problem is None:
            self._due_at = self._next_question(
                now, news=changed is not None, pause=timedelta(0) if began else self._polling.every
            )
        return changed

    def known(self, now: datetime, changed: Interval | None = None) -> Observation:
        """Return what is known at `now` without asking anybody; no forecast."""
        return Observation(now, self._series.at(now), self._series, changed, self._problem, self._due_at)

    def forecast(self, now: datetime, series: IntensitySeries) -> Forecast | None:
        """Return what is expected at `now` where `series` is known; `None` where nothing can be expected."""
        return None if self._desk is None else self._desk.forecast(now, series)

    def health(self, now: datetime, *, also: Sequence[str] = ()) -> Health:
        """Return how well the source serves at `now`; `also` holds further things that are odd, in sentences."""
        remarks = [*also, *self._remarks]
        remarks += [text for text in (self._revision, self._forecast_problem) if text is not None]
        if self._desk is not None and self._desk.problem is not None:
            remarks.append(self._desk.problem)
        return assess(self._series, now, self._source.usual_delay, outage=self._outage, remarks=remarks)

    def _next_question(self, now: datetime, *, news: bool, pause: timedelta) -> datetime:
        """Return when to ask again: at the end of the newest sample, or after a pause where nothing newer was to be had.

        Who has just begun does not pause: one that begins anew a moment before a sample ends must not miss what one that never ended sees.
        """
        overlap, every = self._polling.overlap, self._polling.every
        if not len(self._series):
            return now + every
        newest = self._series.samples[-1].interval
        if news and newest.end > now:
            return max(now + pause, min(newest.end, now + max(every, overlap)))
        # A source that comes hours late has something new once an interval, whenever it is asked.
        return max(now + every, now + newest.duration * _PATIENCE, min(newest.end, now + overlap))

    def _plan_tail(self, now: datetime, *, asked_tail: bool) -> None:
        """Plan the next look at the tail: in time, or at once after a trouble, in which what was told may have been worse than before."""
        was_odd, self._was_odd = self._was_odd, bool(self._remarks)
        if was_odd and not self._was_odd:
            self._tail_due_at = now
        elif asked_tail:
            self._tail_due_at = now + _TAIL_EVERY

    def _wanted_from(self, now: datetime) -> datetime:
        if self._answered_at is None:
            return now - self._polling.lookback
        overlapping = self._answered_at - self._polling.overlap
        return overlapping if now < self._tail_due_at else min(overlapping, now - self._polling.tail)

    def _note_problem(self, now: datetime, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            _log.warning("the carbon source did not answer: %s", problem)
        self._problem = problem
        if problem is None:
            self._outage = None
        else:
            before = self._outage
            since, failures = (now, 0) if before is None else (before.since, before.failures)
            self._outage = Outage(since, failures + 1, problem)

    def _note_forecast(self, now: datetime, failed: CarbonSourceError | None) -> None:
        self._forecast_due_at = now + max(_FORECASTS_EVERY, self._polling.every)
        self._forecast_problem = None if failed is None else f"the provider's forecast could not be had: {failed}"

    def _merge(
        self, fetched: Sequence[IntensitySample], now: datetime, needed_since: datetime | None
    ) -> Interval | None:
        incoming = IntensitySeries.newest_wins(fetched)
        if not len(incoming):
            return None
        # Whatever `changed` speaks of is still there, so that what was priced before can be priced again.
        known_for = max(self._polling.lookback, self._polling.tail)
        keep_from = min(now - known_for, needed_since or now, incoming.samples[0].interval.start)
        known = self._series.between(incoming.samples[0].interval.start, incoming.samples[-1].interval.end)
        before = {sample.interval: sample for sample in known}
        news = [sample for sample in incoming if before.get(sample.interval) != sample]
        self._revision = _revised(before, news)
        if news or (len(self._series) and self._series.samples[0].interval.end <= keep_from):
            self._series = self._series.updated(news).between(keep_from, datetime.max.replace(tzinfo=UTC))
        if not news:
            return None
        return Interval(min(s.interval.start for s in news), max(s.interval.end for s in news))


def _revised(before: dict[Interval, IntensitySample], news: Sequence[IntensitySample]) -> str | None:
    pairs = [(before[sample.interval], sample) for sample in news if sample.interval in before]
    changes = [abs(new.g_per_kwh - old.g_per_kwh) for old, new in pairs if new.g_per_kwh != old.g_per_kwh]
    if not changes:
        return None
    return f"{len(changes)} values were revised at the last look, by up to {max(changes):.3g} g/kWh"
