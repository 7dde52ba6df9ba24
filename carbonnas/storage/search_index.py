"""Looking at many searches, and at their trials and decisions page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from carbonnas.errors import SearchNotFoundError
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.search_state import Totals
from carbonnas.storage.codec import Row, decision_from, trial_from
from carbonnas.storage.daemon_rows import StoredSubmission, submission_from
from carbonnas.storage.ledger import sums_of
from carbonnas.storage.search_codec import totals_from
from carbonnas.storage.store_file import StoreFile
from carbonnas.storage.tables import DECISIONS, SEARCHES, SUBMISSIONS, TRIALS
from carbonnas.trials import Trial, TrialKind, TrialState


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """One search in a list.

    Attributes:
        search_id: Its id.
        name: What the user called it.
        state: Running, completed or stopped.
        stop_reason: Why it ended; `None` while it runs.
        started_at: When it began, in its own clock.
        ended_at: When it ended; `None` while it runs.
        deadline: When it has to end; `None` without a deadline.
        slots: Its slots.
        totals: Its sums as of its last step.
        submission: How it was handed to the daemon; `None` if it was not.
    """

    search_id: str
    name: str
    state: SearchState
    stop_reason: StopReason | None
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    slots: int
    totals: Totals
    submission: StoredSubmission | None


_COLUMNS = (
    *(SEARCHES.c[name] for name in ("id", "name", "state", "stop_reason", "started_at", "ended_at", "deadline")),
    *(SEARCHES.c[name] for name in ("slots", "energy_j", "emissions_g", "unpriced_j", "counts")),
    *(column for column in SUBMISSIONS.c if column.name != "number"),
)


class SearchIndex(StoreFile):
    """Reads lists and pages; several threads may share it.

    Raises:
        StorageError: From every method, if the file can't be used.
    """

    def summaries(self, limit: int | None = None, before: str | None = None) -> list[SearchSummary]:
        """Return searches, newest first.

        Args:
            limit: How many at most; `None` for all.
            before: Id of a search: only those that were entered before it.
        """
        query = select(*_COLUMNS).outerjoin_from(SEARCHES, SUBMISSIONS).order_by(SEARCHES.c.created.desc()).limit(limit)
        if before is not None:
            earlier = select(SEARCHES.c.created).where(SEARCHES.c.id == before).scalar_subquery()
            query = query.where(SEARCHES.c.created < earlier)
        return self._summaries(query)

    def summary(self, search_id: str) -> SearchSummary:
        """Return one search.

        Raises:
            SearchNotFoundError: If there is no such search.
        """
        found = self._summaries(
            select(*_COLUMNS).outerjoin_from(SEARCHES, SUBMISSIONS).where(SEARCHES.c.id == search_id)
        )
        if not found:
            raise SearchNotFoundError(f"there is no search {search_id!r}")
        return found[0]

    def trials_page(
        self,
        search_id: str,
        after: int = -1,
        *,
        limit: int,
        kind: TrialKind | None = None,
        state: TrialState | None = None,
    ) -> list[Trial]:
        """Return trials of a search by number.

        Args:
            search_id: Which search.
            after: Only trials with a higher number.
            limit: How many at most.
            kind: Only those of this kind.
            state: Only those in this state.
        """
        query = select(TRIALS).where(TRIALS.c.search_id == search_id, TRIALS.c.number > after)
        if kind is not None:
            query = query.where(TRIALS.c.kind == kind.value)
        if state is not None:
            query = query.where(TRIALS.c.state == state.value)
        return self._read(query.order_by(TRIALS.c.number).limit(limit), trial_from)

    def decisions_page(
        self, search_id: str, before: int | None = None, *, limit: int
    ) -> list[tuple[int, DecisionRecord]]:
        """Return decisions of a search with their numbers in the store, newest first.

        Args:
            search_id: Which search.
            before: Only decisions with a lower number; `None` to begin with the newest.
            limit: How many at most.
        """
        query = select(DECISIONS).where(DECISIONS.c.search_id == search_id)
        if before is not None:
            query = query.where(DECISIONS.c.id < before)
        return self._read(
            query.order_by(DECISIONS.c.id.desc()).limit(limit), lambda row: (int(row["id"]), decision_from(row))
        )

    def _summaries(self, query: Select[Any]) -> list[SearchSummary]:
        with self._instant() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            kept = {row["id"]: totals_from(row) for row in rows}
            summed = _summed(connection, [search_id for search_id, totals in kept.items() if totals is None])
            return [_summary(row, kept[row["id"]] or summed[row["id"]]) for row in rows]


def _summary(row: Row, totals: Totals) -> SearchSummary:
    return SearchSummary(
        search_id=row["id"],
        name=row["name"],
        state=SearchState(row["state"]),
        stop_reason=None if row["stop_reason"] is None else StopReason(row["stop_reason"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        deadline=row["deadline"],
        slots=row["slots"],
        totals=totals,
        submission=None if row["search_id"] is None else submission_from(row),
    )


def _summed(connection: Connection, search_ids: list[str]) -> dict[str, Totals]:
    """Return the totals of searches from their ledger and trials; those of older releases keep none."""
    if not search_ids:
        return {}
    keys = (TRIALS.c.search_id, TRIALS.c.kind, TRIALS.c.state)
    counted = select(*keys, func.count()).where(TRIALS.c.search_id.in_(search_ids)).group_by(*keys)
    counts: dict[str, dict[tuple[TrialKind, TrialState], int]] = {search_id: {} for search_id in search_ids}
    for search_id, kind, state, count in connection.execute(counted):
        counts[search_id][TrialKind(kind), TrialState(state)] = count
    # A search without entries has drawn nothing yet.
    sums = dict.fromkeys(search_ids, (0.0, 0.0, 0.0))
    for search_id, energy_j, emissions_g, unpriced_j in connection.execute(sums_of(search_ids)):
        sums[search_id] = energy_j, emissions_g, unpriced_j
    return {search_id: Totals(*sums[search_id], counts[search_id]) for search_id in search_ids}
