"""`intensity import`: a recorded trace as history of a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.carbonnas.cli.intensity.asking import Commands, Grid, offline, write_trace


def test_an_imported_trace_is_history_of_the_source(grid: Grid, trace: Path) -> None:
    span = ("--from", "2026-03-01", "--to", "2026-03-01T02:00Z", "--json")
    first, second = (grid.ask("import", trace, "--json") for _ in range(2))
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
    assert "the file calls its zone 'Z'; it is filed as 'GB'" in first.err
    assert (second.json["new"], second.json["changed"]) == (0, 0)
    samples = offline(grid)("history", *span).json["samples"]
    assert [(sample["g_per_kwh"], sample["source"], sample["method"]) for sample in samples] == [
        (100.0, "national_grid", "imported from trace.csv"),
        (300.0, "national_grid", "imported from trace.csv"),
    ]


def test_an_import_says_what_it_changed(grid: Grid, trace: Path) -> None:
    grid.ask("import", trace)
    write_trace(trace, {0: 100.0, 1: 301.0, 4: 7.0})
    answer = grid.ask("import", trace)
    assert "3 intervals from 2026-03-01 00:00 to 2026-03-01 05:00 UTC" in answer.out
    assert "1 new, 1 with another value than before" in answer.out


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
    ask = Commands(tmp_path / "state", ("--source", "failover", "--option", f"sources={members}"))
    answer = ask("import", trace)
    assert answer.status == 2
    assert "name the source to file it under: energi_data, national_grid" in answer.err
    assert ask("import", trace, "--as", "national_grid", "--json").json["source"] == "national_grid"
