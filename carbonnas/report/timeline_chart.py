"""The grid, the decisions and the trials over one time axis."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from carbonnas.record import SearchRecord
from carbonnas.report.chart_parts import BLUE, GREEN, GREY, ORANGE, colors, data, shapes, time_axis, time_scale, tips
from carbonnas.report.figure_data import Row, decision_rows, downtime_rows, in_force_rows, intensity_rows, lane_rows

AXIS_WIDTH = 44
"""Pixels kept for the labels of the vertical axes, so that the stacked parts align."""

_WIDTH = 640
_SHADES = {"train": BLUE, "train and score": GREEN, "score": ORANGE, "rest": GREY}
_FORMS = {"train": "circle", "train and score": "diamond", "score": "square", "rest": "cross"}


def timeline(record: SearchRecord) -> alt.VConcatChart:
    """Return intensity with decisions, the decisions in force, and the trials in their slots."""
    time = time_scale(record)
    lanes, decisions = lane_rows(record), decision_rows(record)
    legend = [*lanes, *decisions]  # one for all parts, so that colours and shapes stay in one legend
    bare = alt.Axis(labels=False, ticks=False, title=None)
    depth = max(1, len({row["lane"] for row in lanes}))
    parts = (
        _intensity(record, decisions, legend, alt.X("at:T", scale=time, axis=bare)),
        _strips(in_force_rows(record), legend, 14).encode(
            x=alt.X("at:T", scale=time, axis=None),
            y=alt.Y("row:O", axis=_bare("plan")),
            tooltip=tips("time", "slots", "reason"),
        ),
        _strips(lanes, legend, min(160, 16 * depth)).encode(
            x=time_axis(record),
            y=alt.Y("lane:O", axis=_bare("work")),
            tooltip=tips("text", "time"),
        ),
    )
    described = "Carbon intensity over time, the scheduler's decisions, and the trials that ran."
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.VConcatChart(vconcat=list(parts), spacing=6, description=described, resolve=shared)


def _intensity(record: SearchRecord, decisions: Sequence[Row], legend: Sequence[Row], x: alt.X) -> alt.LayerChart:
    axis = alt.Axis(minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH, tickCount=5)
    y = alt.Y("g_per_kwh:Q", title="g CO₂e / kWh", axis=axis)
    line = (
        alt.Chart(data(intensity_rows(record)))
        .mark_line(color=GREY, strokeWidth=2)
        .encode(x=x, y=y, detail="run:N", tooltip=[alt.Tooltip("text:N", title="intensity")])
    )
    points = (
        alt.Chart(data([row for row in decisions if row["g_per_kwh"] is not None]))
        .mark_point(filled=True, size=42, opacity=1)
        .encode(
            x=x,
            y=y,
            color=colors(legend, "action", _SHADES),
            shape=shapes(legend, "action", _FORMS),
            tooltip=tips("time", "slots", "reason"),
        )
    )
    return alt.LayerChart(layer=[*_shades(record, x), line, points], width=_WIDTH, height=170)


def _shades(record: SearchRecord, x: alt.X) -> list[alt.Chart]:
    """Return a layer that shades the time in which nobody worked on the search, if there is any."""
    rows = downtime_rows(record)
    shades: alt.Chart = alt.Chart(data(rows)).mark_rect(color=GREY, opacity=0.25)
    return [shades.encode(x=x, x2="until:T", tooltip=tips("text", "time"))] if rows else []


def _strips(rows: Sequence[Row], legend: Sequence[Row], height: int) -> alt.Chart:
    bars: alt.Chart = alt.Chart(data(rows), width=_WIDTH, height=height).mark_bar(cornerRadius=1)
    return bars.encode(x2="until:T", color=colors(legend, "action", _SHADES))


def _bare(title: str) -> alt.Axis:
    return alt.Axis(
        title=title,
        titleAngle=0,
        titleAlign="right",
        titleBaseline="middle",
        labels=False,
        ticks=False,
        grid=False,
        domain=False,
        minExtent=AXIS_WIDTH,
        maxExtent=AXIS_WIDTH,
        titlePadding=-AXIS_WIDTH + 8,
    )
