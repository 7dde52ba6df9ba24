"""The README and the architecture tell the truth: every command and every room stands there, and what is shown can be typed."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from carbon_sources.clock import SystemClock
from carbon_sources.testing_server import fake_provider
from carbonnas.cli.app import app
from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import write_simulated_search
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined] # a group
LEAVES: dict[str, Any] = {
    f"{name} {part}".strip(): leaf
    for name, command in COMMANDS.items()
    for part, leaf in getattr(command, "commands", {"": command}).items()
}
"""Commands that do something, those of a group under both names."""
TOO_LONG = {"demo"}
"""Commands that have tests of their own, because they take a minute."""


def shown_commands() -> list[list[str]]:
    """Return the commands in the README's console blocks that begin with `carbonnas`, word by word."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line for line in words if line and Path(line[0]).name == "carbonnas"]


def test_the_readme_shows_commands() -> None:
    assert [line[1] for line in shown_commands()] == [
        *("doctor", "init", "run", "list", "show", "report"),
        *("intensity", "intensity", "backtest"),
    ]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_stands_in_the_table_of_the_readme(name: str) -> None:
    assert re.search(rf"^\| `carbonnas {name}[ `]", README, flags=re.MULTILINE)


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_every_command_and_every_option_has_help(name: str) -> None:
    command = LEAVES[name]
    assert command.help is not None
    assert command.help.endswith(".")
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_every_command_can_answer_in_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in LEAVES[name].params)


def test_the_table_of_the_readme_names_no_other_command() -> None:
    assert set(re.findall(r"^\| `carbonnas ([\w-]+)", README, flags=re.MULTILINE)) == set(COMMANDS)


@pytest.fixture
def great_britain() -> Iterator[str]:
    """The address of a server that answers in place of the live provider."""
    api = FakeNationalGrid()
    api.now = SystemClock().now()
    with fake_provider(api.reply) as server:
        yield server.url


@pytest.mark.torch
def test_what_the_readme_shows_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, great_britain: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in shown_commands():
        command = words[1:]
        if "national_grid" in command:
            command += ["--option", f"base_url={great_britain}"]
        if command[0] == "run":
            # What `init` wrote asks a live provider and trains for minutes: a small search in its place.
            write_simulated_search(tmp_path, rounds=2)
        if command[0] not in TOO_LONG:
            answer = carbonnas(*command)
            assert answer.status == 0, (command, answer.err)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    write_simulated_search(tmp_path, rounds=1)
    command = [sys.executable, "-c", shown]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert float(answer.stdout) > 0


def test_every_target_of_make_for_developers_stands_in_the_readme() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(re.findall(r"^\$ make ([\w-]+)", README, flags=re.MULTILINE)) == set(targets.split())


def test_the_architecture_names_the_rooms_in_the_order_that_is_enforced() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    enforced = [
        re.findall(r"\w+", line) for line in contracts["importlinter:contract:rooms"]["layers"].split("\n") if line
    ]
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\* (`.+?`):", text.partition("## The rooms")[2].partition("\n## ")[0], flags=re.MULTILINE)
    assert [sorted(re.findall(r"\w+", line)) for line in listed] == [sorted(line) for line in enforced]
