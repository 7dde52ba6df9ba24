"""Forecasts of the Carbon Aware SDK's Web API: when they were issued, and what else is odd about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from carbon_sources.answers.carbon_aware_sdk import parse_forecast
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.providers.carbon_aware_sdk import CarbonAwareSDKSource
from carbon_sources.testing_server import Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.carbon_aware_sdk import FakeCarbonAwareSDK, problem, stamp

HOUR = timedelta(hours=1)
ME = Identity("carbon_aware_sdk", "westus", IntensityKind.MARGINAL, Basis.DIRECT)


@pytest.fixture
def fake() -> FakeCarbonAwareSDK:
    return FakeCarbonAwareSDK()


@pytest.fixture
def source(fake: FakeCarbonAwareSDK) -> Iterator[CarbonAwareSDKSource]:
    with fake_provider(fake.reply) as server:
        yield fake.source(client(), server.url + "/")
    assert fake.violations == []


def point(start: datetime, value: object, **others: object) -> dict[str, Any]:
    return {"location": "CAISO_NORTH", "timestamp": stamp(start), "value": value, "duration": 30} | others


def forecast_of(*points: object, **others: object) -> list[dict[str, Any]]:
    return [{"generatedAt": stamp(NOW), "location": "westus", "forecastData": list(points)} | others]


def test_a_forecast_is_issued_when_the_service_says(source: CarbonAwareSDKSource, fake: FakeCarbonAwareSDK) -> None:
    fake.now = NOW + timedelta(minutes=3)
    forecast = source.forecast(fake.now)
    assert forecast is not None
    assert forecast.issued_at == NOW
    # A day of five minutes.
    assert len(forecast.series) == 24 * 12
    assert all(fake.is_true(sample) and sample.provenance is Provenance.ESTIMATED for sample in forecast.series)
    assert source.remarks() == ()


@pytest.mark.parametrize("key", ["optimalDataPoint", "optimalDataPoints", "optimum"])
def test_optimal_points_are_of_no_use(key: str) -> None:
    issued = parse_forecast(forecast_of(point(NOW, 300), **{key: {"rubbish": True}}), ME)
    assert issued is not None
    assert [s.g_per_kwh for s in issued.expected.parsed.samples] == [300.0]
    assert issued.expected.parsed.samples[0].interval.duration == timedelta(minutes=30)


def test_a_forecast_from_after_now_is_none(source: CarbonAwareSDKSource) -> None:
    assert source.forecast(NOW - HOUR) is None
    assert any("the newest was issued 2026-11-21 12:10" in remark for remark in source.remarks())


def test_a_forecast_by_a_clock_that_is_ahead_counts_as_issued_now(source: CarbonAwareSDKSource) -> None:
    earlier = NOW - timedelta(minutes=10)
    forecast = source.forecast(earlier)
    assert forecast is not None
    assert forecast.issued_at == earlier
    assert any("clock of the service is ahead" in remark for remark in source.remarks())


def test_an_old_forecast_is_told_with_its_age(source: CarbonAwareSDKSource) -> None:
    forecast = source.forecast(NOW + 4 * HOUR)
    assert forecast is not None
    assert forecast.issued_at == NOW
    assert any("newest forecast is old" in remark for remark in source.remarks())


def test_a_forecast_without_values_is_none() -> None:
    with fake_provider(lambda _: Reply.json(forecast_of())) as server:
        source = FakeCarbonAwareSDK().source(client(), server.url)
        assert source.forecast(NOW) is None
    assert any("holds no values" in remark for remark in source.remarks())


def test_a_provider_without_forecasts_is_no_error() -> None:
    reply = problem(501, "NotImplementedException", "Current method is not supported")
    with fake_provider(lambda _: reply) as server:
        source = FakeCarbonAwareSDK().source(client(), server.url)
        assert source.forecast(NOW) is None
    assert len(server.asked) == 1
    assert "has no forecasts: NotImplementedException; Current method is not supported" in source.remarks()[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({}, "should be a list"),
        (forecast_of() + forecast_of(), "one forecast but answered with 2"),
        (forecast_of(location="eastus"), "asked for 'westus' but its forecast is of 'eastus'"),
        (forecast_of(location=None), "should be a text but is missing"),
        (forecast_of(forecastData=None), "should be a list but is missing"),
        (forecast_of(generatedAt=None), "should be a text but is missing"),
        (forecast_of(dataEndAt=5), "should be a text"),
        (forecast_of(point(NOW, "1")), "should be a number"),
        (forecast_of(point(NOW, 1, duration=None)), "above zero"),
    ],
)
def test_a_forecast_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse_forecast(answer, ME)
