"""Pausing, resuming, cancelling and ranking searches of the daemon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carbonnas.daemon.control import PRIORITIES, Phase
from carbonnas.testing.commands import carbonnas
from tests.carbonnas.cli.service.conftest import Service

COMMANDS = [["pause", "ID"], ["resume", "ID"], ["cancel", "ID", "--yes"], ["priority", "ID", "5"]]


def phase(service: Service) -> Phase | None:
    """What the daemon does with the search; `None` once it does nothing with it."""
    return next((search.phase for search in service.control.view().searches), None)


def test_a_search_is_paused_and_goes_on(service: Service) -> None:
    paused = service.ask("pause", service.active)
    assert (paused.status, paused.err) == (0, "")
    assert paused.out == f"{service.active} is paused; trainings leave at their next epoch.\n"
    assert phase(service) is Phase.PAUSED
    assert service.ask("resume", service.active).status == 0
    assert phase(service) is Phase.RUNNING


def test_the_beginning_of_an_id_is_enough(service: Service) -> None:
    assert service.ask("pause", service.active[:3], "--json").json == {"id": service.active, "paused": True}
    assert service.ask("resume", service.active[:3], "--json").json == {"id": service.active, "paused": False}


def test_a_priority_is_set(service: Service) -> None:
    answer = service.ask("priority", service.active, "-7")
    assert (answer.status, answer.out) == (0, f"{service.active} has priority -7.\n")
    assert service.control.view().searches[0].priority == -7


@pytest.mark.parametrize("value", [PRIORITIES[0], PRIORITIES[-1]])
def test_the_lowest_and_the_highest_priority_can_be_set(service: Service, value: int) -> None:
    assert service.ask("priority", service.active, str(value)).status == 0
    assert service.control.view().searches[0].priority == value


@pytest.mark.parametrize("value", [str(PRIORITIES[0] - 1), str(PRIORITIES[-1] + 1), "x", "1.5"])
def test_a_priority_out_of_range_is_wrong_usage(service: Service, value: str) -> None:
    assert service.ask("priority", service.active, value).status == 2


def test_what_can_not_be_done_is_said(service: Service) -> None:
    answer = service.ask("resume", service.active)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == f"error: the search {service.active} is not paused\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_id_that_names_no_search_or_one_that_has_ended_is_refused(service: Service, command: list[str]) -> None:
    for text, told in (("nope", "there is no search 'nope'"), (service.ended, service.ended)):
        answer = service.ask(*[text if word == "ID" else word for word in command])
        assert (answer.status, answer.out) == (1, "")
        assert told in answer.err
    assert phase(service) is Phase.RUNNING


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_a_daemon_it_is_said_how_to_start_one(state: Path, command: list[str]) -> None:
    answer = carbonnas(*command, "--state", state)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == f"error: no daemon runs for {state}: start one with `carbonnas daemon --state {state}`\n"


def test_a_token_that_can_not_be_read_is_said_with_its_place(service: Service) -> None:
    path = service.state / "token"
    token = path.read_text(encoding="ascii")
    path.write_text("x" * 43, encoding="ascii")
    wrong = service.ask("pause", service.active)
    path.rename(path.with_suffix(".away"))
    missing = service.ask("pause", service.active)
    path.with_suffix(".away").rename(path)
    path.write_text(token, encoding="ascii")
    for answer in (wrong, missing):
        assert (answer.status, answer.out) == (1, "")
        assert f"{path}" in answer.err
        assert token.strip() not in answer.err
    assert phase(service) is Phase.RUNNING


def test_cancelling_needs_a_yes(service: Service) -> None:
    answer = service.ask("cancel", service.active)
    assert (answer.status, answer.out) == (2, "")
    assert "--yes" in answer.err
    assert phase(service) is Phase.RUNNING
    assert service.ask("cancel", service.active, "--yes", "--json").json == {"id": service.active, "cancelled": True}
    assert phase(service) is None


@pytest.mark.parametrize(
    ("typed", "status", "left"), [("n\n", 1, Phase.RUNNING), ("\n", 1, Phase.RUNNING), ("y\n", 0, None)]
)
def test_cancelling_asks_on_a_terminal(
    service: Service, monkeypatch: pytest.MonkeyPatch, typed: str, status: int, left: Phase | None
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, encoding="utf-8") as terminal, os.fdopen(ours, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", terminal)
        keyboard.write(typed.encode())
        answer = service.ask("cancel", service.active)
    assert answer.status == status
    assert f"Cancel {service.active}?" in answer.err
    assert phase(service) is left
