"""What the daemon keeps: searches that were submitted, overrides of budgets, and its own runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from carbonnas.errors import SearchNotFoundError
from carbonnas.record import Override, SearchState
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.daemon_rows import (
    DaemonRun,
    StoredSubmission,
    override_from,
    override_row,
    run_from,
    submission_from,
    submission_row,
)
from carbonnas.storage.quarter_hours import QuarterGrams, keep_sums, quarter_sums
from carbonnas.storage.retention import remove, unneeded
from carbonnas.storage.search_codec import search_row
from carbonnas.storage.store_file import StoreFile
from carbonnas.storage.tables import DAEMON_RUNS, OVERRIDES, SEARCHES, SUBMISSIONS


class DaemonStore(StoreFile):
    """The daemon's part of the file that holds the searches; several threads may share it.

    Raises:
        StorageError: From every method, if the file can't be used.
    """

    def submit(self, header: SearchHeader, progress: SearchProgress, submission: StoredSubmission) -> None:
        """Enter a new search and how it was submitted, both or nothing."""
        with self._write() as connection:
            connection.execute(insert(SEARCHES).values(search_row(header, progress)))
            connection.execute(insert(SUBMISSIONS).values(submission_row(submission)))

    def adopt(self, submission: StoredSubmission) -> None:
        """Enter how a search that is there already was submitted."""
        with self._write() as connection:
            connection.execute(insert(SUBMISSIONS).values(submission_row(submission)))

    def submissions(self, *, open_only: bool = True) -> list[StoredSubmission]:
        """Return the submitted searches in order of submission; with `open_only` those that have not ended."""
        query = select(SUBMISSIONS).order_by(SUBMISSIONS.c.number)
        if open_only:
            query = query.join(SEARCHES).where(SEARCHES.c.state == SearchState.RUNNING.value)
        return self._read(query, submission_from)

    def set_paused(self, search_id: str, paused: bool) -> None:  # noqa: FBT001 - what is set
        """Keep whether a person has paused a search.

        Raises:
            SearchNotFoundError: If it was not submitted.
        """
        self._change(search_id, paused=paused)

    def set_priority(self, search_id: str, priority: int) -> None:
        """Keep the priority of a search, -100..100.

        Raises:
            SearchNotFoundError: If it was not submitted.
        """
        self._change(search_id, priority=priority)

    def add_override(self, override: Override) -> None:
        """Keep what an operator added to a budget; it can't be taken back."""
        with self._write() as connection:
            connection.execute(insert(OVERRIDES).values(override_row(override)))

    def overrides(self) -> list[Override]:
        """Return all overrides, oldest first."""
        return self._read(select(OVERRIDES).order_by(OVERRIDES.c.id), override_from)

    def begin_run(self, at: datetime) -> int:
        """Enter that a process of the daemon started, and return the number of its run."""
        with self._write() as connection:
            number = connection.execute(
                insert(DAEMON_RUNS).values(started_at=at, seen_at=at).returning(DAEMON_RUNS.c.id)
            ).scalar_one()
        return int(number)

    def heartbeat(self, run: int, at: datetime) -> None:
        """Keep that a run was alive."""
        self._see(run, seen_at=at)

    def end_run(self, run: int, at: datetime) -> None:
        """Keep that a run ended by itself."""
        self._see(run, seen_at=at, ended_at=at)

    def runs(self, limit: int) -> list[DaemonRun]:
        """Return the last runs, `limit` at most, newest first."""
        return self._read(select(DAEMON_RUNS).order_by(DAEMON_RUNS.c.id.desc()).limit(limit), run_from)

    def grams_by_quarter(self, bound_g_per_kwh: float) -> dict[str, QuarterGrams]:
        """Return what the whole ledger says was emitted, by search and quarter hour.

        Args:
            bound_g_per_kwh: Intensity that energy without a price is counted with, g/kWh.

        Returns:
            For each search with entries, by begin of the quarter hour in UTC: grams that have a price, and grams of the rest at the bound.
        """
        with self._instant() as connection:
            found, fresh = quarter_sums(connection)
        if fresh:
            with self._write() as connection:
                keep_sums(connection, fresh)
        return {
            search_id: {quarter: (priced_g, kwh * bound_g_per_kwh) for quarter, (priced_g, kwh) in sums.items()}
            for search_id, sums in found.items()
        }

    def prune_archive(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove what is known of grids from before an instant, as far as nothing needs it any more.

        Ledger and searches stay as they are, and so do the intensities that the ledger refers to or that a report of a search shows.

        Args:
            before: Intensities that ended and forecasts that were issued before it go.
            limit: How many of each at most, so that nobody waits long for the file.

        Returns:
            How many rows were removed; there may be more unless it is zero.
        """
        with self._instant() as connection:
            found = unneeded(connection, before, limit)
        # The search for them takes longer than their removal, and keeps nobody from writing.
        with self._write() as connection:
            return remove(connection, found)

    def _change(self, search_id: str, **values: Any) -> None:
        with self._write() as connection:
            done = connection.execute(update(SUBMISSIONS).where(SUBMISSIONS.c.search_id == search_id).values(values))
            if done.rowcount == 0:
                raise SearchNotFoundError(f"no search {search_id!r} was submitted")

    def _see(self, run: int, **values: datetime) -> None:
        with self._write() as connection:
            connection.execute(update(DAEMON_RUNS).where(DAEMON_RUNS.c.id == run).values(values))
