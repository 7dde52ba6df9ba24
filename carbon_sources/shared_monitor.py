"""One monitor for many searches: asked in a thread of its own, looked at by each of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from weakref import WeakSet

from carbon_sources.forecast_record import ForecastRecord
from carbon_sources.health import Health
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, Interval, clock_text
from carbon_sources.monitor import GridMonitor, IntensityMonitor, Observation


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Look:
    """What one view has seen.

    Attributes:
        wanted_since: From when on its search waits for values.
        unseen: The stretch that changed since it observed last.
        fresh: Whether it has not observed yet.
    """

    wanted_since: datetime | None = None
    unseen: Interval | None = None
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """What was expected last.

    Attributes:
        at: When that was worked out.
        newest: The newest sample that was known then.
        forecast: The forecast; `None` where nothing could be expected.
    """

    at: datetime
    newest: IntensitySample | None
    forecast: Forecast | None

    def serves(self, now: datetime, newest: IntensitySample | None) -> bool:
        """Whether it is good enough for who asks at `now` and doesn't want to wait."""
        return abs(now - self.at) < HOUR and (self.forecast is not None or newest == self.newest)


class SharedMonitor:
    """What is known of one grid, for many searches at once.

    One thread polls; any thread observes through a view, and never waits for the source: the lock is not held while it is asked. All views
    together decide how far back it is asked. Once somebody wants forecasts each poll works out the newest; whoever observes waits for one only
    while there is none, or none of the last hour.

    Args:
        monitor: The monitor; nobody else may use it.
        inline: Whether to poll within each observation, for simulated time: then what a search sees does not depend on threads, and a
            search alone sees what its own monitor would have told it.
    """

    def __init__(self, monitor: IntensityMonitor, *, inline: bool = False) -> None:
        self._monitor = monitor
        self._inline = inline
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        # A lock apart: to foresee takes longer than to look, and in simulated time it learns.
        self._foreseeing = threading.Lock()
        self._foreseen: _Foreseen | None = None
        self._recording = threading.Lock()
        self._record = ForecastRecord()
        # Weak: whoever drops a view without closing it wants nothing any more.
        self._looks: WeakSet[_Look] = WeakSet()
        self._asked_at: datetime | None = None
        self._asked_from = datetime.min.replace(tzinfo=UTC)
        self._hurried = False
        self._answered = True

    @property
    def due_at(self) -> datetime:
        """When `poll` is to be called next."""
        with self._lock:
            return self._due_at()

    def view(self) -> SharedView:
        """Return a view for one more search; close it when the search ends."""
        look = _Look()
        with self._lock:
            self._looks.add(look)
        return SharedView(self, look)

    def poll(self, now: datetime) -> None:
        """Ask the source if that is due and nobody is asking it already; may take as long as its transport lets it."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            self._ask(now)
            if self._foreseen is not None and not self._inline:
                with self._lock:
                    series = self._monitor.known(now).series
                self._foresee(now, series)
        finally:
            self._answered = True
            self._asking.release()

    def _ask(self, now: datetime) -> None:
        with self._lock:
            if self._due_at() > now:
                return
            question = self._monitor.question(now, self._wanted_since())
            self._asked_at, self._asked_from = now, question.start
            self._hurried = self._answered = False
        answer = self._monitor.ask(question)
        with self._lock:
            self._note(self._monitor.absorb(answer, self._needed_since(now)))

    def forecast_error(self, now: datetime) -> float | None:
        """Return the mean absolute percentage error of what was forecast a day before for the last 24 h, 0.1 for 10 %.

        It counts forecasts that some view asked for; `None` while fewer than six hours can be compared.
        """
        with self._lock:
            series = self._monitor.known(now).series
        with self._recording:
            return self._record.error(now, series)

    def look(
        self, look: _Look, now: datetime, wanted_since: datetime | None, *, with_forecast: bool = False
    ) -> Observation:
        """Return what a view sees; for `SharedView`, whose `observe` says what the arguments are."""
        with self._lock:
            self._want(look, now, wanted_since)
        if self._inline:
            self.poll(now)
        with self._lock:
            seen = self._seen(look, now)
        if not (with_forecast or seen.current is None):
            return seen
        return replace(seen, forecast=self._forecast(now, seen.series))

    def health(self, now: datetime) -> Health:
        """Return how well the source serves at `now`."""
        with self._lock:
            silence = self._silence(now)
            return self._monitor.health(now, also=() if silence is None else (silence,))

    def leave(self, look: _Look) -> None:
        """Forget a view; for `SharedView.close`."""
        with self._lock:
            self._looks.discard(look)

    def _forecast(self, now: datetime, series: IntensitySeries) -> Forecast | None:
        last = self._foreseen
        if last is not None and not self._inline and last.serves(now, _newest(series)):
            return last.forecast
        return self._foresee(now, series)

    def _foresee(self, now: datetime, series: IntensitySeries) -> Forecast | None:
        with self._foreseeing:
            forecast = self._monitor.forecast(now, series)
            self._foreseen = _Foreseen(now, _newest(series), forecast)
        if forecast is not None:
            with self._recording:
                self._record.note(forecast)
        return forecast

    def _due_at(self) -> datetime:
        if self._asked_at is None or not self._hurried:
            return self._monitor.due_at
        return min(self._monitor.due_at, self._asked_at + self._monitor.polling.every)

    def _want(self, look: _Look, now: datetime, wanted_since: datetime | None) -> None:
        look.wanted_since = wanted_since
        if look.fresh and wanted_since is not None:
            # A search that comes from earlier times need not wait for the next sample to be asked for them.
            wanted = max(wanted_since, self._monitor.reaches_to(now))
            self._hurried = self._hurried or wanted < self._asked_from

    def _seen(self, look: _Look, now: datetime) -> Observation:
        series = self._monitor.known(now).series
        if look.fresh and len(series):
            look.unseen = Interval(series.samples[0].interval.start, series.samples[-1].interval.end)
        changed, look.unseen, look.fresh = look.unseen, None, False
        seen, due_at = self._monitor.known(now, changed), self._due_at()
        if due_at <= now:
            due_at = now + self._monitor.polling.every
        return replace(seen, problem=seen.problem or self._silence(now), due_at=due_at)

    def _silence(self, now: datetime) -> str | None:
        """Return a sentence on a question that has been without an answer for longer than questions are apart."""
        asked_at = self._asked_at
        if self._answered or asked_at is None or now < asked_at + self._monitor.polling.every:
            return None
        return f"the source was asked at {clock_text(asked_at)} and has not answered yet"

    def _note(self, changed: Interval | None) -> None:
        if changed is None:
            return
        for look in self._looks:
            if not look.fresh:
                look.unseen = changed if look.unseen is None else _hull(look.unseen, changed)

    def _wanted_since(self) -> datetime | None:
        return min((look.wanted_since for look in self._looks if look.wanted_since is not None), default=None)

    def _needed_since(self, now: datetime) -> datetime | None:
        """Return from when on values are kept: whatever a view has not seen yet must be there when it looks."""
        reach = self._monitor.reaches_to(now)
        unseen = [max(reach, look.unseen.start) for look in self._looks if look.unseen is not None]
        wanted = self._wanted_since()
        return min([*unseen, *([] if wanted is None else [wanted])], default=None)


class SharedView(GridMonitor):
    """One search's sight of a shared monitor: it never asks the source, and is told of every change once.

    Its first observation calls all that is known changed.
    """

    def __init__(self, shared: SharedMonitor, look: _Look) -> None:
        self._shared = shared
        self._look = look

    def observe(
        self, now: datetime, wanted_since: datetime | None = None, *, with_forecast: bool = False
    ) -> Observation:
        return self._shared.look(self._look, now, wanted_since, with_forecast=with_forecast)

    def health(self, now: datetime) -> Health:
        return self._shared.health(now)

    def close(self) -> None:
        """Want nothing any more; idempotent."""
        self._shared.leave(self._look)


def _newest(series: IntensitySeries) -> IntensitySample | None:
    return series.samples[-1] if len(series) else None


def _hull(one: Interval, other: Interval) -> Interval:
    return Interval(min(one.start, other.start), max(one.end, other.end))
