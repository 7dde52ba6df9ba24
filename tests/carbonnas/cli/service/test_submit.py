"""Handing searches to the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonnas.cli.submit import read_config
from carbonnas.daemon.control import LONGEST_CONFIG, Submission
from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import write_simulated_search
from tests.carbonnas.cli.service.conftest import Service


def test_the_id_is_the_result_and_the_page_a_message(service: Service, tmp_path: Path) -> None:
    answer = service.ask("submit", write_simulated_search(tmp_path / "new"), "--new")
    assert (answer.status, answer.out) == (0, "simulated\n")
    assert answer.err == f"Submitted; its page is {service.address}/searches/simulated\n"


def test_what_becomes_of_wishes_for_a_search_that_was_there_is_said(service: Service, tmp_path: Path) -> None:
    there = f"A search with this configuration was there already, as {service.active}; --new begins another one."
    page = f" Its page is {service.address}/searches/{service.active}\n"
    for wishes, told in (
        ([], " Its labels stay team-a."),
        (["--label", "team-a"], ""),
        (
            ["--priority", "7", "--label", "b"],
            f" Its priority stays 0: `carbonnas priority {service.active} 7` changes it. Its labels stay team-a.",
        ),
    ):
        answer = service.ask("submit", write_simulated_search(tmp_path / "new"), *wishes)
        assert (answer.status, answer.out, answer.err) == (0, f"{service.active}\n", there + told + page)


def test_all_wishes_and_the_folder_of_the_file_arrive(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_simulated_search(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    wishes = ["--priority", "-5", "--label", "team ä", "--label", "b", "--new", "--anyway"]
    answer = service.ask("submit", "new/search.toml", *wishes, "--json")
    assert answer.json == {"id": "simulated", "page": f"{service.address}/searches/simulated", "there": False}
    text = config.read_text(encoding="utf-8")
    assert service.control.submitted == [
        Submission(text, str(tmp_path / "new"), -5, ("team ä", "b"), anew=True, anyway=True)
    ]


def test_all_mistakes_that_the_daemon_finds_are_listed(service: Service, tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path, search={"sede": 4}, strategy={"use": "telepathy"})
    answer = service.ask("submit", config)
    assert (answer.status, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert lines[0] == f"error: {config}: 2 mistakes"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == ["search.sede", "strategy.use"]


@pytest.mark.parametrize("label", ["", "x" * 65, "a\nb"])
def test_a_label_that_is_none_is_refused(service: Service, tmp_path: Path, label: str) -> None:
    answer = service.ask("submit", write_simulated_search(tmp_path / "new"), "--label", label)
    assert (answer.status, answer.out) == (2, "")
    assert "labels" in answer.err
    assert service.control.submitted == []


def test_a_file_that_is_no_configuration_is_refused_before_it_is_sent(service: Service, tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text("ä" * (LONGEST_CONFIG + 1), encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"')
    for name, told in (
        ("long.toml", "has more than 262144 characters, the most that the daemon takes"),
        ("latin.toml", "is not text in UTF-8"),
        ("none.toml", "can't be read: No such file or directory; `carbonnas init` writes an example"),
        (".", "can't be read: Is a directory"),
    ):
        answer = service.ask("submit", tmp_path / name)
        assert (answer.status, answer.out) == (2, "")
        assert told in answer.err


def test_a_configuration_is_measured_in_characters(tmp_path: Path) -> None:
    longest = "#\r\n" + "ä" * (LONGEST_CONFIG - 3)
    (tmp_path / "long.toml").write_bytes(longest.encode())
    assert read_config(tmp_path / "long.toml") == longest


def test_without_a_daemon_it_is_said_how_to_start_one(tmp_path: Path) -> None:
    answer = carbonnas("submit", write_simulated_search(tmp_path))
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.endswith("start one with `carbonnas daemon`\n")


def test_a_submission_can_be_followed_to_its_end(service: Service, tmp_path: Path) -> None:
    service.end_once_followed()
    answer = service.ask("submit", write_simulated_search(tmp_path / "new"), "--follow")
    assert (answer.status, answer.out) == (0, f"{service.active}\n")
    assert answer.err.splitlines()[-1] == f"Search {service.active} has ended: completed (plan done)."
