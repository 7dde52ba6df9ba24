"""What `list` and `show` add where a daemon runs: what it does with each search at the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table

from carbonnas.cli.intensity.text import plain
from carbonnas.cli.live import LiveSearch, active_searches, look_at
from carbonnas.cli.output import messages, results
from carbonnas.client import DaemonClient, DaemonError, connect
from carbonnas.web.api_models import SearchLine

_T = TypeVar("_T")


def with_phases(rows: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Return rows on searches with what the daemon does with each of them.

    Args:
        rows: The rows, each with a key `id`.
        folder: The state folder.

    Returns:
        The rows with the keys `phase` (`queued`, `opening`, `running`, `paused` or `failing`), `problem`, `priority` and `labels`, which are `None` where no
        daemon works on the search.
    """
    lines = {line.id: line for line in _asked(folder, active_searches) or ()}
    return [row | _phase(lines.get(row["id"])) for row in rows]


def standing(folder: Path, search_id: str) -> LiveSearch | None:
    """Return how a search stands in the daemon; `None` if no daemon works on it."""
    found = _asked(folder, lambda client: look_at(client, search_id))
    return found if found is not None and found.is_known and not found.has_ended else None


def print_standing(live: LiveSearch) -> None:
    """Print what a daemon does with a search at the moment, and why."""
    glance = live.glance()
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("daemon", plain(glance.held or f"running, with {live.answer.granted} of {live.answer.slots} slots"))
    if glance.intensity is not None:
        table.add_row("grid", plain(glance.intensity))
    if glance.course is not None:
        table.add_row("decision", plain(f"{glance.course}: {glance.reason}"))
    table.add_row("at work", plain(", ".join(glance.running) or "nothing"))
    table.add_row("priority", f"{live.answer.priority}")
    if live.answer.labels:
        table.add_row("labels", plain(", ".join(live.answer.labels)))
    results().print(table)


def _phase(line: SearchLine | None) -> dict[str, Any]:
    if line is None or line.phase is None:
        return dict.fromkeys(("phase", "problem", "priority", "labels"))
    return {"phase": line.phase.value, "problem": line.problem, "priority": line.priority, "labels": line.labels}


def _asked(folder: Path, question: Callable[[DaemonClient], _T]) -> _T | None:
    """Return the daemon's answer; `None` if there is no daemon, or it does not answer, which is said and keeps nobody from the store."""
    try:
        client = connect(folder)
        return None if client is None else question(client)
    except DaemonError as error:
        messages().print(f"Note: {error}.", markup=False, soft_wrap=True)
        return None
