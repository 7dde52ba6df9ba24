"""Electricity Maps, played by a server that answers as the real one does and does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carbon_sources.answers.electricity_maps import Granularity
from carbon_sources.errors import (
    SourceAccessError,
    SourceUnavailableError,
    UnknownZoneError,
)
from carbon_sources.intensity import Basis, IntensityKind, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.electricity_maps import ElectricityMapsSource, range_pieces
from carbon_sources.secrets import Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import FakeProvider, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.electricity_maps import TOKEN, FakeElectricityMaps
from tests.carbon_sources.fakes.faults import Fault

HOUR = timedelta(hours=1)

QUARTER = timedelta(minutes=15)


class Played:
    """A fake, its server and a source that asks it."""

    def __init__(self, fake: FakeElectricityMaps, server: FakeProvider, **options: Any) -> None:
        self.fake, self.server = fake, server
        self.source = fake.source(client(), server.url, **options)

    @property
    def verbs(self) -> list[str]:
        return [asked.path.rpartition("/")[2] for asked in self.server.asked]

    def history(self, hours: float) -> IntensitySeries:
        return self.source.history(self.fake.now - hours * HOUR, self.fake.now)


@pytest.fixture
def played() -> Iterator[Played]:
    fake = FakeElectricityMaps()
    with fake_provider(fake.reply) as server:
        yield Played(fake, server)
    assert fake.violations == []


@pytest.fixture(params=[Granularity.HOURLY, Granularity.FIVE_MINUTES, "free plan", "production of the zone"])
def source_and_altered(request: pytest.FixtureRequest) -> Iterator[tuple[ElectricityMapsSource, ElectricityMapsSource]]:
    granularity = request.param if isinstance(request.param, Granularity) else Granularity.HOURLY
    fakes = [FakeElectricityMaps(granularity), FakeElectricityMaps(granularity)]
    for fake in fakes:
        fake.ahead = timedelta(hours=2)
        fake.refused = frozenset({"past-range", "forecast"} if request.param == "free plan" else ())
    fakes[1].later = 77.0
    production = request.param == "production of the zone"
    options = {"flow_traced": False, "basis": Basis.DIRECT} if production else {}
    with fake_provider(fakes[0].reply) as one, fake_provider(fakes[1].reply) as other:
        # The forecast is of the same future in both: what was issued by now is the same.
        fakes[1].fork = NOW if request.param == "free plan" else NOW + timedelta(days=5)
        yield fakes[0].source(client(), one.url, **options), fakes[1].source(client(), other.url, **options)
    assert fakes[0].violations == fakes[1].violations == []


class TestElectricityMaps(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source_and_altered: tuple[ElectricityMapsSource, ElectricityMapsSource]) -> SourceCase:
        return SourceCase(source_and_altered[0], NOW - timedelta(hours=30), NOW, source_and_altered[1])


class TestElectricityMapsOverPieces(CarbonSourceConformance):
    @pytest.fixture
    def case(self, played: Played) -> SourceCase:
        return SourceCase(played.source, NOW - timedelta(days=12), NOW, played.source)


def test_values_are_taken_as_they_are_and_only_what_is_said_to_be_measured_is_measured(played: Played) -> None:
    series = played.history(30)
    # From 06:10 to 12:10 of the next day: the quarters of 06:00 to 12:00, which are 30 * 4 + 1.
    assert len(series) == 121
    assert all(sample.g_per_kwh == played.fake.expected(sample.interval) for sample in series)
    measured = [sample for sample in series if sample.provenance is Provenance.MEASURED]
    # The fake estimates what ended less than an hour ago, at 11:15 or later: 11:00 to 12:00 began so late.
    assert [s.interval.start for s in series if s not in measured] == [
        datetime(2026, 11, 21, 11, 0, tzinfo=UTC) + k * QUARTER for k in range(5)
    ]
    assert {s.method for s in measured} == {""}
    assert {s.method for s in series if s not in measured} == {"FORECASTS_HIERARCHY"}
    assert played.source.remarks() == ()


def test_the_newest_value_is_the_running_interval_and_an_estimate(played: Played) -> None:
    sample = played.source.latest(NOW)
    assert sample is not None
    assert sample.interval == Interval(NOW - timedelta(minutes=10), NOW + timedelta(minutes=5))
    assert sample.provenance is Provenance.ESTIMATED
    assert (sample.kind, sample.basis, sample.zone) == (IntensityKind.AVERAGE, Basis.LIFECYCLE, "DE")


def test_a_forecast_begins_with_the_running_interval_and_reaches_three_days(played: Played) -> None:
    forecast = played.source.forecast(NOW)
    assert forecast is not None
    assert forecast.issued_at == NOW
    # 72 hours of four quarters and the running one.
    assert len(forecast.series) == 72 * 4 + 1
    assert {sample.provenance for sample in forecast.series} == {Provenance.ESTIMATED}
    assert all(played.fake.is_true(sample) for sample in forecast.series)


def test_every_request_names_zone_basis_and_granularity_and_has_its_token_in_the_header(played: Played) -> None:
    played.source.latest(NOW)
    asked = played.server.asked[0]
    assert asked.path == "/v4/carbon-intensity/latest"
    assert asked.query == {
        "zone": ["DE"],
        "disableCallerLookup": ["true"],
        "emissionFactorType": ["lifecycle"],
        "temporalGranularity": ["15_minutes"],
        "flowTraced": ["true"],
    }
    assert asked.header("auth-token") == TOKEN


def test_options_become_parameters() -> None:
    fake = FakeElectricityMaps(Granularity.FIVE_MINUTES)
    options: dict[str, Any] = {"basis": Basis.DIRECT, "disable_estimations": True, "horizon_hours": 24}
    with fake_provider(fake.reply) as server:
        source = Played(fake, server, **options, flow_traced=False).source
        source.forecast(NOW)
        Played(fake, server, **options, version="v3", granularity=Granularity.HOURLY).source.forecast(NOW)
    current, legacy = server.asked
    assert current.query["emissionFactorType"] == ["direct"]
    assert current.query["flowTraced"] == ["false"]
    assert current.query["horizonHours"] == ["24"]
    assert current.query["disableEstimations"] == ["true"]
    assert legacy.path == "/v3/carbon-intensity/forecast"
    assert "flowTraced" not in legacy.query
    assert fake.violations == []


def test_production_is_never_mixed_with_consumption() -> None:
    fake = FakeElectricityMaps()
    with fake_provider(fake.reply) as server:
        source = Played(fake, server, flow_traced=False).source
        sample = source.latest(NOW)
    assert sample is not None
    assert {sample.source} == source.names == {"electricity_maps_production"}
    assert sample.method == "FORECASTS_HIERARCHY; production only, imports ignored"
    with pytest.raises(ValueError, match="use v4"):
        ElectricityMapsSource(
            client(), Secrets({"ELECTRICITY_MAPS_TOKEN": "x"}), zone="DE", version="v3", flow_traced=False
        )


def test_a_long_span_is_asked_for_in_pieces_of_ten_days(played: Played) -> None:
    series = played.history(25 * 24)
    assert played.verbs == ["past-range"] * 3
    assert len(series) == 25 * 96 + 1
    assert range_pieces(NOW, NOW) == [Interval(NOW.replace(minute=0), NOW)]
    # A second after 12:00 the row of 12:00 overlaps, so the end is moved to the next minute; it is exclusive.
    noon = NOW.replace(minute=0)
    assert range_pieces(noon - HOUR, noon + timedelta(seconds=1))[-1].end == noon + timedelta(minutes=1)


def test_an_empty_span_asks_nothing(played: Played) -> None:
    assert len(played.source.history(NOW, NOW)) == 0
    assert played.server.asked == []


def test_the_last_hours_and_the_newest_value_cost_one_request(played: Played) -> None:
    assert len(played.history(6)) == 25
    assert played.source.latest(NOW) is not None
    assert played.verbs == ["history"]
    assert played.source.latest(NOW) is not None
    assert played.verbs == ["history", "latest"]


def test_the_past_of_long_ago_is_not_looked_for_in_the_last_day_once_the_time_was_told(played: Played) -> None:
    long_ago = NOW - 50 * HOUR, NOW - 48 * HOUR
    assert len(played.source.history(*long_ago)) == 9
    played.source.latest(NOW)
    assert len(played.source.history(*long_ago)) == 9
    assert played.verbs == ["history", "past-range", "latest", "past-range"]


def test_a_free_plan_gives_the_last_day_and_says_so(played: Played) -> None:
    played.fake.refused = frozenset({"past-range", "forecast"})
    series = played.history(72)
    # 24 hours of four quarters, the running one among them.
    assert len(series) == 96
    assert all(played.fake.is_true(sample) for sample in series)
    assert played.source.forecast(NOW) is None
    assert played.source.latest(NOW) is not None
    assert any("does not cover past-range" in remark for remark in played.source.remarks())
    assert any("does not cover forecasts" in remark for remark in played.source.remarks())


def test_what_the_plan_refused_is_asked_for_again_after_six_hours(played: Played) -> None:
    played.fake.refused = frozenset({"past-range", "forecast"})
    for hours in (0, 3, 5.9):
        assert played.source.forecast(NOW + hours * HOUR) is None
    assert played.verbs == ["forecast"]
    played.fake.refused, played.fake.now = frozenset(), NOW + 6 * HOUR
    assert played.source.forecast(played.fake.now) is not None
    assert played.source.remarks() == ()


def test_the_strictest_reading_of_the_free_plan_still_gives_a_value_every_five_minutes(played: Played) -> None:
    played.fake.refused = frozenset({"past-range", "past", "forecast"})
    played.fake.strict = True
    with pytest.raises(SourceUnavailableError, match="429"):
        # The first question costs two requests, since the plan is not known yet; the second of them is throttled.
        played.history(72)
    for minutes in range(6, 42, 6):
        played.fake.now = NOW + timedelta(minutes=minutes)
        series, sample = played.history(72), played.source.latest(played.fake.now)
        assert len(series) == 96
        assert sample == series.at(played.fake.now)
    assert played.verbs[-6:] == ["history"] * 6


def test_a_plan_without_the_zone_is_an_error_that_says_so(played: Played) -> None:
    played.fake.refused = frozenset({"latest", "history", "past-range", "forecast"})
    with pytest.raises(SourceAccessError, match="plan of the token in ELECTRICITY_MAPS_TOKEN does not cover zone DE"):
        played.source.latest(NOW)
    assert len(played.history(6)) == 0
    assert any("does not cover history" in remark for remark in played.source.remarks())


def test_a_zone_that_does_not_exist_is_named() -> None:
    fake = FakeElectricityMaps()
    with fake_provider(fake.reply) as server, pytest.raises(UnknownZoneError, match=r"no zone XX.*/v4/zones"):
        Played(fake, server, zone="XX").source.latest(NOW)


def test_no_recent_data_is_no_value_and_a_remark(played: Played) -> None:
    played.fake.fault = Fault.EMPTY_DATA
    assert played.source.latest(NOW) is None
    assert len(played.history(40)) == 0
    assert any("no recent value" in remark for remark in played.source.remarks())
    assert any("no values are known from" in remark for remark in played.source.remarks())
    assert played.source.forecast(NOW) is None


def test_what_was_estimated_otherwise_is_told_anew_as_measured(played: Played) -> None:
    played.fake.fault = Fault.REVISED
    interval = Interval(NOW - timedelta(minutes=100), NOW - timedelta(minutes=85))
    first = played.history(6).at(interval.start)
    played.fake.fault = None
    last = played.history(6).at(interval.start)
    assert first is not None
    assert last is not None
    assert (first.provenance, last.provenance) == (Provenance.ESTIMATED, Provenance.MEASURED)
    # The fake estimates 30 g/kWh too much.
    assert first.g_per_kwh - last.g_per_kwh == pytest.approx(30)


def test_under_a_clock_that_is_ahead_the_newest_value_has_begun(played: Played) -> None:
    played.fake.fault = Fault.SKEWED_CLOCK
    # By its clock it is 12:20 and the quarter of 12:15 is running; here it is 12:10.
    sample = played.source.latest(NOW)
    assert sample is not None
    assert sample.interval.start == NOW.replace(minute=0)


def test_a_time_that_lies_in_the_past_gets_no_forecast_but_the_value_of_then(played: Played) -> None:
    past = NOW - timedelta(days=3)
    assert played.source.forecast(past) is None
    sample = played.source.latest(past)
    assert sample is not None
    assert sample.interval.contains(past)
    assert any("now lies in the past" in remark for remark in played.source.remarks())


def test_without_estimates_the_newest_value_is_an_older_measured_one() -> None:
    fake = FakeElectricityMaps(Granularity.HOURLY)
    with fake_provider(fake.reply) as server:
        series = Played(fake, server, disable_estimations=True).history(6)
    # Measured once it has ended an hour ago: at 12:10 that is the hour of 10:00.
    assert series.samples[-1].interval.start == NOW.replace(hour=10, minute=0)
    assert {sample.provenance for sample in series} == {Provenance.MEASURED}
