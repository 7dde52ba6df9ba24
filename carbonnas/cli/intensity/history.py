"""`intensity history`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.traces.writer import trace_csv
from carbonnas.cli.intensity.grid import Grid, span_options
from carbonnas.cli.intensity.text import (
    grid_json,
    interval_json,
    lasting,
    mean,
    plain,
    remark,
    sample_json,
    say_written,
    stamp,
)
from carbonnas.cli.options import DAY, PICTURES, check_output
from carbonnas.cli.output import messages, print_json, results
from carbonnas.files import replace_file
from carbonnas.report.document import iso

_MOST_ROWS = 100
_BAR = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"


def show_history(grid: Grid, start: str | None, end: str | None, *, output: Path | None, as_json: bool) -> None:
    """Print the intensity of a time with its gaps, and write it to a file where one is named.

    Exit with 1 if nothing is known of it; no file is written then.
    """
    check_output(output, (".csv", *PICTURES))
    within = span_options(start, end, grid.clock.now())
    series = grid.source.history(within.start, within.end)
    remark(grid.source.remarks())
    if output is not None and len(series):
        _write(grid, series, within, output)
        say_written(output)
    if as_json:
        print_json(_document(grid, series, within))
    else:
        _print(grid, series, within)
    if not len(series):
        messages().print("Nothing is known of this time" + ("." if output is None else ", so no file was written."))
        raise typer.Exit(1)


def _write(grid: Grid, series: IntensitySeries, within: Interval, output: Path) -> None:
    if output.suffix.lower() == ".csv":
        replace_file(output, trace_csv(series))
        return
    from carbonnas.cli.intensity.figures import content, history_chart

    replace_file(output, content(history_chart(series, within, grid.source), output.suffix))


def _summary(series: IntensitySeries, within: Interval) -> dict[str, Any]:
    values = [sample.g_per_kwh for sample in series]
    unknown_s = sum(gap.seconds for gap in series.gaps(within))
    return {
        "mean_g_per_kwh": mean(series, within),
        "min_g_per_kwh": min(values, default=None),
        "max_g_per_kwh": max(values, default=None),
        "known_s": within.seconds - unknown_s,
        "unknown_s": unknown_s,
    }


def _document(grid: Grid, series: IntensitySeries, within: Interval) -> dict[str, Any]:
    return {
        **grid_json(grid.source),
        "from": iso(within.start),
        "to": iso(within.end),
        "summary": _summary(series, within),
        "gaps": [interval_json(gap) for gap in series.gaps(within)],
        "samples": [sample_json(sample) for sample in series],
        "remarks": list(grid.source.remarks()),
    }


def _print(grid: Grid, series: IntensitySeries, within: Interval) -> None:
    console = results()
    rows = list(_rows(series, within))
    table = Table("from (UTC)", "to", "g/kWh", "", box=None)
    table.columns[2].justify = "right"
    highest = max((value for _, value in rows if value is not None), default=0.0)
    for interval, value in rows:
        bar = bar_of(value, highest) if console.is_terminal else ""
        table.add_row(stamp(interval.start), stamp(interval.end), "unknown" if value is None else f"{value:.1f}", bar)
    console.print(table)
    summary = _summary(series, within)
    source = grid.source
    console.print(f"{plain(source.zone)}: {source.kind.value} intensity, {source.basis.value} emissions")
    if len(series):
        console.print(
            f"mean {summary['mean_g_per_kwh']:.1f}, lowest {summary['min_g_per_kwh']:.1f}, "
            f"highest {summary['max_g_per_kwh']:.1f} g/kWh in {lasting(timedelta(seconds=summary['known_s']))} that are known"
        )
    for gap in series.gaps(within):
        console.print(f"unknown from {stamp(gap.start)} to {stamp(gap.end)} UTC ({lasting(gap.duration)})")


def bar_of(value: float | None, highest: float) -> str:
    """Return a bar as long as the value's share of the highest; none where it is unknown."""
    eighths = 0 if value is None or highest <= 0 else round(8 * _BAR * value / highest)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _rows(series: IntensitySeries, within: Interval) -> Iterator[tuple[Interval, float | None]]:
    """Yield the samples and gaps in order; of a long time the means of its hours or days. A gap is one row."""
    holes = series.gaps(within)
    if len(series) + len(holes) <= _MOST_ROWS:
        rows: list[tuple[Interval, float | None]] = [(sample.interval, sample.g_per_kwh) for sample in series]
        yield from sorted([*rows, *((hole, None) for hole in holes)], key=lambda row: row[0])
        return
    step = timedelta(hours=1) if within.duration <= _MOST_ROWS * timedelta(hours=1) else DAY
    means = [(interval, mean(series, interval)) for interval in steps(within, step)]
    for is_unknown, run in groupby(means, key=lambda row: row[1] is None):
        if is_unknown:
            unknown = list(run)
            yield Interval(unknown[0][0].start, unknown[-1][0].end), None
        else:
            yield from run


def steps(within: Interval, step: timedelta) -> Sequence[Interval]:
    """Return full hours or days in UTC that together cover an interval, cut at its ends."""
    midnight = within.start.replace(hour=0, minute=0, second=0, microsecond=0)
    border = midnight + (within.start - midnight) // step * step
    found = []
    while border < within.end:
        found.append(Interval(max(border, within.start), min(border + step, within.end)))
        border += step
    return found
