"""The scores of a backtest on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from carbon_sources.forecasting.scores import ByDay, Scores
from carbonnas.cli.backtest.plan import BacktestPlan
from carbonnas.cli.output import results
from carbonnas.report.formatting import NOTHING


@dataclass(frozen=True, slots=True)
class Measure:
    """One score to show.

    Attributes:
        title: What it is, with its unit.
        of: Takes it from the scores.
        shown: How a value is written.
        loss: Returns less for what is better.
    """

    title: str
    of: Callable[[Scores], ByDay]
    shown: str
    loss: Callable[[float], float]


MEASURES = (
    Measure("mean absolute percentage error, %", lambda scores: scores.mape, "{:.2f}", lambda value: value),
    Measure("mean absolute error, g/kWh", lambda scores: scores.mae, "{:.1f}", lambda value: value),
    Measure("quantile loss, g/kWh", lambda scores: scores.pinball, "{:.2f}", lambda value: value),
    Measure(
        "share of hours in the 90 % interval, %",
        lambda scores: scores.coverage[90],
        "{:.1f}",
        lambda value: abs(value - 90),
    ),
    Measure("rank correlation within a day", lambda scores: scores.rank_correlation, "{:.3f}", lambda value: -value),
    Measure("skill against yesterday", lambda scores: scores.skill, "{:+.3f}", lambda value: -value),
)


def print_scores(
    scores: Mapping[str, Scores], plan: BacktestPlan, seconds: Mapping[str, tuple[float, float | None]]
) -> None:
    """Print a table for each measure, with forecasters below each other, days beside each other and the best of each day bold."""
    setting, console = plan.setting, results()
    if not scores:
        return
    console.print(
        f"{plan.source.zone}, {plan.source.kind.value}, {plan.source.basis.value}: {len(setting.issues)} forecasts of "
        f"{setting.hours} h, {setting.issues[0]:%Y-%m-%d %H:%M} to {setting.issues[-1]:%Y-%m-%d %H:%M} UTC",
        markup=False,
    )
    for measure in MEASURES:
        console.print()
        console.print(_table(measure, scores))
    times = Table("time on this machine", "learning, s", "a forecast, ms", box=None)
    for name, (fit_s, predict_s) in seconds.items():
        times.add_row(escape(name), f"{fit_s:.2f}", NOTHING if predict_s is None else f"{1000 * predict_s:.2f}")
    console.print()
    console.print(times)


def _table(measure: Measure, scores: Mapping[str, Scores]) -> Table:
    days = len(next(iter(scores.values())).hours)
    table = Table(measure.title, *(f"day {day}" for day in range(1, days + 1)), box=None)
    best = [_best(measure, scores, day) for day in range(days)]
    for name, found in scores.items():
        cells = [_cell(measure, value, best[day]) for day, value in enumerate(measure.of(found))]
        table.add_row(escape(name), *cells)
    return table


def _best(measure: Measure, scores: Mapping[str, Scores], day: int) -> float | None:
    """Return the least loss of a day; nothing is the best of one."""
    values = [value for found in scores.values() if (value := measure.of(found)[day]) is not None]
    return min(map(measure.loss, values)) if len(values) > 1 else None


def _cell(measure: Measure, value: float | None, best: float | None) -> str:
    if value is None:
        return NOTHING
    text = measure.shown.format(value)
    return f"[bold]{text} *[/bold]" if best is not None and measure.loss(value) == best else text
