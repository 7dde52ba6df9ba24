"""The chart of a grid: intensity of the last day and what is expected of the days to come, with its band."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import altair as alt

from carbonnas.report.chart_parts import BLUE, GREY, ORANGE, data
from carbonnas.report.figure_data import Row
from carbonnas.web.charts_rows import GridRows

_HEIGHT = 200
"""Pixels."""

_LABELS = "[utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%-d %b')]"


def grid_chart(rows: GridRows) -> alt.LayerChart:
    """Return the chart; it can be drawn even if nothing is known."""
    ends = [rows.now, *(start for start, *_ in rows.known), *(end for _, end, *_ in rows.expected)]
    first, last = min(ends), max(*ends, rows.now + round(timedelta(hours=1).total_seconds() * 1000))
    scale = alt.Scale(type="utc", domainRaw=alt.ExprRef(f"[{first}, {last}]"), nice=False)
    x = alt.X("at:T", scale=scale, axis=alt.Axis(title="time (UTC)", labelExpr=_LABELS, labelOverlap=True))
    title = "g CO₂e / kWh"
    band = alt.Chart(data(_band(rows))).mark_area(color=ORANGE, opacity=0.25)
    expected = alt.Chart(data(_steps([row[:3] for row in rows.expected]))).mark_line(
        color=ORANGE, strokeWidth=2, strokeDash=[5, 3]
    )
    known = alt.Chart(data(_steps(rows.known))).mark_line(color=BLUE, strokeWidth=2)
    present = alt.Chart(data([{"at": rows.now}])).mark_rule(color=GREY, strokeWidth=1.5)
    layers = [
        band.encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q", detail="run:N"),
        expected.encode(x=x, y=alt.Y("g_per_kwh:Q", title=title), detail="run:N"),
        known.encode(x=x, y=alt.Y("g_per_kwh:Q", title=title), detail="run:N"),
        present.encode(x=x),
    ]
    described = "Carbon intensity of the last day, the present, and the forecast with its band."
    return alt.LayerChart(layer=layers, width="container", height=_HEIGHT, description=described)


def _steps(intervals: Sequence[tuple[int, int, float]]) -> list[Row]:
    """Return start and end of each interval; `run` counts up at each gap, so that no line bridges one."""
    rows: list[Row] = []
    run, reached = 0, None
    for start, end, value in intervals:
        run += start != reached
        reached = end
        rows += [{"at": at, "g_per_kwh": value, "run": run} for at in (start, end)]
    return rows


def _band(rows: GridRows) -> list[Row]:
    ranges: list[Row] = []
    run, reached = 0, None
    for start, end, _, low, high in rows.expected:
        run += start != reached
        reached = end
        ranges += [{"at": at, "low": low, "high": high, "run": run} for at in (start, end)]
    return ranges
