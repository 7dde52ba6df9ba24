"""Reading a whole search from the store, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import QUARTER_HOUR, Interval
from carbonnas.budgeting import BudgetBook
from carbonnas.emissions import EmissionEntry
from carbonnas.record import Override, SearchRecord, own_budget_name
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.joining import joined, joined_samples
from carbonnas.storage.search_store import SearchStore

CONTEXT = timedelta(hours=12)
"""How much of the grid before and after the search its figures show."""


def load_record(store: SearchStore, search_id: str) -> SearchRecord:
    """Return everything that is known of a search, as of one instant.

    Raises:
        StorageError: If there is no such search or the store can't be read.
    """
    with store.snapshot():
        return _record(store, search_id)


def _record(store: SearchStore, search_id: str) -> SearchRecord:
    header, progress = store.header(search_id), store.progress(search_id)
    # Joined here as well, so that a report says the same whether the store has done so or not.
    entries = joined(store.entries(search_id), QUARTER_HOUR)
    overrides = _overrides(store, header, progress)
    book = _book(header, entries, overrides)
    return SearchRecord(
        search_id=search_id,
        name=header.name,
        config=header.config,
        seed=header.seed,
        slots=header.slots,
        state=progress.state,
        stop_reason=progress.stop_reason,
        started_at=header.started_at,
        ended_at=progress.ended_at,
        deadline=header.deadline,
        clock=header.clock,
        objectives=header.objectives,
        limits=header.limits,
        targets=header.targets,
        pruned=progress.position.pruned,
        exhausted=progress.position.exhausted,
        trials=tuple(store.trials(search_id)),
        decisions=tuple(store.decisions(search_id)),
        entries=entries,
        measured=joined_samples(store.measured(search_id), QUARTER_HOUR),
        intensities=_intensities(store, header, progress, entries),
        budgets=book.states(progress.clock_at, 0.0),
        measurement=progress.measurement,
        exceeded=book.exceeded(progress.clock_at),
        overrides=overrides,
    )


def _overrides(store: SearchStore, header: SearchHeader, progress: SearchProgress) -> tuple[Override, ...]:
    """Return what was added to the search's own budgets, and to common ones while it lived."""
    names = _budget_names(header)
    return tuple(
        added
        for added in store.overrides(header.search_id)
        if added.budget in names
        or (added.is_common and header.started_at <= added.at <= (progress.ended_at or added.at))
    )


def _budget_names(header: SearchHeader) -> list[str]:
    return [own_budget_name(header.search_id, place) for place in range(len(header.budgets))]


def _book(header: SearchHeader, entries: Sequence[EmissionEntry], overrides: Sequence[Override]) -> BudgetBook:
    book = BudgetBook(header.budgets, header.bound_g_per_kwh)
    book.add(entries)
    for place, (name, budget) in enumerate(zip(_budget_names(header), header.budgets, strict=True)):
        for added in overrides:
            if added.budget == name:
                book.raise_limit(place, added.window_of(budget), added.grams)
    return book


def _intensities(
    store: SearchStore, header: SearchHeader, progress: SearchProgress, entries: Sequence[EmissionEntry]
) -> IntensitySeries:
    like = next((e.priced.intensity for e in reversed(entries) if e.priced.intensity is not None), None)
    if like is None:
        return IntensitySeries(())
    return store.intensities(like, Interval(header.started_at - CONTEXT, progress.clock_at + CONTEXT))
