"""Files that are replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put the content in place of the file's former one, atomically: after a crash one of the two is there, whole.

    Args:
        path: The file; its folder is made if need be.
        content: All that is to stand in it.

    Raises:
        OSError: If it can't be written; the former content is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _fresh(path)
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def remove_file(path: Path) -> None:
    """Remove the file and what a crash while it was replaced may have left; nothing happens if there is none."""
    path.unlink(missing_ok=True)
    _fresh(path).unlink(missing_ok=True)


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
