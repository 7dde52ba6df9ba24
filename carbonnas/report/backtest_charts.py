"""The charts of a backtest: the error by hour of the horizon, and one week of forecasts against what came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import altair as alt
import numpy as np

from carbon_sources.forecasting.backtest import Expectations
from carbon_sources.forecasting.backtest_setting import Setting, first_hour
from carbon_sources.forecasting.hourly import LEVELS, Array
from carbon_sources.interval import HOUR
from carbonnas.report.chart_parts import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, colors, data, wide
from carbonnas.report.figure_data import Row, ms

WEEK_H = 168

_SHADES = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
"""Each round through the colours has its own dashes, so that no two forecasters look alike."""


def error_chart(actual: Array, expected: Mapping[str, Expectations]) -> alt.LayerChart:
    """Return the mean absolute error of each forecaster by lead hour, with the quarter to three quarters of issues as a band."""
    rows = [row for name, answers in expected.items() for row in _error_rows(name, np.abs(answers.mean - actual))]
    shades = {name: _SHADES[place % len(_SHADES)] for place, name in enumerate(expected)}
    dashes = {name: _DASHES[place // len(_SHADES) % len(_DASHES)] for place, name in enumerate(expected)}
    ticks = alt.Axis(values=list(range(0, actual.shape[1] + 1, 12)))
    x = alt.X("lead:Q", title="hours after the issue", axis=ticks, scale=alt.Scale(nice=False))
    y = alt.Y("error:Q", title="absolute error, g/kWh")
    strokes = alt.Legend(title=None, orient="top", columns=6, symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=2)
    color = alt.Color("forecaster:N", scale=alt.Scale(domain=list(shades), range=list(shades.values())), legend=strokes)
    band = alt.Chart(data(rows)).mark_area(opacity=0.1).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=color)
    line = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=color,
            strokeDash=alt.StrokeDash(
                "forecaster:N",
                scale=alt.Scale(domain=list(dashes), range=list(dashes.values())),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("forecaster:N"),
                alt.Tooltip("lead:Q", title="hours after the issue"),
                alt.Tooltip("error:Q", title="mean absolute error, g/kWh", format=".1f"),
            ],
        )
    )
    return wide([band, line], "Mean absolute error of each forecaster by the hours after the issue.")


def _error_rows(name: str, error: Array) -> list[Row]:
    rows: list[Row] = []
    for lead, column in enumerate(error.T):
        known = column[~np.isnan(column)]
        if len(known):
            low, high = np.quantile(known, (0.25, 0.75))
            rows.append(
                {"forecaster": name, "lead": lead, "error": float(known.mean()), "low": float(low), "high": float(high)}
            )
    return rows


def example_week(setting: Setting) -> tuple[datetime, tuple[int, ...]]:
    """Return the begin of the week around the middle issue, and for each of its hours the place of the newest issue by then.

    The place is that of the first issue for hours before it. Where fewer than 168 hours follow, the week is what there is.
    """
    middle = len(setting.issues) // 2
    begin = max(setting.issues[0], setting.issues[middle] - WEEK_H // 2 * HOUR)
    begin = first_hour(next(issue for issue in setting.issues if issue >= begin))
    newest, places = 0, []
    for hour in range(WEEK_H):
        while newest + 1 < len(setting.issues) and setting.issues[newest + 1] <= begin + hour * HOUR:
            newest += 1
        places.append(newest)
    return begin, tuple(places)


def week_chart(setting: Setting, actual: Array, answers: Expectations) -> alt.LayerChart:
    """Return a week of what came and what the newest forecast by then had expected, with its 90 % interval."""
    rows = _week_rows(setting, actual, answers)
    x = alt.X("at:T", title="time (UTC)", scale=alt.Scale(type="utc"), axis=alt.Axis(format="%-d %b", tickCount=7))
    shades = {"actual": GREY, "expected": BLUE}
    layers: list[alt.Chart] = []
    if answers.quantiles is not None:
        band = [row for row in rows if "low" in row]
        layers.append(
            alt.Chart(data(band))
            .mark_area(opacity=0.2, color=BLUE)
            .encode(x=x, y=alt.Y("low:Q", title="g/kWh"), y2="high:Q", detail="run:N")
        )
    line = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=alt.Y("value:Q", title="g/kWh", scale=alt.Scale(zero=False)),
            color=colors(rows, "what", shades),
            detail="run:N",
            tooltip=[
                alt.Tooltip("what:N"),
                alt.Tooltip("at:T", title="time (UTC)", format="%-d %b %H:%M"),
                alt.Tooltip("value:Q", title="g/kWh", format=".0f"),
            ],
        )
    )
    return wide([*layers, line], "A week of actual intensity and of the newest forecast by then.")


def _week_rows(setting: Setting, actual: Array, answers: Expectations) -> list[Row]:
    """Return the rows of both lines; `run` counts up at each gap and each issue, so that no line bridges two."""
    begin, places = example_week(setting)
    rows: list[Row] = []
    for what, values in (("actual", actual), ("expected", answers.mean)):
        run = 0
        for hour, place in enumerate(places):
            at = begin + hour * HOUR
            lead = (at - first_hour(setting.issues[place])) // HOUR
            if not 0 <= lead < setting.hours or np.isnan(values[place, lead]):
                run += 1
                continue
            run += what == "expected" and hour > 0 and place != places[hour - 1]
            row: Row = {"what": what, "at": ms(at), "value": float(values[place, lead]), "run": run}
            rows.append(row | (_interval(answers, place, lead) if what == "expected" else {}))
    return rows


def _interval(answers: Expectations, place: int, lead: int) -> Row:
    if answers.quantiles is None:
        return {}
    low, high = (float(answers.quantiles[place, lead, LEVELS.index(level)]) for level in (0.05, 0.95))
    return {"low": low, "high": high}
