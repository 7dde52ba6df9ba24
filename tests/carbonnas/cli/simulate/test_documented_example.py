"""The example of docs/simulation.md answers what stands there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import write_simulated_search

DOCS = (Path(__file__).parents[4] / "docs" / "simulation.md").read_text(encoding="utf-8")
EXAMPLE = DOCS[DOCS.index("## Example") :]


def only(found: Any, shown: Any) -> Any:
    """Return of `found` what `shown` has keys for."""
    if not isinstance(shown, dict):
        return found
    return {key: only(found[key], value) for key, value in shown.items()}


def test_the_example_answers_what_the_documentation_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_simulated_search(Path("example"))
    (command,) = re.findall(r"^\$ carbonnas (simulate .*)$", EXAMPLE, flags=re.MULTILINE)
    answer = carbonnas(*shlex.split(command), "--processes", "1")
    assert answer.status == 0, answer.err
    (shown,) = re.findall(r"```json\n(.*?)```", EXAMPLE, flags=re.DOTALL)
    expected = json.loads(shown)
    assert only(answer.json, expected) == approximately(expected)


def approximately(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: approximately(inner) for key, inner in value.items()}
    return pytest.approx(value) if isinstance(value, float) else value


def test_every_key_of_the_answer_is_documented(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path, rounds=1)
    told = ("--scheduler", "carbon_blind", "--seeds", "1", "--processes", "1", "--json")
    answer = carbonnas("simulate", config, *told).json
    scheduler = answer["schedulers"]["carbon_blind"]
    keys = [*answer, *scheduler, *scheduler["figures"], *scheduler["saving"], *scheduler["to_quality"]["0.95"]]
    assert [key for key in keys if f"`{key}`" not in DOCS] == []


def test_every_option_is_documented() -> None:
    table = DOCS[: DOCS.index("## What is charged")]
    help_text = carbonnas("simulate", "--help").out
    options = set(re.findall(r"--[a-z-]+", help_text)) - {"--help"}
    assert {option for option in options if f"`{option}`" not in table} == set()
