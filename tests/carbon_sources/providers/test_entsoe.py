"""ENTSO-E, played by a server with a small grid of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from carbon_sources.answers.entsoe import MOST_BYTES, Quarters
from carbon_sources.answers.entsoe_zones import EIC as ZONES
from carbon_sources.answers.entsoe_zones import eic_of, is_eic
from carbon_sources.answers.reading import Parsed
from carbon_sources.errors import CarbonSourceError, SourceAccessError, SourceAnswerError, UnknownZoneError
from carbon_sources.intensity import Basis, Provenance
from carbon_sources.providers.entsoe import EntsoeSource, generation_request, parse
from carbon_sources.secrets import Secret, Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import FakeProvider, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.entsoe import EIC, HOUR, TOKEN, FakeEntsoe, zipped

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def fake() -> FakeEntsoe:
    return FakeEntsoe()


@pytest.fixture
def server(fake: FakeEntsoe) -> Iterator[FakeProvider]:
    with fake_provider(fake.reply) as server:
        yield server
    assert fake.violations == []


@pytest.fixture
def source(fake: FakeEntsoe, server: FakeProvider) -> EntsoeSource:
    return fake.source(client(), server.url)


class TestEntsoe(CarbonSourceConformance):
    @pytest.fixture
    def case(self, source: EntsoeSource) -> SourceCase:
        return SourceCase(source, NOW - 2 * DAY, NOW, source)


def document(*series: str) -> bytes:
    return f'<GL_MarketDocument xmlns="urn:x"><type>A75</type>{"".join(series)}</GL_MarketDocument>'.encode()


def a_series(*periods: str, code: str = "B04", curve: str = "A03", domain: str = "in", unit: str = "MAW") -> str:
    return (
        f"<TimeSeries><{domain}BiddingZone_Domain.mRID>{EIC}</{domain}BiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<MktPSRType><psrType>{code}</psrType></MktPSRType>{''.join(periods)}</TimeSeries>"
    )


def a_period(
    points: dict[int, object], *, resolution: str = "PT15M", start: datetime = MIDNIGHT, hours: int = 1
) -> str:
    ends = f"<start>{start:%Y-%m-%dT%H:%MZ}</start><end>{start + hours * HOUR:%Y-%m-%dT%H:%MZ}</end>"
    listed = "".join(
        f"<Point><position>{place}</position><quantity>{quantity}</quantity></Point>"
        for place, quantity in points.items()
    )
    return f"<Period><timeInterval>{ends}</timeInterval><resolution>{resolution}</resolution>{listed}</Period>"


def hours_of(body: bytes) -> dict[datetime, dict[str, float | None]]:
    quarters = Quarters()
    assert parse(body, EIC, quarters) is None
    return {hour: dict(amounts) for hour, amounts in quarters.hours()}


def test_what_an_acknowledgement_says_controls_no_terminal() -> None:
    said = "<Acknowledgement_MarketDocument><Reason><code>1&#x9b;31m</code><text>no&#x9b;2J&#x202e;pe</text></Reason></Acknowledgement_MarketDocument>"
    found = parse(said.encode(), EIC, Quarters())
    assert found is not None
    assert (found.code, found.text) == ("131m", "no2Jpe")


def test_a_curve_that_omits_repeats_is_filled_to_the_end_of_its_period() -> None:
    # Quarters 5120, 5120, 5230, 5230.
    read = hours_of(document(a_series(a_period({1: 5120, 3: 5230}))))
    assert read == {MIDNIGHT: {"B04": (2 * 5120 + 2 * 5230) / 4}}


def test_a_curve_that_lists_all_is_not_filled() -> None:
    assert hours_of(document(a_series(a_period({1: 5120, 3: 5230}), curve="A01"))) == {MIDNIGHT: {"B04": None}}
    # A curve that says nothing at its begin says nothing until its first point.
    assert hours_of(document(a_series(a_period({2: 5120})))) == {MIDNIGHT: {"B04": None}}
    assert hours_of(document(a_series(a_period({})))) == {}


def test_resolutions_may_change_within_a_series_and_no_energy_is_lost() -> None:
    periods = [
        a_period({1: 100, 2: 200, 3: 300, 4: 400}),
        a_period({1: 100, 2: 300}, resolution="PT30M", start=MIDNIGHT + HOUR),
        a_period({1: 700}, resolution="PT60M", start=MIDNIGHT + 2 * HOUR, hours=2),
    ]
    energy = [amounts["B04"] for _, amounts in sorted(hours_of(document(a_series(*periods))).items())]
    # MWh of each hour: (100 + 200 + 300 + 400) / 4, (100 + 300) / 2, 700, 700.
    assert energy == [250, 200, 700, 700]


def test_pumping_is_no_generation() -> None:
    series = (a_series(a_period({1: 100})), a_series(a_period({1: 900}), code="B10", domain="out"))
    assert hours_of(document(*series)) == {MIDNIGHT: {"B04": 100}}


def test_points_that_contradict_each_other_or_stand_outside_are_left_out() -> None:
    quarters = Quarters()
    period = a_period({1: 100, 2: "x", 5: 7}).replace("</Period>", "<Point><position>1</position></Point></Period>")
    parse(
        document(a_series(period), a_series(a_period({1: 1}), code="B05"), a_series(a_period({1: 2}), code="B05")),
        EIC,
        quarters,
    )
    assert dict(quarters.hours().at(MIDNIGHT)) == {"B04": None, "B05": None}
    assert set(quarters.remarks) == {
        "values are missing or no numbers",
        "values came twice",
        "values came twice and differ, so they were left out",
        "values outside of their period were left out",
    }


def test_a_sample_is_the_mean_mix_of_its_hour() -> None:
    start = MIDNIGHT - 8 * DAY
    gas = a_series(a_period({1: 3000}, start=start, hours=8 * 24 + 1))
    wind = a_series(a_period({1: 500, 8 * 96 + 3: 1500}, start=start, hours=8 * 24 + 1), code="B19")
    storage = a_series(a_period({1: 900}, start=start, hours=8 * 24 + 1), code="B10")
    with fake_provider(lambda _: Reply(document(gas, wind, storage))) as server:
        samples = [
            EntsoeSource(
                client(),
                Secrets({"T": TOKEN}),
                zone=EIC,
                basis=basis,
                token_env="T",  # noqa: S106 -- a name
                base_url=server.url + "/",
            ).latest(MIDNIGHT + 2 * HOUR)
            for basis in Basis
        ]
    # In the last hour the wind blows with 500 for two quarters and with 1500 for two: 1000. Storage counts nothing.
    lifecycle, direct = (sample for sample in samples if sample is not None)
    assert lifecycle.g_per_kwh == pytest.approx((3000 * 490 + 1000 * 11) / 4000)
    assert direct.g_per_kwh == pytest.approx(3000 * 394 / 4000)
    assert (lifecycle.zone, lifecycle.source, lifecycle.provenance) == (EIC, "entsoe", Provenance.MEASURED)
    assert "imports ignored" in lifecycle.method


def test_every_value_is_what_the_world_was_like(fake: FakeEntsoe, source: EntsoeSource) -> None:
    series = source.history(NOW - 3 * DAY, NOW)
    assert all(fake.is_true(sample) for sample in series)
    # At 12:10 the hour from 10:00 is there but for the hard coal; that from 9:00 is whole.
    assert series.samples[-1].interval.end == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert len(series) == 70
    assert source.remarks() == ()


def test_a_question_carries_the_token_in_a_header() -> None:
    request = generation_request("https://x", EIC, token=Secret(TOKEN), start=MIDNIGHT, end=MIDNIGHT + HOUR)
    assert dict(request.params) == {
        "documentType": "A75",
        "processType": "A16",
        "in_Domain": "10Y1001A1001A82H",
        "periodStart": "202611210000",
        "periodEnd": "202611210100",
    }
    assert request.headers["SECURITY_TOKEN"] == TOKEN
    assert TOKEN not in repr(request)


def test_a_long_history_is_asked_for_in_pieces(server: FakeProvider, source: EntsoeSource) -> None:
    assert len(source.history(NOW - 30 * DAY, NOW)) == 30 * 24 - 2
    # 30 days and the week before, which is longer than the 31 days of one piece.
    assert len(server.asked) == 2


def test_a_question_that_is_too_long_is_cut_until_it_is_answered(
    fake: FakeEntsoe, server: FakeProvider, source: EntsoeSource
) -> None:
    whole = source.history(NOW - DAY, NOW)
    fake.longest = 3 * DAY
    assert source.history(NOW - DAY, NOW) == whole
    # 8 days and an hour are refused, so are 4 days and 4 days and an hour: 3 refusals for 4 answers, after the first question.
    assert len(server.asked) == 1 + 3 + 4
    fake.longest = HOUR
    with pytest.raises(SourceAnswerError, match="even a day"):
        source.history(NOW - DAY, NOW)


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not XML"),
        (b"{}", "not XML"),
        (b"<a>", "not XML"),
        (b"\xff\xfe<\x00a\x00/\x00>\x00", "not XML in UTF-8"),
        (ENTITY.encode(), "declares types or entities"),
        (ENTITY.encode("utf-16"), "not XML in UTF-8"),
        (b"<a>" * 200_000, "not XML"),
        (b"<a/>", "a document named 'a'"),
        (b"<GL_MarketDocument><type>A65</type></GL_MarketDocument>", "type 'A65' instead of A75"),
        (document(a_series(a_period({1: 1}), unit="KWT")), "'KWT' instead of MAW"),
        (document("<TimeSeries/>"), "has no 'quantity_Measure_Unit.name'"),
        (document(a_series("<Period/>")), "no 'timeInterval'"),
        (document(a_series(a_period({1: 1}, hours=0))), "impossible period"),
        (
            document(a_series(a_period({1: 1}, start=datetime(1, 1, 1, tzinfo=UTC)))),
            "should be an instant|impossible period",
        ),
        (document(a_series(a_period({1: 1}, hours=24 * 366 * 100))), "more steps than"),
        (
            document(a_series(a_period({1: 1}).replace("<position>1<", "<position>1e3<"))),
            "'position' should be a number",
        ),
        (b"PK\x03\x04 and nothing", "broken archive"),
        (zipped(), "not XML"),
        (zipped(ENTITY.encode()), "declares types or entities"),
        (zipped(*[b"<a/>"] * 101), "archive of 101 XML documents"),
        (zipped(b" " * (MOST_BYTES + 1)), "archive of more than"),
    ],
    ids=range(21),
)
def test_a_document_outside_the_contract_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(SourceAnswerError, match=message):
        parse(body, EIC, Quarters())


@pytest.mark.parametrize("curve", ["A02", "A04"])
def test_a_curve_of_another_type_is_left_out_and_said(curve: str) -> None:
    quarters = Quarters()
    parse(document(a_series(a_period({1: 1}), curve=curve)), EIC, quarters)
    assert list(quarters.remarks) == [f"curves of the unknown type '{curve}' were left out"]


def test_all_documents_of_an_archive_are_read() -> None:
    archive = zipped(document(a_series(a_period({1: 1}))), document(a_series(a_period({1: 2}), code="B05")))
    assert hours_of(archive) == {MIDNIGHT: {"B04": 1, "B05": 2}}


@pytest.mark.parametrize(("status", "text"), [(400, "Delivered time interval is not valid"), (200, "anything else")])
def test_any_other_acknowledgement_is_an_error_that_quotes_it(status: int, text: str) -> None:
    said = f"<Acknowledgement_MarketDocument><Reason><code>999</code><text>{text} {TOKEN}</text></Reason></Acknowledgement_MarketDocument>"
    with (
        fake_provider(lambda _: Reply(said.encode(), status)) as server,
        pytest.raises(SourceAnswerError, match=text) as caught,
    ):
        FakeEntsoe().source(client(), server.url).latest(NOW)
    assert TOKEN not in str(caught.value)


def test_a_refusal_that_is_no_document_is_an_error() -> None:
    with (
        fake_provider(lambda _: Reply(document(), 400)) as server,
        pytest.raises(SourceAnswerError, match="answered 400"),
    ):
        FakeEntsoe().source(client(), server.url).latest(NOW)
    with fake_provider(lambda _: Reply(b" ")) as server, pytest.raises(SourceAnswerError, match="empty body"):
        FakeEntsoe().source(client(), server.url).latest(NOW)


def test_zones_are_named_or_given_by_a_code_whose_check_character_is_right() -> None:
    assert all(is_eic(code) for code in ZONES.values())
    assert eic_of("DE_LU") == eic_of("10Y1001A1001A82H") == "10Y1001A1001A82H"
    # Italy's south, which has no name here.
    assert eic_of("10Y1001A1001A788") == "10Y1001A1001A788"
    for wrong in ("DE", "10Y1001A1001A82I", "10Y1001A1001A82", "10y1001a1001a82h"):
        with pytest.raises(UnknownZoneError, match="DE_LU"):
            eic_of(wrong)


def test_without_a_token_there_is_no_source() -> None:
    with pytest.raises(SourceAccessError, match="MY_TOKEN"):
        EntsoeSource(client(), Secrets({}), zone="FR", token_env="MY_TOKEN")  # noqa: S106 -- a name


def test_mutated_documents_raise_errors_of_this_package_only(fake: FakeEntsoe) -> None:
    rng = random.Random(3)  # noqa: S311 -- a test
    strange = [
        b"",
        b"<",
        b"0001-01-01T00:00Z",
        b"9999-12-31T23:45Z",
        b"PT0M",
        b"P9999Y",
        b"-1",
        b"9" * 30,
        b"&#0;",
        b"\x00",
        b"\xff",
    ]
    for target in fake.fuzz_targets():
        healthy_answer = cast("Parsed", target.parse(target.document))
        assert bool(healthy_answer.samples) == (target.name != "entsoe acknowledgement")
        healthy = bytes(target.document)  # type: ignore[call-overload]
        for _ in range(60):
            place = rng.randrange(len(healthy))
            spoilt = healthy[:place] + rng.choice(strange) + healthy[place + rng.randrange(20) :]
            try:
                target.parse(spoilt)
            except CarbonSourceError:
                continue
