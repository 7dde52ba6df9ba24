"""`intensity record`: a file that the carbon source `trace` replays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.monitor import IntensityMonitor, Observation, Polling
from carbon_sources.source import CarbonSource
from carbon_sources.traces.columns import TraceOptions
from carbon_sources.traces.reader import read_trace
from carbon_sources.traces.writer import COLUMNS, trace_csv
from carbonnas.cli.intensity.grid import Grid, span_options
from carbonnas.cli.intensity.text import counted, grid_json, interval_json, plain, printable, remark, stamp
from carbonnas.cli.options import DAY, check_output, duration_option
from carbonnas.cli.output import messages, print_json
from carbonnas.cli.signals import stop_on_signals
from carbonnas.errors import ConfigError
from carbonnas.files import replace_file
from carbonnas.report.document import iso


def record_span(grid: Grid, output: Path, start: str | None, end: str | None, *, as_json: bool) -> None:
    """Write the intensity of a past time to a file, beside what is in it already."""
    check_output(output, (".csv",))
    within = span_options(start, end, grid.clock.now())
    before = recorded(output, grid.source)
    series = grid.source.history(within.start, within.end)
    remark(grid.source.remarks())
    _finish(output, before.updated(series.samples), within, grid=grid, as_json=as_json)


def record_live(grid: Grid, output: Path, lasting: str, *, every: str, as_json: bool) -> None:
    """Write the intensity to a file for some time from now on; the file is whole after each look."""
    check_output(output, (".csv",))
    duration, pause = duration_option(lasting, "--for"), duration_option(every, "--every")
    before, start = recorded(output, grid.source), grid.clock.now()
    within = Interval(start, start + duration)
    overlap = max(2 * DAY, grid.source.revised_for)
    monitor = IntensityMonitor(grid.source, Polling(pause, duration + overlap, overlap, reach=duration + overlap))
    series = before
    with stop_on_signals() as stop:
        while not stop.is_set() and (now := grid.clock.now()) < within.end:
            observed = monitor.observe(now)
            series = before.updated(observed.series.between(start, within.end).samples)
            if len(series) and observed.changed is not None:
                replace_file(output, trace_csv(series))
            _progress(observed, now, len(series))
            grid.clock.wait(min(observed.due_at, within.end), stop)
    remark(grid.source.remarks())
    _finish(output, series, Interval(start, max(grid.clock.now(), start + _INSTANT)), grid=grid, as_json=as_json)


_INSTANT = timedelta(microseconds=1)


def recorded(path: Path, source: CarbonSource) -> IntensitySeries:
    """Return what a file holds from before.

    Raises:
        ConfigError: If it is no recording of this source's zone, kind and basis.
        TraceError: If it can't be read.
    """
    if not path.exists():
        return IntensitySeries(())
    with path.open("rb") as file:
        header = file.readline(500).decode("utf-8", "replace").strip()
    if header != ",".join(COLUMNS):
        raise ConfigError("--output", (f"{path} is there and no recording of ours; choose another file",))
    trace = read_trace(path, TraceOptions())
    held, own = (trace.zone, trace.kind, trace.basis), (source.zone, source.kind, source.basis)
    if held != own:
        of = f"{trace.zone}, {trace.kind.value}, {trace.basis.value}"
        raise ConfigError("--output", (f"{path} is a recording of another grid ({of}); choose another file",))
    return trace.series


def _progress(observed: Observation, now: datetime, count: int) -> None:
    newest = observed.series.samples[-1] if len(observed.series) else None
    told = "nothing told yet" if newest is None else f"newest {newest.g_per_kwh:.1f} g/kWh, {newest.provenance.value}"
    problem = "" if observed.problem is None else f"; {observed.problem}"
    messages().print(plain(f"{stamp(now)}  {counted(count, 'interval')} recorded; {told}{problem}"), soft_wrap=True)


def _finish(output: Path, series: IntensitySeries, asked: Interval, *, grid: Grid, as_json: bool) -> None:
    if not len(series):
        messages().print("Nothing was told of this time, so no file was written.")
        raise typer.Exit(1)
    replace_file(output, trace_csv(series))
    whole = Interval(series.samples[0].interval.start, series.samples[-1].interval.end)
    holes = series.gaps(whole)
    document: dict[str, Any] = {
        "path": str(output),
        **grid_json(grid.source),
        "from": iso(asked.start),
        "to": iso(asked.end),
        "intervals": len(series),
        "gaps": [interval_json(hole) for hole in holes],
    }
    if as_json:
        print_json(document)
    else:
        known = f"{counted(len(series), 'interval')} from {stamp(whole.start)} to {stamp(whole.end)} UTC"
        typer.echo(f"{printable(str(output))}: {known}, {counted(len(holes), 'gap')}")
