"""`carbonnas latency-table`: what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carbonnas.costs.table import read_table
from carbonnas.testing.commands import carbonnas

ONE, OTHER = "w8,conv,conv,k3,d1,residual,max,relu", "w4,identity,conv,k1,d1,plain,max,relu"


def write(folder: Path, *rows: str) -> str:
    path = folder / "t.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def test_latencies_of_architectures_are_imported(tmp_path: Path) -> None:
    path = write(tmp_path, "architecture,[b]phone", f'"{ONE}",2.5', f'"{OTHER}",1.5')
    out = str(tmp_path / "phone.json")
    answer = carbonnas(
        "latency-table", "--space", "small_conv", "--import", path, "--device", "[b]phone", "--out", out, "--json"
    )
    assert answer.status == 0, answer.err
    assert answer.json["architectures"] == 2
    assert answer.json["device"] == "[b]phone"
    table = read_table(Path(out))
    assert dict(table.architectures) == {ONE: 2.5, OTHER: 1.5}
    said = carbonnas("latency-table", "--space", "small_conv", "--import", path, "--device", "[b]phone", "--out", out)
    assert said.out.startswith("2 architectures on [b]phone, in ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--space", "none"), "none"),
        (("--space", "small_conv", "--task", "8x8"), "--task: 1 mistake"),
        (("--space", "small_conv", "--device", "abacus"), "is no torch device"),
        (("--space", "small_conv", "--device", "meta"), "torch finds no 'meta' to measure on"),
        (("--space", "small_conv", "--import", "none.csv"), "can't be read as a table"),
        (("--space", "small_conv", "--config", "none.toml"), "can't be read"),
    ],
    ids=["space", "task", "device", "no real device", "file", "configuration"],
)
def test_what_can_not_be_measured_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = carbonnas("latency-table", *arguments)
    assert answer.status in {1, 2}
    assert sentence in answer.err
    assert not (tmp_path / "latency.json").exists()


@pytest.mark.torch
@pytest.mark.usefixtures("one_thread")
def test_blocks_are_measured_or_said_to_be_unstable(tmp_path: Path) -> None:
    out = tmp_path / "here.json"
    arguments = ("--networks", "1", "--check", "1", "--task", "1x8x8x10", "--out", str(out), "--json")
    answer = carbonnas("latency-table", "--space", "small_conv", *arguments)
    if answer.status == 2:  # a machine on which nothing is certain
        assert "no block could be measured for certain" in answer.err
        assert not out.exists()
        return
    assert answer.status == 0, answer.err
    written = json.loads(out.read_text(encoding="utf-8"))
    assert (answer.json["networks"], answer.json["check"]["networks"]) == (1, 1)
    assert len(written["blocks"]) + len(written["unstable"]) > 5
    assert all(block["median"] > 0 for block in written["blocks"].values())
    assert {"torch", "made_at", "task", "device", "clock"} <= written.keys()
    # As if a run that looked at more networks had been stopped.
    for name in ("networks", "networks_with_news", "check"):
        del written[name]
    written["blocks"]["of another network"] = {"median": 1.0, "spread": 0.0}
    (tmp_path / "here.json.part").write_text(json.dumps(written), encoding="utf-8")
    answer = carbonnas("latency-table", "--space", "small_conv", *arguments)
    assert answer.status == 0, answer.err
    assert "Going on with the" in answer.err
    after = read_table(out)
    assert written["blocks"].keys() - after.blocks.keys() == {"of another network"}
    assert not (tmp_path / "here.json.part").exists()


def test_the_space_of_a_configuration_must_be_the_one_named(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    assert carbonnas("init", str(path)).status == 0
    answer = carbonnas("latency-table", "--space", "macro", "--config", str(path))
    assert answer.status == 2
    assert "its space is" in answer.err
