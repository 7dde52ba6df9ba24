"""The trials as CSV: one row each, with a header; overrides of budgets, if any, are a second table after an empty line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from carbonnas.report.document import iso
from carbonnas.report.model import ReportDocument, TrialLine

_COLUMNS = (
    "trial",
    "kind",
    "fidelity",
    "epochs",
    "architecture",
    "state",
    "attempt",
    "energy_kwh",
    "emissions_g",
    "unpriced_kwh",
    "started_at",
    "ended_at",
    "failure",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet may run a cell that starts with one of these."""


def to_csv(document: ReportDocument) -> str:
    """Return a row for each trial.

    Unknown is an empty cell; a text that a spreadsheet could run gets an apostrophe in front.
    """
    names = sorted({name for trial in document.trials for name in trial.metrics})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180; either character alone is then quoted inside a cell
    writer.writerow([_cell(column) for column in (*_COLUMNS, *names)])
    for trial in document.trials:
        writer.writerow([_cell(value) for value in _row(trial, names)])
    return text.getvalue()


def _row(trial: TrialLine, names: Sequence[str]) -> list[object]:
    return [
        trial.id,
        trial.kind.value,
        trial.fidelity,
        trial.epochs,
        trial.architecture,
        trial.state.value,
        trial.attempt,
        trial.energy_kwh,
        trial.emissions_g,
        trial.unpriced_kwh,
        iso(trial.started_at) if trial.started_at else None,
        iso(trial.ended_at) if trial.ended_at else None,
        trial.failure,
        *(trial.metrics.get(name) for name in names),
    ]


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
