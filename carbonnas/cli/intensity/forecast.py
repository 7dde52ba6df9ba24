"""`intensity forecast`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from carbon_sources.errors import CarbonSourceError, ForecastError
from carbon_sources.forecasting.issue import issue, known_hours
from carbon_sources.intensity import Forecast, IntensitySeries
from carbonnas.cli.forecasters import takes_issues
from carbonnas.cli.intensity.grid import Grid, ended, recording_end
from carbonnas.cli.intensity.text import (
    grid_json,
    has_band,
    interval_json,
    lasting,
    plain,
    remark,
    say_written,
    stamp,
)
from carbonnas.cli.options import DAY, PICTURES, check_horizon, check_output, horizon_option
from carbonnas.cli.output import messages, print_json, results
from carbonnas.config_file import choose_plugin
from carbonnas.files import replace_file
from carbonnas.grid import make_forecaster
from carbonnas.plugins import PluginChoice
from carbonnas.report.document import iso

_SHORTER = (DAY, 8 * DAY, 60 * DAY)
"""What is asked for first: a source may refuse to tell as much of its past as could be learnt from."""


def show_forecast(
    grid: Grid, horizon: str | None, forecaster: str | None, *, output: Path | None, as_json: bool
) -> None:
    """Print what is expected, and draw it where a picture is named."""
    check_output(output, PICTURES)
    chosen = _choose(grid, forecaster)
    ahead = _ahead(grid, horizon)
    now = grid.clock.now()
    series, problems = _past(grid, now)
    if takes_issues(chosen.use):
        problems += _keep_issue(grid, now)
    forecast = _expect(grid, chosen, series, now=now, ahead=ahead)
    end = recording_end(grid.source, now)
    if end is not None and end < now - DAY:
        problems.append(ended(end))
    problems = [*dict.fromkeys([*problems, *grid.source.remarks()])]
    remark(problems)
    if output is not None:
        from carbonnas.cli.intensity.figures import content, forecast_chart

        replace_file(output, content(forecast_chart(forecast, series, grid.source), output.suffix))
        say_written(output)
    if as_json:
        print_json({**_document(grid, chosen.use, forecast, ahead), "remarks": problems})
    else:
        _print(grid, chosen.use, forecast)


def _choose(grid: Grid, forecaster: str | None) -> PluginChoice:
    if forecaster is None:
        return grid.config.forecaster
    return choose_plugin("forecaster", {"use": forecaster}, Path.cwd(), f"--forecaster {forecaster}")


def _ahead(grid: Grid, horizon: str | None) -> timedelta:
    if horizon is not None:
        return horizon_option(horizon, "--horizon")
    ahead = grid.config.forecasting.horizon
    check_horizon(ahead, "forecasting.horizon", f"{lasting(ahead)}; choose a shorter one with --horizon")
    return ahead


def _past(grid: Grid, now: datetime) -> tuple[IntensitySeries, list[str]]:
    """Return as much of the past as the source tells, and what went wrong."""
    wanted = grid.config.forecasting.history
    messages().print(f"Asking for up to {wanted // DAY} days of {plain(grid.source.zone)} ...", soft_wrap=True)
    series: IntensitySeries | None = None
    for history in (*(span for span in _SHORTER if span < wanted), wanted):
        try:
            series = grid.source.history(now - history, now)
        except CarbonSourceError as error:
            if series is None:
                raise
            return series, [f"{lasting(history)} of the past could not be had: {error}"]
    return series or IntensitySeries(()), []


def _keep_issue(grid: Grid, now: datetime) -> list[str]:
    """Have the newest forecast of a remote source kept, for forecasters that pass it on; return what went wrong."""
    try:
        if grid.source.names:
            grid.source.forecast(now)
    except CarbonSourceError as error:
        return [f"the forecast of {grid.name} itself could not be had: {error}"]
    return []


def _expect(grid: Grid, chosen: PluginChoice, series: IntensitySeries, *, now: datetime, ahead: timedelta) -> Forecast:
    forecaster = make_forecaster(chosen, grid.source, grid.archive)
    try:
        past = known_hours(series, now, grid.config.forecasting.history)
        messages().print(f"Learning from {len(past.values)} hours ...")
        forecaster.fit(past)
        return issue(forecaster, chosen.use, series, now, ahead)
    except ForecastError as error:
        end = recording_end(grid.source, now)
        if end is None:
            raise
        raise ForecastError(f"{error}; {ended(end)}") from error


def _document(grid: Grid, name: str, forecast: Forecast, ahead: timedelta) -> dict[str, Any]:
    quantiles = forecast.quantiles or ((),) * len(forecast.series)
    return {
        **grid_json(grid.source),
        "forecaster": name,
        "issued_at": iso(forecast.issued_at),
        "horizon_s": ahead.total_seconds(),
        "levels": list(forecast.levels),
        "expected": [
            {**interval_json(sample.interval), "g_per_kwh": sample.g_per_kwh, "quantiles_g_per_kwh": list(values)}
            for sample, values in zip(forecast.series, quantiles, strict=True)
        ],
    }


def _print(grid: Grid, name: str, forecast: Forecast) -> None:
    levels, shown = forecast.levels, has_band(forecast)
    table = Table("hour (UTC)", "g/kWh", *(["band"] if shown else []), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    bands = [[f"{values[0]:.0f} to {values[-1]:.0f}"] for values in forecast.quantiles] if shown else None
    for sample, band in zip(forecast.series, bands or [[]] * len(forecast.series), strict=True):
        table.add_row(stamp(sample.interval.start), f"{sample.g_per_kwh:.1f}", *band)
    console, source = results(), grid.source
    console.print(table)
    told = f"; band {100 * levels[0]:.0f} to {100 * levels[-1]:.0f} %" if shown else ""
    console.print(f"{plain(source.zone)}: {source.kind.value} intensity, {source.basis.value} emissions{told}")
    console.print(f"issued at {stamp(forecast.issued_at)} UTC by {plain(name)}")
