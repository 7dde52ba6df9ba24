"""`intensity now`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import typer
from rich.table import Table

from carbon_sources.health import Health, HealthState
from carbon_sources.intensity import IntensitySample
from carbon_sources.monitor import IntensityMonitor, Polling
from carbonnas.cli.intensity.grid import Grid, ended, recording_end
from carbonnas.cli.intensity.text import grid_json, lasting, plain, sample_json, stamp
from carbonnas.cli.options import DAY
from carbonnas.cli.output import print_json, results
from carbonnas.report.document import iso

_NOW = Polling(every=timedelta(minutes=5), lookback=DAY, overlap=DAY)


def show_now(grid: Grid, *, as_json: bool) -> None:
    """Print the present intensity and how well it is known; exit with 1 while it is unknown."""
    monitor, now = IntensityMonitor(grid.source, _NOW), grid.clock.now()
    observed = monitor.observe(now)
    health, newest = monitor.health(now), observed.series.samples[-1] if len(observed.series) else None
    end = recording_end(grid.source, now)
    if end is not None:
        health = replace(health, sentences=(*health.sentences, ended(end)))
    if as_json:
        print_json(
            {
                "now": iso(now),
                **grid_json(grid.source),
                "state": health.state.value,
                "remarks": list(health.sentences),
                "current": None if observed.current is None else sample_json(observed.current),
                "newest": None if newest is None else sample_json(newest),
                "age_s": None if health.age is None else health.age.total_seconds(),
            }
        )
    else:
        _print(grid, now, observed.current, newest, health)
    if observed.current is None:
        raise typer.Exit(1)


def _print(
    grid: Grid, now: datetime, current: IntensitySample | None, newest: IntensitySample | None, health: Health
) -> None:
    shown = current or newest
    table = Table.grid(padding=(0, 2))
    value = "[red]unknown[/red]" if current is None else f"[bold]{current.g_per_kwh:.1f} g/kWh[/bold]"
    table.add_row("now", f"{value} at {stamp(now)} UTC")
    if current is None and newest is not None:
        table.add_row("newest", f"{newest.g_per_kwh:.1f} g/kWh")
    if shown is not None:
        table.add_row("interval", f"{stamp(shown.interval.start)} to {stamp(shown.interval.end)} UTC")
    if health.age is not None and health.age > timedelta(0):
        table.add_row("age", f"{lasting(health.age)} since its end")
    table.add_row("zone", plain(grid.source.zone))
    table.add_row("kind", f"{grid.source.kind.value}, {grid.source.basis.value} emissions")
    if shown is not None:
        table.add_row("known as", shown.provenance.value)
        table.add_row("source", plain(shown.source) + (f" ({plain(shown.method)})" if shown.method else ""))
    color = {HealthState.OK: "green", HealthState.DEGRADED: "yellow", HealthState.BLIND: "red"}[health.state]
    table.add_row("state", f"[{color}]{health.state.value}[/{color}]")
    for sentence in health.sentences:
        table.add_row("", plain(sentence))
    results().print(table)
