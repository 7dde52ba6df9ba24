"""The charts of emissions and findings."""

from __future__ import annotations

import altair as alt

from carbonnas.record import SearchRecord
from carbonnas.report.chart_parts import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    ORANGE,
    PURPLE,
    RED,
    colors,
    data,
    metric_x,
    metric_y,
    points,
    shapes,
    time_axis,
    tips,
    wide,
)
from carbonnas.report.document import trial_lines
from carbonnas.report.figure_data import ACCOUNTS, Row, cumulative_rows, front_rows, progress_rows, trial_rows
from carbonnas.report.formatting import grams, mass_unit
from carbonnas.trials import FidelityName
from schedulers.budget import Window

_BUDGET_IN_SIGHT = 4.0
"""A budget more than this many times what was emitted is not drawn: it would flatten everything else."""


def emissions(record: SearchRecord) -> alt.LayerChart:
    """Return the emissions of each account since the start, stacked, with the budget of the whole search as a line."""
    rows = _drawn(cumulative_rows(record))
    total_g = sum(number(row, "g") for row in rows if row["at"] == rows[-1]["at"])
    factor, unit = mass_unit(total_g)
    area = (
        alt.Chart(data([row | {"mass": number(row, "g") / factor, "emitted": grams(number(row, "g"))} for row in rows]))
        .mark_area(opacity=0.85)
        .encode(
            x=time_axis(record),
            y=alt.Y("mass:Q", stack="zero", title=f"{unit} CO₂e"),
            color=colors(rows, "account", dict(zip(ACCOUNTS, (BLUE, ORANGE, PURPLE, GREY), strict=True))),
            order="order:Q",
            tooltip=tips("account", "emitted"),
        )
    )
    return wide([area, *_limits(record, total_g, factor)], "Cumulative emissions by account, and the budget.")


def _drawn(rows: list[Row]) -> list[Row]:
    """Return the rows of the accounts that emitted anything, or all while none has."""
    used = {row["account"] for row in rows if number(row, "g") > 0}
    return [row for row in rows if row["account"] in used] or rows


def _limits(record: SearchRecord, total_g: float, factor: float) -> tuple[alt.Chart, alt.Chart]:
    rows: list[Row] = [
        {"limit": state.budget.limit_g / factor, "text": f"budget {grams(state.budget.limit_g)}"}
        for state in record.budgets
        if state.budget.window is Window.SEARCH and state.budget.limit_g <= _BUDGET_IN_SIGHT * total_g
    ]
    rule = alt.Chart(data(rows)).mark_rule(color=RED, strokeDash=[6, 4], strokeWidth=2)
    label = alt.Chart(data(rows)).mark_text(color=RED, align="left", dx=4, dy=-7, fontWeight="bold")
    return rule.encode(y="limit:Q", tooltip=tips("text")), label.encode(x=alt.value(0), y="limit:Q", text="text:N")


def trials(record: SearchRecord) -> alt.Chart:
    """Return the emissions of each trial by its number."""
    rows = trial_rows(trial_lines(record))
    factor, unit = mass_unit(max((number(row, "high") for row in rows), default=0.0))
    scaled = [row | {"low": number(row, "low") / factor, "high": number(row, "high") / factor} for row in rows]
    bars: alt.Chart = (
        alt.Chart(data(scaled), width="container", height=HEIGHT, description="Emissions of each trial.")
        .mark_rect()
        .encode(
            x=alt.X(
                "from:Q",
                title="trial",
                scale=alt.Scale(nice=False, zero=False),
                axis=alt.Axis(tickMinStep=1, format="d", grid=False),
            ),
            x2="to:Q",
            y=alt.Y("low:Q", title=f"{unit} CO₂e"),
            y2="high:Q",
            color=colors(rows, "kind", {"train": BLUE, "score": ORANGE, "failed": RED}),
            tooltip=tips("who", "emitted", "energy", "what"),
        )
    )
    return bars


def progress(record: SearchRecord) -> alt.LayerChart:
    """Return the first objective against the emissions of the search by then, or against time while nothing is priced."""
    rows = progress_rows(record)
    factor, unit = mass_unit(max((number(row, "g") for row in rows), default=0.0))
    scaled = [row | {"mass": number(row, "g") / factor} for row in rows]
    priced = any(number(row, "g") > 0 for row in rows)
    name = record.objectives[0].metric if record.objectives else "objective"
    x = (
        alt.X("mass:Q", title=f"{unit} CO₂e emitted by then", axis=alt.Axis(tickCount=8))
        if priced
        else time_axis(record)
    )
    line = alt.Chart(data([row for row in scaled if "best" in row])).mark_line(interpolate="step-after", color=GREY)
    marks = points(scaled).encode(
        x=x,
        y=metric_y("value", name),
        color=colors(rows, "fidelity", {FidelityName.SEARCH.value: BLUE, FidelityName.FULL.value: RED}),
        shape=shapes(rows, "fidelity", {FidelityName.SEARCH.value: "circle", FidelityName.FULL.value: "diamond"}),
        tooltip=tips("who", "measured", "emitted", "time", "what"),
    )
    described = f"{name} of each training against emissions, with the best so far."
    return wide([line.encode(x=x, y=metric_y("best", name)), marks], described)


def front(record: SearchRecord) -> alt.LayerChart:
    """Return the trainings in the plane of the first two objectives with the Pareto front.

    Raises:
        ValueError: If the search has fewer than two objectives.
    """
    if len(record.objectives) < 2:
        raise ValueError(f"a front needs two objectives, got {len(record.objectives)}")
    first, second = (objective.metric for objective in record.objectives[:2])
    x, y = metric_x("x", second), metric_y("y", first)
    rows = front_rows(record)
    line = alt.Chart(data([row for row in rows if row["front"] == "Pareto front"])).mark_line(
        color=GREEN, strokeDash=[3, 3]
    )
    marks = points(rows).encode(
        x=x,
        y=y,
        color=colors(rows, "front", {"Pareto front": GREEN, "beaten": GREY}),
        shape=shapes(rows, "front", {"Pareto front": "diamond", "beaten": "circle"}),
        tooltip=tips("who", "measured", "what"),
    )
    return wide([line.encode(x=x, y=y), marks], f"{first} against {second} with the Pareto front.")


def number(row: Row, name: str) -> float:
    """Return a value of a row that is a number; `TypeError` for anything else."""
    value = row[name]
    if not isinstance(value, int | float):
        raise TypeError(f"{name} of a row must be a number, got {value!r}")
    return float(value)
