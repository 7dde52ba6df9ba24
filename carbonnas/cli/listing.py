"""`list` and `show`: what the store holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from carbon_sources.units import J_PER_KWH
from carbonnas.cli.output import open_store, pick, print_json, results, state_folder
from carbonnas.cli.standing import print_standing, standing, with_phases
from carbonnas.cli.summary import print_summary
from carbonnas.record import SearchState
from carbonnas.report.document import build_document, iso, to_json
from carbonnas.report.formatting import grams, kwh
from carbonnas.storage.lock import is_worked_on
from carbonnas.storage.paths import search_folder, store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.search_index import SearchIndex, SearchSummary
from carbonnas.trials import TrialKind, TrialState

_PAUSED = "paused"


def print_list(state: Path | None, *, as_json: bool) -> None:
    """List all searches, oldest first."""
    folder = state_folder(state)
    stored = [_row(search, folder) for search in reversed(SearchIndex(store_path(folder)).summaries())]
    rows = with_phases(stored, folder)
    if as_json:
        print_json({"searches": rows})
        return
    if not rows:
        results().print("No search yet. `carbonnas demo` runs one, `carbonnas init` prepares your own.")
        return
    table = Table("id", "state", "started", "scored", "trained", "energy", "CO2eq", box=None)
    for row in rows:
        table.add_row(
            escape(row["id"]),
            row["phase"] or row["state"],
            row["started_at"][:16].replace("T", " "),
            str(row["scored"]),
            str(row["trained"]),
            kwh(row["energy_kwh"]),
            grams(row["emissions_g"]) + ("" if row["unpriced_kwh"] == 0 else " + unpriced"),
        )
    results().print(table)


def print_search(text: str | None, state: Path | None, *, as_json: bool) -> None:
    """Show how a search stands: the report without its long lists."""
    folder = state_folder(state)
    store = open_store(folder)
    search_id = pick(store, text)
    document = build_document(load_record(store, search_id))
    shown = _state(store.progress(search_id).state, search_id, folder)
    live = standing(folder, search_id)
    if as_json:
        whole = json.loads(to_json(document))
        whole["search"]["state"] = shown
        whole["daemon"] = None if live is None else live.document
        print_json(
            {
                key: whole[key]
                for key in ("search", "totals", "budget", "best", "targets", "limits", "measurement", "daemon")
            }
        )
        return
    print_summary(document)
    if live is not None:
        print_standing(live)
    elif shown == _PAUSED:
        results().print("It is paused: run the same command again and it goes on where it was.")


def _state(state: SearchState, search_id: str, folder: Path) -> str:
    """Return the state of a search; one that is not at its end and that no process works on is paused."""
    if state is SearchState.RUNNING and not is_worked_on(search_folder(folder, search_id)):
        return _PAUSED
    return state.value


def _row(search: SearchSummary, folder: Path) -> dict[str, Any]:
    totals = search.totals
    return {
        "id": search.search_id,
        "name": search.name,
        "state": _state(search.state, search.search_id, folder),
        "stop_reason": None if search.stop_reason is None else search.stop_reason.value,
        "started_at": iso(search.started_at),
        "ended_at": None if search.ended_at is None else iso(search.ended_at),
        "scored": totals.count(TrialKind.SCORE, TrialState.COMPLETED),
        "trained": totals.count(TrialKind.TRAIN, TrialState.COMPLETED),
        "energy_kwh": totals.energy_j / J_PER_KWH,
        "emissions_g": totals.emissions_g,
        "unpriced_kwh": totals.unpriced_j / J_PER_KWH,
    }
