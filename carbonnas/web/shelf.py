"""What people are shown of searches that the store holds: lists, pages of trials and decisions, reports."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from carbonnas.budgeting import BudgetBook, raised
from carbonnas.ranking import ranked_trainings
from carbonnas.record import DecisionRecord, Override, SearchState, StopReason, own_budget_name
from carbonnas.report.render import ReportFormat
from carbonnas.search_state import SearchHeader, SearchProgress, Totals
from carbonnas.storage.search_index import SearchIndex, SearchSummary
from carbonnas.storage.store import Store
from carbonnas.trials import Trial, TrialKind, TrialState
from carbonnas.web.report_room import Make, ReportRoom
from schedulers.budget import BudgetState, EmissionBudget

_MOST_KEPT = 64
_ALL = 2**31


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One search of the store, for lists.

    Attributes:
        search_id: Its name in commands.
        name: What the user called it.
        state: Running, completed or stopped.
        stop_reason: Why it ended; `None` while it has not.
        started_at: When it began, UTC.
        ended_at: When it ended, UTC; `None` while it has not.
        deadline: When it has to end, UTC; `None` without a deadline.
        slots: Its slots.
        energy_j: Energy so far in J, at least zero.
        emissions_g: Grams of CO2 equivalent of the energy that has a price.
        unpriced_j: Energy in J whose intensity is unknown.
        counts: Number of trials by kind and state; those that are zero may be left out.
        priority: -100..100; `None` for a search that was not handed to the daemon.
        labels: Its labels.
        submitted_at: When it was handed to the daemon, UTC; `None` likewise.
    """

    search_id: str
    name: str
    state: SearchState
    stop_reason: StopReason | None
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    slots: int
    energy_j: float
    emissions_g: float
    unpriced_j: float
    counts: Mapping[tuple[TrialKind, TrialState], int]
    priority: int | None = None
    labels: tuple[str, ...] = ()
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShelfDetails:
    """More of one search.

    Attributes:
        entry: What lists say of it.
        header: What is fixed about it.
        progress: How far it was at its last step.
        budgets: How its own budgets stood then, what operators had added included.
        best: Best completed training; `None` if none has completed.
        decision: The last decision; `None` before the first.
        overrides: What operators have added to its own budgets, oldest first.
    """

    entry: ShelfEntry
    header: SearchHeader
    progress: SearchProgress
    budgets: tuple[BudgetState, ...]
    best: Trial | None
    decision: DecisionRecord | None
    overrides: tuple[Override, ...] = ()


class Shelf:
    """Reads the store for any thread; nothing here writes.

    Args:
        path: The file of the store.
        make_report: Makes reports; by default a process for each.

    Raises:
        StorageError: From every method, if the store can't be read.
    """

    def __init__(self, path: Path, make_report: Make | None = None) -> None:
        self.path = path
        self._store = Store(path)
        self._index = SearchIndex(path)
        self._reports = ReportRoom(path, make_report)
        self._ended: OrderedDict[str, ShelfDetails] = OrderedDict()
        self._guard = threading.Lock()

    def close(self) -> None:
        """Release the file."""
        self._store.close()
        self._index.close()

    def searches(self, *, limit: int, before: str | None = None) -> tuple[ShelfEntry, ...]:
        """Return searches, the newest first.

        Args:
            limit: At most so many, above zero.
            before: Id of a search: only those that were entered before it; `None` for the newest.

        Raises:
            SearchNotFoundError: If there is no search `before`.
        """
        if before is not None:
            self._index.summary(before)
        return tuple(map(_entry, self._index.summaries(limit, before)))

    def entry(self, search_id: str) -> ShelfEntry:
        """Return what lists say of a search.

        Raises:
            SearchNotFoundError: If there is none of that id.
        """
        return _entry(self._index.summary(search_id))

    def details(self, search_id: str) -> ShelfDetails:
        """Return more of a search than lists say.

        Raises:
            SearchNotFoundError: If there is none of that id.
        """
        with self._guard:
            kept = self._ended.get(search_id)
        if kept is not None:
            return kept
        details = self._details(self._index.summary(search_id))
        if details.entry.state is not SearchState.RUNNING:
            with self._guard:
                self._ended[search_id] = details
                while len(self._ended) > _MOST_KEPT:
                    self._ended.popitem(last=False)
        return details

    def _details(self, summary: SearchSummary) -> ShelfDetails:
        search_id = summary.search_id
        header, progress = self._store.header(search_id), self._store.progress(search_id)
        trained = self._index.trials_page(search_id, limit=_ALL, kind=TrialKind.TRAIN, state=TrialState.COMPLETED)
        names = [own_budget_name(search_id, place) for place in range(len(header.budgets))]
        overrides = tuple(added for added in self._store.overrides(search_id) if added.budget in names)
        budgets = (
            _raised(budget, progress, (added for added in overrides if added.budget == name))
            for name, budget in zip(names, header.budgets, strict=True)
        )
        return ShelfDetails(
            _entry(summary),
            header,
            progress,
            tuple(self._state(header, budget, progress, summary.totals) for budget in budgets),
            next(iter(ranked_trainings(trained, header.objectives[0])), None),
            next(iter(self.decisions(search_id, limit=1)), None),
            overrides,
        )

    def _state(
        self, header: SearchHeader, budget: EmissionBudget, progress: SearchProgress, totals: Totals
    ) -> BudgetState:
        window = budget.window_at(progress.clock_at)
        if window is None and not totals.unpriced_j:
            return BudgetState(budget, totals.emissions_g, 0.0)
        book = BudgetBook((budget,), header.bound_g_per_kwh)
        book.add(self._store.entries(header.search_id, window))
        return book.states(progress.clock_at, 0.0)[0]

    def trials(self, search_id: str, *, after: int = -1, limit: int) -> tuple[Trial, ...]:
        """Return a page of a search's trials by number.

        Args:
            search_id: The search.
            after: The page starts with the first number above it.
            limit: At most so many, above zero.

        Raises:
            SearchNotFoundError: If there is no such search.
        """
        page = self._index.trials_page(search_id, after, limit=limit)
        if not page:
            self._store.header(search_id)
        return tuple(page)

    def decisions(self, search_id: str, *, limit: int) -> tuple[DecisionRecord, ...]:
        """Return the newest decisions of a search, at most `limit`, the newest first.

        Raises:
            SearchNotFoundError: If there is no such search.
        """
        return tuple(made for _, made in self.decisions_page(search_id, limit=limit))

    def decisions_page(
        self, search_id: str, *, limit: int, before: int | None = None
    ) -> tuple[tuple[int, DecisionRecord], ...]:
        """Return a page of a search's decisions with their numbers in the store, the newest first.

        Args:
            search_id: The search.
            limit: At most so many, above zero.
            before: Only decisions with a lower number; `None` to begin with the newest.

        Raises:
            SearchNotFoundError: If there is no such search.
        """
        page = self._index.decisions_page(search_id, before, limit=limit)
        if not page:
            self._store.header(search_id)
        return tuple(page)

    def report(self, search_id: str, format: ReportFormat) -> bytes:  # noqa: A002 # the word of the command line
        """Return the report of a search as it stands, UTF-8; of a long search that takes seconds.

        Raises:
            SearchNotFoundError: If there is no such search.
            BusyError: If too many wait for reports already.
        """
        ended = self._index.summary(search_id).state is not SearchState.RUNNING
        return self._reports.report(search_id, format, ended=ended)

    def totals(self, *, without: Collection[str]) -> tuple[float, float]:
        """Return the energy in J and the grams of CO2 equivalent of all searches but those whose ids are in `without`."""
        others = [summary.totals for summary in self._index.summaries() if summary.search_id not in without]
        return math.fsum(t.energy_j for t in others), math.fsum(t.emissions_g for t in others)


def _entry(summary: SearchSummary) -> ShelfEntry:
    submission, totals = summary.submission, summary.totals
    return ShelfEntry(
        search_id=summary.search_id,
        name=summary.name,
        state=summary.state,
        stop_reason=summary.stop_reason,
        started_at=summary.started_at,
        ended_at=summary.ended_at,
        deadline=summary.deadline,
        slots=summary.slots,
        energy_j=totals.energy_j,
        emissions_g=totals.emissions_g,
        unpriced_j=totals.unpriced_j,
        counts=totals.counts,
        priority=None if submission is None else submission.priority,
        labels=() if submission is None else submission.labels,
        submitted_at=None if submission is None else submission.submitted_at,
    )


def _raised(budget: EmissionBudget, progress: SearchProgress, added: Iterable[Override]) -> EmissionBudget:
    """Return a budget with what operators have added to its window at the last step."""
    window = budget.window_at(progress.clock_at)
    start = None if window is None else window.start
    return raised(budget, sum(override.grams for override in added if override.window_start == start))
