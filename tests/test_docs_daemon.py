"""The guide of the daemon says what the code says: every command, option, setting and default."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from carbon_sources.units import parse_duration
from carbonnas.cli.app import app
from carbonnas.config import BudgetSection
from carbonnas.daemon.config import BackupSection, CommonBudgetSection, DaemonSection, RetentionSection

TEXT = (Path(__file__).parent.parent / "docs" / "daemon.md").read_text(encoding="utf-8")
GROUP = typer.main.get_command(app)
COMMANDS: dict[str, click.Command] = GROUP.commands  # type: ignore[attr-defined] # a group
OF_THE_DAEMON = ("daemon", "submit", "watch", "pause", "resume", "cancel", "priority", "budgets")
SECTIONS: dict[str, type[BaseModel]] = {
    "[daemon]": DaemonSection,
    "[backup]": BackupSection,
    "[retention]": RetentionSection,
    "[[budgets]]": CommonBudgetSection,
}
MADE_AT_THE_START = {"slots", "folder"}
"""Settings whose default is not a value but depends on the machine or the state folder."""


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading by the first one."""
    part = TEXT.partition(f"\n{heading}\n")[2]
    table = re.split(r"\n#+ ", part)[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {cells[0].strip("`"): cells[1:] for cells in lines[2:]}


def shown() -> list[list[str]]:
    """Return the commands that the guide shows, word by word."""
    blocks = re.findall(r"```console\n(.*?)```", TEXT, flags=re.DOTALL)
    return [shlex.split(line.removeprefix("$ ")) for block in blocks for line in block.splitlines()]


def default(section: type[BaseModel], key: str) -> object:
    value = section.model_fields[key].default
    return value.value if isinstance(value, Enum) else value


def written(text: str, value: object) -> object:
    """Read a default as the guide writes it, as what the code has there."""
    if isinstance(value, timedelta):
        return parse_duration(text)
    return {"[]": (), "false": False}.get(text, int(text) if text.isdigit() else text)


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_setting_of_a_section_is_in_its_table(heading: str) -> None:
    section = SECTIONS[heading]
    own = set(section.model_fields) - set(BudgetSection.model_fields) if section is CommonBudgetSection else None
    listed = set(rows(f"### `{heading}`"))
    assert listed == (set(section.model_fields) if own is None else own | {"window", "at_limit"})


@pytest.mark.parametrize(("heading", "key"), [(h, key) for h in SECTIONS for key in rows(f"### `{h}`")])
def test_every_default_is_that_of_the_code(heading: str, key: str) -> None:
    told, value = rows(f"### `{heading}`")[key][0], default(SECTIONS[heading], key)
    if key in MADE_AT_THE_START or value is None:
        assert value in {None, PydanticUndefined}
    elif value is PydanticUndefined:
        assert told == "needed"
    else:
        assert written(told.strip("`"), value) == value


@pytest.mark.parametrize("words", shown(), ids=" ".join)
def test_every_command_that_is_shown_can_be_typed(words: list[str]) -> None:
    assert words[0] == "carbonnas"
    command = COMMANDS[words[1]]
    with click.Context(command, info_name=words[1]) as context:
        command.parse_args(context, words[2:])


@pytest.mark.parametrize("name", OF_THE_DAEMON)
def test_every_command_and_option_of_the_daemon_is_named(name: str) -> None:
    assert f"`carbonnas {name}" in TEXT
    own = (option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--"))
    for option in own:
        assert option in TEXT, f"{name} {option}"


def test_the_shapes_of_json_are_told_for_every_command() -> None:
    part = TEXT.partition("Shapes of `--json`")[2].partition("\n## ")[0]
    told: set[Any] = set(
        re.findall(r"`([\w-]+)[` ]", "".join(line.split("|")[1] for line in part.splitlines() if line[:3] == "| `"))
    )
    assert told == {*OF_THE_DAEMON, "list", "show"}
