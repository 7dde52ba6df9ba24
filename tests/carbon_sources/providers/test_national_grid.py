"""Great Britain's provider, played by a server that answers as the real one does and does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carbon_sources.answers.national_grid import parse_national
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.national_grid import NationalGridSource, forecast_path, range_path, range_paths
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client, wave
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid

HALF = timedelta(minutes=30)
DAY = timedelta(days=1)
GB = Identity("national_grid", "GB", IntensityKind.AVERAGE, Basis.DIRECT)


@pytest.fixture
def national() -> FakeNationalGrid:
    return FakeNationalGrid()


@pytest.fixture
def source(national: FakeNationalGrid) -> Iterator[NationalGridSource]:
    with fake_provider(national.reply) as server:
        yield national.source(client(), server.url + "/")
    assert national.violations == []


class TestNation(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: NationalGridSource) -> SourceCase:
        return SourceCase(source, NOW - timedelta(days=20), NOW, source)


def row(start: datetime, forecast: object, actual: object) -> dict[str, Any]:
    stamps = [instant.strftime("%Y-%m-%dT%H:%MZ") for instant in (start, start + HALF)]
    intensity = {"forecast": forecast, "actual": actual, "index": "moderate"}
    return {"from": stamps[0], "to": stamps[1], "intensity": intensity}


def test_the_running_half_hour_is_the_providers_estimate(source: NationalGridSource) -> None:
    sample = source.latest(NOW)
    assert sample is not None
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)
    # The fake expects 7 g/kWh more than there will be.
    assert (sample.g_per_kwh, sample.provenance) == (wave(start) + 7, Provenance.ESTIMATED)
    assert sample.interval == Interval(start, start + HALF)
    assert source.remarks() == ()


def test_history_holds_measured_values_only(source: NationalGridSource) -> None:
    series = source.history(NOW - timedelta(hours=1), NOW + timedelta(hours=3))
    # 11:00 is known. 11:30 has ended ten minutes ago, and its value takes twenty; 12:00 is still running.
    assert [s.g_per_kwh for s in series] == [wave(datetime(2026, 11, 21, 11, tzinfo=UTC))]
    assert {s.provenance for s in series} == {Provenance.MEASURED}


def test_a_month_is_asked_for_in_pieces_below_the_limit(national: FakeNationalGrid) -> None:
    with fake_provider(national.reply) as server:
        series = national.source(client(), server.url).history(NOW - timedelta(days=30), NOW)
    assert len(server.paths) == 3
    # 30 days of 48, from the one that 12:10 lies in; the last one, of 11:30, is not there yet.
    assert len(series) == 30 * 48 - 1
    assert national.violations == []


def test_paths_are_written_in_minutes_of_utc() -> None:
    start = datetime(2026, 1, 2, 3, 4, 59, tzinfo=UTC)
    assert range_path(start, start + HALF) == "/intensity/2026-01-02T03:04Z/2026-01-02T03:34Z"
    assert forecast_path(start) == "/intensity/2026-01-02T03:04Z/fw48h"
    assert range_paths(NOW, NOW) == []
    assert len(range_paths(NOW - timedelta(days=26), NOW)) == 2


def test_a_forecast_is_of_the_time_from_now(source: NationalGridSource) -> None:
    forecast = source.forecast(NOW)
    assert forecast is not None
    assert forecast.issued_at == NOW
    # From 12:00 to 12:00 in two days, both half hours included.
    assert len(forecast.series) == 97
    assert {s.provenance for s in forecast.series} == {Provenance.ESTIMATED}
    assert source.remarks() == ()


def test_a_forecast_for_the_past_is_none_because_it_was_overwritten_since(
    national: FakeNationalGrid, source: NationalGridSource
) -> None:
    national.now = NOW + timedelta(days=2)
    assert source.forecast(NOW) is None
    assert any("measured since" in remark for remark in source.remarks())


def test_a_clock_that_is_ten_minutes_wrong_changes_nothing(
    national: FakeNationalGrid, source: NationalGridSource
) -> None:
    expected = source.latest(NOW), source.history(NOW - DAY, NOW - timedelta(hours=1))
    national.now = NOW + timedelta(minutes=10)
    assert (source.latest(NOW), source.history(NOW - DAY, NOW - timedelta(hours=1))) == expected
    assert source.remarks() == ()


def test_a_clock_that_is_an_hour_slow_is_remarked(national: FakeNationalGrid, source: NationalGridSource) -> None:
    national.now = NOW + timedelta(hours=1)
    source.latest(NOW)
    assert any("clock of this machine slow" in remark for remark in source.remarks())


def test_nulls_zeros_and_impossible_values_are_gaps() -> None:
    start = NOW - 6 * HALF
    values = [100, None, 0, -5, 4366, 101]
    parsed = parse_national({"data": [row(start + i * HALF, 185, v) for i, v in enumerate(values)]}, GB).measured
    assert [s.g_per_kwh for s in parsed.samples] == [100.0, 101.0]
    remarks = " ".join(parsed.remarks)
    for part in ("zeros stand", "-5 g/kWh", "4366 g/kWh", "before the newest value have none"):
        assert part in remarks


def test_rows_that_contradict_each_other_are_a_gap_and_others_count_once() -> None:
    rows = [row(NOW - HALF, 1, 3), row(NOW - 2 * HALF, 1, 2), row(NOW - HALF, 1, 3), row(NOW - 2 * HALF, 1, 4)]
    halves = parse_national({"data": rows}, GB)
    assert [s.g_per_kwh for s in halves.measured.samples] == [3.0]
    assert [s.g_per_kwh for s in halves.expected.samples] == [1.0, 1.0]
    remarks = " ".join(halves.measured.remarks)
    for part in ("different values", "came twice (2 times)", "out of order"):
        assert part in remarks


def test_a_past_forecast_never_stands_in_for_a_measured_value() -> None:
    rows = [row(NOW - timedelta(hours=3), 100, 90), row(NOW - timedelta(hours=2), 100, None)]
    with fake_provider(lambda _: Reply.json({"data": rows})) as server:
        source = NationalGridSource(client(), base_url=server.url)
        sample = source.latest(NOW)
    assert sample is not None
    assert (sample.g_per_kwh, sample.provenance) == (90.0, Provenance.MEASURED)
    assert any("the newest value is old" in remark for remark in source.remarks())


def test_periods_of_another_length_are_taken_as_they_are_and_remarked() -> None:
    hourly = row(NOW, 5, 6) | {"to": (NOW + 2 * HALF).strftime("%Y-%m-%dT%H:%MZ")}
    parsed = parse_national({"data": [hourly]}, GB).measured
    assert parsed.samples[0].interval.duration == 2 * HALF
    assert "last 1:00:00" in parsed.remarks[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "should be an object but is missing"),
        ([], "should be an object"),
        ({"data": {"from": "x"}}, "should be a list"),
        ({"error": {"code": "400 Bad Request", "message": "bad date"}}, "bad date"),
        ({"error": 7}, "without a reason"),
        ({"data": [7]}, "should be an object"),
        ({"data": [{"from": "2026-01-01T00:00Z"}]}, "should be a text but is missing"),
        ({"data": [{"from": 5, "to": 6, "intensity": {}}]}, "should be a text"),
        ({"data": [row(NOW, "183", None)]}, "should be a number"),
        ({"data": [row(NOW, 1, [1])]}, "should be a number"),
        ({"data": [row(NOW, 1, 2) | {"intensity": None}]}, "should be an object"),
        ({"data": [row(NOW, 1, 2) | {"to": "2026-11-21T12:10Z"}]}, "end after it starts"),
        ({"data": [row(NOW, 1, 2) | {"from": "2026-11-21T12:00"}]}, "should be an instant"),
        ({"data": [row(NOW, 1, 2), row(NOW + HALF / 2, 1, 2)]}, "overlap"),
    ],
)
def test_an_answer_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse_national(answer, GB)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429, headers={"Retry-After": "1"}), SourceUnavailableError),
        (Reply.json({"error": {"code": "500 Internal Server Error"}}, 500), SourceUnavailableError),
        (Reply.json({"error": {"code": "400 Bad Request", "message": "bad date"}}, 400), SourceAnswerError),
        (Reply(b"<html>", 403, {"Content-Type": "text/html"}), SourceAccessError),
        (Reply(b"<html>", 200, {"Content-Type": "text/html"}), SourceAnswerError),
        (Reply(b""), SourceAnswerError),
        (Reply(reset=True), SourceUnavailableError),
        (Reply(b'{"data":[', truncated=True), SourceUnavailableError),
    ],
    ids=["429", "500", "400", "HTML 403", "HTML", "empty", "reset", "truncated"],
)
def test_a_provider_that_fails_gives_an_error_and_no_number(reply: Reply, error: type[Exception]) -> None:
    with fake_provider(lambda _: reply) as server, pytest.raises(error):
        NationalGridSource(client(), base_url=server.url).latest(NOW)
