"""`intensity import`: a recorded trace as history of a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.carbonnas.cli.intensity.asking import Commands, Grid, offline, write_trace


def test_an_imported_trace_is_history_of_the_source(grid: Grid, trace: Path) -> None:
    span = ("--from", "2026-03-01", "--to", "2026-03-01T02:00Z", "--json")
    first, second = (grid.ask("import", trace, "--same-place", "--json") for _ in range(2))
    assert first.json == {
        "trace": str(trace),
        "source": "national_grid",
        "zone": "GB",
        "kind": "average",
        "basis": "direct",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-01T04:00:00Z",
        "intervals": 3,
        "new": 3,
        "changed": 0,
    }
    assert (second.json["new"], second.json["changed"]) == (0, 0)
    samples = offline(grid)("history", *span).json["samples"]
    assert [(sample["g_per_kwh"], sample["source"], sample["method"]) for sample in samples] == [
        (100.0, "national_grid", "imported from trace.csv"),
        (300.0, "national_grid", "imported from trace.csv"),
    ]


def test_an_import_says_what_it_changed(grid: Grid, trace: Path) -> None:
    grid.ask("import", trace, "--same-place")
    write_trace(trace, {0: 100.0, 1: 301.0, 4: 7.0}, zone="GB")
    answer = grid.ask("import", trace, "--replace")
    assert "3 intervals from 2026-03-01 00:00 to 2026-03-01 05:00 UTC" in answer.out
    assert "1 new, 1 with another value than before" in answer.out


def test_what_is_kept_is_not_replaced_unless_that_is_said(grid: Grid, trace: Path, tmp_path: Path) -> None:
    span = ("--from", "2026-03-01", "--to", "2026-03-01T06:00Z", "--json")
    grid.ask("import", trace, "--same-place")
    kept = offline(grid)("history", *span).json["samples"]
    other = write_trace(tmp_path / "other.csv", {0: 100.0, 1: 301.0, 3: 7.0, 5: 5.0}, zone="GB")
    answer = grid.ask("import", other)
    assert (answer.status, answer.out) == (2, "")
    assert "differs in 2 of 4 intervals from what is kept of national_grid" in answer.err
    assert "give --replace" in answer.err
    assert offline(grid)("history", *span).json["samples"] == kept
    assert grid.ask("import", other, "--replace", "--json").json["changed"] == 2
    told = {sample["g_per_kwh"] for sample in offline(grid)("history", *span).json["samples"]}
    assert told == {100.0, 301.0, 7.0, 5.0}


def test_values_of_longer_intervals_replace_the_shorter_ones_that_are_kept(grid: Grid, tmp_path: Path) -> None:
    header = "start,end,g_per_kwh,zone,kind,basis,provenance\n"
    path = tmp_path / "fine.csv"
    halves = "".join(
        f"2026-03-01T00:{minute:02}Z,2026-03-01T{(minute + 30) // 60:02}:{(minute + 30) % 60:02}Z,100,GB,average,direct,measured\n"
        for minute in (0, 30)
    )
    path.write_text(header + halves, encoding="utf-8")
    assert grid.ask("import", path, "--json").json["new"] == 2
    hours = write_trace(tmp_path / "hours.csv", {0: 100.0, 1: 100.0}, zone="GB")
    assert "differs in 1 of 2 intervals" in grid.ask("import", hours).err


def test_a_trace_of_another_zone_is_not_imported_unless_it_is_the_same_place(grid: Grid, trace: Path) -> None:
    answer = grid.ask("import", trace)
    assert (answer.status, answer.out) == (2, "")
    assert "calls its zone 'Z', but the source's is 'GB'" in answer.err
    assert "--same-place" in answer.err
    assert grid.ask("import", trace, "--same-place", "--json").json["new"] == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--kind", "both"], "expected one of average, marginal, got 'both'"),
        (["--column", "nope"], "has no column 'nope'"),
        (["--as", "watttime"], "'watttime' is none of national_grid"),
        (["--basis", "lifecycle"], "holds direct values"),
    ],
)
def test_an_import_that_is_not_meant_so_is_refused(
    grid: Grid, trace: Path, arguments: list[str], sentence: str
) -> None:
    answer = grid.ask("import", trace, *arguments)
    assert (answer.status != 0, answer.out) == (True, "")
    assert sentence in answer.err


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            "2026-03-01T00:00Z,2026-03-01T01:00Z,123456",
            "holds 123456 g/kWh at 2026-03-01 00:00 UTC, more than any grid",
        ),
        ("2026-03-01T00:00Z,9999-12-31T23:00Z,100", "ends at 9999-12-31 23:00 UTC, which has not come yet"),
        ("0001-01-01T00:00Z,2026-03-01T00:00Z,100", "lasts 739675 d 0 h, longer than a day"),
    ],
)
def test_what_no_provider_can_have_told_is_not_imported(grid: Grid, trace: Path, row: str, sentence: str) -> None:
    trace.write_text(
        f"start,end,g_per_kwh,zone,kind,basis,provenance\n{row},Z,average,direct,measured\n", encoding="utf-8"
    )
    answer = grid.ask("import", trace)
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err


def test_values_of_another_basis_are_not_imported(grid: Grid) -> None:
    answer = grid.ask("import", "bundled:DK_2019")
    assert (answer.status, answer.out) == (2, "")
    assert "is read as lifecycle intensity, but the source tells direct values" in answer.err


def test_a_source_on_this_machine_takes_no_import(traced: Commands, trace: Path) -> None:
    answer = traced("import", trace)
    assert answer.status == 2
    assert "nothing is kept of it" in answer.err


def test_of_several_sources_one_is_to_be_named(tmp_path: Path, trace: Path) -> None:
    members = '[{use="national_grid"}, {use="energi_data", zone="DK1"}]'
    ask = Commands(
        tmp_path / "state", ("--source", "failover", "--option", f"sources={members}", "--option", "zone=home")
    )
    answer = ask("import", trace)
    assert answer.status == 2
    assert "name the source to file it under: energi_data, national_grid" in answer.err
    assert ask("import", trace, "--as", "national_grid", "--same-place", "--json").json["source"] == "national_grid"
