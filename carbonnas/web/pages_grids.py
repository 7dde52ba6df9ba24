"""Carbon sources as the pages show them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from carbon_sources.intensity import IntensitySample
from carbonnas.daemon.control import GridView
from carbonnas.report.formatting import UNKNOWN
from carbonnas.web import pages_words as words
from carbonnas.web.charts_rows import grid_rows

_NEWEST = 12
"""Values in a table."""


@dataclass(frozen=True, slots=True)
class GridCard:
    """One carbon source.

    Attributes:
        key: Names it in the page; the same as long as it is there.
        name: Its name in the daemon.
        value: The present intensity, or that it is unknown.
        unknown: Whether it is.
        detail: What kind of value that is, or what is expected instead.
        expectation: What the next day is expected to be like.
        age: How old the newest value is.
        health: How well the source serves, in two words.
        forecast_error: How wrong forecasts were.
        newest: The newest values, the newest first.
        chart: Address of its chart.
        grid: What the daemon knows of it.
    """

    key: str
    name: str
    value: str
    unknown: bool
    detail: str
    expectation: str
    age: str
    health: str
    forecast_error: str
    newest: tuple[IntensitySample, ...]
    chart: str
    grid: GridView


def grid_card(grid: GridView) -> GridCard:
    """Return a carbon source as it is shown."""
    current = grid.observation.current
    version = grid_rows(grid.observation).version
    return GridCard(
        key=hashlib.sha256(grid.name.encode()).hexdigest()[:12],
        name=grid.name,
        value=words.intensity(current),
        unknown=current is None,
        detail=_instead(grid) if current is None else _detail(current),
        expectation=words.expectation(grid),
        age=words.age(grid),
        health=words.HEALTHS[grid.health.state],
        forecast_error=words.forecast_error(grid.forecast_error),
        newest=tuple(reversed(grid.observation.series.samples[-_NEWEST:])),
        chart=f"/charts/grid.svg?{urlencode({'name': grid.name, 'v': version})}",
        grid=grid,
    )


def _detail(current: IntensitySample) -> str:
    start, end = current.interval.start, current.interval.end
    return f"From {start:%H:%M} to {end:%H:%M} UTC: {words.provenance(current)}."


def _instead(grid: GridView) -> str:
    expected = grid.observation.expected
    problem = grid.observation.problem
    value = UNKNOWN if expected is None else f"about {words.intensity(expected)}"
    said = f" {words.sentence(problem)}" if problem else ""
    return f"What is expected of the present: {value}.{said}"
