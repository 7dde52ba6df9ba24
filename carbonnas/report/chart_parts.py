"""What all charts share: palette, axes, legends and tooltips.

Colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which colour-blind people tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

import altair as alt

from carbonnas.record import SearchRecord
from carbonnas.report.figure_data import Row, ms, shown
from carbonnas.report.formatting import is_share

BLUE, ORANGE, GREEN, PURPLE, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#8a8f98"

CLOCK = {
    "seconds": "%H:%M:%S",
    "minutes": "%H:%M",
    "hours": "%H:%M",
    "date": "%-d %b",
    "day": "%-d %b",
    "week": "%-d %b",
    "month": "%b %Y",
}
"""How instants are labelled, by how fine the axis is."""

_TWO_LINES = "[utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%-d %b')]"
_ONLY_DATES = timedelta(days=10)
"""Ticks of a longer time are at midnight."""

HEIGHT = 240
"""Pixels."""


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Return rows as inline data."""
    inline = alt.InlineData(values=[])
    # Given to the constructor, thousands of rows would each be checked against the schema: most of the time that a figure takes.
    inline["values"] = list(rows)
    return inline


def points(rows: Sequence[Row]) -> alt.Chart:
    """Return a chart of points that is still to be encoded."""
    marks: alt.Chart = alt.Chart(data(rows)).mark_point(filled=True, size=60, opacity=0.9)
    return marks


def tips(*names: str) -> list[alt.Tooltip]:
    """Return a tooltip that shows texts under their names."""
    return [alt.Tooltip(f"{name}:N", title=name) for name in names]


def legend() -> alt.Legend:
    """Return a legend above the chart."""
    return alt.Legend(title=None, orient="top", direction="horizontal", columns=4)


def colors(rows: Sequence[Row], field: str, shades: dict[str, str]) -> alt.Color:
    """Return a colour for each value of a field that a row has; without rows there is no legend."""
    return alt.Color(f"{field}:N", scale=_scale(rows, field, shades), legend=legend() if rows else None)


def shapes(rows: Sequence[Row], field: str, forms: dict[str, str]) -> alt.Shape:
    """Return a shape for each value as `colors`, so that colour is not all that tells them apart."""
    return alt.Shape(f"{field}:N", scale=_scale(rows, field, forms), legend=legend() if rows else None)


def _scale(rows: Sequence[Row], field: str, looks: dict[str, str]) -> alt.Scale:
    seen = {row[field] for row in rows}
    used = {value: look for value, look in looks.items() if value in seen} or looks
    return alt.Scale(domain=list(used), range=list(used.values()))


def time_scale(record: SearchRecord) -> alt.Scale:
    """Return a scale in UTC over the whole search."""
    within = shown(record)
    # a plain domain of instants is lost where a page forbids evaluated code; an expression is not
    return alt.Scale(type="utc", domainRaw=alt.ExprRef(f"[{ms(within.start)}, {ms(within.end)}]"), nice=False)


def time_axis(record: SearchRecord) -> alt.X:
    """Return the horizontal axis of charts over time, with dates below the hours where it crosses midnight."""
    within = shown(record)
    if within.start.astimezone(UTC).date() == within.end.astimezone(UTC).date():
        axis = alt.Axis(title="time (UTC)", format=CLOCK, labelOverlap="greedy", labelSeparation=6)
    elif within.duration > _ONLY_DATES:
        axis = alt.Axis(title="time (UTC)", format="%-d %b")
    else:
        axis = alt.Axis(title="time (UTC)", labelExpr=_TWO_LINES)
    return alt.X("at:T", scale=time_scale(record), axis=axis)


def metric_x(field: str, metric: str) -> alt.X:
    """Return the horizontal axis of a metric: percent for accuracies, else powers of a thousand with their letters."""
    return alt.X(f"{field}:Q", title=metric, scale=alt.Scale(zero=False), axis=_metric_axis(metric))


def metric_y(field: str, metric: str) -> alt.Y:
    """Return the vertical axis of a metric, as `metric_x`."""
    return alt.Y(f"{field}:Q", title=metric, scale=alt.Scale(zero=False), axis=_metric_axis(metric))


def _metric_axis(metric: str) -> alt.Axis:
    return alt.Axis(format="~%" if is_share(metric) else "~s", tickCount=6)


def wide(layers: Sequence[alt.Chart], description: str) -> alt.LayerChart:
    """Return the layers as wide as what holds them, with a description for those who can't see them."""
    return alt.LayerChart(layer=list(layers), width="container", height=HEIGHT, description=description)
