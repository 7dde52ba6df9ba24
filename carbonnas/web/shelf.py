"""What people are shown of searches that the store holds: lists, pages of trials and decisions, reports."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from carbonnas.budgeting import BudgetBook, raised
from carbonnas.daemon.control import BudgetView
from carbonnas.ranking import ranked_trainings
from carbonnas.record import DecisionRecord, SearchState, own_budget_name
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
class ShelfDetails:
    """More of one search.

    Attributes:
        summary: What lists say of it.
        header: What is fixed about it.
        progress: How far it was at its last step.
        budgets: How its own budgets stood then, with what operators had added to the window of that instant.
        best: Best completed training; `None` if none has completed.
        decision: The last decision; `None` before the first.
    """

    summary: SearchSummary
    header: SearchHeader
    progress: SearchProgress
    budgets: tuple[BudgetView, ...]
    best: Trial | None
    decision: DecisionRecord | None


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

    def searches(self, *, limit: int | None = None, before: str | None = None) -> tuple[SearchSummary, ...]:
        """Return searches, the newest first.

        Args:
            limit: At most so many, above zero; `None` for all.
            before: Id of a search: only those that were entered before it; `None` for the newest.

        Raises:
            SearchNotFoundError: If there is no search `before`.
        """
        if before is not None:
            self._index.summary(before)
        return tuple(self._index.summaries(limit, before))

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
        if details.summary.state is not SearchState.RUNNING:
            with self._guard:
                self._ended[search_id] = details
                while len(self._ended) > _MOST_KEPT:
                    self._ended.popitem(last=False)
        return details

    def _details(self, summary: SearchSummary) -> ShelfDetails:
        search_id = summary.search_id
        header, progress = self._store.header(search_id), self._store.progress(search_id)
        trained = self._index.trials_page(search_id, limit=_ALL, kind=TrialKind.TRAIN, state=TrialState.COMPLETED)
        return ShelfDetails(
            summary,
            header,
            progress,
            self._budgets(header, progress, summary.totals),
            next(iter(ranked_trainings(trained, header.objectives[0], header.limits)), None),
            next(iter(self.decisions(search_id, limit=1)), None),
        )

    def _budgets(self, header: SearchHeader, progress: SearchProgress, totals: Totals) -> tuple[BudgetView, ...]:
        """Return how the budgets of a search stood at its last step."""
        added = self._store.overrides(header.search_id) if header.budgets else []
        views = []
        for place, budget in enumerate(header.budgets):
            name, window = own_budget_name(header.search_id, place), budget.window_at(progress.clock_at)
            overrides = tuple(each for each in added if each.budget == name and each.window_of(budget) == window)
            limited = raised(budget, math.fsum(each.grams for each in overrides))
            state = self._state(header, limited, progress, totals)
            views.append(BudgetView(name, header.search_id, None, state, None, overrides))
        return tuple(views)

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
