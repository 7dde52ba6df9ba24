"""What the daemon keeps beside the searches, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from carbonnas.record import Override
from carbonnas.storage.codec import Row


@dataclass(frozen=True, slots=True)
class StoredSubmission:
    """How a search was handed to the daemon, with all that is needed to open it without importing its plug-ins.

    Attributes:
        search_id: Which search.
        submitted_at: When, UTC.
        folder: Absolute path of the folder in which relative paths of its configuration start.
        choices: Chosen plug-in and its checked options by table of the configuration: `{"space": {"use": ..., "options": {...}}, ...}`.
        priority: -100..100; a higher one gets slots first.
        labels: Its labels.
        paused: Whether a person has paused it.
    """

    search_id: str
    submitted_at: datetime
    folder: str
    choices: Mapping[str, Any]
    priority: int = 0
    labels: tuple[str, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class DaemonRun:
    """One process of the daemon.

    Attributes:
        number: Its number; later ones are higher.
        started_at: When it started, UTC.
        seen_at: Its last heartbeat, UTC.
        ended_at: When it ended by itself; `None` while it runs, and for ever if it was killed.
    """

    number: int
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None


def submission_row(submission: StoredSubmission) -> dict[str, Any]:
    """Return the row of a submission."""
    return asdict(submission)


def submission_from(row: Row) -> StoredSubmission:
    """Return the submission of a row."""
    return StoredSubmission(
        search_id=row["search_id"],
        submitted_at=row["submitted_at"],
        folder=row["folder"],
        choices=row["choices"],
        priority=row["priority"],
        labels=tuple(row["labels"]),
        paused=row["paused"],
    )


def override_row(override: Override) -> dict[str, Any]:
    """Return the row of an override."""
    return asdict(override)


def override_from(row: Row) -> Override:
    """Return the override of a row."""
    return Override(row["budget"], row["at"], row["grams"], row["reason"], row["window_start"])


def run_from(row: Row) -> DaemonRun:
    """Return the daemon's run of a row."""
    return DaemonRun(row["id"], row["started_at"], row["seen_at"], row["ended_at"])
