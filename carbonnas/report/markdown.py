"""The report as Markdown, for notes, issues and repositories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from carbonnas.report.budget_words import limit
from carbonnas.report.cells import outcome, target_words, trial_emissions, trial_energy
from carbonnas.report.comparison import in_words, schedules
from carbonnas.report.formatting import NOTHING, UNKNOWN, grams, instant, kwh, metric, percent, spent, spent_share
from carbonnas.report.headline import headline
from carbonnas.report.model import BudgetLine, ReportDocument

MOST_TRIALS = 200
"""Rows of the table of trials; the other formats hold all of them."""


def to_markdown(document: ReportDocument) -> str:
    """Return the report as GitHub-flavoured Markdown in which nothing that a user has named acts as markup."""
    top = headline(document)
    parts = [
        f"# {_safe(document.search.name)}: carbon report",
        _safe(top.status),
        *(f"> {_safe(warning)}" for warning in top.warnings),
        _table(("", "", ""), [(fact.label, fact.value, fact.note) for fact in top.facts]),
        *_found(document),
        "## Budget",
        *([_budget(line) for line in document.budget] or ["No budget was set."]),
        *_overrides(document),
        "## How it compares",
        *_compared(document),
        "## How it was measured",
        _measured(document),
        "## Where the intensities came from",
        _provenance(document),
        f"## Trials ({len(document.trials)})",
        *_trials(document),
        "## Configuration",
        _fenced(document.search.config),
    ]
    return "\n\n".join(parts) + "\n"


def _safe(value: object) -> str:
    """Return text that shows as it is, on one line, inside and outside of tables."""
    text = " ".join(str(value).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", text)
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", text)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_safe(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _metrics(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {metric(name, value)}" for name, value in values.items())


def _found(document: ReportDocument) -> list[str]:
    parts = []
    if document.best:
        best = document.best
        parts += ["## Best architecture", _safe(best.architecture), _safe(_metrics(best.metrics)), _safe(best.how)]
    if document.pareto:
        rows = [(line.trial, _metrics(line.objectives), line.architecture) for line in document.pareto]
        parts += ["## Pareto front", _table(("Trial", "Objectives", "Architecture"), rows)]
    for target in document.targets:
        rows = [(line.trial, _metrics(line.objectives), line.architecture) for line in target.front]
        parts += [f"## Pareto front on {_safe(target.name)}", _safe(target_words(target))]
        parts += [_table(("Trial", "Objectives", "Architecture"), rows)] if rows else []
    if document.limits:
        kept = [(line.limit, line.pruned, line.broken) for line in document.limits]
        parts += ["## Limits", _table(("Limit", "Dropped before any work", "Trainings that do not keep it"), kept)]
    return parts


def _budget(line: BudgetLine) -> str:
    rest = (
        f"{grams(line.remaining_g)} remaining"
        if line.remaining_g >= 0
        else f"{grams(-line.remaining_g)} over the limit"
    )
    gone, share = spent(line.spent_g, line.limit_g), spent_share(line.spent_g, line.limit_g)
    return f"- {limit(line)}: {gone} spent ({share}), {grams(line.reserved_g)} reserved, {rest}. At the limit: {_safe(line.at_limit.value)}."


def _overrides(document: ReportDocument) -> list[str]:
    rows = [
        (instant(added.at), added.budget, grams(added.grams), instant(added.window_start), added.reason)
        for added in document.overrides
    ]
    return [_table(("Added on", "To the budget", "CO₂e", "For the window from", "Reason"), rows)] if rows else []


def _measured(document: ReportDocument) -> str:
    used = document.measurement
    pue = NOTHING if used.pue is None else used.pue
    rows: list[tuple[str, object]] = [
        ("Meter", used.meter),
        ("Method", used.method),
        ("What it is worth", used.caveat),
        (
            "Modelled" if used.modelled else "Measured",
            f"{kwh(used.measured_kwh)}; the ledger accounts for {kwh(document.totals.energy_kwh)}",
        ),
        ("Power usage effectiveness", pue),
        *used.details.items(),
    ]
    return _table(("", ""), rows)


def _compared(document: ReportDocument) -> list[str]:
    rows = [(row.name, row.trials, row.whole, row.how) for row in schedules(document)]
    clean = f"Energy in the cleaner half of the hours, {percent(document.totals.clean_share)}: {document.totals.clean_share_how}"
    return [
        _safe(in_words(document)),
        _table(("Schedule", "Trials alone", "With overhead and idle", "How it was computed"), rows),
        _safe(clean),
    ]


def _provenance(document: ReportDocument) -> str:
    origin = document.provenance
    rows = [
        (
            line.source + (f" ({line.method})" if line.method else ""),
            line.zone,
            line.kind,
            line.basis,
            line.provenance,
            kwh(line.energy_kwh),
            grams(line.emissions_g),
        )
        for line in origin.priced
    ]
    if origin.unpriced_kwh > 0:
        rows.append(("no intensity known", "", "", "", "", kwh(origin.unpriced_kwh), UNKNOWN))
    return _table(("Source", "Zone", "Kind", "Basis", "Known by", "Energy", "CO₂e"), rows)


def _trials(document: ReportDocument) -> list[str]:
    shown = document.trials[:MOST_TRIALS]
    rows = [
        (
            trial.id,
            f"{trial.kind.value}, {trial.fidelity}",
            trial.state.value,
            trial_emissions(trial),
            trial_energy(trial),
            outcome(trial),
            trial.architecture,
            instant(trial.ended_at),
        )
        for trial in shown
    ]
    parts = [_table(("Trial", "Kind", "State", "CO₂e", "Energy", "Metrics or failure", "Architecture", "Ended"), rows)]
    if len(shown) < len(document.trials):
        parts.append(f"The first {len(shown)} are shown; the CSV and JSON reports hold all of them.")
    return parts


def _fenced(text: str) -> str:
    """Return a code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}toml\n{text.rstrip()}\n{fence}"
