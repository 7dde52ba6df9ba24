"""Pictures of intensity: what was, and what is expected with its band. They need nothing else: no script, no network."""

from __future__ import annotations

import html

import altair as alt

from carbon_sources.intensity import Forecast, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource
from carbonnas.cli.intensity.text import has_band, printable
from carbonnas.report.chart_parts import BLUE, CLOCK, GREY, data
from carbonnas.report.figure_data import Row, ms, steps
from carbonnas.report.picture import picture, svg

_WIDTH, _HEIGHT = 900, 300
_SHOWN_BEFORE = 2
"""Of the past a picture shows twice as much as is expected."""


def history_chart(series: IntensitySeries, within: Interval, source: CarbonSource) -> alt.LayerChart:
    """Return the intensity over a time; gaps stay gaps."""
    return _chart([_line(_rows(series, within), BLUE)], within, source)


def forecast_chart(forecast: Forecast, series: IntensitySeries, source: CarbonSource) -> alt.LayerChart:
    """Return what was known, what is expected after it, and the band."""
    expected = forecast.series
    end = expected.samples[-1].interval.end
    within = Interval(forecast.issued_at - _SHOWN_BEFORE * (end - forecast.issued_at), end)
    ahead = Interval(expected.samples[0].interval.start, end)
    layers = [_line(_rows(series, within), GREY), _line(_rows(expected, ahead), BLUE)]
    if has_band(forecast):
        layers.insert(0, _band(forecast))
    return _chart(layers, within, source)


def content(chart: alt.LayerChart, suffix: str) -> bytes:
    """Return a chart as the content of a file with this ending: `.svg`, `.png`, or a page with the drawing in it."""
    if suffix.lower() in {".svg", ".png"}:
        return picture(chart, suffix)
    return _PAGE.format(title=html.escape(str(chart.title)), drawing=svg(chart)).encode()


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>body {{ margin: 2rem; background: #fff }} svg {{ max-width: 100%; height: auto }}</style>
</head>
<body>
{drawing}
</body>
</html>
"""


def _chart(layers: list[alt.Chart], within: Interval, source: CarbonSource) -> alt.LayerChart:
    title = f"{printable(source.zone)}: {source.kind.value} intensity, {source.basis.value} emissions"
    described = f"Carbon intensity from {within.start:%Y-%m-%d %H:%M} to {within.end:%Y-%m-%d %H:%M} UTC."
    return alt.LayerChart(layer=layers, width=_WIDTH, height=_HEIGHT, title=title, description=described)


def _line(rows: list[Row], color: str) -> alt.Chart:
    line: alt.Chart = alt.Chart(data(rows)).mark_line(color=color, strokeWidth=1.5)
    return line.encode(x=_time(), y=alt.Y("g_per_kwh:Q", title="g CO₂e / kWh"), detail="run:N")


def _band(forecast: Forecast) -> alt.Chart:
    rows: list[Row] = [
        {"at": ms(at), "low": values[0], "high": values[-1]}
        for sample, values in zip(forecast.series, forecast.quantiles, strict=True)
        for at in (sample.interval.start, sample.interval.end)
    ]
    band: alt.Chart = alt.Chart(data(rows)).mark_area(color=BLUE, opacity=0.2)
    return band.encode(x=_time(), y=alt.Y("low:Q", title="g CO₂e / kWh"), y2="high:Q")


def _time() -> alt.X:
    return alt.X("at:T", scale=alt.Scale(type="utc", nice=False), axis=alt.Axis(title="time (UTC)", format=CLOCK))


def _rows(series: IntensitySeries, within: Interval) -> list[Row]:
    return [
        {"at": ms(at), "g_per_kwh": sample.g_per_kwh, "run": run}
        for part, run, sample in steps(series, within)
        for at in (part.start, part.end)
    ]
