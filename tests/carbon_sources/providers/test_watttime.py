"""WattTime, played by a server that answers as the real one does and does not."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from carbon_sources.answers.watttime import Signal, parse_token
from carbon_sources.errors import CarbonSourceError, SourceAccessError, UnknownZoneError
from carbon_sources.intensity import Basis, IntensityKind, IntensitySeries, Provenance
from carbon_sources.providers.watttime import WattTimeSource, range_pieces
from carbon_sources.secrets import Secrets
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.testing_server import Asked, FakeProvider, Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.faults import Fault
from tests.carbon_sources.fakes.watttime import MODEL, PASSWORD, USERNAME, FakeWattTime

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Played:
    """A fake, its server and a source that asks it."""

    def __init__(self, fake: FakeWattTime, server: FakeProvider, **options: Any) -> None:
        self.fake, self.server = fake, server
        self.source = fake.source(client(), server.url, **options)

    def history(self, hours: float) -> IntensitySeries:
        return self.source.history(self.fake.now - hours * HOUR, self.fake.now)

    def asked(self, path: str) -> list[Asked]:
        return [asked for asked in self.server.asked if asked.path == path]


@pytest.fixture
def played() -> Iterator[Played]:
    fake = FakeWattTime()
    with fake_provider(fake.reply) as server:
        yield Played(fake, server)
    assert fake.violations == []


class TestWattTime(CarbonSourceConformance):
    @pytest.fixture
    def case(self, played: Played) -> Iterator[SourceCase]:
        played.fake.ahead = 2 * HOUR
        other = FakeWattTime()
        other.ahead, other.later = 2 * HOUR, 99.0
        with fake_provider(other.reply) as server:
            yield SourceCase(played.source, NOW - timedelta(hours=30), NOW, other.source(client(), server.url))


def test_all_values_are_estimates_of_marginal_direct_emissions(played: Played) -> None:
    series = played.history(2)
    # From 10:10 to 12:10 there are 24 points; each is there once its five minutes are over.
    assert len(series) == 24
    assert all(played.fake.is_true(sample) for sample in series)
    kinds = {(s.provenance, s.kind, s.basis) for s in series}
    assert kinds == {(Provenance.ESTIMATED, IntensityKind.MARGINAL, Basis.DIRECT)}
    assert played.source.remarks() == ()


def test_the_average_signal_is_of_the_average_kind() -> None:
    secrets = Secrets({"WATTTIME_USERNAME": "u", "WATTTIME_PASSWORD": "p"})
    assert WattTimeSource(client(), secrets, zone="CAISO_NORTH", signal=Signal.CO2_AOER).kind is IntensityKind.AVERAGE


def test_the_newest_value_is_the_running_five_minutes(played: Played) -> None:
    now = played.fake.now = NOW + 3 * MINUTE
    sample = played.source.latest(now)
    assert sample is not None
    assert sample.interval.start == NOW
    assert played.fake.is_true(sample)
    assert played.asked("/v3/forecast")[0].query["horizon_hours"] == ["0"]


def test_a_forecast_reaches_as_far_as_asked_for(played: Played) -> None:
    forecast = played.source.forecast(NOW)
    assert forecast is not None
    assert forecast.issued_at == NOW
    # 72 hours of twelve points, and both ends count.
    assert len(forecast.series) == 72 * 12 + 1
    assert all(played.fake.is_true(sample) for sample in forecast.series)
    assert {sample.provenance for sample in forecast.series} == {Provenance.ESTIMATED}


def test_requests_name_region_signal_and_model_and_carry_a_token_in_the_header() -> None:
    fake = FakeWattTime()
    with fake_provider(fake.reply) as server:
        Played(fake, server, model=MODEL).history(1)
    login, data = server.asked
    assert login.path == "/login"
    assert data.path == "/v3/historical"
    assert data.query == {
        "region": ["CAISO_NORTH"],
        "signal_type": ["co2_moer"],
        "model": ["2024-08-01"],
        "start": ["2026-11-21T11:00:00+00:00"],
        "end": ["2026-11-21T12:09:59+00:00"],
        "include_imputed_marker": ["true"],
    }
    assert (data.header("Authorization") or "").startswith("Bearer jwt.")
    assert fake.violations == []


def test_a_long_span_is_asked_for_in_pieces_that_share_no_point(played: Played) -> None:
    series = played.history(31 * 24)
    assert len(played.asked("/v3/historical")) == 2
    assert len(series) == 31 * 288
    assert played.source.remarks() == ()
    assert played.source.history(NOW - timedelta(days=2), NOW).samples == series.samples[-2 * 288 :]


def test_pieces_stay_below_the_limit_and_leave_nothing_out_but_the_end() -> None:
    pieces = range_pieces(NOW - timedelta(days=61), NOW)
    assert pieces[0][0] == NOW - timedelta(days=61, minutes=10)
    assert pieces[-1][1] == NOW - timedelta(seconds=1)
    assert all(until - begin <= timedelta(days=30) for begin, until in pieces)
    assert [after[0] - before[1] for before, after in itertools.pairwise(pieces)] == [timedelta(seconds=1)] * 2


def test_an_empty_span_asks_nothing(played: Played) -> None:
    assert len(played.source.history(NOW, NOW)) == 0
    assert played.server.asked == []


def test_a_login_is_used_for_25_minutes(played: Played) -> None:
    for minutes in (0, 10, 25):
        played.fake.now = NOW + minutes * MINUTE
        assert played.source.latest(played.fake.now) is not None
    assert played.fake.logins == 1
    played.fake.now = NOW + 26 * MINUTE
    assert played.source.latest(played.fake.now) is not None
    assert played.fake.logins == 2
    assert played.source.remarks() == ()


def test_a_login_that_was_thought_younger_than_it_is_is_renewed_once(played: Played) -> None:
    # The past is asked for, so the age of the login is not known.
    played.source.history(NOW - 3 * HOUR, NOW - 2 * HOUR)
    played.fake.now = NOW + 40 * MINUTE
    assert len(played.source.history(NOW - 3 * HOUR, NOW - 2 * HOUR)) == 12
    assert played.fake.logins == 2
    assert any("logged in again" in remark for remark in played.source.remarks())
    played.source.history(NOW - 3 * HOUR, NOW - 2 * HOUR)
    assert played.source.remarks() == ()


def test_missing_credentials_are_an_error_that_names_the_variable() -> None:
    for held, missing in (
        ({"WATTTIME_USERNAME": "u"}, "WATTTIME_PASSWORD"),
        ({"WATTTIME_PASSWORD": "p"}, "WATTTIME_USERNAME"),
    ):
        with pytest.raises(SourceAccessError, match=missing):
            WattTimeSource(client(), Secrets(held), zone="CAISO_NORTH")


def test_a_region_that_does_not_exist_is_named() -> None:
    fake = FakeWattTime()
    with fake_provider(fake.reply) as server, pytest.raises(UnknownZoneError, match="region NOWHERE"):
        Played(fake, server, zone="NOWHERE").source.latest(NOW)


def test_a_refused_login_is_asked_for_once(played: Played) -> None:
    played.fake.fault = Fault.BAD_TOKEN
    with pytest.raises(SourceAccessError, match="WATTTIME_USERNAME and WATTTIME_PASSWORD"):
        played.source.latest(NOW)
    assert [asked.path for asked in played.server.asked] == ["/login"]


def test_a_new_login_that_is_refused_is_not_renewed(played: Played) -> None:
    played.fake.fault = Fault.HTML_REFUSAL
    with pytest.raises(SourceAccessError, match="right after a login"):
        played.source.latest(NOW)
    assert played.fake.logins == 1
    with pytest.raises(SourceAccessError, match="right after a login"):
        played.source.latest(NOW)
    assert played.fake.logins == 2


def test_a_plan_that_does_not_cover_the_region_costs_no_second_login(played: Played) -> None:
    played.fake.fault = Fault.PLAN_NOT_COVERED
    with pytest.raises(SourceAccessError, match=r"not covered by the plan .* CAISO_NORTH only"):
        played.source.latest(NOW)
    assert played.fake.logins == 1


def test_what_the_provider_warns_of_is_a_remark(played: Played) -> None:
    played.fake.warnings = [{"type": "EXAMPLE_WARNING", "message": "model \nis degraded"}]
    played.source.latest(NOW)
    assert played.source.remarks() == ("watttime: the provider warns: EXAMPLE_WARNING: model is degraded",)


def test_zeros_of_the_forecast_do_not_hide_the_values_of_the_past() -> None:
    fake = FakeWattTime()

    def reply(asked: Asked) -> Reply:
        fake.fault = Fault.ZEROS if asked.path == "/v3/forecast" else None
        return fake.reply(asked)

    with fake_provider(reply) as server:
        source = fake.source(client(), server.url)
        sample = source.latest(NOW)
        assert source.forecast(NOW) is None
    assert sample is not None
    assert sample.interval.start == NOW - 5 * MINUTE
    assert fake.is_true(sample)


def test_under_a_clock_that_is_ahead_the_newest_value_has_begun(played: Played) -> None:
    played.fake.fault = Fault.SKEWED_CLOCK
    # By its clock it is 12:20; here it is 12:10, and `historical` has what ended by 12:20.
    sample = played.source.latest(NOW + MINUTE)
    assert sample is not None
    assert sample.interval.start == NOW


def test_a_time_that_lies_in_the_past_gets_no_forecast_but_the_value_of_then(played: Played) -> None:
    past = NOW - timedelta(days=3)
    assert played.source.forecast(past) is None
    sample = played.source.latest(past + MINUTE)
    assert sample is not None
    assert sample.interval.contains(past + MINUTE)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(f"<html>{PASSWORD}".encode(), 401), "refused the login"),
        (Reply.json({"token": ["jwt.1.wt-secret", PASSWORD]}), "without a token"),
        (Reply.json({"token": f"jwt.1.wt-secret\n{PASSWORD}"}), "without a token"),
        (Reply.json(f"jwt.1.wt-secret {PASSWORD}"), "without a token"),
    ],
    ids=["refused", "list", "line break", "text"],
)
def test_no_error_or_log_line_of_a_login_holds_a_secret(
    reply: Reply, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with fake_provider(lambda _: reply) as server:
        source = FakeWattTime().source(client(), server.url)
        with pytest.raises(CarbonSourceError, match=said) as caught:
            source.latest(NOW)
    shown = f"{caught.value!r} {caplog.text} {source!r} {vars(source)!r}"
    assert not any(secret in shown for secret in (PASSWORD, USERNAME, "wt-secret"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_no_error_or_log_line_of_an_answer_holds_a_secret(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def reply(asked: Asked) -> Reply:
        if asked.path == "/login":
            return Reply.json({"token": "jwt.1.wt-secret"})
        return Reply.json({"message": f"invalid scope of {asked.header('Authorization')}"}, status)

    with fake_provider(reply) as server:
        source = FakeWattTime().source(client(), server.url)
        with pytest.raises(CarbonSourceError) as caught:
            source.latest(NOW)
    shown = f"{caught.value!r} {caplog.text} {source!r} {vars(source)!r} {source.remarks()}"
    assert not any(secret in shown for secret in (PASSWORD, "wt-secret"))


def test_the_token_of_a_login_is_read() -> None:
    assert parse_token({"token": "a.b.c"}) == "a.b.c"
