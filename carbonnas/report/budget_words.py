"""Budgets in words, the same in every format."""

from __future__ import annotations

from carbonnas.report.formatting import grams, instant
from carbonnas.report.model import BudgetLine


def limit(line: BudgetLine) -> str:
    """Return a budget's limit, what it holds for and since when, and how much of it was added."""
    what = f"{grams(line.limit_g)} for the {line.window.value}"
    if line.window_start is not None:
        what += f" from {instant(line.window_start)}"
    return f"{what}, of which {grams(line.added_g)} were added by an operator" if line.added_g else what
