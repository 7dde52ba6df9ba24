"""A source with a memory: asks for what it does not know, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.archive import MemoryArchive
from carbon_sources.cache import CachedSource
from carbon_sources.clock import SimulatedClock
from carbon_sources.errors import SourceUnavailableError
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, require_utc
from carbon_sources.source import CarbonSource
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_archive import START, forecast, hour, hours

DAY = timedelta(days=1)
NOW = START + 10 * DAY


@dataclass
class Provider(CarbonSource):
    """Knows hourly values, and remembers what it was asked.

    Attributes:
        values: Values by the number of the hour after `START`.
        down: Whether it fails.
        asked: The spans that it was asked for, in hours after `START`.
    """

    values: dict[int, float] = field(default_factory=dict)
    down: bool = False
    issued: Forecast | None = None
    asked: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.zone, self.kind, self.basis = "Z", IntensityKind.AVERAGE, Basis.DIRECT
        self.names, self.revised_for = frozenset({"one"}), 2 * DAY

    def latest(self, now: datetime) -> IntensitySample | None:
        require_utc(now, "now")
        self._fail()
        begun = [number for number in self.values if START + number * HOUR <= now]
        return hour(max(begun), self.values[max(begun)]) if begun else None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        self.asked.append(((start - START) / HOUR, (end - START) / HOUR))
        self._fail()
        return IntensitySeries(tuple(hour(n, v) for n, v in sorted(self.values.items()))).between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        self._fail()
        return self.issued

    def _fail(self) -> None:
        if self.down:
            raise SourceUnavailableError("it is down")


@dataclass
class World:
    """A provider behind a cache, ten days after `START`."""

    provider: Provider
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(NOW))
    archive: MemoryArchive = field(default_factory=MemoryArchive)

    def __post_init__(self) -> None:
        self.source = CachedSource(self.provider, self.archive, self.clock)

    def ask(self, first: float, last: float) -> IntensitySeries:
        return self.source.history(START + first * HOUR, START + last * HOUR)


def world(*missing: int) -> World:
    """Return one that knows the ten days but for some hours."""
    return World(Provider({n: 100.0 + n for n in range(240) if n not in missing}))


class TestCachedSource(CarbonSourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        now = START + 30 * HOUR
        altered = World(Provider({n: 100.0 if n <= 30 else 50.0 for n in range(240)}), SimulatedClock(now))
        source = World(Provider(dict.fromkeys(range(31), 100.0)), SimulatedClock(now))
        return SourceCase(source.source, START, now, altered.source)


def test_history_that_was_fetched_is_there_without_the_provider() -> None:
    at = world()
    known = at.ask(0, 240)
    at.provider.down = True
    again = CachedSource(at.provider, at.archive, at.clock)
    assert again.history(START, START + 240 * HOUR) == known
    assert len(known) == 240


def test_what_is_final_is_not_asked_for_again() -> None:
    at = world()
    at.ask(0, 240)
    again = World(at.provider, at.clock, at.archive)
    again.ask(0, 100)
    again.ask(0, 240)
    # Revised for two days: the last 48 of 240 hours may still change.
    assert at.provider.asked == [(0, 240), (192, 240)]


def test_what_was_fetched_before_it_was_final_is_asked_for_once_more() -> None:
    at = world()
    at.ask(0, 240)
    at.provider.values[200] = 7.0
    at.clock.advance(NOW + 5 * DAY)
    assert at.ask(0, 240).at(START + 200 * HOUR) == hour(200, 7.0)
    at.ask(0, 240)
    assert at.provider.asked == [(0, 240), (192, 240)]


def test_a_gap_is_asked_for_once() -> None:
    at = world(10, 11)
    for _ in range(2):
        assert len(at.ask(0, 100)) == 98
    at.ask(9, 13)
    assert at.provider.asked == [(0, 100)]


def test_of_a_long_time_only_the_gaps_are_asked_for() -> None:
    at = world(*range(-1, 1), *range(200, 202))
    at.clock.advance(NOW + 30 * DAY)
    at.ask(0, 240)
    later = World(at.provider, at.clock, at.archive)
    later.ask(0, 240)
    # Further apart than a week, so they are two questions.
    assert at.provider.asked == [(0, 240), (0, 1), (200, 202)]


def test_gaps_that_are_close_are_asked_for_at_once() -> None:
    at = world(10, 100)
    at.ask(0, 150)
    World(at.provider, at.clock, at.archive).ask(0, 150)
    assert at.provider.asked == [(0, 150), (10, 101)]


def test_a_gap_that_may_still_be_filled_is_asked_for_again() -> None:
    at = world(230)
    at.ask(220, 240)
    at.provider.values[230] = 5.0
    assert at.ask(220, 240).at(START + 230 * HOUR) == hour(230, 5.0)


def test_a_revision_replaces_the_value_before() -> None:
    at = world()
    at.ask(0, 240)
    for value in (1.0, 2.0, 1.0):
        at.provider.values[239] = value
        at.clock.advance(at.clock.now() + HOUR)
        assert at.ask(0, 240).at(START + 239 * HOUR) == hour(239, value)


def test_with_nothing_kept_the_failure_is_raised() -> None:
    at = world()
    at.provider.down = True
    with pytest.raises(SourceUnavailableError, match="it is down"):
        at.ask(0, 240)
    with pytest.raises(SourceUnavailableError):
        at.source.latest(NOW)
    with pytest.raises(SourceUnavailableError):
        at.source.forecast(NOW)


def test_kept_values_that_stand_in_are_remarked_upon_until_the_provider_is_back() -> None:
    at = world()
    at.ask(0, 240)
    at.provider.down = True
    # Of the last half only the end is not settled; what is kept of it stands in.
    assert len(at.ask(120, 240)) == 120
    assert at.source.remarks() == (
        "the source could not be asked, and values that were kept before stand in: it is down",
    )
    at.provider.down = False
    at.ask(120, 240)
    assert at.source.remarks() == ()


def test_what_needs_no_question_needs_no_remark() -> None:
    at = world()
    at.ask(0, 240)
    at.provider.down = True
    at.ask(120, 240)
    at.ask(0, 100)
    assert at.source.remarks() == ()


def test_a_forecast_is_kept_by_its_issue_and_stands_in_with_a_remark() -> None:
    at = world()
    for issued in (238, 239):
        at.provider.issued = forecast(issued, 1, 2)
        assert at.source.forecast(NOW) == forecast(issued, 1, 2)
    at.provider.down = True
    assert at.source.forecast(NOW) == forecast(239, 1, 2)
    assert at.source.forecast(NOW - 1.5 * HOUR) == forecast(238, 1, 2)
    assert "forecasts that were kept before stand in: it is down" in at.source.remarks()[0]
    at.provider.down = False
    at.source.forecast(NOW)
    assert at.source.remarks() == ()
    assert list(at.archive.forecasts(at.source._subject, hours(0, 240))) == [  # noqa: SLF001 - what it files them under
        forecast(238, 1, 2),
        forecast(239, 1, 2),
    ]


def test_a_provider_without_forecasts_has_none() -> None:
    assert world().source.forecast(NOW) is None


def test_the_newest_value_is_kept_and_replaced_by_what_history_says() -> None:
    at = world()
    estimate = at.source.latest(NOW)
    assert estimate == hour(239, 339.0)
    at.provider.values[239] = 5.0
    assert at.ask(238, 240).at(NOW - HOUR) == hour(239, 5.0)


def test_an_empty_span_asks_nothing() -> None:
    at = world()
    assert at.ask(3, 3).samples == ()
    assert at.provider.asked == []


def test_what_was_asked_is_remembered_in_one_piece() -> None:
    at = World(Provider())
    for number in range(150):
        at.ask(number, number + 1)
    assert at.source._asked == (hours(0, 150),)  # noqa: SLF001 - that it does not grow can't be seen from outside


QUESTION = st.tuples(st.floats(0, 300), st.floats(0.1, 100), st.integers(0, 50))


@settings(deadline=None, max_examples=60)
@given(values=st.dictionaries(st.integers(0, 260), st.floats(0, 900), max_size=40), questions=st.lists(QUESTION))
def test_the_answer_is_that_of_a_source_that_works(
    values: dict[int, float], questions: list[tuple[float, float, int]]
) -> None:
    at = World(Provider(values))
    for first, length, later in questions:
        at.clock.advance(at.clock.now() + later * HOUR)
        expected = replace(at.provider).history(START + first * HOUR, START + (first + length) * HOUR)
        assert at.ask(first, first + length) == expected


@settings(deadline=None, max_examples=60)
@given(questions=st.lists(QUESTION), drift=st.floats(1, 2))
def test_revisions_within_their_time_are_never_missed(questions: list[tuple[float, float, int]], drift: float) -> None:
    at = World(Provider(dict.fromkeys(range(240), 100.0)))
    for first, length, later in questions:
        at.clock.advance(at.clock.now() + later * HOUR)
        final = int((at.clock.now() - 2 * DAY - START) / HOUR)
        at.provider.values = {n: v if n < final else v * drift for n, v in at.provider.values.items()}
        start, end = START + first * HOUR, START + (first + length) * HOUR
        assert at.source.history(start, end) == replace(at.provider).history(start, end)


def test_what_a_member_on_this_machine_tells_is_passed_on_each_time_and_never_kept() -> None:
    class Mixed(Provider):
        """Even hours are its own; odd ones come from a stand-in on this machine."""

        def history(self, start: datetime, end: datetime) -> IntensitySeries:
            told = super().history(start, end)
            return IntensitySeries(
                tuple(replace(s, source="stand-in") if s.interval.start.hour % 2 else s for s in told)
            )

    at = World(Mixed({n: 100.0 + n for n in range(240)}))
    first = at.ask(0, 24)
    assert [s.source for s in first] == ["one", "stand-in"] * 12
    assert at.ask(0, 24) == first
    assert {s.source for s in at.archive.versions} == {"one"}
