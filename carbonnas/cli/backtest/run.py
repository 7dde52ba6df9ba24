"""`backtest`: running the forecasters and handing out their scores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from carbon_sources.errors import CarbonSourceError, ForecastError
from carbon_sources.forecasting.answer import plugin_errors
from carbon_sources.forecasting.backtest import Expectations, archived_expectations, expectations
from carbon_sources.forecasting.hourly import LEVELS, Array
from carbon_sources.forecasting.scores import Scores, score
from carbon_sources.groups import DEFAULT_FORECASTER, FORECASTERS
from carbon_sources.interval import HOUR
from carbonnas.cli.backtest.plan import BacktestOptions, BacktestPlan, make_plan
from carbonnas.cli.backtest.table import print_scores
from carbonnas.cli.forecasters import needs_issues, passes_on_issues
from carbonnas.cli.output import messages, print_json
from carbonnas.report.document import iso

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """How one forecaster did.

    Attributes:
        expected: What it expected.
        scores: How good that was.
    """

    expected: Expectations
    scores: Scores


def run_backtest(options: BacktestOptions, *, as_json: bool) -> None:
    """Run the backtest, print its scores, and exit with 1 if a forecaster failed."""
    console = messages()
    plan = make_plan(options)
    for name in plan.left_out:
        console.print(
            f"{name}: left out, no archived forecasts come with the recording; name their file with --forecasts",
            soft_wrap=True,
        )
    actual, yesterday = plan.setting.actual(), plan.setting.yesterday()
    tested: dict[str, Tested | str] = {}
    with _progress(console, plan) as told_of:
        for name in plan.forecasters:
            tested[name] = _test(name, plan, actual, yesterday, told_of(name))
    for name, outcome in tested.items():
        if isinstance(outcome, str):
            console.print(f"[red]{escape(name)} failed[/red]: {escape(outcome)}", soft_wrap=True)
    done = {name: outcome for name, outcome in tested.items() if isinstance(outcome, Tested)}
    if as_json:
        print_json(_document(options, plan, tested, score(actual, yesterday, None, yesterday)))
    else:
        print_scores({name: outcome.scores for name, outcome in done.items()}, plan, _seconds(done))
    if options.output is not None and done:
        _draw(options.output, plan, done)
        console.print(f"Picture: {escape(str(options.output))}", soft_wrap=True)
    if len(done) < len(tested):
        raise typer.Exit(1)


def _draw(path: Path, plan: BacktestPlan, done: dict[str, Tested]) -> None:
    from carbonnas.report.backtest_figure import BacktestResult, write_picture

    expected = {name: outcome.expected for name, outcome in done.items()}
    scores = {name: outcome.scores for name, outcome in done.items()}
    write_picture(path, BacktestResult(plan.source.zone, plan.setting, expected, scores, DEFAULT_FORECASTER))


def _test(name: str, plan: BacktestPlan, actual: Array, yesterday: Array, told: Told) -> Tested | str:
    """Return how a forecaster did, or the sentence that says why it failed."""
    try:
        expected = _expectations(name, plan, told)
    except CarbonSourceError as error:
        return str(error)
    return Tested(expected, score(actual, expected.mean, expected.quantiles, yesterday))


def _expectations(name: str, plan: BacktestPlan, told: Told) -> Expectations:
    archive = plan.archive
    if archive is None and needs_issues(name):
        raise ForecastError("needs archived forecasts: give them with --forecasts, or a trace that holds them")
    if archive is not None and passes_on_issues(name):
        return archived_expectations(archive, plan.setting, told=told)
    with plugin_errors("when it was made"):
        forecaster = FORECASTERS.create(name, {}, {} if archive is None else {"issues": archive})
    return expectations(forecaster, plan.setting, told=told)


@contextmanager
def _progress(console: Console, plan: BacktestPlan) -> Iterator[Callable[[str], Told]]:
    """Give what shows the progress of a forecaster: a bar on a terminal, a line for each forecaster elsewhere."""
    if not console.is_terminal:

        def line(name: str) -> Told:
            console.print(f"{name}: {len(plan.setting.issues)} forecasts", markup=False, soft_wrap=True)
            return lambda _: None

        yield line
        return
    with Progress(console=console, transient=True) as progress:

        def bar(name: str) -> Told:
            task = progress.add_task(escape(name), total=len(plan.setting.issues))
            return lambda number: progress.update(task, completed=number)

        yield bar


def _document(
    options: BacktestOptions, plan: BacktestPlan, tested: dict[str, Tested | str], yesterday: Scores
) -> dict[str, Any]:
    setting, source = plan.setting, plan.source
    series, values = setting.recording.series, setting.recording.hours.values
    return {
        "default": DEFAULT_FORECASTER,
        "forecasters": {name: _entry(outcome) for name, outcome in tested.items()},
        "trace": {
            "path": options.trace.path,
            "zone": source.zone,
            "kind": source.kind.value,
            "basis": source.basis.value,
            "start": iso(series.samples[0].interval.start),
            "end": iso(series.samples[-1].interval.end),
            "hours": len(values),
            "unknown_hours": int((values != values).sum()),
        },
        "train_until": iso(setting.train_until),
        "first_issue": iso(setting.issues[0]),
        "last_issue": iso(setting.issues[-1]),
        "issue_every_h": None if plan.every is None else plan.every // HOUR,
        "horizon_h": setting.hours,
        "levels": list(LEVELS),
        "yesterday": {"mape_by_day": list(yesterday.mape), "mae_by_day": list(yesterday.mae)},
        "left_out": list(plan.left_out),
        "threads": {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"), "cores": len(os.sched_getaffinity(0))},
    }


def _entry(outcome: Tested | str) -> dict[str, Any]:
    if isinstance(outcome, str):
        return {"error": outcome}
    scores, expected = outcome.scores, outcome.expected
    return {
        "mape_by_day": list(scores.mape),
        "mae_by_day": list(scores.mae),
        "rmse_by_day": list(scores.rmse),
        "pinball_by_day": list(scores.pinball),
        "coverage_by_day": {str(share): list(values) for share, values in scores.coverage.items()},
        "rank_correlation_by_day": list(scores.rank_correlation),
        "skill_by_day": list(scores.skill),
        "hours_by_day": list(scores.hours),
        "zero_hours_by_day": list(scores.zero_hours),
        "issues": len(expected.mean) - expected.refusals,
        "issues_without_forecast": expected.refusals,
        "fit_seconds": expected.fit_s,
        "predict_seconds": expected.predict_s,
    }


def _seconds(done: dict[str, Tested]) -> dict[str, tuple[float, float | None]]:
    return {name: (outcome.expected.fit_s, outcome.expected.predict_s) for name, outcome in done.items()}
