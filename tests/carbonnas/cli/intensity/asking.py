"""Asking `carbonnas intensity` in tests: a source, a state folder, and traces to write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbon_sources.testing_server import FakeProvider
from carbon_sources.traces.writer import trace_csv
from carbonnas.testing.commands import Answer, carbonnas
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)
HOSTILE = "[red]Z[/red] </script><b> \x1b[31m =1+1 \x07"


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


@dataclass
class Grid:
    """A provider that runs now, and the commands that ask it."""

    api: FakeNationalGrid
    server: FakeProvider
    ask: Commands


def offline(grid: Grid) -> Commands:
    """Return the commands for the same source where nobody answers."""
    source = ("--source", "national_grid", "--option", "base_url=http://127.0.0.1:9")
    return Commands(grid.ask.state, source)
