"""What all commands of `intensity` have in common."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from carbonnas.cli.intensity.commands import intensity
from carbonnas.testing.commands import carbonnas
from tests.carbonnas.cli.intensity.asking import Commands, Grid

COMMANDS: dict[str, Any] = typer.main.get_command(intensity).commands  # type: ignore[attr-defined] # a group


def keys(document: object) -> set[str]:
    """Return the keys of a JSON document, at any depth."""
    if isinstance(document, dict):
        return set(document) | {key for value in document.values() for key in keys(value)}
    return {key for value in document for key in keys(value)} if isinstance(document, list) else set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("now", "--at", "0001-01-01"),
        ("forecast", "--at", "1969-12-31T23:59Z"),
        ("history", "--to", "0001-01-01T00:00Z"),
    ],
)
def test_a_time_long_before_any_recording_is_refused(waves: Commands, arguments: tuple[str, ...]) -> None:
    answer = waves(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert "is before 1970" in answer.err


def test_every_key_of_every_answer_is_documented(grid: Grid, waves: Commands, trace: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "intensity.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `intensity (\w+)`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    shared, _, _ = page.partition("## `intensity now`")
    answers = {
        "now": waves("now", "--at", "2026-03-02", "--json"),
        "history": waves("history", "--from", "2026-03-30", "--json"),
        "forecast": waves("forecast", "--at", "2026-03-20", "--forecaster", "persistence", "--json"),
        "record": waves("record", "--output", tmp_path / "r.csv", "--from", "2026-03-30", "--json"),
        "import": grid.ask("import", trace, "--same-place", "--json"),
    }
    assert set(sections) == set(answers)
    for name, answer in answers.items():
        in_table = set(re.findall(r"`(\w+)`", sections[name]))
        assert set(answer.json) <= in_table, name
        assert keys(answer.json) <= in_table | set(re.findall(r'"(\w+)":', shared)), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_word_of_the_help_is_lost(name: str) -> None:
    shown = carbonnas("intensity", name, "--help").out
    words = set(shown.replace("│", " ").split())
    for parameter in COMMANDS[name].params:
        told = parameter.help.replace("\\[", "[")
        assert set(told.split()) <= words, told
    # Without a backslash before its bracket such a word would be taken for markup, and nobody would see it.
    if name == "forecast":
        assert {"[carbon_source],", "[forecaster]", "[clock]", "[default:"} <= words


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_every_option_has_help_and_answers_in_json(name: str) -> None:
    command = COMMANDS[name]
    assert command.help is not None
    assert command.help.endswith(".")
    assert all(getattr(parameter, "help", None) for parameter in command.params)
    assert {"--json", "--state", "--config", "--source"} <= {option for p in command.params for option in p.opts}
