"""Australia's provider: its contract, its arithmetic, and every way in which it was seen to fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.open_electricity import OpenElectricitySource
from carbon_sources.secrets import Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import FakeProvider, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.faults import HARMLESS, TRANSPORT, Fault
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


@pytest.mark.parametrize(
    ("fault", "remark"),
    [
        (Fault.EMPTY_DATA, "no values for the time asked for"),
        (Fault.ZEROS, "zeros stand where values are missing"),
        (Fault.NULLS, "values of coal are missing"),
        (Fault.MISSING_VALUE, "values of coal are missing"),
        (Fault.STALE, "the newest value is old: it ended at 2026-11-21 08:00 UTC"),
        (Fault.DISORDER, "more than once"),
        (Fault.SKEWED_CLOCK, "10 min ahead"),
        (Fault.ABSURD, "can't be true"),
        (Fault.UNKNOWN_CODE, "the fuel group 'hydrogen' is unknown"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_what_is_odd_is_left_out_and_said(
    fake: FakeOpenElectricity, source: OpenElectricitySource, fault: Fault, remark: str
) -> None:
    fake.fault = fault
    series = source.history(NOW - 12 * HOUR, NOW)
    latest = source.latest(NOW)
    assert remark in " ".join(source.remarks())
    assert all(fake.is_true(sample) for sample in series)
    assert latest is None or fake.is_true(latest)
    fake.fault = None
    assert len(source.history(NOW - 12 * HOUR, NOW)) == 12
    source.latest(NOW)
    assert source.remarks() == ()


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (Fault.PLAN_NOT_COVERED, SourceAccessError, "plan does not cover"),
        (Fault.BAD_TOKEN, SourceAccessError, r"Invalid API key \*\*\*"),
        (Fault.HTML_REFUSAL, SourceAccessError, "403"),
        (Fault.EMPTY_OBJECT, SourceAnswerError, "'created_at' of open_electricity"),
        (Fault.OTHER_ZONE, SourceAnswerError, "asked for NSW1 and answered with 'VIC1'"),
        (Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number"),
        (Fault.OTHER_UNIT, SourceAnswerError, "emissions in 'kt' instead of t"),
        (Fault.COARSER, SourceAnswerError, "asked for intervals of 1h and answered with '1d'"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_what_can_not_be_trusted_is_an_error(
    fake: FakeOpenElectricity,
    source: OpenElectricitySource,
    fault: Fault,
    error: type[Exception],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    fake.fault = fault
    for ask in (source.latest, lambda now: source.history(now - HOUR, now)):
        with pytest.raises(error, match=reason) as caught:
            ask(NOW)
        assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {source!r} {caplog.text}"


@pytest.mark.parametrize("fault", [f for f in TRANSPORT if f is not Fault.SLOW_DRIP], ids=lambda f: f.name)
def test_a_broken_connection_gives_an_error_or_the_truth(
    fake: FakeOpenElectricity, source: OpenElectricitySource, fault: Fault
) -> None:
    fake.fault = fault
    if fault in HARMLESS:
        series = source.history(NOW - HOUR, NOW)
        assert len(series) == 1
        assert all(fake.is_true(sample) for sample in series)
    else:
        with pytest.raises((SourceUnavailableError, SourceAnswerError), match="/v4/data/network/NEM") as caught:
            source.history(NOW - HOUR, NOW)
        assert KEY not in str(caught.value)


def test_a_revised_value_replaces_the_old_one(fake: FakeOpenElectricity, source: OpenElectricitySource) -> None:
    fake.fault = Fault.REVISED
    before = source.history(NOW - HOUR, NOW)
    fake.fault = None
    after = source.history(NOW - HOUR, NOW)
    assert not any(fake.is_true(sample) for sample in before)
    assert all(fake.is_true(sample) for sample in after)


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
