"""How Electricity Maps refuses: every refusal is told in a sentence, and none tells the token."""

from __future__ import annotations

import logging

import pytest

from carbon_sources.errors import (
    CarbonSourceError,
    SourceAccessError,
    SourceAnswerError,
)
from carbon_sources.providers.electricity_maps import ElectricityMapsSource
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Reply, fake_provider
from tests.carbon_sources.fakes.api import NOW, client
from tests.carbon_sources.fakes.electricity_maps import TOKEN, FakeElectricityMaps


def test_a_404_of_another_kind_is_a_wrong_address() -> None:
    with fake_provider(lambda _: Reply(b"<html>nothing here", 404)) as server:
        source = FakeElectricityMaps().source(client(), server.url)
        with pytest.raises(SourceAnswerError, match="check the address"):
            source.latest(NOW)


def test_a_missing_token_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(SourceAccessError, match="EM_KEY"):
        ElectricityMapsSource(client(), Secrets({}), zone="DE", token_env="EM_KEY")  # noqa: S106 -- a name


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply.json({"error": f"Invalid auth-token {TOKEN}"}, 401), "not valid"),
        (Reply.json({"error": f"too many at once by {TOKEN}"}, 401), "requests come too fast"),
        (Reply(f"Access denied {TOKEN}".encode(), 403, {"Content-Type": "text/plain"}), "refuses this caller"),
        (Reply.json({"status": "error", "message": f"bad {TOKEN}"}, 400), "answered 400"),
        (Reply.json({"message": TOKEN}, 500), "can't be used"),
        (Reply.json({"zone": TOKEN}), "answered for zone"),
    ],
    ids=["401 token", "401 unclear", "403 plain", "400", "500", "200"],
)
def test_no_error_or_log_line_holds_the_token(reply: Reply, said: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with fake_provider(lambda _: reply) as server:
        source = FakeElectricityMaps().source(client(), server.url)
        with pytest.raises(CarbonSourceError, match=said) as caught:
            source.latest(NOW)
    if reply.status != 200:
        assert TOKEN not in f"{caught.value!r} {caught.value}"
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(source) + repr(vars(source))
