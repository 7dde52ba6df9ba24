"""Grids to ask about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from carbon_sources.clock import SystemClock
from carbon_sources.testing_server import fake_provider
from tests.carbon_sources.fakes.api import wave
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid
from tests.carbonnas.cli.intensity.asking import HOUR, START, Commands, Grid, write_trace


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Four hours of which the third is a gap."""
    return write_trace(tmp_path / "trace.csv", {0: 100.0, 1: 300.0, 3: 200.0})


@pytest.fixture
def traced(tmp_path: Path, trace: Path) -> Commands:
    return Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={trace}"))


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    api = FakeNationalGrid()
    api.now = SystemClock().now()
    with fake_provider(api.reply) as server:
        source = ("--source", "national_grid", "--option", f"base_url={server.url}")
        yield Grid(api, server, Commands(tmp_path / "state", source))
    assert api.violations == []


@pytest.fixture
def waves(tmp_path: Path) -> Commands:
    """Thirty days of a grid that follows the sun."""
    path = write_trace(tmp_path / "waves.csv", {n: wave(START + n * HOUR) for n in range(720)})
    return Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
