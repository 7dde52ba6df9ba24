"""The picture of a backtest: a page that needs nothing else, or the same charts as SVG or PNG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import altair as alt

from carbon_sources.forecasting.backtest import Expectations
from carbon_sources.forecasting.backtest_setting import Setting
from carbon_sources.forecasting.scores import Scores
from carbonnas.files import replace_file
from carbonnas.report.backtest_charts import error_chart, week_chart
from carbonnas.report.figures import Figure
from carbonnas.report.formatting import NOTHING
from carbonnas.report.page import drawn_page, template_environment
from carbonnas.report.picture import picture

_WIDTH = 760
_LINE, _QUIET = "#dde1e7", "#566070"
_LIGHT = {
    "background": "#ffffff",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _QUIET,
        "titleColor": _QUIET,
        "gridColor": _LINE,
        "domainColor": _LINE,
        "tickColor": _LINE,
        "titleFontWeight": "normal",
    },
    "title": {"anchor": "start", "fontSize": 14},
}
"""The look of the page in daylight: a picture can't know what it will lie on."""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """What there is to draw.

    Attributes:
        zone: Name of the zone.
        setting: What the forecasters were asked.
        expected: What they expected, by name; at least one.
        scores: How good that was, by the same names.
        shown: The forecaster whose week is shown if it is among them; the one with the least error of the first day otherwise.
    """

    zone: str
    setting: Setting
    expected: Mapping[str, Expectations]
    scores: Mapping[str, Scores]
    shown: str


def write_picture(path: Path, result: BacktestResult) -> None:
    """Write the picture in the format of the file's ending: `.html`, `.htm`, `.svg` or `.png`.

    Raises:
        OSError: If it can't be written.
    """
    drawn = backtest_figures(result)
    page = path.suffix.lower() in {".html", ".htm"}
    replace_file(path, _page(result, drawn).encode() if page else picture(_stacked(drawn), path.suffix))


def backtest_figures(result: BacktestResult) -> tuple[Figure, Figure]:
    """Return the figures of a backtest."""
    actual, name = result.setting.actual(), _shown(result)
    answers = result.expected[name]
    band = "" if answers.quantiles is None else " The band should hold 90 % of the hours."
    return (
        Figure(
            "error",
            "Error by hour of the horizon",
            f"Mean absolute error over {len(result.setting.issues)} forecasts; the bands hold the middle half of them.",
            error_chart(actual, result.expected),
        ),
        Figure(
            "week",
            f"A week of {name}",
            f"What came, and what the newest forecast by then had expected.{band}",
            week_chart(result.setting, actual, answers),
        ),
    )


def _shown(result: BacktestResult) -> str:
    if result.shown in result.expected:
        return result.shown
    first_day = {name: found.mae[0] for name, found in result.scores.items()}
    return min(first_day, key=lambda name: (first_day[name] is None, first_day[name] or 0.0))


def _stacked(drawn: tuple[Figure, ...]) -> alt.VConcatChart:
    parts = []
    for figure in drawn:
        part = figure.chart.copy()
        part.width, part.title = _WIDTH, figure.title
        parts.append(part)
    apart = alt.Resolve(scale=alt.ScaleResolveMap(color="independent"))
    stacked: alt.VConcatChart = alt.VConcatChart(vconcat=parts, spacing=24, resolve=apart, config=_LIGHT)
    return stacked


def _page(result: BacktestResult, drawn: tuple[Figure, ...]) -> str:
    environment = template_environment()
    environment.filters["score"] = lambda value: NOTHING if value is None else f"{value:.2f}"
    return drawn_page(
        environment, "backtest.html.j2", drawn, zone=result.zone, setting=result.setting, scores=result.scores
    )
