"""Where the first source is silent the next one is asked, and nothing is mixed that does not belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carbon_sources.errors import SourceUnavailableError
from carbon_sources.groups import CARBON_SOURCES
from carbon_sources.intensity import (
    Basis,
    Forecast,
    IntensityKind,
    IntensitySample,
    IntensitySeries,
    Provenance,
)
from carbon_sources.interval import Interval
from carbon_sources.providers.failover import FailoverSource
from carbon_sources.source import CarbonSource
from carbon_sources.source_choice import SourceChoice
from carbon_sources.testing import CarbonSourceConformance, SourceCase

NOON = datetime(2021, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Member(CarbonSource):
    """Knows the hours it is given."""

    name: str
    hours: dict[int, float]
    zone: str = "Z"
    kind: IntensityKind = IntensityKind.AVERAGE
    basis: Basis = Basis.LIFECYCLE
    failure: str | None = None
    expected: Forecast | None = None
    asked: list[str] = field(default_factory=list)

    def sample(self, hour: int) -> IntensitySample:
        return IntensitySample(
            Interval(NOON + hour * HOUR, NOON + (hour + 1) * HOUR),
            self.hours[hour],
            self.zone,
            self.kind,
            self.basis,
            Provenance.MEASURED,
            self.name,
        )

    def latest(self, now: datetime) -> IntensitySample | None:
        self._fail("latest")
        begun = [hour for hour in sorted(self.hours) if NOON + hour * HOUR <= now]
        return self.sample(begun[-1]) if begun else None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        self._fail("history")
        return IntensitySeries(tuple(self.sample(hour) for hour in sorted(self.hours))).between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        self._fail("forecast")
        return self.expected

    def remarks(self) -> tuple[str, ...]:
        return (f"{self.name} is odd",)

    def _fail(self, question: str) -> None:
        self.asked.append(question)
        if self.failure is not None:
            raise SourceUnavailableError(self.failure)


def hours(first: int, last: int, value: float = 100.0) -> dict[int, float]:
    return {hour: value + hour for hour in range(first, last)}


def failover(*members: Member, patience: timedelta | None = None, zone: str | None = None) -> FailoverSource:
    by_name = {f"{i}": member for i, member in enumerate(members)}

    def make(use: str, options: Mapping[str, Any]) -> CarbonSource:
        return by_name[str(int(options["g_per_kwh"]))]

    choices = tuple(SourceChoice(use="constant", g_per_kwh=i) for i in range(len(members)))
    return FailoverSource(make, sources=choices, patience=patience, zone=zone)


class TestFailover(CarbonSourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        one, other = Member("one", hours(-30, 1)), Member("two", hours(-30, 1, 500.0))
        altered = failover(replace(one, hours=hours(-30, 9)), other)
        return SourceCase(failover(one, other), NOON - 20 * HOUR, NOON + HOUR / 2, altered)


def test_the_first_source_alone_is_asked_while_it_answers() -> None:
    one, two = Member("one", hours(-24, 1)), Member("two", hours(-24, 1, 500.0))
    source = failover(one, two)
    newest = source.latest(NOON + HOUR / 2)
    assert newest is not None
    assert newest.source == "one"
    assert {s.source for s in source.history(NOON - 9 * HOUR, NOON)} == {"one"}
    assert two.asked == []
    assert "stands in" not in " ".join(source.remarks())


def test_the_next_source_is_asked_where_the_first_fails_and_keeps_its_name() -> None:
    one, two = Member("one", hours(-24, 1), failure="503"), Member("two", hours(-24, 1, 500.0), zone="other name")
    source = failover(one, two, zone="here")
    newest = source.latest(NOON + HOUR / 2)
    assert newest is not None
    assert (newest.source, newest.zone, newest.g_per_kwh) == ("two", "here", 500.0)
    assert {(s.source, s.zone) for s in source.history(NOON - 9 * HOUR, NOON)} == {("two", "here")}
    assert "constant (source 1) could not be asked: 503" in source.remarks()
    assert "constant (source 2) answers in place of constant (source 1)" in source.remarks()


def test_a_source_that_is_late_gives_way_and_one_that_is_merely_slow_does_not() -> None:
    one, two = Member("one", hours(-24, -3)), Member("two", hours(-24, 1, 500.0))
    # The first one's newest hour ended at 9:00, three hours before noon.
    slow, late = failover(one, two, patience=3 * HOUR), failover(one, two, patience=2 * HOUR)
    newest = [source.latest(NOON) for source in (slow, late)]
    assert [None if s is None else s.source for s in newest] == ["one", "two"]


def test_if_all_are_late_the_newest_of_all_is_told() -> None:
    source = failover(Member("one", hours(-24, -5)), Member("two", hours(-24, -8)), patience=HOUR)
    newest = source.latest(NOON)
    assert newest is not None
    assert newest.source == "one"


def test_a_gap_that_is_overdue_is_filled_from_the_next_source_and_what_the_first_knows_stays() -> None:
    one = Member("one", hours(-24, -10) | hours(-8, 0))
    source = failover(one, Member("two", hours(-24, 0, 500.0)), patience=HOUR)
    told = source.history(NOON - 12 * HOUR, NOON)
    assert [s.source for s in told] == ["one", "one", "two", "two", *["one"] * 8]
    assert [s.interval.start for s in told] == [NOON + hour * HOUR for hour in range(-12, 0)]


@given(st.lists(st.sets(st.integers(-30, 0)), min_size=2, max_size=4))
def test_every_hour_that_any_source_knows_is_there_once_by_the_first_that_knows_it(known: list[set[int]]) -> None:
    members = [Member(f"{i}", dict.fromkeys(spans, 100.0 * i + 50)) for i, spans in enumerate(known)]
    told = failover(*members, patience=timedelta(0)).history(NOON - 30 * HOUR, NOON + HOUR)
    expected = {hour: next(f"{i}" for i, spans in enumerate(known) if hour in spans) for hour in set().union(*known)}
    assert {(s.interval.start - NOON) // HOUR: s.source for s in told} == expected


def test_if_all_fail_each_reason_is_told() -> None:
    source = failover(Member("one", {}, failure="no route"), Member("two", {}, failure="403"))
    for ask in (lambda: source.latest(NOON), lambda: source.history(NOON - HOUR, NOON), lambda: source.forecast(NOON)):
        with pytest.raises(SourceUnavailableError, match="none of the sources can be asked"):
            ask()


def test_a_forecast_comes_from_the_first_that_has_one() -> None:
    two = Member("two", hours(0, 3), zone="elsewhere")
    two.expected = Forecast(NOON, IntensitySeries((two.sample(1),)), (0.5,), ((7.0,),))
    source = failover(Member("one", {}), two, zone="here")
    made = source.forecast(NOON)
    assert made is not None
    assert (made.issued_at, made.levels, made.quantiles) == (NOON, (0.5,), ((7.0,),))
    assert [(s.source, s.zone) for s in made.series] == [("two", "here")]
    assert failover(Member("one", {}), Member("two", {})).forecast(NOON) is None


def test_places_with_different_names_are_one_place_only_if_the_user_says_so() -> None:
    one, other = Member("one", hours(-3, 1)), Member("two", {}, zone="elsewhere")
    with pytest.raises(ValueError, match=r"speaks of Z, .* speaks of elsewhere: .* zone = "):
        failover(one, other)
    assert failover(one, other, zone="here").zone == "here"


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Member("two", {}, kind=IntensityKind.MARGINAL), "gives marginal intensity but .* gives average"),
        (Member("two", {}, basis=Basis.DIRECT), "gives direct intensity but .* gives lifecycle"),
    ],
)
def test_another_kind_or_basis_is_refused(other: Member, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        failover(Member("one", {}), other)


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ([{"use": "constant", "g_per_kwh": 1}], "at least 2"),
        ([{"use": "constant", "g_per_kwh": 1}, {"use": "failover"}], "can't stand inside"),
        ([{"use": "constant", "g_per_kwh": 1}, {"use": "constant", "grams": 1}], "grams"),
        ([{"use": "constant", "g_per_kwh": 1}, {"use": "nobody"}], "unknown plug-in"),
    ],
)
def test_a_wrong_list_of_sources_is_refused_when_the_configuration_is_read(
    choices: list[dict[str, object]], what: str
) -> None:
    with pytest.raises(ValidationError, match=what):
        CARBON_SOURCES.options("failover")(sources=choices)
