"""Australia's provider: its contract, its arithmetic, and every way in which it was seen to fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from carbon_sources.errors import SourceAccessError, SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.open_electricity import OpenElectricitySource
from carbon_sources.secrets import Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import FakeProvider, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.open_electricity import KEY, VARIABLE, FakeOpenElectricity, intensity

HOUR = timedelta(hours=1)
NOON = NOW.replace(minute=0)


@pytest.fixture
def fake() -> FakeOpenElectricity:
    return FakeOpenElectricity()


@pytest.fixture
def server(fake: FakeOpenElectricity) -> Iterator[FakeProvider]:
    with fake_provider(fake.reply) as running:
        yield running
    assert fake.violations == []


@pytest.fixture
def source(fake: FakeOpenElectricity, server: FakeProvider) -> OpenElectricitySource:
    return fake.source(client(), server.url)


class TestOpenElectricity(CarbonSourceConformance):
    @pytest.fixture
    def case(self, fake: FakeOpenElectricity, source: OpenElectricitySource) -> Iterator[SourceCase]:
        later = FakeOpenElectricity()
        later.now = fake.now + timedelta(minutes=40)
        with fake_provider(later.reply) as running:
            yield SourceCase(source, NOW - timedelta(days=3), NOW - HOUR, later.source(client(), running.url))


class TestOpenElectricityByFiveMinutes(CarbonSourceConformance):
    @pytest.fixture
    def case(self, fake: FakeOpenElectricity, source: OpenElectricitySource, server: FakeProvider) -> SourceCase:
        fake.interval = "5m"
        source = fake.source(client(), server.url)
        return SourceCase(source, NOW - timedelta(hours=5, minutes=7), NOW, source)


def test_the_newest_value_is_the_last_hour_that_is_over(
    fake: FakeOpenElectricity, source: OpenElectricitySource
) -> None:
    sample = source.latest(NOW)
    assert sample is not None
    assert sample.interval == Interval(NOON - HOUR, NOON)
    assert sample.g_per_kwh == pytest.approx(intensity(NOON - HOUR))
    # It ended 10 min ago and may still lack plants; the one before ended 70 min ago.
    assert sample.provenance is Provenance.ESTIMATED
    before = source.history(NOON - 2 * HOUR, NOON - HOUR).samples[0]
    assert before.provenance is Provenance.MEASURED
    assert (before.zone, before.kind, before.basis) == ("NSW1", IntensityKind.AVERAGE, Basis.DIRECT)
    assert before.source in source.names
    assert source.remarks() == ()


@pytest.mark.parametrize(("interval", "days", "requests"), [("1h", 70, 3), ("5m", 15, 3)])
def test_a_long_past_is_asked_for_below_the_limits(
    interval: str, days: int, requests: int, fake: FakeOpenElectricity, server: FakeProvider
) -> None:
    fake.interval = interval
    source = fake.source(client(), server.url)
    series = source.history(NOW - timedelta(days=days), NOW)
    # 5 min of delay: 12:05 is the end of the last interval of 5 min, 12:00 that of the last hour; the first begins at 12:10 or 12:00.
    assert len(series) == days * 24 * (12 if interval == "5m" else 1) - (1 if interval == "5m" else 0)
    assert len(server.asked) == requests
    assert all(fake.is_true(sample) for sample in series)


def test_the_west_is_asked_in_its_own_time(fake: FakeOpenElectricity, server: FakeProvider) -> None:
    fake.region = "WEM"
    series = fake.source(client(), server.url).history(NOW - 5 * HOUR, NOW)
    assert [s.interval.start for s in series] == [NOON - i * HOUR for i in (5, 4, 3, 2, 1)]
    assert all(fake.is_true(sample) for sample in series)


def test_a_missing_key_is_an_error_when_the_source_is_made() -> None:
    with pytest.raises(SourceAccessError, match="OPENELECTRICITY_API_KEY"):
        OpenElectricitySource(client(), Secrets({}), zone="NSW1")


@pytest.mark.parametrize(
    "reply",
    [
        Reply.json({"success": False, "error": f"key {KEY} has no quota left", "data": []}),
        Reply.json({"detail": [{"loc": ["query", "interval"], "msg": f"key {KEY} has no quota left"}]}, 422),
        Reply.json({"detail": f"key {KEY} has no quota left"}, 400),
    ],
    ids=["success false", "422", "400"],
)
def test_a_failure_is_passed_on_without_the_key(reply: Reply) -> None:
    with fake_provider(lambda _: reply) as server:
        secrets, url = Secrets({VARIABLE: KEY}), server.url
        source = OpenElectricitySource(client(), secrets, zone="SA1", token_env=VARIABLE, base_url=url)
        with pytest.raises(SourceAnswerError, match=r"key \*\*\* has no quota left"):
            source.latest(NOW)


def test_an_old_answer_is_said(fake: FakeOpenElectricity, source: OpenElectricitySource) -> None:
    source.latest(NOW + 3 * HOUR)
    assert "the answer was made 180 min ago" in " ".join(source.remarks())
    source.latest(NOW - timedelta(days=1))
    assert source.remarks() == (), "asking about the past is not a wrong clock"
