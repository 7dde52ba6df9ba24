"""What `list` and `show` add where a daemon runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.daemon.control import Phase
from carbonnas.daemon.lock import LockOwner, daemon_lock
from carbonnas.testing.commands import carbonnas
from tests.carbonnas.cli.service.conftest import STARTED_AT, Service


def test_the_list_tells_what_the_daemon_does_with_each_search(service: Service) -> None:
    service.control.change(lambda view: replace(view, searches=(replace(view.searches[0], phase=Phase.QUEUED),)))
    rows = {row["id"]: row for row in service.ask("list", "--json").json["searches"]}
    active, ended = rows[service.active], rows[service.ended]
    assert (active["phase"], active["priority"], active["labels"], active["problem"]) == ("queued", 0, ["team-a"], None)
    assert (ended["phase"], ended["priority"], ended["labels"], ended["problem"]) == (None, None, None, None)
    assert (active["state"], ended["state"]) == ("paused", "completed")
    table = service.ask("list").out.splitlines()
    assert [line.split()[1] for line in table[1:3]] == ["completed", "queued"]


def test_show_tells_what_is_at_work_and_why(service: Service) -> None:
    answer = service.ask("show", service.active)
    assert answer.status == 0
    shown = {line.split("  ")[0].strip(): line for line in answer.out.splitlines()}
    assert "running, with 2 of 2 slots" in shown["daemon"]
    assert "2 training, 0 scoring: 248.2 g/kWh are within the threshold" in shown["decision"]
    assert shown["at work"].split()[2] == "train"
    assert "team-a" in shown["labels"]
    assert service.ask("show", service.active, "--json").json["daemon"]["phase"] == "running"


def test_show_of_a_search_that_has_ended_or_without_a_daemon_adds_nothing(service: Service, state: Path) -> None:
    assert service.ask("show", service.ended, "--json").json["daemon"] is None
    assert carbonnas("show", service.active, "--state", state, "--json").json["daemon"] is None
    assert "It is paused" in carbonnas("show", service.active, "--state", state).out


@pytest.mark.parametrize("address", [None, "http://127.0.0.1:9"])
def test_a_daemon_that_does_not_answer_keeps_nobody_from_the_store(state: Path, address: str | None) -> None:
    with daemon_lock(state, LockOwner(7, STARTED_AT, address)):
        for command in ("list", "show"):
            answer = carbonnas(command, "--state", state, "--json")
            assert answer.status == 0
            assert answer.err.startswith("Note: ")
            assert answer.json
