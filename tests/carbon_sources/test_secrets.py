"""Tokens come from the environment and show up nowhere."""

from __future__ import annotations

import pytest

from carbon_sources.errors import SourceAccessError
from carbon_sources.secrets import Secrets

TOKEN = "k3y-of-somebody"  # noqa: S105 -- must not show up anywhere


def test_a_secret_is_what_the_variable_holds_and_shows_itself_to_nobody() -> None:
    secret = Secrets({"MY_TOKEN": f" {TOKEN}\n"}).get("MY_TOKEN")
    assert secret.reveal() == TOKEN
    assert TOKEN not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.parametrize("environment", [{}, {"MY_TOKEN": " "}])
def test_a_missing_one_is_asked_for_by_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(SourceAccessError, match="set the environment variable MY_TOKEN"):
        Secrets(environment).get("MY_TOKEN")


def test_one_that_can_not_be_sent_is_refused_without_being_shown() -> None:
    with pytest.raises(SourceAccessError, match="line breaks") as caught:
        Secrets({"MY_TOKEN": f"{TOKEN}\r\nX-Evil: 1"}).get("MY_TOKEN")
    assert TOKEN not in str(caught.value)


def test_a_token_in_place_of_the_name_is_refused_without_being_shown() -> None:
    with pytest.raises(SourceAccessError, match="take it out of the file") as caught:
        Secrets({}).get(TOKEN)
    assert TOKEN not in str(caught.value)
