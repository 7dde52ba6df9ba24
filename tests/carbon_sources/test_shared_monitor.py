"""Many searches look at one grid: each sees every change once, and nobody waits for the source."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.errors import SourceUnavailableError
from carbon_sources.forecasting.desk import ForecastDesk, ForecastTimes, at_once, in_background
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity
from carbon_sources.health import HealthState
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.monitor import IntensityMonitor, Observation, Polling
from carbon_sources.shared_monitor import SharedMonitor
from carbon_sources.source import CarbonSource

NOON = datetime(2021, 1, 10, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLLING = Polling(10 * MINUTE, 24 * HOUR, 6 * HOUR, tail=12 * HOUR, reach=240 * HOUR)


def sample(hour: int, g_per_kwh: float = 100.0) -> IntensitySample:
    """Return the sample of the hour that starts so many hours after noon."""
    interval = Interval(NOON + hour * HOUR, NOON + (hour + 1) * HOUR)
    return IntensitySample(
        interval, g_per_kwh, "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "fake"
    )


@dataclass(frozen=True)
class Version:
    """A value of an hour and how many minutes after the hour's start it is told."""

    hour: int
    after_minutes: int
    g_per_kwh: float


@dataclass
class Told(CarbonSource):
    """Tells each value from its time on, late, revised, with gaps and outages; the same to whoever asks at the same instant."""

    versions: Sequence[Version]
    outages: frozenset[int] = frozenset()
    """Hours after noon in which it does not answer."""
    odd: frozenset[int] = frozenset()
    """Hours after noon in which it finds its own answers odd."""
    zone: str = "Z"
    kind: IntensityKind = IntensityKind.AVERAGE
    basis: Basis = Basis.LIFECYCLE
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def latest(self, now: datetime) -> IntensitySample | None:
        known = self._known(now)
        return known[-1] if known else None

    def past(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return what the forecaster learns from; it is not noted as asked."""
        return IntensitySeries(tuple(self._known(end))).between(start, end)

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        self.asked.append((start, end))
        if (end - NOON) // HOUR in self.outages:
            raise SourceUnavailableError("the provider is down")
        return self.past(start, end)

    def remarks(self) -> tuple[str, ...]:
        return ("odd",) if self.asked and (self.asked[-1][1] - NOON) // HOUR in self.odd else ()

    def _known(self, now: datetime) -> list[IntensitySample]:
        told = {
            v.hour: sample(v.hour, v.g_per_kwh)
            for v in self.versions
            if NOON + v.hour * HOUR + v.after_minutes * MINUTE <= now and NOON + v.hour * HOUR <= now
        }
        return [told[hour] for hour in sorted(told)]


class Hanging(Told):
    """Does not answer before it is let go."""

    def __init__(self, versions: Sequence[Version]) -> None:
        super().__init__(versions)
        self.was_asked, self.let_go = threading.Event(), threading.Event()

    def past(self, start: datetime, end: datetime) -> IntensitySeries:
        self.was_asked.set()
        self.let_go.wait()
        return super().past(start, end)


class Expecting(Forecaster):
    """Expects 50 g/kWh for ever."""

    def fit(self, history: HourlyIntensity) -> None:
        pass

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return HourlyForecast(np.full(hours, 50.0), np.tile(np.linspace(40, 60, len(LEVELS)), (hours, 1)))


def monitor(source: Told, run: Callable[[Callable[[], None]], None] = at_once) -> IntensityMonitor:
    desk = ForecastDesk(Expecting, "expecting", source.past, ForecastTimes(horizon=48 * HOUR), run)
    return IntensityMonitor(source, POLLING, desk)


def steady(first: int, until: int) -> list[Version]:
    """Return a value for each hour, told at its start."""
    return [Version(hour, 0, 100.0) for hour in range(first, until)]


def inside(changed: Interval | None, stretch: Interval | None) -> bool:
    """Say whether a stretch is covered by what was reported as changed."""
    return stretch is None or (changed is not None and changed.start <= stretch.start and changed.end >= stretch.end)


versions = st.lists(
    st.builds(Version, st.integers(-60, 40), st.integers(0, 600), st.sampled_from([0.0, 50.0, 100.0, 100.5])),
    max_size=60,
).map(lambda told: sorted(told, key=lambda v: v.hour * 60 + v.after_minutes))
sources = st.builds(Told, versions, st.frozensets(st.integers(0, 40), max_size=12), st.frozensets(st.integers(0, 40)))
steps = st.lists(st.integers(1, 400), min_size=1, max_size=25)
wishes = st.none() | st.integers(-300, 0)


def instants(minutes: Sequence[int]) -> list[datetime]:
    return [NOON + sum(minutes[: place + 1]) * MINUTE for place in range(len(minutes))]


@settings(max_examples=50)
@given(sources, st.lists(st.tuples(st.integers(1, 400), wishes, st.booleans()), min_size=1, max_size=25))
def test_in_simulated_time_a_search_alone_sees_what_its_own_monitor_would_tell_it(
    source: Told, looks: list[tuple[int, int | None, bool]]
) -> None:
    own, view = monitor(source), SharedMonitor(monitor(source), inline=True).view()
    for now, (_, wish, with_forecast) in zip(instants([step for step, _, _ in looks]), looks, strict=True):
        wanted = None if wish is None else NOON + wish * HOUR
        expected = own.observe(now, wanted, with_forecast=with_forecast)
        assert view.observe(now, wanted, with_forecast=with_forecast) == expected
        assert view.health(now) == own.health(now)


@settings(max_examples=50)
@given(sources, steps)
def test_views_polled_at_the_same_instants_see_what_a_monitor_of_their_own_sees(
    source: Told, minutes: list[int]
) -> None:
    own, shared = monitor(source), SharedMonitor(monitor(source))
    views = [shared.view(), shared.view()]
    for now in instants(minutes):
        expected = own.observe(now)
        shared.poll(now)
        assert [view.observe(now) for view in views] == [expected, expected]


@settings(max_examples=50)
@given(sources, steps, st.data())
def test_each_view_is_told_once_of_every_change_however_seldom_it_looks(
    source: Told, minutes: list[int], data: st.DataObject
) -> None:
    shared = SharedMonitor(monitor(source))
    witness, view = shared.view(), shared.view()
    before: Observation | None = None
    unseen: list[Interval] = []
    for now in instants(minutes):
        shared.poll(now)
        if (news := witness.observe(now).changed) is not None:
            unseen.append(news)
        if data.draw(st.booleans()):
            seen = view.observe(now)
            known = set() if before is None else set(before.series)
            assert all(inside(seen.changed, s.interval) for s in seen.series if s not in known)
            expected = Interval(min(i.start for i in unseen), max(i.end for i in unseen)) if unseen else None
            assert seen.changed == expected or before is None
            assert view.observe(now).changed is None
            before, unseen = seen, []


@settings(max_examples=50)
@given(sources, steps)
def test_a_view_that_joins_late_is_as_well_informed_as_the_others(source: Told, minutes: list[int]) -> None:
    shared = SharedMonitor(monitor(source))
    first = shared.view()
    for now in instants(minutes):
        shared.poll(now)
        seen, late = first.observe(now), shared.view()
        newcomer = late.observe(now)
        assert replace(newcomer, changed=seen.changed) == seen
        assert all(inside(newcomer.changed, s.interval) for s in newcomer.series)
        late.close()


def test_a_view_that_joins_late_is_told_all_that_is_known() -> None:
    shared = SharedMonitor(monitor(Told(steady(-48, 48))))
    first = shared.view()
    shared.poll(NOON)
    whole = Interval(NOON - 24 * HOUR, NOON + HOUR)
    assert first.observe(NOON).changed == whole
    late = shared.view()
    assert late.observe(NOON + MINUTE).changed == whole
    assert first.observe(NOON + MINUTE).changed is None


def test_what_a_view_has_not_seen_is_kept_until_it_looks() -> None:
    source = Told([*steady(-48, 200), Version(-3, 300, 50.0)])
    shared = SharedMonitor(monitor(source))
    sleeper = shared.view()
    shared.poll(NOON)
    sleeper.observe(NOON)
    # The revision is told 5 h after 9:00, when the view has begun to sleep.
    for hour in range(1, 100):
        shared.poll(NOON + hour * HOUR)
    seen = sleeper.observe(NOON + 99 * HOUR)
    assert seen.changed == Interval(NOON - 3 * HOUR, NOON + 100 * HOUR)
    assert seen.series.at(NOON - 3 * HOUR) == sample(-3, 50.0)
    for hour in range(100, 130):
        shared.poll(NOON + hour * HOUR)
    # Seen, it is forgotten: what is kept are the thirty hours since, more than the day that is wanted anyway.
    assert len(sleeper.observe(NOON + 129 * HOUR).series) == 30


def test_what_is_kept_for_a_view_that_never_looks_reaches_back_no_further_than_questions() -> None:
    shared = SharedMonitor(monitor(Told(steady(-30, 270))))
    view = shared.view()
    view.observe(NOON - HOUR)
    other = shared.view()
    for hour in range(270):
        shared.poll(NOON + hour * HOUR)
    assert len(other.observe(NOON + 269 * HOUR).series) <= 240 + 2


def test_all_views_together_decide_how_far_back_is_asked_until_they_close() -> None:
    source = Told(steady(-200, 48))
    shared = SharedMonitor(monitor(source))
    one, other = shared.view(), shared.view()
    one.observe(NOON, NOON - 30 * HOUR)
    other.observe(NOON, NOON - 80 * HOUR)
    shared.poll(NOON)
    shared.poll(NOON + HOUR)
    other.close()
    other.close()
    shared.poll(NOON + 2 * HOUR)
    one.observe(NOON + 2 * HOUR)
    shared.poll(NOON + 3 * HOUR)
    # In the end nobody waits for anything: the overlap of six hours before the last answer.
    assert [start for start, _ in source.asked] == [
        NOON - 80 * HOUR,
        NOON - 80 * HOUR,
        NOON - 30 * HOUR,
        NOON - 4 * HOUR,
    ]


def test_a_view_that_is_dropped_wants_nothing_any_more() -> None:
    source = Told(steady(-200, 48))
    shared = SharedMonitor(monitor(source))
    for _ in range(3):
        shared.view().observe(NOON, NOON - 80 * HOUR)
    gc.collect()
    shared.poll(NOON)
    assert source.asked == [(NOON - 24 * HOUR, NOON)]


def test_a_newcomer_that_waits_for_older_values_need_not_wait_for_the_next_sample() -> None:
    source = Told(steady(-200, 48))
    shared = SharedMonitor(monitor(source))
    shared.poll(NOON)
    assert shared.due_at == NOON + HOUR
    newcomer = shared.view()
    assert newcomer.observe(NOON + MINUTE, NOON - 100 * HOUR).due_at == NOON + 10 * MINUTE
    shared.poll(NOON + 9 * MINUTE)
    assert len(source.asked) == 1
    shared.poll(NOON + 10 * MINUTE)
    assert source.asked[1] == (NOON - 100 * HOUR, NOON + 10 * MINUTE)
    seen = newcomer.observe(NOON + 10 * MINUTE, NOON - 100 * HOUR)
    assert seen.series.at(NOON - 100 * HOUR) == sample(-100)
    assert inside(seen.changed, Interval(NOON - 100 * HOUR, NOON - 24 * HOUR))
    assert shared.due_at > NOON + 20 * MINUTE


def test_a_source_that_hangs_blocks_no_observation_and_is_not_asked_twice() -> None:
    source = Hanging(steady(-48, 48))
    shared = SharedMonitor(monitor(source, in_background))
    view = shared.view()
    polling = threading.Thread(target=shared.poll, args=(NOON,), daemon=True)
    polling.start()
    source.was_asked.wait()
    for minutes in (0, 9):
        seen = view.observe(NOON + minutes * MINUTE)
        assert (seen.current, seen.changed, seen.problem) == (None, None, None)
        assert seen.due_at > seen.now
    shared.poll(NOON + 10 * MINUTE)
    silent = view.observe(NOON + 10 * MINUTE)
    assert silent.problem == "the source was asked at 2021-01-10 12:00 UTC and has not answered yet"
    assert silent.due_at == NOON + 20 * MINUTE
    health = view.health(NOON + 10 * MINUTE)
    assert health.state is HealthState.BLIND
    assert silent.problem in health.sentences
    assert shared.forecast_error(NOON + 10 * MINUTE) is None
    source.let_go.set()
    polling.join()
    after = view.observe(NOON + 11 * MINUTE)
    assert (after.current, after.problem) == (sample(0), None)
    assert source.asked == [(NOON - 24 * HOUR, NOON)]
    view.close()


class Pondering(Expecting):
    """Takes its time to expect anything, once it is told to."""

    def __init__(self, gate: threading.Event, asked: threading.Event) -> None:
        self.gate, self.asked = gate, asked

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        self.asked.set()
        self.gate.wait()
        return super().predict(history, hours)


def test_nobody_waits_for_a_forecast_while_there_is_one_of_the_last_hour() -> None:
    source = Told(steady(-48, 60))
    gate, asked = threading.Event(), threading.Event()
    times = ForecastTimes(horizon=48 * HOUR)
    desk = ForecastDesk(lambda: Pondering(gate, asked), "pondering", source.past, times, at_once)
    shared = SharedMonitor(IntensityMonitor(source, POLLING, desk))
    view = shared.view()
    gate.set()
    shared.poll(NOON + 40 * MINUTE)
    first = view.observe(NOON + 40 * MINUTE, with_forecast=True).forecast
    assert first is not None
    gate.clear()
    asked.clear()
    polling = threading.Thread(target=shared.poll, args=(NOON + 65 * MINUTE,))
    polling.start()
    # The poll brings the value of one o'clock, and ponders what follows from it.
    asked.wait()
    seen = view.observe(NOON + 66 * MINUTE, with_forecast=True)
    assert seen.current is not None
    assert seen.current.interval.start == NOON + HOUR
    assert seen.forecast is first
    assert shared.forecast_error(NOON + 66 * MINUTE) is None
    gate.set()
    polling.join()
    newest = view.observe(NOON + 67 * MINUTE, with_forecast=True).forecast
    assert newest is not None
    assert newest.issued_at > first.issued_at


def test_who_finds_no_forecast_of_the_last_hour_has_one_issued() -> None:
    shared = SharedMonitor(monitor(Told(steady(-48, 60))))
    view = shared.view()
    shared.poll(NOON)
    first = view.observe(NOON, with_forecast=True).forecast
    late = view.observe(NOON + 59 * MINUTE, with_forecast=True).forecast
    too_late = view.observe(NOON + 60 * MINUTE, with_forecast=True).forecast
    assert first is not None
    assert late is first
    assert too_late is not None
    assert too_late.issued_at > first.issued_at


def test_a_source_that_breaks_the_rules_is_not_asked_again_at_once_and_leaves_nothing_locked() -> None:
    class Broken(Told):
        def past(self, start: datetime, end: datetime) -> IntensitySeries:
            raise KeyError("zone")

    source = Broken([])
    shared = SharedMonitor(monitor(source))
    with pytest.raises(KeyError):
        shared.poll(NOON)
    shared.poll(NOON + MINUTE)
    assert shared.due_at == NOON + 10 * MINUTE
    assert shared.view().observe(NOON + 10 * MINUTE).problem is None
    with pytest.raises(KeyError):
        shared.poll(NOON + 10 * MINUTE)
    assert len(source.asked) == 2


def test_with_polls_and_looks_in_different_threads_no_change_gets_lost() -> None:
    shared = SharedMonitor(monitor(Told(steady(-30, 200))))
    done = threading.Event()
    seen: list[set[IntensitySample]] = [set() for _ in range(2)]

    def read(own: set[IntensitySample]) -> None:
        view, last = shared.view(), False
        while not last:
            last = done.wait(0.001)
            now = NOON + 150 * HOUR
            observation = view.observe(now, with_forecast=True)
            if observation.changed is not None:
                own.update(observation.series.between(observation.changed.start, observation.changed.end))

    threads = [threading.Thread(target=read, args=(own,)) for own in seen]
    for thread in threads:
        thread.start()
    for hour in range(150):
        shared.poll(NOON + hour * HOUR)
    done.set()
    for thread in threads:
        thread.join()
    expected = {sample(hour) for hour in range(126, 150)}
    assert all(expected <= own for own in seen)


def looked_at_each_hour(source: Told, hours: int) -> SharedMonitor:
    """Return a monitor whose forecasts were asked for every half hour, so many hours from noon."""
    shared = SharedMonitor(monitor(source))
    view = shared.view()
    for half_hours in range(2 * hours + 1):
        now = NOON + half_hours * 30 * MINUTE
        shared.poll(now)
        view.observe(now, with_forecast=True)
    return shared


def test_the_error_of_forecasts_is_that_of_what_was_said_a_day_before() -> None:
    # 50 g/kWh are expected of every hour. The first forecast, of noon, speaks of the next noon.
    came = [Version(hour, 0, 100.0 if hour % 2 else 40.0) for hour in range(-48, 60)]
    source = Told(came)
    assert looked_at_each_hour(source, 29).forecast_error(NOON + 29 * HOUR) is None
    # Six hours from the next noon on: three of 40 (off by 10 of 40) and three of 100 (off by 50 of 100).
    error = looked_at_each_hour(source, 30).forecast_error(NOON + 30 * HOUR)
    assert error == pytest.approx((3 * 10 / 40 + 3 * 50 / 100) / 6)


def test_hours_of_which_nothing_is_known_or_that_were_zero_are_left_out_of_the_error() -> None:
    values = {24: 0.0, 25: None, **dict.fromkeys(range(26, 32), 200.0)}
    came = [Version(hour, 0, value) for hour in range(-48, 60) if (value := values.get(hour, 100.0)) is not None]
    source = Told(came)
    assert looked_at_each_hour(source, 31).forecast_error(NOON + 31 * HOUR) is None
    # Of eight hours one was zero and one has no value; the six others were 200, of which 150 are missing.
    assert looked_at_each_hour(source, 32).forecast_error(NOON + 32 * HOUR) == pytest.approx(150 / 200)


def test_the_error_forgets_what_is_older_than_a_day() -> None:
    came = [Version(hour, 0, 100.0 if hour < 40 else 50.0) for hour in range(-48, 100)]
    # The last 24 hours, 52 to 76, were 50 as expected.
    assert looked_at_each_hour(Told(came), 76).forecast_error(NOON + 76 * HOUR) == 0.0


def test_without_forecasts_there_is_no_error() -> None:
    shared = SharedMonitor(monitor(Told(steady(-48, 60))))
    view = shared.view()
    for hour in range(40):
        shared.poll(NOON + hour * HOUR)
        view.observe(NOON + hour * HOUR)
    assert shared.forecast_error(NOON + 40 * HOUR) is None
