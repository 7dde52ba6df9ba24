"""Budgets that several searches have in common: all of the daemon, or those with a label."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from carbon_sources.interval import Interval
from carbonnas.budgeting import BudgetBook, Budgets, Grams, raised
from carbonnas.daemon.control import EndedWindow
from carbonnas.daemon.ended_windows import EndedWindows
from carbonnas.emissions import EmissionEntry
from schedulers.budget import BudgetState, EmissionBudget


@dataclass(frozen=True, slots=True)
class NamedBudget:
    """A budget with a name of its own and the label whose searches it holds for; `None` for all searches."""

    name: str
    budget: EmissionBudget
    label: str | None = None

    def holds_for(self, labels: Collection[str]) -> bool:
        """Whether it holds for a search with these labels."""
        return self.label is None or self.label in labels


class CommonBudgets:
    """Sums what searches emit, and sets aside what the running work of each may still emit, so that no two spend the same grams.

    All of it belongs to the thread that ticks, but for `count`: a search that is being opened reads its ledger in another.

    Args:
        budgets: The budgets, each with another name.
        bound_g_per_kwh: Intensity that the grid is not expected to exceed: unpriced energy may turn out to have emitted as much.
    """

    def __init__(self, budgets: Sequence[NamedBudget], bound_g_per_kwh: float) -> None:
        self._budgets = tuple(budgets)
        self._bound = bound_g_per_kwh
        self._raised: dict[tuple[str, Interval | None], float] = defaultdict(float)
        self._books: dict[str, BudgetBook] = {}
        self._ended: dict[tuple[str, ...], BudgetBook] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._reserved: dict[str, float] = defaultdict(float)
        self._past = EndedWindows()
        self._counting = threading.Lock()

    @property
    def budgets(self) -> tuple[NamedBudget, ...]:
        """The budgets."""
        return self._budgets

    def replace(self, budgets: Sequence[NamedBudget]) -> None:
        """Hold searches to other budgets from now on, none of them raised; what was spent counts for them as well."""
        self._budgets = tuple(budgets)
        self._raised.clear()
        self._past.touch_all()

    def take_over(self, search_id: str, labels: Sequence[str], quarters: Mapping[datetime, Grams]) -> None:
        """Count what a search that is not open has emitted, by quarter hour."""
        self._book(search_id, labels).take_over(quarters)
        self._past.touch_all()

    def end(self, search_id: str) -> None:
        """Take it that a search will not be opened again: what it emitted is kept with that of others that have ended."""
        self.close(search_id)
        with self._counting:
            book, labels = self._books.pop(search_id, None), self._labels.pop(search_id, ())
        if book is not None:
            self._ended.setdefault(labels, BudgetBook((), self._bound, counting=True)).take_over(book.quarters)

    def open(self, search_id: str, labels: Sequence[str], own: BudgetBook) -> Budgets:
        """Return what a search is to ask and tell, its own budgets first.

        It tells first of all what its ledger holds; until then what was known of it counts.
        """
        self._book(search_id, labels)
        return _SearchBudgets(self, search_id, own, BudgetBook((), self._bound, counting=True))

    def count(self, search_id: str, book: BudgetBook, since: datetime | None) -> None:
        """Let a book say what a search has emitted, instead of what was known before; not of one that will not be opened again.

        Args:
            search_id: The search.
            book: Its book.
            since: Begin of the first entry that has changed in the book; `None` if none has.
        """
        with self._counting:
            if search_id not in self._books:
                return
            if self._books[search_id] is not book:
                self._books[search_id] = book
                self._past.touch_all()
            if since is not None:
                self._past.touch(since)

    def close(self, search_id: str) -> None:
        """Set nothing aside for a search any more: none of its work runs."""
        self._reserved.pop(search_id, None)

    def reserve(self, search_id: str, grams: float) -> None:
        """Set grams aside for the running work of a search."""
        self._reserved[search_id] = grams

    def raise_limit(self, name: str, window: Interval | None, grams: float) -> None:
        """Add grams to the limit of a budget inside one of its windows."""
        self._raised[name, window] += grams
        self._past.touch_all()

    def states(self, now: datetime) -> dict[str, BudgetState]:
        """Return how every budget stands, by name."""
        return {named.name: self._state(named, now, self._reserved_g(named)) for named in self._budgets}

    def exceeded(self, now: datetime) -> dict[str, tuple[EndedWindow, ...]]:
        """Return the newest ended windows of every budget in which more was emitted than allowed, the newest first, by name."""
        with self._counting:
            return {
                named.name: self._past.exceeded(
                    named.name, named.budget, now, partial(self._state, named, reserved_g=0.0)
                )
                for named in self._budgets
            }

    def states_for(self, search_id: str, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        """Return how the budgets of a search stand with `reserved_g` set aside for its own work, and what others have set aside."""
        labels = self._labels[search_id]
        return tuple(
            self._state(named, now, reserved_g + self._reserved_g(named, without=search_id))
            for named in self._budgets
            if named.holds_for(labels)
        )

    def _book(self, search_id: str, labels: Sequence[str]) -> BudgetBook:
        self._labels[search_id] = tuple(labels)
        return self._books.setdefault(search_id, BudgetBook((), self._bound, counting=True))

    def _reserved_g(self, named: NamedBudget, without: str | None = None) -> float:
        return sum(
            grams
            for search_id, grams in self._reserved.items()
            if search_id != without and named.holds_for(self._labels[search_id])
        )

    def _state(self, named: NamedBudget, now: datetime, reserved_g: float) -> BudgetState:
        window = named.budget.window_at(now)
        budget = raised(named.budget, self._raised.get((named.name, window), 0.0))
        books = [book for search_id, book in self._books.items() if named.holds_for(self._labels[search_id])]
        books += [book for labels, book in self._ended.items() if named.holds_for(labels)]
        return sum((book.within(window) for book in books), Grams()).state(budget, window, reserved_g)


class _SearchBudgets(Budgets):
    """The budgets of one search: its own, and those that it has in common with others."""

    def __init__(self, common: CommonBudgets, search_id: str, own: BudgetBook, book: BudgetBook) -> None:
        self._common = common
        self._search_id = search_id
        self._own = own
        self._book = book

    def add(self, entries: Iterable[EmissionEntry], expected_bound: float | None = None) -> None:
        entries = list(entries)
        self._own.add(entries, expected_bound)
        self._book.add(entries, expected_bound)
        self._count(entries)

    def expected_bound(self, entry: EmissionEntry) -> float | None:
        return self._book.expected_bound(entry)

    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        entries = list(entries)
        self._own.withdraw(entries)
        self._book.withdraw(entries)
        self._count(entries)

    def _count(self, entries: Sequence[EmissionEntry]) -> None:
        since = min((entry.priced.sample.interval.start for entry in entries), default=None)
        self._common.count(self._search_id, self._book, since)

    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        common = self._common.states_for(self._search_id, now, reserved_g)
        return (*self._own.states(now, reserved_g), *common)

    def reserve(self, grams: float) -> None:
        self._common.reserve(self._search_id, grams)
