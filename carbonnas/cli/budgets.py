"""`budgets`: how budgets stand, and what an operator allows beyond them."""

from __future__ import annotations

from http import HTTPMethod
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from carbon_sources.units import parse_grams
from carbonnas.cli.control import running_daemon
from carbonnas.cli.intensity.text import plain, printable
from carbonnas.cli.live import read
from carbonnas.cli.output import messages, print_json, results, state_folder
from carbonnas.client import connect
from carbonnas.daemon.control import LONGEST_REASON
from carbonnas.errors import ConfigError, SearchNotFoundError
from carbonnas.record import SearchState
from carbonnas.report.formatting import grams, spent, spent_share
from carbonnas.storage.paths import store_path
from carbonnas.web.api_answers import budget_answer
from carbonnas.web.api_models import BudgetAnswer, BudgetList
from carbonnas.web.shelf import Shelf

_BAR = 20
"""Characters."""


def print_budgets(name: str | None, state: Path | None, *, as_json: bool) -> None:
    """Print how budgets stand: from the daemon where one runs, else those of the searches that have not ended.

    Args:
        name: One budget; `None` for all.
        state: Folder that holds all searches; `None` for the usual one.
        as_json: Whether as JSON.

    Raises:
        SearchNotFoundError: If there is no budget of that name.
        DaemonError: If the daemon does not answer.
    """
    folder = state_folder(state)
    client = connect(folder)
    if client is None:
        known = _stored(folder)
        messages().print("No daemon runs: budgets over several searches are not shown.", soft_wrap=True)
    else:
        known = read(BudgetList, client.get("budgets")).budgets
    shown = [budget for budget in known if name in {None, budget.name}]
    if name is not None and not shown:
        listed = ", ".join(printable(budget.name) for budget in known) or "none"
        raise SearchNotFoundError(f"there is no budget {printable(name)!r}; known are: {listed}")
    if as_json:
        print_json({"budgets": [_document(budget) for budget in shown]})
    elif not shown:
        results().print("No budget: searches set theirs in their configuration, the daemon in its own.", soft_wrap=True)
    else:
        _print_table(shown)


def add_to_budget(name: str, amount: str, reason: str, *, state: Path | None, as_json: bool) -> None:
    """Allow a budget of the daemon more for its present window.

    Args:
        name: The budget.
        amount: A mass such as `50 g`; a bare number is in grams.
        reason: Why, 1..500 characters.
        state: Folder that holds all searches; `None` for the usual one.
        as_json: Whether the answer is printed as JSON.

    Raises:
        ConfigError: If the amount is no mass above zero, or the reason is empty or too long.
        DaemonError: If no daemon runs, or it refuses.
    """
    grams_more = _amount(amount)
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise ConfigError("--reason", (f"expected 1 to {LONGEST_REASON} characters that say why",))
    client = running_daemon(state_folder(state))
    client.send(HTTPMethod.POST, "budgets", name, "override", body={"grams": grams_more, "reason": reason.strip()})
    if as_json:
        print_json({"name": name, "grams": grams_more, "reason": reason.strip()})
        return
    sentence = f"{grams(grams_more)} more for {printable(name)} in its present window: {printable(reason.strip())}"
    results().print(sentence, markup=False, soft_wrap=True)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        try:
            value = parse_grams(text)
        except ValueError as error:
            raise ConfigError("--add", (str(error),)) from error
    if not 0 < value < float("inf"):
        raise ConfigError("--add", (f"expected a mass above zero such as '50 g', got {text!r}",))
    return value


def _stored(folder: Path) -> list[BudgetAnswer]:
    """Return the budgets of the searches that have not ended, as of their last steps, those of the oldest search first."""
    shelf = Shelf(store_path(folder))
    try:
        unfinished = [each.search_id for each in shelf.searches() if each.state is SearchState.RUNNING]
        return [budget_answer(each) for search_id in unfinished[::-1] for each in shelf.details(search_id).budgets]
    finally:
        shelf.close()


def _document(budget: BudgetAnswer) -> dict[str, Any]:
    return {**budget.model_dump(mode="json"), "share": budget.spent_g / budget.limit_g}


def _print_table(shown: list[BudgetAnswer]) -> None:
    table = Table("budget", "window", "limit", "spent", "", "reserved", "left", "note", box=None)
    for budget in shown:
        table.add_row(
            plain(budget.name if budget.label is None else f"{budget.name} ({budget.label})"),
            budget.window.value,
            grams(budget.limit_g),
            spent(budget.spent_g, budget.limit_g),
            _bar(budget),
            grams(budget.reserved_g),
            grams(budget.remaining_g),
            plain(_note(budget)),
        )
    results().print(table)
    for budget in shown:
        for override in budget.overrides:
            line = (
                f"{budget.name}: {grams(override.grams)} more since {override.at:%Y-%m-%d %H:%M} UTC: {override.reason}"
            )
            results().print(printable(line), markup=False, soft_wrap=True)
        for ended in budget.exceeded:
            span = f"{ended.window_start:%Y-%m-%d %H:%M} to {ended.window_end:%Y-%m-%d %H:%M} UTC"
            line = (
                f"{budget.name}: {grams(ended.over_g)} over the limit of {grams(ended.limit_g)} from {span},"
                f" which has ended. {ended.why}"
            )
            results().print(printable(line), markup=False, soft_wrap=True)


def _bar(budget: BudgetAnswer) -> Text:
    """Return a bar of what is spent (#) and reserved (+), with a mark (|) where warnings begin, and the share in percent."""
    gone, held = budget.spent_g / budget.limit_g, (budget.spent_g + budget.reserved_g) / budget.limit_g
    cells = ["#" if place < gone * _BAR else "+" if place < held * _BAR else "." for place in range(_BAR)]
    if budget.warn_at < 1:
        cells.insert(round(budget.warn_at * _BAR), "|")
    style = "red" if budget.exhausted else "yellow" if budget.warned else ""
    return Text(f"[{''.join(cells)}] {spent_share(budget.spent_g, budget.limit_g, 0)}", style=style, no_wrap=True)


def _note(budget: BudgetAnswer) -> str:
    notes = []
    if budget.remaining_g < 0:
        notes.append("exceeded")
    elif budget.exhausted:
        notes.append("exhausted")
    elif budget.warned:
        notes.append("near its end")
    if budget.exhausted_at is not None and not budget.exhausted:
        notes.append(f"exhausted about {budget.exhausted_at:%Y-%m-%d %H:%M} UTC")
    if budget.overrides:
        notes.append(f"{grams(sum(override.grams for override in budget.overrides))} of the limit by override")
    return ", ".join(notes)
