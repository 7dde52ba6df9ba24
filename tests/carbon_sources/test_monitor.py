"""The monitor asks politely, survives outages, and reports what is new."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carbon_sources.archive import MemoryArchive, Subject
from carbon_sources.cache import CachedSource
from carbon_sources.clock import SimulatedClock
from carbon_sources.errors import SourceAccessError, SourceUnavailableError
from carbon_sources.forecasting.desk import ForecastDesk, ForecastTimes, at_once
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity
from carbon_sources.health import HealthState
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.monitor import IntensityMonitor, Polling
from carbon_sources.source import CarbonSource

NOON = datetime(2021, 1, 10, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def sample(hour: float, g_per_kwh: float = 100.0, hours: float = 1.0) -> IntensitySample:
    """Return a sample that starts so many hours after noon."""
    interval = Interval(NOON + hour * HOUR, NOON + (hour + hours) * HOUR)
    return IntensitySample(
        interval, g_per_kwh, "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "fake"
    )


@dataclass
class FakeSource(CarbonSource):
    """Knows what it is given, notes what it is asked, and fails on demand."""

    samples: list[IntensitySample]
    zone: str = "Z"
    kind: IntensityKind = IntensityKind.AVERAGE
    basis: Basis = Basis.LIFECYCLE
    failure: str | None = None
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def latest(self, now: datetime) -> IntensitySample | None:
        begun = [s for s in self.samples if s.interval.start <= now]
        return begun[-1] if begun else None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        self.asked.append((start, end))
        if self.failure is not None:
            raise SourceUnavailableError(self.failure)
        return IntensitySeries(tuple(self.samples)).between(start, end)


def monitor(source: CarbonSource) -> IntensityMonitor:
    return IntensityMonitor(source, Polling(10 * MINUTE, 24 * HOUR, 6 * HOUR))


def test_the_first_look_fetches_the_past_up_to_now() -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 48)])
    seen = monitor(source).observe(NOON + MINUTE)
    assert source.asked == [(NOON + MINUTE - 24 * HOUR, NOON + MINUTE)]
    assert seen.current == sample(0)
    assert seen.series.samples == tuple(sample(hour) for hour in range(-24, 1))
    assert seen.changed == Interval(NOON - 24 * HOUR, NOON + HOUR)
    assert seen.problem is None


def test_a_source_is_asked_again_when_its_newest_sample_has_run_out() -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 48)])
    watch = monitor(source)
    for minutes in range(0, 121, 5):
        assert watch.observe(NOON + minutes * MINUTE).current == sample(minutes // 60)
    assert [asked[1] for asked in source.asked] == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert source.asked[1][0] == NOON - 6 * HOUR


@pytest.mark.parametrize("minutes", [1, 55, 59])
def test_whoever_begins_just_before_a_sample_ends_sees_the_next_one_on_time(minutes: int) -> None:
    watch = monitor(FakeSource([sample(hour) for hour in range(-48, 48)]))
    assert watch.observe(NOON + minutes * MINUTE).due_at == NOON + HOUR
    assert watch.observe(NOON + HOUR).current == sample(1)


def test_a_look_is_a_question_an_answer_and_what_follows_from_it() -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 48)])
    watch = monitor(source)
    question = watch.question(NOON)
    assert (source.asked, watch.due_at) == ([], NOON + 10 * MINUTE)
    answer = watch.ask(question)
    # What was told is not known before it is taken in.
    assert (source.asked, len(watch.known(NOON).series)) == ([(NOON - 24 * HOUR, NOON)], 0)
    changed = watch.absorb(answer)
    assert watch.known(NOON, changed) == monitor(source).observe(NOON)


def test_a_source_without_news_is_asked_no_more_often_than_the_poll_interval() -> None:
    source = FakeSource([])
    watch = monitor(source)
    for minutes in range(60):
        seen = watch.observe(NOON + minutes * MINUTE)
        assert (seen.current, seen.changed, len(seen.series)) == (None, None, 0)
    assert [asked[1] - NOON for asked in source.asked] == [n * 10 * MINUTE for n in range(6)]


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40))
@example([131, 500, 500, 9])
def test_after_the_first_questions_are_never_closer_than_the_poll_interval_and_never_about_the_future(
    steps: list[int],
) -> None:
    source = FakeSource([sample(hour) for hour in range(-30, 30, 2)])
    watch, now = monitor(source), NOON
    for step in steps:
        now += step * MINUTE
        watch.observe(now)
        assert source.asked[-1][1] <= now
    ends = [end for _, end in source.asked]
    assert all(after - before >= 10 * MINUTE for before, after in itertools.pairwise(ends[1:]))


def test_a_revised_value_is_reported_as_changed() -> None:
    source = FakeSource([sample(hour) for hour in range(-24, 1)])
    watch = monitor(source)
    watch.observe(NOON)
    source.samples = [sample(hour, 50.0 if hour == -3 else 100.0) for hour in range(-24, 2)]
    seen = watch.observe(NOON + HOUR)
    assert seen.changed == Interval(NOON - 3 * HOUR, NOON + 2 * HOUR)
    assert seen.series.at(NOON - 3 * HOUR) == sample(-3, 50.0)


def test_nothing_new_is_no_change() -> None:
    source = FakeSource([sample(0)])
    watch = monitor(source)
    assert watch.observe(NOON).changed == sample(0).interval
    assert watch.observe(NOON + HOUR).changed is None
    assert len(source.asked) == 2


def test_a_gap_is_unknown_and_stays_a_gap() -> None:
    source = FakeSource([sample(-2), sample(-1), sample(1)])
    watch = monitor(source)
    seen = watch.observe(NOON)
    assert (seen.current, seen.problem) == (None, None)
    later = watch.observe(NOON + HOUR)
    assert later.current == sample(1)
    assert later.series.at(NOON) is None


def test_an_outage_is_told_and_what_was_missed_is_fetched_after_it(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 48)])
    watch = monitor(source)
    watch.observe(NOON)
    source.failure = "the provider is down"
    for hours in range(1, 12):
        seen = watch.observe(NOON + hours * HOUR)
        assert (seen.current, seen.changed, seen.problem) == (None, None, "the provider is down")
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    source.failure = None
    seen = watch.observe(NOON + 12 * HOUR)
    assert seen.problem is None
    assert seen.current == sample(12)
    assert seen.changed == Interval(NOON + HOUR, NOON + 13 * HOUR)


def test_a_source_that_fails_from_the_start_is_unknown() -> None:
    source = FakeSource([sample(0)], failure="no")
    watch = monitor(source)
    assert watch.observe(NOON).problem == "no"
    assert watch.observe(NOON + MINUTE).problem == "no"
    assert len(source.asked) == 1


def test_samples_of_another_length_replace_what_they_overlap() -> None:
    source = FakeSource([sample(-1), sample(0)])
    watch = monitor(source)
    watch.observe(NOON)
    source.samples = [sample(-1), sample(0, 80.0, 0.5), sample(0.5, 60.0, 0.5), sample(1)]
    seen = watch.observe(NOON + HOUR)
    assert [s.g_per_kwh for s in seen.series] == [100.0, 80.0, 60.0, 100.0]


def test_the_history_counts_where_latest_says_something_else() -> None:
    class Doubtful(FakeSource):
        def latest(self, now: datetime) -> IntensitySample | None:
            return replace(sample(0, 999.0), provenance=Provenance.ESTIMATED)

    assert monitor(Doubtful([sample(0)])).observe(NOON + MINUTE).current == sample(0)


@given(st.lists(st.tuples(st.integers(-20, 20), st.sampled_from([0.5, 1, 3]), st.floats(0, 900)), max_size=12))
def test_the_newest_of_overlapping_samples_stays(drawn: list[tuple[int, float, float]]) -> None:
    samples = [sample(start, value, length) for start, length, value in drawn]
    series = IntensitySeries.newest_wins(samples)
    assert set(series) <= set(samples)
    if samples:
        assert samples[-1] in series.samples
    for place, old in enumerate(samples):
        overlapped = any(old.interval.intersection(kept.interval) for kept in series if kept in samples[place:])
        assert overlapped, "every sample is there or gave way to a newer one"


def test_values_that_somebody_waits_for_are_asked_for_however_old_they_are() -> None:
    source = FakeSource([sample(hour) for hour in range(-200, 1)])
    watch = monitor(source)
    seen = watch.observe(NOON, wanted_since=NOON - 100 * HOUR)
    assert source.asked == [(NOON - 100 * HOUR, NOON)]
    assert seen.series.at(NOON - 100 * HOUR) == sample(-100)


def test_after_a_long_outage_everything_since_the_last_answer_is_asked_for() -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 400)])
    watch = monitor(source)
    watch.observe(NOON)
    source.failure = "down"
    assert watch.observe(NOON + 100 * HOUR).problem == "down"
    source.failure = None
    seen = watch.observe(NOON + 200 * HOUR)
    assert source.asked[-1] == (NOON - 6 * HOUR, NOON + 200 * HOUR)
    assert all(seen.series.at(NOON + hour * HOUR) is not None for hour in range(201))


class Expecting(Forecaster):
    """Expects 42 for ever."""

    def fit(self, history: HourlyIntensity) -> None:
        pass

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return HourlyForecast(np.full(hours, 42.0), np.tile(np.linspace(40, 60, len(LEVELS)), (hours, 1)))


def watching(source: CarbonSource) -> IntensityMonitor:
    desk = ForecastDesk(Expecting, "expecting", source.history, ForecastTimes(horizon=12 * HOUR), at_once)
    return IntensityMonitor(source, Polling(10 * MINUTE, 24 * HOUR, 6 * HOUR), desk)


def test_a_forecast_is_there_when_it_is_wanted_or_the_present_is_unknown() -> None:
    source = FakeSource([sample(hour) for hour in range(-24, 1)])
    watch = watching(source)
    assert watch.observe(NOON).forecast is None
    wanted = watch.observe(NOON, with_forecast=True)
    assert wanted.forecast is not None
    assert wanted.expected is not None
    blind = watch.observe(NOON + 1.5 * HOUR)
    assert blind.current is None
    assert blind.expected is not None
    assert (blind.expected.g_per_kwh, blind.expected.provenance) == (42.0, Provenance.ESTIMATED)
    assert blind.expected.source == "forecast: expecting"
    assert blind.forecast is not None
    assert blind.forecast.upper(blind.now) == 60.0


def test_with_nothing_known_nothing_is_expected_and_the_reason_is_told() -> None:
    watch = watching(FakeSource([]))
    seen = watch.observe(NOON)
    assert (seen.current, seen.forecast, seen.expected) == (None, None, None)
    assert any("there is no forecast" in sentence for sentence in watch.health(NOON).sentences)


def test_health_tells_failures_and_ends_with_them() -> None:
    source = FakeSource([sample(hour) for hour in range(-24, 40)])
    watch = monitor(source)
    watch.observe(NOON)
    assert watch.health(NOON).state is HealthState.OK
    source.failure = "the provider is down"
    for hours in (1, 2, 3):
        watch.observe(NOON + hours * HOUR)
    ill = watch.health(NOON + 3 * HOUR)
    assert (ill.state, ill.failures, ill.failing_since) == (HealthState.BLIND, 3, NOON + HOUR)
    assert any("failed 3 times since 2021-01-10 13:00 UTC: the provider is down" in s for s in ill.sentences)
    source.failure = None
    watch.observe(NOON + 4 * HOUR)
    assert watch.health(NOON + 4 * HOUR).state is HealthState.OK


def test_revised_values_are_told() -> None:
    source = FakeSource([sample(hour) for hour in range(-24, 1)])
    watch = monitor(source)
    watch.observe(NOON)
    source.samples = [sample(hour, 130.0 if hour in {-3, -2} else 100.0) for hour in range(-24, 2)]
    watch.observe(NOON + HOUR)
    assert "2 values were revised at the last look, by up to 30 g/kWh" in watch.health(NOON + HOUR).sentences


def test_the_tail_is_asked_for_again_four_times_a_day_and_the_overlap_each_time() -> None:
    source = FakeSource([sample(hour) for hour in range(-200, 40)])
    watch = IntensityMonitor(source, Polling(10 * MINUTE, 100 * HOUR, 3 * HOUR, tail=72 * HOUR))
    for hour in range(14):
        watch.observe(NOON + hour * HOUR)
    spans = [(end - start) / HOUR for start, end in source.asked]
    # The first look; then the hour since the last one and three more; every six hours three days.
    assert spans == [100, *[4] * 5, 72, *[4] * 5, 72, 4]


def test_after_a_trouble_the_tail_is_asked_for_at_once() -> None:
    @dataclass
    class Odd(FakeSource):
        odd: bool = False

        def remarks(self) -> tuple[str, ...]:
            return ("values are coarser than asked for",) if self.odd else ()

    source = Odd([sample(hour) for hour in range(-200, 40)])
    watch = IntensityMonitor(source, Polling(10 * MINUTE, 100 * HOUR, 3 * HOUR, tail=72 * HOUR))
    for hour in range(9):
        source.odd = hour in {1, 2}
        watch.observe(NOON + hour * HOUR)
    # The look at 3:00 finds that it is over; the next one asks for the tail, and then it is due six hours later.
    assert [(end - start) / HOUR for start, end in source.asked] == [100, 4, 4, 4, 72, 4, 4, 4, 4]


def test_what_nobody_needs_is_forgotten() -> None:
    source = FakeSource([sample(hour) for hour in range(-48, 2000)])
    watch = monitor(source)
    sizes = {len(watch.observe(NOON + hour * HOUR).series) for hour in range(1000)}
    # 24 hours of lookback and the present one, on either side.
    assert max(sizes) <= 27


def test_a_source_that_keeps_its_history_to_itself_still_tells_the_present() -> None:
    class Present(FakeSource):
        def history(self, start: datetime, end: datetime) -> IntensitySeries:
            raise SourceAccessError("the plan has no history")

    watch = monitor(Present([sample(0)]))
    seen = watch.observe(NOON)
    assert (seen.current, seen.problem) == (sample(0), "the plan has no history")
    assert watch.health(NOON).state is HealthState.DEGRADED


def test_the_forecast_of_a_remote_provider_is_fetched_every_half_hour_and_kept_by_its_issue() -> None:
    @dataclass
    class Remote(FakeSource):
        names: frozenset[str] = frozenset({"fake"})
        issues: int = 0

        def forecast(self, now: datetime) -> Forecast | None:
            self.issues += 1
            return Forecast(now, IntensitySeries((replace(sample(0), interval=Interval(now, now + HOUR)),)))

    source, archive, clock = Remote([sample(hour) for hour in range(-24, 9)]), MemoryArchive(), SimulatedClock(NOON)
    cached = CachedSource(source, archive, clock)
    watch = IntensityMonitor(cached, Polling(5 * MINUTE, 24 * HOUR, 6 * HOUR))
    for minutes in range(0, 181, 5):
        clock.advance(NOON + minutes * MINUTE)
        watch.observe(clock.now())
    kept = list(archive.forecasts(Subject.of(source), Interval(NOON, NOON + 9 * HOUR)))
    # Questions are asked at the end of each hour, when the newest value has run out.
    assert [f.issued_at for f in kept] == [NOON + hour * HOUR for hour in range(4)]
    assert source.issues == 4
