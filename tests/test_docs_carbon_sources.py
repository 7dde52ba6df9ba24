"""The guide to the carbon sources says what the code says: every source, its delays, its variables, its words and its factors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from carbon_sources.groups import CARBON_SOURCES
from carbon_sources.intensity import Basis
from carbon_sources.mix import factors
from carbon_sources.units import parse_duration
from carbonnas.config_file import load_grid

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "carbon-sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)```", TEXT, re.MULTILINE | re.DOTALL)
REMOTE = [name for name in CARBON_SOURCES.names() if CARBON_SOURCES.load(name).names]
SENTENCES = re.findall(r"^\| `([^`]* [^`]*)` \|", TEXT, re.MULTILINE)


def _part(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _rows(part: str) -> dict[str, list[str]]:
    """Return the cells of the rows of all tables by the names in their first cell."""
    lines = re.findall(r"^\| (.+) \|$", part, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {name: cells for first, *cells in rows for name in re.findall(r"`(\w+)`", first) or [first]}


@cache
def _sentences_of_the_code() -> tuple[str, ...]:
    """Return all texts of the packages that read carbon sources, with `…` for what is filled in."""
    files = [
        *(ROOT / "carbon_sources").rglob("*.py"),
        *(ROOT / "schedulers").rglob("*.py"),
        ROOT / "carbonnas/search.py",
    ]
    return tuple(text for path in files for text in _texts(ast.parse(path.read_text(encoding="utf-8"))))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            filled = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield re.sub("…+", "…", "".join(filled))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_source_is_compared_has_an_example_and_a_word_on_zero() -> None:
    compared = re.findall(r"^\| `(\w+)` \|(?:[^|]*\|){7}$", _part("Which one"), re.MULTILINE)
    assert sorted(compared) == CARBON_SOURCES.names()
    assert {name for example in EXAMPLES for name in re.findall(r'^use = "(\w+)"', example, re.MULTILINE)} == set(
        compared
    )
    assert set(_rows(_part("Zero"))) - {"source", "---"} == set(compared)


@pytest.mark.parametrize("name", REMOTE)
def test_the_delays_of_a_source_are_those_that_it_is_judged_by(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| ([^|]+) \| ([^|]+) \|$", _part("Which one"), re.MULTILINE)
    source = CARBON_SOURCES.load(name)
    assert [parse_duration(cell) for cell in row] == [source.usual_delay, source.revised_for]


def test_the_variables_are_those_that_the_options_name() -> None:
    told = {name: set(re.findall(r"`(\w+)`", cells[0])) for name, cells in _rows(_part("Tokens")).items()}
    for name in CARBON_SOURCES.names():
        fields = CARBON_SOURCES.options(name).model_fields
        assert told.get(name, set()) == {field.default for key, field in fields.items() if key.endswith("_env")}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: re.findall(r'use = "(\w+)"', example)[0])
def test_every_example_is_a_valid_table(tmp_path: Path, example: str) -> None:
    (tmp_path / "grid.toml").write_text(example, encoding="utf-8")
    assert f'use = "{load_grid(tmp_path / "grid.toml").carbon_source.use}"' in example


def test_every_sentence_is_one_that_the_code_can_say() -> None:
    assert len(SENTENCES) > 35
    unknown = [s for s in SENTENCES if not any(s.strip("… ") in text for text in _sentences_of_the_code())]
    assert unknown == []


def test_the_factors_are_those_that_mixes_are_priced_with() -> None:
    rows = {name: cells for name, cells in _rows(_part("Emission factors")).items() if name not in {"fuel", "---"}}
    told = {name: [float(cell.rstrip(" *")) for cell in cells] for name, cells in rows.items()}
    tables = [factors(basis).g_per_kwh for basis in (Basis.LIFECYCLE, Basis.DIRECT)]
    assert told == {fuel.value: [table[fuel] for table in tables] for fuel in tables[0]}
