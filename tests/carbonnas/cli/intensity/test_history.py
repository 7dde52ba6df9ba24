"""`intensity history`: values, gaps, and files of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbonnas.cli.intensity.history import bar_of
from carbonnas.cli.intensity.text import mean
from tests.carbon_sources.fakes.national_grid import half_hour_of
from tests.carbonnas.cli.intensity.asking import HOSTILE, HOUR, START, Commands, Grid, offline, write_trace


def test_history_is_summed_up_and_gaps_are_gaps(traced: Commands) -> None:
    answer = traced("history", "--from", "2026-03-01", "--to", "2026-03-01T04:00Z", "--json")
    document = answer.json
    assert answer.status == 0
    assert [sample["g_per_kwh"] for sample in document["samples"]] == [100.0, 300.0, 200.0]
    # Three hours are known: (100 + 300 + 200) / 3 = 200.
    assert document["summary"] == {
        "mean_g_per_kwh": 200.0,
        "min_g_per_kwh": 100.0,
        "max_g_per_kwh": 300.0,
        "known_s": 10800.0,
        "unknown_s": 3600.0,
    }
    assert document["gaps"] == [{"start": "2026-03-01T02:00:00Z", "end": "2026-03-01T03:00:00Z"}]


def test_history_on_a_terminal_lists_values_and_gaps(traced: Commands) -> None:
    answer = traced("history", "--from", "2026-03-01", "--to", "2026-03-01T04:00Z")
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["2026-03-01", "02:00", "2026-03-01", "03:00", "unknown"] in rows
    assert ["2026-03-01", "01:00", "2026-03-01", "02:00", "300.0"] in rows
    assert "mean 200.0, lowest 100.0, highest 300.0 g/kWh" in answer.out
    assert "unknown from 2026-03-01 02:00 to 2026-03-01 03:00 UTC (1 h 0 min)" in answer.out


def test_a_part_of_an_interval_counts_as_a_part(traced: Commands) -> None:
    answer = traced("history", "--from", "2026-03-01T00:30Z", "--to", "2026-03-01T02:00Z", "--json")
    # Half an hour at 100 and an hour at 300: (0.5 * 100 + 300) / 1.5 = 233.33.
    assert answer.json["summary"]["mean_g_per_kwh"] == pytest.approx(350 / 1.5)


def test_of_a_long_history_the_days_are_shown(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "t.csv", {n: float(n // 24) for n in range(240)})
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    answer = ask("history", "--from", "2026-03-01", "--to", "2026-03-11")
    values = [line.split()[-1] for line in answer.out.splitlines() if line.strip().startswith("2026-03")]
    assert values == [f"{day}.0" for day in range(10)]


def test_a_long_gap_is_one_row_among_the_days(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "t.csv", dict.fromkeys((*range(120), *range(192, 240)), 5.0))
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    answer = ask("history", "--from", "2026-03-01", "--to", "2026-03-11")
    rows = [line.split() for line in answer.out.splitlines() if line.strip().startswith("2026-03")]
    # Five days, a gap from the sixth day to the end of the eighth (hours 120 to 192), two days.
    assert [row[-1] for row in rows] == ["5.0"] * 5 + ["unknown"] + ["5.0"] * 2
    assert rows[5] == ["2026-03-06", "00:00", "2026-03-09", "00:00", "unknown"]


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--output", "FILE")])
def test_a_time_of_which_nothing_is_known_fails(traced: Commands, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    output = tmp_path / "nothing.svg"
    words = [str(output) if word == "FILE" else word for word in arguments]
    answer = traced("history", "--from", "2026-02-01", "--to", "2026-02-03", *words)
    assert answer.status == 1
    assert "Nothing is known of this time" in answer.err
    assert not output.exists()
    if "--json" in arguments:
        assert answer.json["samples"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "yesterday"], "--from: 1 mistake\n  expected a date or an instant"),
        (["--from", "3.6.2019"], "expected a date or an instant such as 2020-06-01T12:00Z, got '3.6.2019'"),
        (["--from", "2026-03-01T00:00"], "has no UTC offset"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "is not before the end"),
        (["--from", "2199-01-01"], "is not before the end"),
        (["--output", "no/where.csv"], "there is no folder no"),
        (["--output", "picture.gif"], "the ending must be one of .csv, .html"),
    ],
)
def test_a_span_or_file_that_makes_no_sense_is_refused(traced: Commands, arguments: list[str], sentence: str) -> None:
    answer = traced("history", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err


def test_history_that_was_fetched_is_there_offline(grid: Grid) -> None:
    until = half_hour_of(grid.api.now) - 3 * 24 * HOUR
    span = ("--from", (until - 6 * HOUR).isoformat(), "--to", until.isoformat(), "--json")
    online = grid.ask("history", *span)
    assert len(online.json["samples"]) == 12
    assert offline(grid)("history", *span).json == online.json


@pytest.mark.parametrize("ending", ["html", "svg", "png", "csv"])
def test_history_is_written_to_a_file_that_stands_alone(tmp_path: Path, ending: str) -> None:
    path = write_trace(tmp_path / "t.csv", {0: 100.0, 2: 200.0}, zone=HOSTILE)
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    output = tmp_path / f"picture.{ending}"
    answer = ask("history", "--from", "2026-03-01", "--to", "2026-03-01T03:00Z", "--output", output)
    content = output.read_bytes()
    assert answer.status == 0
    assert f"{'Trace' if ending == 'csv' else 'Picture'}: {output}" in answer.err
    if ending == "csv":
        assert TraceSource(path=output).series == TraceSource(path=path).series
    elif ending == "png":
        assert content.startswith(b"\x89PNG")
    else:
        assert b"<script" not in content
        assert b"</script><b>" not in content
        assert b"[red]Z[/red]" in content
        assert b"\x1b" not in content
    if ending == "svg":
        ET.fromstring(content)  # noqa: S314 - our own file: that it is well-formed


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "t.csv", {0: 100.0}, zone=HOSTILE)
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    for arguments in (("history", "--from", "2026-03-01"), ("now",)):
        answer = ask(*arguments)
        assert "[red]Z[/red] </script><b> ?[31m =1+1 ?" in answer.out
        assert "\x1b" not in answer.out
    assert ask("now", "--json").json["zone"] == HOSTILE


def test_bars_are_as_long_as_the_share_of_the_highest() -> None:
    assert [bar_of(value, 400.0) for value in (None, 0.0, 400.0, 100.0, 105.0)] == [
        "",
        "",
        "█" * 40,
        "█" * 10,
        "█" * 10 + "▌",
    ]
    assert bar_of(0.0, 0.0) == ""


def test_a_series_in_a_span_without_values_has_no_mean() -> None:
    assert mean(IntensitySeries(()), Interval(START, START + HOUR)) is None
