"""Latency tables as files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.costs.table import LatencyTable, read_table
from carbonnas.errors import ConfigError

TABLE = LatencyTable("a phone", {"conv": 2.0, "relu": 0.5}, about={"torch": "2.9"}, unstable=("pool",))


def write(folder: Path, text: str) -> Path:
    path = folder / "table.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = LatencyTable("a phone", {"conv": 2.0}, {}, {"torch": "2.9"}, {"conv": 0.05}, ("pool",))
    assert read_table(write(tmp_path, table.to_json())) == table
    whole = LatencyTable("a phone", architectures={"a,b": 3.5}, about={"source": "x.csv"})
    assert read_table(write(tmp_path, whole.to_json())) == whole


def test_blocks_are_summed_as_often_as_they_are_passed() -> None:
    assert TABLE.sum_of(["conv", "relu", "conv"]) == 2.0 + 0.5 + 2.0


@pytest.mark.parametrize(
    ("key", "sentence"), [("norm", "the block norm is missing"), ("pool", "the block pool is unstable")]
)
def test_a_block_that_is_not_there_is_named_and_nothing_is_guessed(key: str, sentence: str) -> None:
    with pytest.raises(KeyError, match=sentence):
        TABLE.sum_of(["conv", key])


def test_an_architecture_that_is_not_there_is_told() -> None:
    with pytest.raises(KeyError, match="missing in the table of a phone"):
        LatencyTable("a phone", architectures={"a": 1.0}).of("b")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"unit": "s"},
        {"blocks": {}},
        {"blocks": {"conv": {"median": -1.0}}},
        {"blocks": {"conv": {"median": "1"}}},
        {"blocks": {"conv": {"median": 10**400}}},
        {"blocks": {"conv": {"median": True}}},
        {"blocks": {"conv": {"median": 1.0, "spread": math.nan}}},
        {"blocks": {"conv": {"median": 1.0, "spread": -0.1}}},
        {"blocks": {"conv": {"median": 1.0, "spread": "x"}}},
        {"blocks": {"conv": {"median": 1.0, "spread": [1]}}},
        {"blocks": {"conv" * 1000: {"median": "x" * 10_000}}},
        {"blocks": {"half a character \ud800": {"median": 1.0}}},
        {"device": "\udfff"},
        {"torch": math.inf},
        {"unit": "x" * 10_000},
        {"blocks": {"conv": 1.0}},
        {"blocks": []},
        {"architectures": {"a": 1.0}},
    ],
    ids=lambda change: ascii(change)[:80],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = write(tmp_path, json.dumps(json.loads(TABLE.to_json()) | change))
    with pytest.raises(ConfigError, match="is no latency table") as caught:
        read_table(path)
    assert len(caught.value.problems) == 1
    assert len(caught.value.problems[0]) < 500


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 200_000], ids=lambda text: text[:9])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"latency-table"):
        read_table(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read_table(tmp_path / "none.json")


def test_a_sum_of_the_longest_blocks_that_a_file_may_hold_is_finite(tmp_path: Path) -> None:
    blocks = {key: {"median": 1e12} for key in ("a", "b")}
    table = read_table(write(tmp_path, json.dumps(json.loads(TABLE.to_json()) | {"blocks": blocks})))
    assert table.sum_of(["a", "b"] * 1000) == 2000 * 1e12
    assert table.spreads == {}


@settings(max_examples=20)
@given(st.dictionaries(st.text(), st.floats(0, 1e6), min_size=1))
def test_any_name_of_a_block_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, blocks: dict[str, float]
) -> None:
    table = LatencyTable("<b>", {key: value for key, value in blocks.items() if key.isprintable()} or {"x": 1.0})
    assert read_table(write(tmp_path_factory.mktemp("table"), table.to_json())).blocks == table.blocks
