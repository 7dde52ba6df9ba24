"""The Carbon Aware SDK's Web API, played by a server that answers as the real one does and does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from carbon_sources.answers.carbon_aware_sdk import parse_emissions, read_duration, read_problem
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import (
    SourceAccessError,
    SourceAnswerError,
    SourceUnavailableError,
    UnknownZoneError,
)
from carbon_sources.intensity import Basis, IntensityKind, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.plugins import PluginGroup
from carbon_sources.providers.carbon_aware_sdk import (
    CarbonAwareSDKSource,
    emissions_request,
    forecast_request,
    range_pieces,
)
from carbon_sources.source import CarbonSource
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client, wave
from tests.carbon_sources.fakes.carbon_aware_sdk import FakeCarbonAwareSDK, problem, stamp
from tests.carbon_sources.fakes.faults import Fault

STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
ME = Identity("carbon_aware_sdk", "westus", IntensityKind.MARGINAL, Basis.DIRECT)
ASKED = Interval(NOW - 2 * HOUR, NOW)


@pytest.fixture
def fake() -> FakeCarbonAwareSDK:
    return FakeCarbonAwareSDK()


@pytest.fixture
def source(fake: FakeCarbonAwareSDK) -> Iterator[CarbonAwareSDKSource]:
    with fake_provider(fake.reply) as server:
        yield fake.source(client(), server.url + "/")
    assert fake.violations == []


class TestCarbonAwareSDK(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: CarbonAwareSDKSource) -> SourceCase:
        return SourceCase(source, NOW - timedelta(hours=30), NOW, source)


def row(start: datetime, rating: object, **others: object) -> dict[str, Any]:
    return {"location": "CAISO_NORTH", "time": stamp(start), "rating": rating, "duration": "00:05:00"} | others


def answering(reply: Reply, ask: Callable[[CarbonAwareSDKSource], object]) -> tuple[object, tuple[str, ...]]:
    """Ask a service that always gives this reply; return the answer and the remarks."""
    with fake_provider(lambda _: reply) as server:
        source = FakeCarbonAwareSDK().source(client(), server.url)
        return ask(source), source.remarks()


# Values


def test_ratings_are_grams_per_kilowatt_hour_and_estimates(source: CarbonAwareSDKSource) -> None:
    sample = source.latest(NOW)
    assert sample is not None
    # The newest five minutes that have been published for five minutes: from 12:05, known at 12:10.
    start = datetime(2026, 11, 21, 12, 5, tzinfo=UTC)
    assert sample.interval == Interval(start, start + STEP)
    # The provider behind it gives lb/MWh, and 1 lb is 453.59237 g.
    assert sample.g_per_kwh == pytest.approx(wave(start, mean=800, swing=200) * 0.45359237)
    assert (sample.zone, sample.provenance, sample.source) == ("westus", Provenance.ESTIMATED, "carbon_aware_sdk")
    assert source.remarks() == ()


def test_history_holds_what_overlaps(source: CarbonAwareSDKSource) -> None:
    series = source.history(NOW - HOUR + timedelta(minutes=2), NOW - timedelta(minutes=8))
    # 11:12 to 12:02: from the five minutes of 11:10 to those of 12:00.
    assert [s.interval.start.strftime("%H:%M") for s in series][:: len(series) - 1] == ["11:10", "12:00"]
    assert len(series) == 11


def test_an_hour_that_began_before_what_was_asked_for_belongs_to_it(
    fake: FakeCarbonAwareSDK, source: CarbonAwareSDKSource
) -> None:
    fake.fault = Fault.COARSER
    series = source.history(NOW - 3 * HOUR, NOW - 2 * HOUR)
    assert [s.interval.start.strftime("%H:%M") for s in series] == ["09:00", "10:00"]


def test_months_are_asked_for_in_pieces_of_at_most_thirty_days(fake: FakeCarbonAwareSDK) -> None:
    fake.fault = Fault.COARSER
    with fake_provider(fake.reply) as server:
        series = fake.source(client(), server.url).history(NOW - timedelta(days=61), NOW)
    assert len(server.paths) == 3
    # 61 days of 24 hours, one more that 12:10 lies in at the far end; the service publishes hours as they begin.
    assert len(series) == 61 * 24 + 1
    assert fake.violations == []


def test_questions_name_the_times_as_the_service_knows_them() -> None:
    request = emissions_request("http://here", "westus", Interval(NOW - HOUR, NOW))
    assert request.url == "http://here/emissions/bylocation"
    assert list(request.params) == [
        ("location", "westus"),
        ("time", "2026-11-21T11:10:00Z"),
        ("toTime", "2026-11-21T12:10:00Z"),
    ]
    assert list(forecast_request("http://here", "westus").params) == [("location", "westus")]
    assert range_pieces(NOW, NOW) == []
    # An hour that began at 10:30 overlaps what begins at 11:10.
    assert range_pieces(NOW - HOUR, NOW) == [Interval(NOW - 2 * HOUR, NOW)]
    assert max(piece.duration for piece in range_pieces(NOW - timedelta(days=100), NOW)) <= timedelta(days=30)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("00:05:00", STEP),
        ("01:00", HOUR),
        ("00:05:00.0000000", STEP),
        ("1.01:00:00", timedelta(hours=25)),
        (30, timedelta(minutes=30)),
        (5.0, STEP),
    ],
)
def test_durations_are_read_in_both_spellings(text: object, length: timedelta) -> None:
    assert read_duration(text, "a duration") == length


@pytest.mark.parametrize(
    "bad", ["", "5", "-00:05:00", "00:00:00", "PT5M", 0, -5, 1e300, 10**400, float("nan"), None, [], True]
)
def test_a_duration_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(SourceAnswerError, match="a duration"):
        read_duration(bad, "a duration")


# Answers


@pytest.mark.parametrize("reply", [Reply(b"", 204), Reply.json([])], ids=["204", "empty list"])
def test_nothing_is_no_value_and_no_error(reply: Reply) -> None:
    sample, remarks = answering(reply, lambda source: source.latest(NOW))
    assert sample is None
    assert "there is no recent value" in remarks[0]
    series, remarks = answering(reply, lambda source: source.history(NOW - HOUR, NOW))
    assert series == IntensitySeries(())
    assert "no values came" in remarks[0]
    forecast, remarks = answering(reply, lambda source: source.forecast(NOW))
    assert forecast is None
    assert "no forecast at 2026-11-21 12:10" in remarks[0]


def test_the_latest_in_place_of_what_was_asked_for_is_left_out_and_said() -> None:
    reply = Reply.json([row(NOW - STEP, 300)])
    series, remarks = answering(reply, lambda source: source.history(NOW - 9 * HOUR, NOW - 8 * HOUR))
    assert series == IntensitySeries(())
    assert any("'time' and 'toTime'" in remark for remark in remarks)


def test_rows_that_contradict_each_other_are_a_gap_and_others_count_once() -> None:
    rows = [row(NOW - STEP, 1), row(NOW - 2 * STEP, 2), row(NOW - STEP, 1), row(NOW - 2 * STEP, 3)]
    parsed = parse_emissions(rows, ME, ASKED).parsed
    assert [s.g_per_kwh for s in parsed.samples] == [1.0]
    for part in ("different values", "rows came twice (2 times)", "out of order"):
        assert part in " ".join(parsed.remarks)


def test_a_grid_region_is_no_oddity_but_a_change_of_it_is() -> None:
    grids = ["CAISO_NORTH"]

    def reply(_: object) -> Reply:
        return Reply.json(
            [row(NOW - (i + 1) * STEP, 300, location=grid) for i, grid in enumerate(reversed(grids))][::-1]
        )

    with fake_provider(reply) as server:
        source = FakeCarbonAwareSDK().source(client(), server.url)
        source.latest(NOW)
        assert source.remarks() == ()
        grids[:] = ["PACW"]
        source.latest(NOW)
        assert "the grid 'PACW', but usually 'CAISO_NORTH'" in source.remarks()[0]
        grids[:] = ["CAISO_NORTH", "LDWP"]
        source.latest(NOW)
        assert "the grid 'LDWP', but usually 'CAISO_NORTH'" in source.remarks()[0]
        grids[:] = ["CAISO_NORTH"]
        source.latest(NOW)
        assert source.remarks() == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "should be a list but is missing"),
        ({}, "should be a list"),
        ([7], "should be an object"),
        ([row(NOW - HOUR, "394.6")], "should be a number"),
        ([row(NOW - HOUR, 1, time="2026-11-21T12:00:00")], "should be an instant"),
        ([row(NOW - HOUR, 1, time=None)], "should be a text but is missing"),
        ([row(NOW - HOUR, 1, duration="soon")], "hh:mm:ss"),
        ([row(NOW - HOUR, 1, time="9999-12-31T23:59:00Z")], "impossible"),
        ([row(NOW - HOUR, 1, location=None)], "should be a text but is missing"),
        ([row(NOW - HOUR, 1), row(NOW - HOUR + STEP / 5, 1)], "overlap"),
    ],
)
def test_an_answer_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse_emissions(answer, ME, ASKED)


# Refusals


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (problem(400, "ArgumentException", "Unknown", location=["no such"]), UnknownZoneError, "'westus': .*no such"),
        (problem(400, "ArgumentException", "time is wrong", time=["x"]), SourceAnswerError, "400: .*time is wrong"),
        (problem(401, "HttpRequestException", "Invalid token"), SourceAccessError, "Invalid token. Check the cred"),
        (problem(403, "HttpRequestException", "no plan"), SourceAccessError, "403: .*no plan"),
        (problem(404, "HttpRequestException", "no data"), SourceAnswerError, "404: .*no data"),
        (problem(429, "HttpRequestException", "slow down"), SourceUnavailableError, "slow down"),
        (problem(500, "Exception", "outage"), SourceUnavailableError, "outage"),
        (problem(501, "NotImplementedException", "no emissions"), SourceAnswerError, "501: .*no emissions"),
        (Reply(b"<html>", 403, {"Content-Type": "text/html"}), SourceAccessError, "answered 403. Check"),
        (Reply(b"<html>", 200, {"Content-Type": "text/html"}), SourceAnswerError, "not JSON"),
        (Reply(b""), SourceAnswerError, "empty body"),
        (Reply(reset=True), SourceUnavailableError, "broke off"),
    ],
    ids=["location", "400", "401", "403", "404", "429", "500", "501", "HTML 403", "HTML", "empty", "reset"],
)
def test_a_refusal_is_an_error_with_its_reason(reply: Reply, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        answering(reply, lambda source: source.history(NOW - HOUR, NOW))


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"7", b'{"errors":7,"title":[],"detail":null}', b"[" * 100_000],
    ids=lambda body: str(body[:20]),
)
def test_a_refusal_without_a_reason_is_read_as_such(body: bytes) -> None:
    assert str(read_problem(body)) == ""


def test_a_reason_is_cut_and_printable() -> None:
    detail = "\x1b[31m" + "x" * 500
    assert str(read_problem(json.dumps({"detail": detail}).encode())) == ": [31m" + "x" * 156


def test_a_user_in_the_address_is_in_no_message(fake: FakeCarbonAwareSDK, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    fake.fault = Fault.BAD_TOKEN
    with fake_provider(fake.reply) as server:
        source = fake.source(client(), server.url.replace("http://", "http://me:hidden-word@"))
        for ask in (lambda: source.history(NOW - HOUR, NOW), lambda: source.latest(NOW), lambda: source.forecast(NOW)):
            with pytest.raises(SourceAccessError) as caught:
                ask()
            assert "hidden-word" not in f"{caught.value} {caught.value!r} {source!r} {source.remarks()} {caplog.text}"


# Options


def test_what_the_service_does_not_say_has_to_be_stated() -> None:
    options = PluginGroup("carbonnas.carbon_sources", CarbonSource).options("carbon_aware_sdk")
    with pytest.raises(ValidationError) as refused:
        options()
    assert {error["loc"][0] for error in refused.value.errors()} == {"base_url", "location", "kind", "basis"}
    stated = options(base_url="http://here", location="westus", kind="average", basis="lifecycle")
    assert stated.model_dump()["kind"] is IntensityKind.AVERAGE


def test_a_source_says_what_was_stated() -> None:
    source = CarbonAwareSDKSource(
        client(), base_url="http://here", location="eastus", kind=IntensityKind.AVERAGE, basis=Basis.LIFECYCLE
    )
    assert (source.zone, source.kind, source.basis) == ("eastus", IntensityKind.AVERAGE, Basis.LIFECYCLE)
