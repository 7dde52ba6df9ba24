"""Where things lie in a state folder."""

from __future__ import annotations

from pathlib import Path


def store_path(state_folder: Path) -> Path:
    """Return the file that holds all searches of a state folder."""
    return state_folder / "carbonnas.db"


def search_folder(state_folder: Path, search_id: str) -> Path:
    """Return the folder of a search's lock, checkpoints, spool and report."""
    return state_folder / "searches" / search_id
