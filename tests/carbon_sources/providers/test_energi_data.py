"""Denmark's provider: its contract, its values, and every way in which it was seen to fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.answers.energi_data import HISTORY, PROGNOSIS, parse
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import CarbonSourceError, SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.energi_data import EnergiDataSource, build_request
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import FakeProvider, fake_provider
from tests.carbon_sources.fakes.api import NOW, client, wave
from tests.carbon_sources.fakes.energi_data import DELAY, STEP, FakeEnergiData

HOUR = timedelta(hours=1)
IDENTITY = Identity("energi_data", "DK1", IntensityKind.AVERAGE, Basis.DIRECT)


@pytest.fixture
def fake() -> FakeEnergiData:
    return FakeEnergiData()


@pytest.fixture
def server(fake: FakeEnergiData) -> Iterator[FakeProvider]:
    with fake_provider(fake.reply) as running:
        yield running
    assert fake.violations == []


@pytest.fixture
def source(fake: FakeEnergiData, server: FakeProvider) -> EnergiDataSource:
    return fake.source(client(), server.url)


def row(minutes: int, value: object, zone: object = "DK1") -> dict[str, object]:
    """A row that begins that many minutes after midnight."""
    start = datetime(2026, 11, 21) + timedelta(minutes=minutes)  # noqa: DTZ001 -- as the provider writes it
    return {"Minutes5UTC": start.isoformat(), "PriceArea": zone, "CO2Emission": value}


def document(*rows: object, **others: object) -> dict[str, object]:
    return {"total": len(rows), "dataset": HISTORY, "records": list(rows)} | others


class TestEnergiData(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: EnergiDataSource) -> Iterator[SourceCase]:
        other = FakeEnergiData()
        other.altered_after = NOW
        with fake_provider(other.reply) as running:
            yield SourceCase(source, NOW - timedelta(days=2), NOW, other.source(client(), running.url))


class TestEnergiDataAskedAboutThePast(CarbonSourceConformance):
    """The servers have a future, and it differs after `NOW`."""

    @pytest.fixture
    def case(self, fake: FakeEnergiData, source: EnergiDataSource) -> Iterator[SourceCase]:
        other = FakeEnergiData()
        other.altered_after = NOW
        fake.now = other.now = NOW + timedelta(days=1)
        with fake_provider(other.reply) as running:
            yield SourceCase(source, NOW - timedelta(hours=3), NOW, other.source(client(), running.url))


def test_the_newest_value_is_the_last_that_came_with_its_delay(fake: FakeEnergiData, source: EnergiDataSource) -> None:
    sample = source.latest(NOW)
    assert sample is not None
    # 12:10 less 5 min of delay: the row of 12:00 to 12:05 is the last.
    assert sample.interval == Interval(NOW - DELAY - STEP, NOW - DELAY)
    assert (sample.g_per_kwh, sample.provenance) == (wave(NOW - DELAY - STEP), Provenance.MEASURED)
    assert (sample.zone, sample.kind, sample.basis) == ("DK1", IntensityKind.AVERAGE, Basis.DIRECT)
    assert sample.source in source.names
    assert source.remarks() == ()


def test_history_has_a_value_for_each_five_minutes(fake: FakeEnergiData, source: EnergiDataSource) -> None:
    series = source.history(NOW - HOUR - timedelta(minutes=3), NOW - HOUR)
    # 11:07 to 11:10 lies in the row of 11:05 alone.
    assert [s.interval for s in series] == [Interval(NOW - HOUR - STEP, NOW - HOUR)]
    assert all(fake.is_true(s) for s in source.history(NOW - timedelta(days=1), NOW))
    # 12:10 to 12:05 of the next day, 12 an hour.
    assert len(source.history(NOW - timedelta(days=1), NOW)) == 24 * 12 - 1
    assert source.remarks() == ()


def test_a_long_past_is_asked_for_in_pieces(server: FakeProvider, source: EnergiDataSource) -> None:
    series = source.history(NOW - timedelta(days=61), NOW)
    assert len(server.asked) == 2
    assert len(series) == 61 * 24 * 12 - 1


def test_the_request_is_in_utc_for_one_area_with_all_rows() -> None:
    request = build_request("https://x.example", HISTORY, "DK2", NOW + timedelta(seconds=1), NOW + HOUR + STEP / 300)
    assert request.url == "https://x.example/dataset/CO2Emis"
    assert dict(request.params) == {
        "start": "2026-11-21T12:10",
        "end": "2026-11-21T13:11",  # a second into the minute; the end is exclusive
        "timezone": "UTC",
        "filter": '{"PriceArea": ["DK2"]}',
        "columns": "Minutes5UTC,PriceArea,CO2Emission",
        "sort": "Minutes5UTC asc",
        "limit": "0",
    }


def test_the_repeated_hour_of_october_is_two_hours(fake: FakeEnergiData, source: EnergiDataSource) -> None:
    change = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 in Denmark, twice
    series = source.history(change, change + 2 * HOUR)
    assert [s.interval.start for s in series] == [change + i * STEP for i in range(24)]


def test_a_forecast_counts_as_issued_now_and_is_an_estimate(fake: FakeEnergiData, source: EnergiDataSource) -> None:
    now = NOW + timedelta(minutes=2)
    fake.now = now
    forecast = source.forecast(now)
    assert forecast is not None
    assert forecast.issued_at == now
    # 12:12 lies in the row of 12:10; 24 h from 12:12 end in the row of 12:10 tomorrow: 288 + 1.
    assert forecast.series.samples[0].interval == Interval(NOW, NOW + STEP)
    assert len(forecast.series) == 289
    assert {s.provenance for s in forecast.series} == {Provenance.ESTIMATED}
    assert source.remarks() == ()


def test_there_is_no_forecast_from_a_time_that_was_measured_since(
    fake: FakeEnergiData, source: EnergiDataSource
) -> None:
    fake.now = NOW + 2 * HOUR
    assert source.forecast(NOW) is None


def test_rows_of_the_other_area_are_left_out_where_ours_came_too() -> None:
    parsed = parse(document(row(0, 100), row(0, 200, "DK2"), row(5, 101)), IDENTITY)
    assert [s.g_per_kwh for s in parsed.samples] == [100.0, 101.0]
    assert parsed.remarks == ("energi_data: rows of 'DK2' came besides those of DK1; they were left out",)


def test_an_answer_that_was_cut_off_is_said() -> None:
    parsed = parse(document(row(0, 100), total=576), IDENTITY)
    assert parsed.remarks == ("energi_data: only 1 of 576 rows came; the rest is missing",)


def test_a_row_between_two_periods_is_a_gap() -> None:
    parsed = parse(document(row(0, 100), row(3, 100), row(5, 101)), IDENTITY)
    assert [s.g_per_kwh for s in parsed.samples] == [100.0, 101.0]
    assert "between two periods" in parsed.remarks[0]


def test_values_that_contradict_each_other_are_a_gap() -> None:
    parsed = parse(document(row(0, 100), row(5, 101), row(5, 102)), IDENTITY)
    assert [s.g_per_kwh for s in parsed.samples] == [100.0]
    assert len(parsed.remarks) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "should be an object but is missing"),
        ([], "should be an object"),
        (document(records={}), "'records' of energi_data should be a list"),
        (document(7), "a row of energi_data should be an object"),
        (document(row(0, 100), dataset="CO2EmisProg"), "dataset 'CO2EmisProg' instead of CO2Emis"),
        (document(row(0, value=True)), "should be a number"),
        (document(row(0, 100) | {"Minutes5UTC": "yesterday"}), "should be an instant"),
        (document({"PriceArea": "DK1", "CO2Emission": 3}), "'Minutes5UTC' of energi_data should be a text"),
        (document(row(0, 100) | {"Minutes5UTC": "9999-12-31T23:55:00"}), "impossible"),
        (document(row(0, 100), total="many"), "'total' of energi_data should be a number"),
    ],
)
def test_an_answer_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse(answer, IDENTITY)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just("0001-01-01T00:00:00+14:00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(field=st.sampled_from(["Minutes5UTC", "PriceArea", "CO2Emission", "records", "total", "dataset"]), value=JSON)
@settings(max_examples=150, deadline=None)
def test_no_answer_raises_anything_but_our_errors(field: str, value: object) -> None:
    answer: dict[str, Any] = document(row(0, 100), row(5, 101))
    target = answer["records"][0] if field in answer["records"][0] else answer
    target[field] = value
    for dataset in (HISTORY, PROGNOSIS):
        try:
            parsed = parse(answer, IDENTITY, dataset)
        except CarbonSourceError:
            continue
        assert all(0 < s.g_per_kwh <= 2000 for s in parsed.samples)
