"""EIA, played by a server with a small grid of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_type_hints

import pytest
from pydantic import TypeAdapter, ValidationError

from carbon_sources.answers.eia import gather, parse_page
from carbon_sources.answers.reading import Parsed
from carbon_sources.errors import CarbonSourceError, SourceAccessError, SourceAnswerError
from carbon_sources.intensity import Basis, Provenance
from carbon_sources.providers.eia import EiaSource, page_request
from carbon_sources.secrets import Secret, Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Asked, FakeProvider, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.eia import HOUR, KEY, FakeEia

DAY = timedelta(days=1)


@pytest.fixture
def fake() -> FakeEia:
    return FakeEia()


@pytest.fixture
def server(fake: FakeEia) -> Iterator[FakeProvider]:
    with fake_provider(fake.reply) as server:
        yield server
    assert fake.violations == []


@pytest.fixture
def source(fake: FakeEia, server: FakeProvider) -> EiaSource:
    return fake.source(client(), server.url)


class TestEia(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: EiaSource) -> SourceCase:
        return SourceCase(source, NOW - 2 * DAY, NOW, source)


def row(period: str, code: str, value: object, **other: object) -> dict[str, object]:
    return {
        "period": period,
        "respondent": "CISO",
        "fueltype": code,
        "value": value,
        "value-units": "megawatthours",
        **other,
    }


def page(*rows: object, **other: object) -> dict[str, Any]:
    return {"response": {"total": str(len(rows)), "frequency": "hourly", "data": list(rows), **other}}


def week(hour: datetime, **amounts: object) -> list[dict[str, object]]:
    """The same mix in every hour of the week before and in the hour itself."""
    return [
        row(f"{hour - back * HOUR + HOUR:%Y-%m-%dT%H}", code, value)
        for back in range(169)
        for code, value in amounts.items()
    ]


def test_the_mix_is_priced_by_its_shares_of_positive_generation() -> None:
    hour = NOW.replace(minute=0) - 3 * HOUR
    rows = week(hour, NG="3000", WND="1000", SUN="-4", BAT="-500", PS="800")
    with fake_provider(lambda _: Reply.json(page(*rows))) as server:
        source = EiaSource(client(), Secrets({"EIA_API_KEY": KEY}), zone="CISO", base_url=server.url + "/")
        sample = source.latest(NOW)
        direct = EiaSource(
            client(), Secrets({"EIA_API_KEY": KEY}), zone="CISO", basis=Basis.DIRECT, base_url=server.url
        ).latest(NOW)
    assert sample is not None
    assert direct is not None
    # Gas 490 and wind 11 by 3 : 1; the sun at night, the battery and the pumped storage generate nothing.
    assert sample.g_per_kwh == pytest.approx((3000 * 490 + 1000 * 11) / 4000)
    assert direct.g_per_kwh == pytest.approx(3000 * 394 / 4000)
    assert (sample.provenance, sample.source) == (Provenance.MEASURED, "eia")
    assert sample.method == "mix priced with IPCC AR5 life-cycle medians (version 1), imports ignored"
    assert (sample.interval.start, sample.interval.duration) == (hour, HOUR)


def test_every_value_is_what_the_world_was_like(fake: FakeEia, source: EiaSource) -> None:
    series = source.history(NOW - 3 * DAY, NOW)
    assert all(fake.is_true(sample) for sample in series)
    # From 12:10, so the hour that begins at 12:00 three days before is the first. At 12:10 the newest with all of its fuels
    # ended at 9:00: 9:00 is there but for the wind, which comes an hour later.
    assert (series.samples[0].interval.start, series.samples[-1].interval.end) == (
        datetime(2026, 11, 18, 12, tzinfo=UTC),
        datetime(2026, 11, 21, 9, tzinfo=UTC),
    )
    assert len(series) == 69
    assert source.remarks() == ()


def test_a_question_names_the_ends_of_its_hours_and_carries_the_key_in_a_header() -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    request = page_request("https://api.eia.gov", "CISO", key=Secret(KEY), start=start, end=start + DAY, offset=0)
    assert ("start", "2026-11-20T01") in request.params
    assert ("end", "2026-11-21T00") in request.params
    assert request.headers == {"X-Api-Key": KEY}
    assert KEY not in repr(request) + str(request.params)


def test_pages_are_asked_for_until_all_rows_are_there(fake: FakeEia, server: FakeProvider, source: EiaSource) -> None:
    fake.page_rows = 500
    assert len(source.history(NOW - DAY, NOW)) == 21
    offsets = [int(asked.query["offset"][0]) for asked in server.asked]
    # 8 days and 12 fuels are about 2,300 rows.
    assert offsets == [0, 500, 1000, 1500, 2000]


def test_a_long_history_is_asked_for_in_pieces(fake: FakeEia, server: FakeProvider, source: EiaSource) -> None:
    fake.page_rows = 5000
    assert len(source.history(NOW - 40 * DAY, NOW)) == 40 * 24 - 3
    starts = {asked.query["start"][0] for asked in server.asked}
    # 40 days and the week before are 47: pieces of 30 and of 17.
    assert starts == {"2026-10-05T13", "2026-11-04T13"}


def test_the_providers_warning_is_passed_on() -> None:
    warning = {"warning": "incomplete return", "description": "The API can only return 5000 rows."}
    document = page(*week(NOW.replace(minute=0) - 3 * HOUR, NG="3000")) | {"warning": warning}
    with fake_provider(lambda _: Reply.json(document)) as server:
        source = EiaSource(client(), Secrets({"EIA_API_KEY": KEY}), zone="CISO", base_url=server.url)
        assert source.latest(NOW) is not None
    assert "incomplete return" in " ".join(source.remarks())


def test_rows_that_never_come_are_not_waited_for() -> None:
    def reply(asked: Asked) -> Reply:
        rows = week(NOW.replace(minute=0) - 3 * HOUR, NG="3000") if asked.query["offset"] == ["0"] else []
        return Reply.json({"response": {"total": "9999", "data": rows}})

    with fake_provider(reply) as server:
        source = EiaSource(client(), Secrets({"EIA_API_KEY": KEY}), zone="CISO", base_url=server.url)
        assert source.latest(NOW) is not None
    assert "only 169 of 9999 rows came" in " ".join(source.remarks())


def test_hours_that_are_not_over_are_no_measurement() -> None:
    rows = week(NOW.replace(minute=0) + HOUR, NG="3000")
    with fake_provider(lambda _: Reply.json(page(*rows))) as server:
        source = EiaSource(client(), Secrets({"EIA_API_KEY": KEY}), zone="CISO", base_url=server.url)
        sample = source.latest(NOW)
    assert sample is not None
    assert sample.interval.end == NOW.replace(minute=0)
    assert "not over yet" in " ".join(source.remarks())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "should be an object"),
        ({"error": "gone", "code": 404}, "error: 'gone'"),
        ({"error": 10**5000}, "int too large to show"),
        (page() | {"response": []}, "'response' should be an object"),
        (page(data=None), "'data' should be a list"),
        (page(total="many"), "'total' should be a number"),
        (page(total="1e300"), "'total' should be a number of rows"),
        (page(total=None), "'total' should be a number of rows"),
        (page(7), "a row of EIA's answer should be an object"),
        (page(row("2026-11-21T12:00", "NG", "1")), "should be an hour"),
        (page(row("2026-11-21T24", "NG", "1")), "should be an hour"),
        (page(row("0001-01-01T00", "NG", "1")), "should be an hour"),
        (page(row("2026-11-21T12", "NG", [1])), "'value' should be a number"),
        (page(row("2026-11-21T12", "NG", 10**400)), "too large"),
        (page(row("2026-11-21T12", "NG", "1") | {"value-units": None}), "'value-units' should be a text"),
        (page(row("2026-11-21T12", "NG", "1") | {"fueltype": 5}), "'fueltype' should be a text"),
    ],
)
def test_an_answer_outside_the_contract_is_refused(document: object, message: str) -> None:
    with pytest.raises(SourceAnswerError, match=message):
        parse_page(document, "CISO")


def test_a_value_that_is_no_number_costs_one_value() -> None:
    values = ["x", "", None, "1_0", "nan", "inf", "1e999", "-5.5", "8123", 7]
    read = parse_page(page(*(row(f"2026-11-21T{hour:02}", "NG", value) for hour, value in enumerate(values))), "CISO")
    assert [row.mwh for row in read.rows] == [None] * 6 + [float("inf"), -5.5, 8123.0, 7.0]
    generation, _ = gather([read])
    assert generation.at(read.rows[6].hour) == {"NG": None}


def test_without_a_key_there_is_no_source() -> None:
    with pytest.raises(SourceAccessError, match="MY_KEY"):
        EiaSource(client(), Secrets({}), zone="CISO", api_key_env="MY_KEY")


@pytest.mark.parametrize("zone", ["ciso", "", "CISO&x=1", 5])
def test_a_zone_that_can_not_be_a_respondent_is_no_option(zone: object) -> None:
    option = get_type_hints(EiaSource.__init__, include_extras=True)["zone"]
    with pytest.raises(ValidationError):
        TypeAdapter(option).validate_python(zone)


def test_mutated_documents_raise_errors_of_this_package_only(fake: FakeEia) -> None:
    rng = random.Random(3)  # noqa: S311 -- a test
    strange: list[object] = [
        None,
        [],
        {},
        "",
        "nan",
        "9" * 400,
        10**400,
        -1,
        1e308,
        True,
        "0001-01-01T00",
        "9999-12-31T23",
        "\ud800",
    ]
    for target in fake.fuzz_targets():
        assert cast("Parsed", target.parse(target.document)).samples
        response = cast("dict[str, Any]", target.document)["response"]
        for _ in range(300):
            rows = [dict(row) for row in response["data"]]
            for _ in range(3):
                spoilt = rng.choice(rows)
                spoilt[rng.choice(list(spoilt))] = rng.choice(strange)
            try:
                target.parse({"response": {**response, "data": rows}})
            except CarbonSourceError:
                continue
