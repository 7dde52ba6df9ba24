"""Great Britain's provider, played by a server that answers as the real one does and does not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.http import HttpClient, HttpLimits
from carbon_sources.intensity import Provenance
from carbon_sources.providers.national_grid import NationalGridSource, parse, range_paths
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Asked, Reply, fake_provider

NOW = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)
HALF = timedelta(minutes=30)


def client() -> HttpClient:
    return HttpClient(rng=random.Random(0), wait=lambda _: None, limits=HttpLimits(attempts=2))  # noqa: S311 -- spreads retries


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%MZ")


def row(start: datetime, forecast: object, actual: object) -> dict[str, object]:
    return {
        "from": stamp(start),
        "to": stamp(start + HALF),
        "intensity": {"forecast": forecast, "actual": actual, "index": "moderate"},
    }


def provider(asked: Asked, present: datetime = NOW) -> Reply:
    """Answer as the provider does at `present`: forecast 150 and actual 160 plus the number of the half hour of the day."""
    start, end = (datetime.strptime(t, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC) for t in _ends(asked.path))
    half = start.replace(minute=start.minute // 30 * 30)
    rows = []
    while half <= end:
        slot = half.hour * 2 + half.minute // 30
        known = half + HALF <= present
        rows.append(row(half, 150 + slot, 160 + slot if known else None))
        half += HALF
    return Reply.json({"data": rows})


def _ends(path: str) -> tuple[str, str]:
    stamps = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", path)
    if path.endswith("/fw48h"):
        # Fewer hours than asked for, as it often happens.
        stamps.append(stamp(datetime.fromisoformat(stamps[0]) + timedelta(hours=30)))
    return stamps[0], stamps[1]


@pytest.fixture
def source() -> Iterator[NationalGridSource]:
    with fake_provider(provider) as server:
        yield NationalGridSource(client(), base_url=server.url + "/")


def answering(*replies: Reply) -> NationalGridSource:
    """A source whose provider gives these replies in turn without a network between them."""
    with fake_provider(lambda _: replies[0]) as server:
        answer = client().get_json(server.url)

    class Canned(HttpClient):
        def get_json(self, url: str, params: object = None, headers: object = None) -> object:
            return answer

    return NationalGridSource(Canned(rng=random.Random(0)))  # noqa: S311 -- spreads retries


class TestNationalGrid(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: NationalGridSource) -> SourceCase:
        return SourceCase(source, NOW - timedelta(days=20), NOW, source)


def test_the_running_half_hour_is_the_providers_estimate(source: NationalGridSource) -> None:
    sample = source.latest(NOW)
    assert sample is not None
    # 12:00 is the 24th half hour: forecast 150 + 24.
    assert (sample.g_per_kwh, sample.provenance) == (174.0, Provenance.ESTIMATED)
    assert sample.interval.contains(NOW)


def test_history_holds_measured_values_only(source: NationalGridSource) -> None:
    series = source.history(NOW - timedelta(hours=1), NOW + timedelta(hours=3))
    # 11:00 and 11:30 are the 22nd and 23rd half hour: actual 160 + slot. 12:00 is still running.
    assert [s.g_per_kwh for s in series] == [182.0, 183.0]
    assert {s.provenance for s in series} == {Provenance.MEASURED}


def test_a_month_is_asked_for_in_pieces_below_the_limit() -> None:
    with fake_provider(provider) as server:
        source = NationalGridSource(client(), base_url=server.url)
        series = source.history(NOW - timedelta(days=30), NOW)
    assert len(server.paths) == 3
    # 30 days of 48, and the half hour that 12:10 lies in at the far end; the running one is not measured.
    assert len(series) == 30 * 48
    assert range_paths(NOW, NOW) == []


def test_a_forecast_may_be_shorter_than_asked_for(source: NationalGridSource) -> None:
    forecast = source.forecast(NOW)
    assert forecast is not None
    assert forecast.issued_at == NOW
    assert len(forecast.series) == 61
    assert {s.provenance for s in forecast.series} == {Provenance.ESTIMATED}


def test_a_forecast_for_the_past_is_none_because_it_was_overwritten_since() -> None:
    with fake_provider(lambda asked: provider(asked, present=NOW + timedelta(days=2))) as server:
        assert NationalGridSource(client(), base_url=server.url).forecast(NOW) is None


@pytest.mark.parametrize("empty", [{}, {"data": []}], ids=str)
def test_an_empty_answer_is_no_value_and_no_error(empty: object) -> None:
    source = answering(Reply.json(empty))
    assert source.latest(NOW) is None
    assert source.forecast(NOW) is None
    assert len(source.history(NOW - HALF, NOW)) == 0


def test_nulls_zeros_and_impossible_values_are_gaps(caplog: pytest.LogCaptureFixture) -> None:
    start = NOW - 6 * HALF
    values = [100, None, 0, -5, 4366, 101]
    source = answering(Reply.json({"data": [row(start + i * HALF, 185, v) for i, v in enumerate(values)]}))
    series = source.history(start, NOW)
    assert [s.g_per_kwh for s in series] == [100.0, 101.0]
    assert len(caplog.records) == 3
    assert "-5 g/kWh" in caplog.text


def test_the_newest_measured_value_stands_in_where_there_is_no_estimate() -> None:
    rows = [row(NOW - timedelta(minutes=70), 100, 90), row(NOW - timedelta(minutes=10), None, None)]
    sample = answering(Reply.json({"data": rows})).latest(NOW)
    assert sample is not None
    assert (sample.g_per_kwh, sample.provenance) == (90.0, Provenance.MEASURED)
    assert not sample.interval.contains(NOW)


def test_a_past_forecast_never_stands_in_for_a_measured_value() -> None:
    assert answering(Reply.json({"data": [row(NOW - timedelta(hours=2), 100, None)]})).latest(NOW) is None


def test_order_and_repeats_do_not_matter() -> None:
    rows = [row(NOW - HALF, 1, 3), row(NOW - 2 * HALF, 1, 2), row(NOW - HALF, 1, 3)]
    assert [half.actual for half in parse({"data": rows})] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "nothing instead of an object"),
        ([], "a list instead of an object"),
        ({"data": {"from": "x"}}, "instead of a list"),
        ({"error": {"code": "400 Bad Request", "message": "bad date"}}, "bad date"),
        ({"data": [7]}, "can't be read"),
        ({"data": [{"from": "2026-01-01T00:00Z"}]}, "can't be read"),
        ({"data": [{"from": 5, "to": 6, "intensity": {}}]}, "expected a text"),
        ({"data": [row(NOW, "183", None)]}, "expected a number"),
        ({"data": [row(NOW, [1], None)]}, "expected a number"),
        ({"data": [row(NOW, 1, 2) | {"intensity": None}]}, "expected an object"),
        ({"data": [row(NOW, 1, 2) | {"to": stamp(NOW)}]}, "end after it starts"),
        ({"data": [row(NOW, 1, 2) | {"from": "2026-11-21T12:00"}]}, "no UTC offset"),
        ({"data": [row(NOW, 1, 2), row(NOW, 1, 3)]}, "twice and differently"),
        ({"data": [row(NOW, 1, 2), row(NOW + HALF / 2, 1, 2)]}, "overlap"),
    ],
)
def test_an_answer_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse(answer)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429, headers={"Retry-After": "1"}), SourceUnavailableError),
        (Reply.json({"error": {"code": "500 Internal Server Error"}}, 500), SourceUnavailableError),
        (Reply(b"<html>", 403, {"Content-Type": "text/html"}), SourceAccessError),
        (Reply(b"<html>", 200, {"Content-Type": "text/html"}), SourceAnswerError),
        (Reply(b""), SourceAnswerError),
        (Reply(reset=True), SourceUnavailableError),
        (Reply(b'{"data":[', truncated=True), SourceUnavailableError),
    ],
    ids=["429", "500", "HTML 403", "HTML", "empty", "reset", "truncated"],
)
def test_a_provider_that_fails_gives_an_error_and_no_number(reply: Reply, error: type[Exception]) -> None:
    with fake_provider(lambda _: reply) as server, pytest.raises(error):
        NationalGridSource(client(), base_url=server.url).latest(NOW)
