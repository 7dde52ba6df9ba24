"""`intensity`: the present, the past, what is expected, and recordings."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main

from carbon_sources.clock import SystemClock
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbon_sources.testing_server import FakeProvider, fake_provider
from carbon_sources.trace_writer import trace_csv
from carbonnas.cli.intensity import intensity
from carbonnas.cli.intensity_history import bar_of
from carbonnas.cli.intensity_text import mean
from carbonnas.testing.commands import Answer, carbonnas
from carbonnas.testing.searches import write_simulated_search
from tests.carbon_sources.fakes.api import wave
from tests.carbon_sources.fakes.national_grid import NationalGridApi, half_hour_of

START = datetime(2026, 3, 1, tzinfo=UTC)
COMMANDS: dict[str, Any] = typer.main.get_command(intensity).commands  # type: ignore[attr-defined] # a group
HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)


def write_trace(path: Path, values: dict[int, float], zone: str = "Z") -> Path:
    """Write hourly values by the number of the hour after `START`."""
    samples = [
        IntensitySample(
            Interval(START + n * HOUR, START + (n + 1) * HOUR),
            value,
            zone,
            IntensityKind.AVERAGE,
            Basis.DIRECT,
            Provenance.MEASURED,
            "meter",
        )
        for n, value in values.items()
    ]
    path.write_bytes(trace_csv(samples))
    return path


@dataclass
class Commands:
    """Runs `carbonnas intensity` with a source and a state folder."""

    state: Path
    source: tuple[str, ...]

    def __call__(self, command: str, *arguments: str | Path) -> Answer:
        return carbonnas("intensity", command, *self.source, "--state", self.state, *arguments)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Four hours of which the third is a gap."""
    return write_trace(tmp_path / "trace.csv", {0: 100.0, 1: 300.0, 3: 200.0})


@pytest.fixture
def traced(tmp_path: Path, trace: Path) -> Commands:
    return Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={trace}"))


@dataclass
class Grid:
    """A provider that runs now, and the commands that ask it."""

    api: NationalGridApi
    server: FakeProvider
    ask: Commands


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    api = NationalGridApi()
    api.now = SystemClock().now()
    with fake_provider(api.reply) as server:
        source = ("--source", "national_grid", "--option", f"base_url={server.url}")
        yield Grid(api, server, Commands(tmp_path / "state", source))
    assert api.violations == []


def offline(grid: Grid) -> Commands:
    """Return the commands for the same source where nobody answers."""
    source = ("--source", "national_grid", "--option", "base_url=http://127.0.0.1:9")
    return Commands(grid.ask.state, source)


def test_now_is_told_with_all_that_is_known_of_it(grid: Grid) -> None:
    answer = grid.ask("now", "--json")
    document = answer.json
    half = half_hour_of(datetime.fromisoformat(document["now"]))
    assert answer.status == 0
    assert (document["zone"], document["kind"], document["basis"]) == ("GB", "average", "direct")
    # The running half hour is told as the provider's estimate, 7 g/kWh above what will be measured.
    assert document["current"] == {
        "start": half.isoformat().replace("+00:00", "Z"),
        "end": (half + HALF).isoformat().replace("+00:00", "Z"),
        "g_per_kwh": wave(half) + 7,
        "provenance": "estimated",
        "source": "national_grid",
        "method": "",
    }
    assert document["state"] == "ok"
    assert document["age_s"] == 0
    assert document["remarks"] == ["the present value is an estimate and may be revised"]
    shown = grid.ask("now")
    assert f"{wave(half) + 7:.1f} g/kWh" in shown.out
    assert "estimated" in shown.out
    assert "may be revised" in shown.out


def test_an_unknown_present_is_said_to_be_unknown(traced: Commands) -> None:
    answer = traced("now", "--json")
    assert answer.status == 1
    assert (answer.json["state"], answer.json["current"]) == ("blind", None)
    assert answer.json["newest"]["g_per_kwh"] == 200.0
    shown = traced("now")
    assert shown.status == 1
    assert "unknown" in shown.out
    assert "the newest value ended at 2026-03-01 04:00 UTC" in shown.out


def test_now_can_be_asked_of_another_instant(traced: Commands) -> None:
    assert traced("now", "--json", "--at", "2026-03-01T01:30Z").json["current"]["g_per_kwh"] == 300.0
    assert traced("now", "--at", "2026-03-01T02:30Z").status == 1


def test_an_instant_that_has_not_come_is_refused(traced: Commands) -> None:
    answer = traced("now", "--at", "2199-01-01")
    assert (answer.status, answer.out) == (2, "")
    assert "2199-01-01 has not come yet" in answer.err


def test_the_source_may_be_that_of_a_configuration_in_its_time(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "s", strategy={"use": "telepathy"})
    answer = carbonnas("intensity", "now", "--config", config, "--state", tmp_path / "state", "--json")
    # The simulated clock stands at its start; a mistake in another table is no matter here.
    assert answer.status == 0
    assert answer.json["now"] == answer.json["current"]["start"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name a configuration with --config, or one of these with --source: .*national_grid"),
        (["--config", "CONFIG", "--source", "constant"], "name one of the two"),
        (["--config", "CONFIG", "--option", "a=1"], "goes with --source"),
        (["--config", "missing.toml"], "can't be read"),
        (["--source", "nobody"], "carbon_source.use: unknown plug-in 'nobody'"),
        (["--source", "constant"], "carbon_source.g_per_kwh: missing"),
        (["--source", "constant", "--option", "g_per_kwh"], "expected KEY=VALUE, got 'g_per_kwh'"),
        (["--source", "constant", "--option", "=3"], "expected KEY=VALUE, got '=3'"),
        (["--source", "constant", "--option", "use=trace"], "expected KEY=VALUE, got 'use=trace'"),
        (["--source", "constant", "--option", "g_per_kwh=-1"], "carbon_source.g_per_kwh"),
        (["--source", "constant", "--option", "g_per_kwh=1", "--option", "g=1"], "carbon_source.g: unknown key"),
        (["--source", "trace", "--option", "path=no.csv"], "no.csv: there is no such file"),
    ],
)
def test_a_source_that_is_not_clear_is_refused(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    config = str(write_simulated_search(tmp_path / "s"))
    words = [config if word == "CONFIG" else word for word in arguments]
    answer = carbonnas("intensity", "now", *words, "--state", tmp_path / "state")
    assert (answer.status, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 2
    assert re.search(sentence, answer.err)


@pytest.mark.parametrize(
    ("value", "zone"), [("DK", "DK"), ('"DK 1"', "DK 1"), ("a b\ng_per_kwh = 7", "a b\ng_per_kwh = 7"), ("x=y", "x=y")]
)
def test_an_option_is_toml_or_a_bare_word(tmp_path: Path, value: str, zone: str) -> None:
    options = ("--option", "g_per_kwh=5", "--option", f"zone={value}")
    answer = Commands(tmp_path, ("--source", "constant", *options))("now", "--json")
    assert (answer.json["zone"], answer.json["current"]["g_per_kwh"]) == (zone, 5.0)


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "yesterday"], "--from: 1 mistake\n  expected a date or an instant"),
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


HOSTILE = "[red]Z[/red] </script><b> \x1b[31m =1+1 \x07"


@pytest.mark.parametrize("ending", ["html", "svg", "png", "csv"])
def test_history_is_written_to_a_file_that_stands_alone(tmp_path: Path, ending: str) -> None:
    path = write_trace(tmp_path / "t.csv", {0: 100.0, 2: 200.0}, zone=HOSTILE)
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    output = tmp_path / f"picture.{ending}"
    answer = ask("history", "--from", "2026-03-01", "--to", "2026-03-01T03:00Z", "--output", output)
    content = output.read_bytes()
    assert answer.status == 0
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


@pytest.fixture
def waves(tmp_path: Path) -> Commands:
    """Thirty days of a grid that follows the sun."""
    path = write_trace(tmp_path / "waves.csv", {n: wave(START + n * HOUR) for n in range(720)})
    return Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))


def test_a_forecast_says_when_and_by_whom_it_was_made(waves: Commands, tmp_path: Path) -> None:
    output = tmp_path / "forecast.svg"
    arguments = ("--forecaster", "persistence", "--at", "2026-03-21T00:20Z", "--horizon", "6 h", "--output", output)
    answer = waves("forecast", *arguments, "--json")
    document = answer.json
    assert answer.status == 0
    assert document["forecaster"] == "persistence"
    assert document["issued_at"] == "2026-03-21T00:20:00Z"
    assert document["horizon_s"] == 6 * 3600
    # From the full hour before the issue to six hours after it.
    assert [row["start"] for row in document["expected"]] == [f"2026-03-21T{hour:02}:00:00Z" for hour in range(7)]
    for row in document["expected"]:
        assert len(row["quantiles_g_per_kwh"]) == len(document["levels"])
        assert row["quantiles_g_per_kwh"] == sorted(row["quantiles_g_per_kwh"])
    ET.fromstring(output.read_bytes())  # noqa: S314 - our own file
    shown = waves("forecast", *arguments)
    assert "issued at 2026-03-21 00:20 UTC by persistence" in shown.out
    assert "band 5 to 95 %" in shown.out
    assert "Learning from 480 hours" in shown.err


def test_a_forecast_sees_nothing_that_came_after_its_issue(waves: Commands, tmp_path: Path) -> None:
    arguments = ("--forecaster", "persistence", "--at", "2026-03-21", "--horizon", "6 h", "--json")
    before = waves("forecast", *arguments).json
    changed = {n: wave(START + n * HOUR) if n < 480 else 1.0 for n in range(720)}
    write_trace(tmp_path / "waves.csv", changed)
    assert waves("forecast", *arguments).json == before


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--forecaster", "crystal_ball"], 2, "unknown plug-in 'crystal_ball'"),
        (["--horizon", "-1 h"], 2, "at least zero"),
        (["--horizon", "0 h"], 2, "above zero"),
        (["--horizon", "5 kg"], 2, "expected a number with a unit"),
        (["--output", "f.csv"], 2, "the ending must be one of .html"),
        (["--at", "2020-01-01", "--forecaster", "persistence"], 1, "nothing is known of"),
    ],
)
def test_a_forecast_that_can_not_be_made_is_refused(
    waves: Commands, arguments: list[str], status: int, sentence: str
) -> None:
    answer = waves("forecast", *arguments)
    assert (answer.status, answer.out) == (status, "")
    assert sentence in answer.err


def test_the_forecast_of_the_provider_itself_is_passed_on(grid: Grid, tmp_path: Path) -> None:
    config = tmp_path / "grid.toml"
    config.write_text(
        f'[carbon_source]\nuse = "national_grid"\nbase_url = "{grid.server.url}"\n'
        '[forecaster]\nuse = "provider"\n[forecasting]\nhistory = "3 days"\nhorizon = "4 h"\n',
        encoding="utf-8",
    )
    ask = Commands(tmp_path / "state", ("--config", str(config)))
    answer = ask("forecast", "--json")
    assert answer.status == 0
    hour = grid.api.now.replace(minute=0, second=0, microsecond=0) + HOUR
    told = {row["start"]: row["g_per_kwh"] for row in answer.json["expected"]}
    # Seven above the mean of the two half hours of the next full hour.
    expected = (wave(hour) + wave(hour + HALF)) / 2 + 7
    assert told[hour.isoformat().replace("+00:00", "Z")] == pytest.approx(expected)


def test_a_recording_is_replayed_as_it_was(grid: Grid, tmp_path: Path) -> None:
    until = half_hour_of(grid.api.now) - HOUR
    span = ("--from", (until - 6 * HOUR).isoformat(), "--to", until.isoformat())
    output = tmp_path / "recorded.csv"
    answer = grid.ask("record", "--output", output, *span, "--json")
    assert (answer.status, answer.json["intervals"], answer.json["gaps"]) == (0, 12, [])
    replayed = TraceSource(path=output)
    assert [sample.g_per_kwh for sample in replayed.series] == [wave(until - 6 * HOUR + n * HALF) for n in range(12)]
    assert {sample.source for sample in replayed.series} == {"national_grid"}
    assert (replayed.zone, replayed.basis) == ("GB", Basis.DIRECT)


def test_a_recording_goes_on_in_the_same_file(traced: Commands, tmp_path: Path, trace: Path) -> None:
    output = tmp_path / "recorded.csv"
    for start, end in (("00:00Z", "02:00Z"), ("03:00Z", "04:00Z")):
        traced("record", "--output", output, "--from", f"2026-03-01T{start}", "--to", f"2026-03-01T{end}")
    assert TraceSource(path=output).series == TraceSource(path=trace).series
    assert TraceSource(path=output).gaps == (Interval(START + 2 * HOUR, START + 3 * HOUR),)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"my diary\n", "no recording of ours"), (None, r"a recording of another grid \(other, average, direct\)")],
)
def test_a_file_of_somebody_else_is_not_written_over(
    traced: Commands, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    output = tmp_path / "there.csv"
    if content is None:
        write_trace(output, {0: 1.0}, zone="other")
    else:
        output.write_bytes(content)
    before = output.read_bytes()
    answer = traced("record", "--output", output, "--from", "2026-03-01")
    assert (answer.status, answer.out) == (2, "")
    assert re.search(sentence, answer.err)
    assert output.read_bytes() == before


def test_of_nothing_no_file_is_written(traced: Commands, tmp_path: Path) -> None:
    answer = traced("record", "--output", tmp_path / "r.csv", "--from", "2020-01-01", "--to", "2020-01-02")
    assert (answer.status, answer.out) == (1, "")
    assert "no file was written" in answer.err
    assert not (tmp_path / "r.csv").exists()


def test_a_live_recording_holds_all_that_was_told_while_it_lasted(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "s")
    output = tmp_path / "live.csv"
    ask = Commands(tmp_path / "state", ("--config", str(config)))
    answer = ask("record", "--output", output, "--for", "6 h", "--every", "30 min", "--json")
    whole = TraceSource(path=config.parent / "trace.csv")
    start = datetime.fromisoformat(answer.json["from"])
    assert answer.status == 0
    told = [(sample.interval, sample.g_per_kwh) for sample in whole.history(start, start + 6 * HOUR)]
    assert [(sample.interval, sample.g_per_kwh) for sample in TraceSource(path=output).series] == told
    assert "intervals recorded; newest" in answer.err


def test_a_live_recording_takes_no_span(traced: Commands, tmp_path: Path) -> None:
    answer = traced("record", "--output", tmp_path / "r.csv", "--for", "1 h", "--from", "2026-03-01")
    assert answer.status == 2
    assert "leave --from and --to out" in answer.err


def test_an_interrupted_recording_leaves_a_whole_file(grid: Grid, tmp_path: Path) -> None:
    output = tmp_path / "live.csv"
    words = ["intensity", "record", *grid.ask.source, "--state", str(grid.ask.state), "--output", str(output)]
    command = [sys.executable, "-m", "carbonnas", *words, "--for", "1 h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "1 interval recorded" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert out.startswith(f"{output}: 1 interval")
    (sample,) = TraceSource(path=output).series
    assert sample.g_per_kwh == wave(sample.interval.start) + 7


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
        (["--kind", "both"], "'both' is none of average, marginal"),
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


def keys(document: object) -> set[str]:
    """Return the keys of a JSON document, at any depth."""
    if isinstance(document, dict):
        return set(document) | {key for value in document.values() for key in keys(value)}
    return {key for value in document for key in keys(value)} if isinstance(document, list) else set()


def test_every_key_of_every_answer_is_documented(grid: Grid, waves: Commands, trace: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "intensity.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `intensity (\w+)`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    shared, _, _ = page.partition("## `intensity now`")
    answers = {
        "now": waves("now", "--at", "2026-03-02", "--json"),
        "history": waves("history", "--from", "2026-03-30", "--json"),
        "forecast": waves("forecast", "--at", "2026-03-20", "--forecaster", "persistence", "--json"),
        "record": waves("record", "--output", tmp_path / "r.csv", "--from", "2026-03-30", "--json"),
        "import": grid.ask("import", trace, "--json"),
    }
    assert set(sections) == set(answers)
    for name, answer in answers.items():
        in_table = set(re.findall(r"`(\w+)`", sections[name]))
        assert set(answer.json) <= in_table, name
        assert keys(answer.json) <= in_table | set(re.findall(r'"(\w+)":', shared)), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_every_option_has_help_and_answers_in_json(name: str) -> None:
    command = COMMANDS[name]
    assert command.help is not None
    assert command.help.endswith(".")
    assert all(getattr(parameter, "help", None) for parameter in command.params)
    assert {"--json", "--state", "--config", "--source"} <= {option for p in command.params for option in p.opts}


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, carbonnas.cli.app\n"
        "heavy = {'altair', 'sqlalchemy', 'numpy', 'torch', 'requests', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


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
