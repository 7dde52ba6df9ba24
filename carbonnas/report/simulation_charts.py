"""The charts of simulations."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from carbonnas.report.chart_parts import BLUE, CLOCK, GREEN, GREY, HEIGHT, ORANGE, PURPLE, RED, data, legend, wide
from carbonnas.report.figure_data import Row, ms
from carbonnas.report.simulation_model import Growth, SchedulerResult, SimulationDocument

_SHADES = (GREY, BLUE, ORANGE, GREEN, PURPLE, RED, "#56b4e9", "#f0e442", "#000000")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""Schedulers are told apart by colour and by dash, so that more of them than colours can be drawn."""

_ROW = 26
"""Pixels of a scheduler's row."""
_AXIS = 150
"""Pixels kept for the names of the schedulers, so that the parts of the schedule align."""


def emissions_chart(document: SimulationDocument) -> alt.LayerChart:
    """Return the emissions of each scheduler: the median with the quartiles, and every seed."""
    medians: list[Row] = []
    seeds: list[Row] = []
    for result in document.schedulers:
        found = result.figures["emissions_kg"]
        medians.append({"scheduler": result.name, "kg": found.median, "low": found.q25, "high": found.q75})
        seeds += [{"scheduler": result.name, "kg": run.emissions_kg, "seed": run.seed} for run in result.runs]
    y = alt.Y("scheduler:N", title=None, sort=_names(document), axis=alt.Axis(labelLimit=_AXIS))
    bars = alt.Chart(data(medians)).mark_bar(size=_ROW // 2, opacity=0.45)
    ranges = alt.Chart(data(medians)).mark_rule(strokeWidth=2)
    dots = alt.Chart(data(seeds)).mark_tick(thickness=2, size=_ROW // 2, opacity=0.9)
    shown = [alt.Tooltip("scheduler:N"), alt.Tooltip("kg:Q", title="kg CO₂e", format=".3g")]
    color = _color(document, None)
    chart = wide(
        [
            bars.encode(x=alt.X("kg:Q", title="kg CO₂e"), y=y, color=color, tooltip=shown),
            ranges.encode(x="low:Q", x2="high:Q", y=y, color=color),
            dots.encode(x="kg:Q", y=y, color=color, tooltip=[*shown, alt.Tooltip("seed:Q")]),
        ],
        "Emissions of each scheduler.",
    )
    chart.height = _ROW * len(document.schedulers)
    return chart


def hypervolume_chart(document: SimulationDocument, *, by_time: bool) -> alt.LayerChart:
    """Return the hypervolume of each scheduler against emissions or against time, with the quartiles."""
    rows = [
        {"scheduler": result.name, **row}
        for result in document.schedulers
        for row in _growth_rows(result.by_hours if by_time else result.by_kg)
    ]
    x = alt.X("at:Q", title="hours" if by_time else "kg CO₂e emitted by then")
    scale = alt.Scale(zero=False, domainMax=1)
    y = alt.Y("share:Q", title="share of the maximal hypervolume", scale=scale, axis=alt.Axis(format="~%"))
    color = _color(document, legend())
    band = alt.Chart(data(rows)).mark_area(opacity=0.12, interpolate="step-after")
    line = alt.Chart(data(rows)).mark_line(strokeWidth=2, interpolate="step-after")
    shown = [
        alt.Tooltip("scheduler:N"),
        alt.Tooltip("at:Q", title="hours" if by_time else "kg CO₂e", format=".3g"),
        alt.Tooltip("share:Q", title="hypervolume", format=".2%"),
    ]
    chart = wide(
        [
            band.encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=color),
            line.encode(x=x, y=y, color=color, strokeDash=_dash(document), tooltip=shown),
        ],
        f"Hypervolume of each scheduler against {'time' if by_time else 'emissions'}.",
    )
    chart.height = HEIGHT
    return chart


def schedule_chart(document: SimulationDocument, results: Sequence[SchedulerResult]) -> alt.VConcatChart:
    """Return the intensity of the grid, and below it how many slots trained in each hour with each scheduler."""
    first, last = document.grid.hours[0], document.grid.hours[-1]
    # a plain domain of instants is lost where a page forbids evaluated code; an expression is not
    scale = alt.Scale(type="utc", domainRaw=alt.ExprRef(f"[{ms(first)}, {ms(last)}]"), nice=False)
    axis = alt.Axis(minExtent=_AXIS, maxExtent=_AXIS, labelLimit=_AXIS)
    known = zip(document.grid.hours, document.grid.g_per_kwh, strict=True)
    intensity = (
        alt.Chart(data([{"at": ms(hour), "g_per_kwh": value} for hour, value in known]), width=640, height=120)
        .mark_line(color=GREY, strokeWidth=2, interpolate="step-after")
        .encode(
            x=alt.X("at:T", scale=scale, axis=alt.Axis(labels=False, ticks=False, title=None)),
            y=alt.Y("g_per_kwh:Q", title="g CO₂e / kWh", axis=axis),
            tooltip=[alt.Tooltip("g_per_kwh:Q", title="g/kWh", format=".0f")],
        )
    )
    work = (
        alt.Chart(data(_slot_rows(document, results)), width=640, height=_ROW * len(results))
        .mark_rect()
        .encode(
            x=alt.X("from:T", scale=scale, axis=alt.Axis(title="time (UTC)", tickCount=10, format=CLOCK)),
            x2="until:T",
            y=alt.Y("scheduler:N", title=None, sort=[result.name for result in results], axis=axis),
            color=alt.Color(
                "slots:Q",
                scale=alt.Scale(domain=[0, document.slots], scheme="blues"),
                legend=alt.Legend(title="slots that train", orient="top"),
            ),
            tooltip=[alt.Tooltip("scheduler:N"), alt.Tooltip("slots:Q", title="slots that train", format=".2f")],
        )
    )
    described = "Intensity of the grid, and how many slots trained in each hour with each scheduler."
    apart = alt.Resolve(scale=alt.ScaleResolveMap(color="independent"))
    return alt.VConcatChart(vconcat=[intensity, work], spacing=6, description=described, resolve=apart)


def _slot_rows(document: SimulationDocument, results: Sequence[SchedulerResult]) -> list[Row]:
    begin = ms(document.start)
    hour_ms = 3_600_000
    return [
        {
            "scheduler": result.name,
            "from": begin + place * hour_ms,
            "until": begin + (place + 1) * hour_ms,
            "slots": slots,
        }
        for result in results
        for place, slots in enumerate(result.training_slots)
        if slots > 0
    ]


def _growth_rows(growth: Growth) -> list[Row]:
    found = zip(growth.at, growth.median, growth.q25, growth.q75, strict=True)
    return [{"at": at, "share": median, "low": low, "high": high} for at, median, low, high in found]


def _names(document: SimulationDocument) -> list[str]:
    return [result.name for result in document.schedulers]


def _color(document: SimulationDocument, key: alt.Legend | None) -> alt.Color:
    names = _names(document)
    shades = [_SHADES[place % len(_SHADES)] for place in range(len(names))]
    return alt.Color("scheduler:N", scale=alt.Scale(domain=names, range=shades), legend=key)


def _dash(document: SimulationDocument) -> alt.StrokeDash:
    names = _names(document)
    dashes = [_DASHES[place % len(_DASHES)] for place in range(len(names))]
    return alt.StrokeDash("scheduler:N", scale=alt.Scale(domain=names, range=dashes), legend=None)
