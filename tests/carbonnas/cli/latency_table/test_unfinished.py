"""A latency table that was stopped before it was finished."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from carbon_sources.clock import SimulatedClock
from carbonnas.cli.latency_table.unfinished import StoppedError, UnfinishedTable
from carbonnas.costs.measuring import Found, Measured
from carbonnas.costs.table import LatencyTable, read_table
from carbonnas.costs.timing import Timing
from carbonnas.errors import ConfigError

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

START = datetime(2026, 1, 1, tzinfo=UTC)
ABOUT = {"space": "small_conv", "seed": 0, "made_at": "2026-01-01T00:00:00Z"}


class Bystander:
    """Sees what an unfinished table says, with a clock of its own."""

    def __init__(self, folder: Path, about: Mapping[str, object] = ABOUT, device: str = "here") -> None:
        self.clock = SimulatedClock(START)
        self.stop = threading.Event()
        self._heard = io.StringIO()
        console = Console(file=self._heard, width=200)
        self.table = UnfinishedTable(
            folder / "t.json", device, about, clock=self.clock, console=console, stop=self.stop
        )

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(self.clock.now() + timedelta(seconds=seconds))

    @property
    def heard(self) -> list[str]:
        """The lines so far."""
        return self._heard.getvalue().splitlines()


def some(count: int) -> Measured:
    return Measured({f"block {number}": Timing(0.5 + number, 0.125) for number in range(count)})


def test_what_was_measured_is_kept_whatever_ends_the_measurement_and_read_by_the_next_run(tmp_path: Path) -> None:
    table, known = Bystander(tmp_path).table, some(2)
    with pytest.raises(MemoryError), table.keeping(known):
        raise MemoryError
    again = Bystander(tmp_path, {**ABOUT, "made_at": "2026-02-01T00:00:00Z"})
    assert again.table.kept() == known.timings
    assert again.heard == [f"Going on with the 2 blocks in {tmp_path / 't.json.part'}"]
    again.table.remove()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_was_measured_nothing_is_kept(tmp_path: Path) -> None:
    table = Bystander(tmp_path).table
    with table.keeping(Measured()):
        pass
    assert table.kept() == {}
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_written_every_ten_seconds_so_that_a_kill_costs_no_more(tmp_path: Path) -> None:
    seen = Bystander(tmp_path)
    seen.after(9)
    seen.table.measured(some(3), 8)
    assert list(tmp_path.iterdir()) == []
    seen.after(1)
    seen.table.measured(some(4), 8)
    assert len(read_table(tmp_path / "t.json.part").blocks) == 4


def test_progress_tells_the_time_that_is_left_at_the_pace_so_far(tmp_path: Path) -> None:
    seen = Bystander(tmp_path)
    seen.after(60)
    seen.table.found(Found({(0,): ["a", "b"]}, networks=7), 50)
    known = some(2)
    with seen.table.keeping(known):  # two of them were known before
        seen.after(20)
        seen.table.measured(some(6), 30)
        # 4 blocks in 20 s leave 24 of 30, which is 120 s.
        seen.after(10)
        seen.table.measured(Measured(some(28).timings, {"x": (0,), "y": (0,)}), 30)
        seen.after(10)
        seen.table.checked(3, 20)
    assert seen.heard == [
        "Looked at 7 of at most 50 networks: 2 blocks",
        "Measured 6 of 30 blocks, about 2 min 0 s left",
        "Measured 28 of 30 blocks; 2 unstable ones are looked at again",
        "Compared 3 of 20 whole networks with the table",
    ]


def test_who_asks_for_it_stops_it_at_the_next_block(tmp_path: Path) -> None:
    seen = Bystander(tmp_path)
    seen.stop.set()
    with pytest.raises(StoppedError):
        seen.table.measured(some(1), 2)


@pytest.mark.parametrize(
    ("about", "device", "difference"),
    [
        ({**ABOUT, "seed": 1}, "here", "its seed is 0, not 1"),
        ({**ABOUT, "task": "x"}, "here", "its task is None, not 'x'"),
        (ABOUT, "there", "its device is 'here', not 'there'"),
        ({**ABOUT, "space": "x" * 10_000}, "here", "its space is 'small_conv', not 'xxx"),
        ({**ABOUT, "y" * 10_000: 1}, "here", "its yyy"),
    ],
    ids=["seed", "task", "device", "long value", "long name"],
)
def test_what_is_left_of_another_measurement_is_refused_and_not_lost(
    tmp_path: Path, about: Mapping[str, object], device: str, difference: str
) -> None:
    with Bystander(tmp_path).table.keeping(some(1)):
        pass
    with pytest.raises(ConfigError, match=difference) as caught:
        Bystander(tmp_path, about, device).table.kept()
    assert len(caught.value.problems[0]) < 1000
    assert (tmp_path / "t.json.part").exists()


def test_a_file_that_is_none_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "t.json.part").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no unfinished latency table; remove it, or choose another --out"):
        Bystander(tmp_path).table.kept()


def test_a_table_of_architectures_is_not_taken_for_an_unfinished_one_of_no_blocks(tmp_path: Path) -> None:
    part = tmp_path / "t.json.part"
    part.write_text(LatencyTable("here", architectures={"a": 1.0}, about=ABOUT).to_json(), encoding="utf-8")
    with pytest.raises(ConfigError, match="whole architectures; remove it, or choose another --out"):
        Bystander(tmp_path).table.kept()


@pytest.mark.slow
def test_ctrl_c_stops_the_command_and_tells_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "t.json"
    command = [sys.executable, "-m", "carbonnas", "latency-table", "--space", "mobile", "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(("Looked at ", "Measured "))
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(timeout=300) == 1
    assert "Stopped. " in said
    # The search for blocks begins anew; only what was measured is kept.
    assert ("Run the same command again" in said) is (tmp_path / "t.json.part").exists()
    assert not out.exists()
