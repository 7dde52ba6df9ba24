"""`intensity record`: a file that is replayed as it was."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from carbon_sources.intensity import Basis
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbonnas.testing.searches import write_simulated_search
from tests.carbon_sources.fakes.api import wave
from tests.carbon_sources.fakes.national_grid import half_hour_of
from tests.carbonnas.cli.intensity.asking import HALF, HOUR, START, Commands, Grid, write_trace


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
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert out.startswith(f"{output}: 1 interval")
    (sample,) = TraceSource(path=output).series
    assert sample.g_per_kwh == wave(sample.interval.start) + 7
