"""Where results and messages go, and where searches are kept."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from carbonnas.errors import SearchNotFoundError
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store


def messages() -> Console:
    """Return the console for messages and progress: standard error."""
    return Console(stderr=True, highlight=False)


def results() -> Console:
    """Return the console for results: standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # so that programs reading the lines do not get them folded
    return console


def print_json(document: dict[str, Any]) -> None:
    """Print a JSON document on standard output."""
    json.dump(document, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def state_folder(given: Path | None) -> Path:
    """Return the folder that holds all searches."""
    if given is not None:
        return given.expanduser().resolve()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "carbonnas"


def open_store(folder: Path) -> Store:
    """Open the store of a state folder."""
    return Store(store_path(folder))


def pick(store: Store, text: str | None) -> str:
    """Return the id that a user means: the one given, or the newest.

    Raises:
        SearchNotFoundError: If there is none.
    """
    if text is not None:
        return store.find(text)
    ids = store.ids()
    if not ids:
        raise SearchNotFoundError(
            "there is no search yet; `carbonnas demo` runs one, `carbonnas init` prepares your own"
        )
    return ids[-1]
