"""The headline of a search on a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from carbonnas.cli.output import results
from carbonnas.report.cells import target_words
from carbonnas.report.comparison import against, idle_note
from carbonnas.report.formatting import grams, kwh, metric, spent, spent_share
from carbonnas.report.model import Best, LimitLine, ReportDocument, TargetFront, Totals
from carbonnas.trials import TrialKind, TrialState


def print_summary(document: ReportDocument) -> None:
    """Print what was found, what it emitted and how the budgets stand."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    search, other = document.search, document.counterfactuals
    ended = "" if search.stop_reason is None else f" ({search.stop_reason.value.replace('_', ' ')})"
    table.add_row("search", escape(f"{search.id}: {search.name}"))
    table.add_row("state", search.state.value + ended)
    if search.exhausted:
        table.add_row("plan", escape(search.exhausted))
    table.add_row("best", escape(_best(document.best)))
    for target in document.targets:
        table.add_row("target", escape(f"{target.name}: {_on_target(target)}"))
    for line in document.limits:
        table.add_row("limit", escape(_kept(line)))
    table.add_row("work", _work(document))
    table.add_row("energy", kwh(document.totals.energy_kwh))
    table.add_row("emissions", _emissions(document.totals))
    table.add_row("carbon-blind", _compared(document, other.carbon_blind_trials_g, other.carbon_blind_how))
    table.add_row("clairvoyant", _compared(document, other.clairvoyant_trials_g, other.clairvoyant_how))
    if other.carbon_blind_g is not None:
        table.add_row("", idle_note(document))
    for budget in document.budget:
        share = spent_share(budget.spent_g, budget.limit_g)
        text = f"{spent(budget.spent_g, budget.limit_g)} of {grams(budget.limit_g)} per {budget.window.value} ({share})"
        table.add_row("budget", text + (" [bold]exceeded[/bold]" if budget.remaining_g < 0 else ""))
    table.add_row(
        "modelled by" if document.measurement.modelled else "measured by", escape(document.measurement.method)
    )
    results().print(table)


def _best(best: Best | None) -> str:
    if best is None:
        return "nothing was trained to the end yet"
    shown = ", ".join(f"{name.replace('_', ' ')} {metric(name, value)}" for name, value in best.metrics.items())
    return f"{best.architecture} ({shown})"


def _on_target(target: TargetFront) -> str:
    first = next(iter(target.front), None)
    if first is None:
        return target_words(target)
    shown = ", ".join(f"{name.replace('_', ' ')} {metric(name, value)}" for name, value in first.objectives.items())
    return f"{target_words(target)} {first.architecture} ({shown})"


def _kept(line: LimitLine) -> str:
    broken = "1 training does" if line.broken == 1 else f"{line.broken} trainings do"
    return f"{line.limit}: {line.pruned} dropped before any work, {broken} not keep it"


def _work(document: ReportDocument) -> str:
    done = [trial for trial in document.trials if trial.state is TrialState.COMPLETED]
    trained = sum(trial.kind is TrialKind.TRAIN for trial in done)
    failed = sum(trial.state is TrialState.FAILED for trial in document.trials)
    pruned = sum(line.pruned for line in document.limits)
    more = (f", {failed} failed" if failed else "") + (f", {pruned} dropped before any work" if pruned else "")
    return f"{len(done) - trained} scored, {trained} trained{more}"


def _emissions(totals: Totals) -> str:
    parts = f"trials {grams(totals.trials_g)}, overhead {grams(totals.overhead_g)}, idle {grams(totals.idle_g)}"
    unpriced = f"; {kwh(totals.unpriced_kwh)} not priced yet" if totals.unpriced_kwh > 0 else ""
    return f"{grams(totals.emissions_g)} CO2eq ({parts}){unpriced}"


def _compared(document: ReportDocument, value_g: float | None, how: str) -> str:
    if value_g is None:
        return escape(f"unknown: {how}")
    return f"trials alone {grams(value_g)}; {against(document, value_g)}"
