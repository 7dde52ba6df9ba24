"""The regions of Great Britain, which their provider forecasts and never measures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from carbon_sources.answers.national_grid import REGIONS, Place, parse_region
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.plugins import PluginGroup
from carbon_sources.providers.national_grid import NationalGridSource
from carbon_sources.source import CarbonSource
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Asked, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.faults import Fault
from tests.carbon_sources.fakes.national_grid import FakeNationalGridRegion

HALF = timedelta(minutes=30)
DAY = timedelta(days=1)
SCOTLAND = Identity("national_grid", "GB-North Scotland", IntensityKind.AVERAGE, Basis.DIRECT)


@pytest.fixture
def regional() -> FakeNationalGridRegion:
    return FakeNationalGridRegion()


@pytest.fixture
def region(regional: FakeNationalGridRegion) -> Iterator[NationalGridSource]:
    with fake_provider(regional.reply) as server:
        yield regional.source(client(), server.url)
    assert regional.violations == []


class TestRegion(CarbonSourceConformance):
    @pytest.fixture
    def case(self, region: NationalGridSource) -> SourceCase:
        return SourceCase(region, NOW - timedelta(days=20), NOW, region)


def row(start: datetime, forecast: object, actual: object) -> dict[str, Any]:
    stamps = [instant.strftime("%Y-%m-%dT%H:%MZ") for instant in (start, start + HALF)]
    intensity = {"forecast": forecast, "actual": actual, "index": "moderate"}
    return {"from": stamps[0], "to": stamps[1], "intensity": intensity}


def mixed(start: datetime, forecast: object, **shares: object) -> dict[str, Any]:
    mix = [{"fuel": fuel, "perc": share} for fuel, share in shares.items()]
    return row(start, forecast, None) | {"generationmix": mix}


def in_scotland(*rows: object) -> dict[str, object]:
    return {"data": {"regionid": 1, "shortname": "North Scotland", "data": list(rows)}}


def test_a_region_knows_estimates_only(region: NationalGridSource, regional: FakeNationalGridRegion) -> None:
    series = region.history(NOW - DAY, NOW)
    # Midnight to midnight are 48 half hours, and 12:10 lies within one at each end.
    assert len(series) == 49
    assert all(regional.is_true(sample) for sample in series)
    assert {(s.zone, s.provenance) for s in series} == {("GB-North Scotland", Provenance.ESTIMATED)}
    latest = region.latest(NOW)
    assert latest is not None
    assert latest.interval.contains(NOW)


def test_a_region_may_be_free_of_emissions(region: NationalGridSource) -> None:
    assert any(sample.g_per_kwh == 0 for sample in region.history(NOW - DAY, NOW))
    assert region.remarks() == ()


@pytest.mark.parametrize(
    ("shares", "believed"),
    [
        ({"wind": 90, "hydro": 10}, True),
        ({"wind": 99.9, "nuclear": 0.1, "gas": 0, "imports": 0.0}, True),
        ({"wind": 99.1}, True),
        ({"wind": 99.9, "biomass": 0.1}, False),
        ({"wind": 90, "imports": 10}, False),
        ({"wind": 0, "gas": 0}, False),
        ({"wind": 60}, False),
        ({"wind": 100, "gas": None}, False),
        ({"wind": 99.5, "tidal": 0.5}, False),
        ({}, False),
    ],
    ids=str,
)
def test_zero_is_believed_where_the_mix_is_known_and_free_of_emissions(
    shares: dict[str, object], *, believed: bool
) -> None:
    parsed = parse_region(in_scotland(mixed(NOW, 0, **shares)), SCOTLAND, Place(region=1))
    assert [s.g_per_kwh for s in parsed.samples] == [0.0] * believed
    assert any("zeros stand beside a mix" in remark for remark in parsed.remarks) is not believed


def test_zero_without_a_mix_is_a_gap() -> None:
    assert parse_region(in_scotland(row(NOW, 0, None)), SCOTLAND, Place(region=1)).samples == ()


def test_both_shapes_of_one_region_are_read() -> None:
    as_object = in_scotland(mixed(NOW, 12, wind=100))
    as_list = {"data": [as_object["data"]]}
    place = Place(region=1)
    assert parse_region(as_object, SCOTLAND, place) == parse_region(as_list, SCOTLAND, place)


@pytest.mark.parametrize("empty", [{}, {"data": []}, in_scotland()], ids=str)
def test_an_empty_answer_of_a_region_holds_no_value(empty: object) -> None:
    assert parse_region(empty, SCOTLAND, Place(region=1)).samples == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"data": [in_scotland()["data"], in_scotland()["data"]]}, "asked for one region but answered with 2"),
        ({"data": {"shortname": "x", "data": []}}, "answered for None"),
        ({"data": {"regionid": "1", "data": []}}, "should be a number"),
        ({"data": {"regionid": 1, "data": {}}}, "should be a list"),
        (in_scotland(mixed(NOW, 1) | {"generationmix": {"wind": 1}}), "should be a list"),
        (in_scotland(mixed(NOW, 1) | {"generationmix": [{"perc": 1}]}), "should be a text"),
        (in_scotland(mixed(NOW, 1, wind="much")), "should be a number"),
        ({"data": 5}, "should be an object"),
    ],
)
def test_an_answer_about_a_region_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse_region(answer, SCOTLAND, Place(region=1))


def test_a_forecast_of_a_region_is_issued_now(region: NationalGridSource) -> None:
    forecast = region.forecast(NOW)
    assert forecast is not None
    assert forecast.issued_at == NOW
    assert len(forecast.series) == 97


@pytest.mark.parametrize("off", [timedelta(hours=-5), timedelta(hours=5)])
def test_a_region_has_no_forecast_of_another_time_than_the_providers_present(
    regional: FakeNationalGridRegion, region: NationalGridSource, off: timedelta
) -> None:
    regional.now = NOW + off
    assert region.forecast(NOW) is None
    assert any("at the provider" in remark for remark in region.remarks())


def test_a_forecast_whose_time_is_not_known_is_not_used() -> None:
    def reply(asked: Asked) -> Reply:
        ahead = in_scotland(*(mixed(NOW + i * HALF, 12, wind=100) for i in range(4)))
        return Reply.json(ahead if "fw48h" in asked.path else {"data": []})

    with fake_provider(reply) as server:
        source = NationalGridSource(client(), region=1, base_url=server.url)
        assert source.forecast(NOW) is None
    assert any("did not say what time it is" in remark for remark in source.remarks())


def test_a_postcode_stands_for_its_region() -> None:
    fake = FakeNationalGridRegion(Place(postcode="RG10"))
    with fake_provider(fake.reply) as server:
        source = NationalGridSource(client(), postcode="rg10", base_url=server.url)
        assert source.zone == "GB-RG10"
        assert len(source.history(NOW - DAY, NOW)) == 49
        fake.fault = Fault.OTHER_ZONE
        with pytest.raises(SourceAnswerError, match="postcode RG10 but answered for 'EC1A'"):
            source.latest(NOW)
    assert server.paths[0] == "/regional/intensity/2026-11-20T12:10Z/2026-11-21T12:10Z/postcode/RG10"
    assert fake.violations == []


def test_every_region_has_a_zone_of_its_own() -> None:
    assert {Place(region=number).zone for number in REGIONS} == {f"GB-{name}" for name in REGIONS.values()}
    assert len(set(REGIONS.values())) == 17


@pytest.mark.parametrize("postcode", ["RG10 9NY", "RG", "../x", "R&D1", ""])
def test_what_is_no_outward_code_is_refused(postcode: str) -> None:
    with pytest.raises(ValueError, match="postcode"):
        Place(postcode=postcode)
    with pytest.raises(ValidationError, match="postcode"):
        PluginGroup("carbonnas.carbon_sources", CarbonSource).options("national_grid")(postcode=postcode)


def test_a_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="region"):
        PluginGroup("carbonnas.carbon_sources", CarbonSource).options("national_grid")(region=18)
    with pytest.raises(ValueError, match="regions 1 to 17"):
        Place(region=0)


def test_a_region_and_a_postcode_together_are_refused() -> None:
    with pytest.raises(ValueError, match="either the region or the postcode"):
        NationalGridSource(client(), region=13, postcode="EC1A")
