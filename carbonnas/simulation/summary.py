"""Everything that a tournament found, in one document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from carbon_sources.forecasting.hourly import hourly_means
from carbon_sources.interval import HOUR, full_hour
from carbon_sources.units import parse_duration
from carbonnas.plugins import ENERGY_METERS
from carbonnas.report.simulation_model import (
    ChargedLine,
    GridLine,
    HypervolumeLine,
    SimulatedRun,
    SimulationDocument,
)
from carbonnas.simulation.comparison import compare
from carbonnas.simulation.setting import Competitor, Setting
from carbonnas.simulation.tournament import Tournament


def summarise(
    tournament: Tournament,
    runs: Sequence[tuple[Competitor, tuple[SimulatedRun, ...]]],
    *,
    trace: str,
    accounting: str,
    deadline: timedelta | None,
    qualities: Sequence[float],
) -> SimulationDocument:
    """Return the document of a tournament.

    Args:
        tournament: Who was simulated.
        runs: What it gave.
        trace: The trace, as the user named it.
        accounting: Name of what was charged.
        deadline: When searches were ended after their start.
        qualities: Shares of the maximal hypervolume, 0..1.
    """
    setting = tournament.setting
    config, yardstick = setting.config, setting.yardstick
    longest_h = max(run.finish_h for _, found in runs for run in found)
    asked = any(competitor.uses_forecast for competitor in tournament.competitors)
    return SimulationDocument(
        search=config.search.name,
        start=setting.start,
        deadline_h=None if deadline is None else deadline / HOUR,
        slots=config.search.slots,
        seeds=tournament.seeds,
        forecaster=config.forecaster.use if asked else None,
        grid=_grid(setting, trace, setting.start + timedelta(hours=longest_h)),
        charged=_charged(setting, accounting),
        hypervolume=HypervolumeLine(
            tuple(str(objective) for objective in yardstick.objectives),
            yardstick.fidelity.name.value,
            dict(yardstick.reference),
            yardstick.maximum,
            yardstick.rows,
        ),
        schedulers=compare(runs, qualities),
    )


def _grid(setting: Setting, trace: str, end: datetime) -> GridLine:
    source, first = setting.source, full_hour(setting.start)
    last = full_hour(end) + HOUR
    means = hourly_means(source.history(first, last), first, last)
    return GridLine(
        trace=trace,
        zone=source.zone,
        kind=source.kind.value,
        basis=source.basis.value,
        hours=tuple(first + place * HOUR for place in range(len(means.values))),
        g_per_kwh=tuple(None if value != value else float(value) for value in means.values),
    )


def _charged(setting: Setting, accounting: str) -> ChargedLine:
    config = setting.config
    meter = ENERGY_METERS.create(config.energy.use, config.energy.options, {"slots": config.search.slots})
    told = meter.measurement()
    return ChargedLine(
        accounting=accounting,
        method=told.method,
        details=dict(told.details),
        pue=config.accounting.pue,
        suspend_s=parse_duration(str(config.executor.options["suspend_cost"])).total_seconds(),
        resume_s=parse_duration(str(config.executor.options["resume_cost"])).total_seconds(),
    )
