"""A record tells what operators added to the budgets of a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.record import Override, SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import at, new_search, submission

# In Berlin the first of January begins at 23:00 of the day before, UTC.
_TODAY = at(-1)


@pytest.fixture
def daemon(path: Path, store: Store) -> Iterator[DaemonStore]:
    opened = DaemonStore(path)
    yield opened
    opened.close()


@pytest.fixture
def submitted(daemon: DaemonStore, header: SearchHeader, progress: SearchProgress) -> SearchHeader:
    """A search whose first budget is 500 g a day and whose second one a tonne in all."""
    daemon.submit(header, progress, submission("a-search"))
    return header


def _limits(store: Store) -> list[float]:
    return [state.budget.limit_g for state in load_record(store, "a-search").budgets]


def test_what_was_added_counts_for_its_own_window_only(
    store: Store, daemon: DaemonStore, submitted: SearchHeader
) -> None:
    added = [
        Override("a-search/1", at(1), 300.0, "a", _TODAY),
        Override("a-search/1", at(2), 200.0, "b", _TODAY),
        Override("a-search/1", at(-20), 50.0, "the day before", at(-25)),
        Override("a-search/2", at(3), 1000.0, "c", None),
    ]
    for override in added:
        daemon.add_override(override)
    # 500 g + 300 g + 200 g today, 1e6 g + 1000 g in all
    assert _limits(store) == [1000.0, 1_001_000.0]
    assert load_record(store, "a-search").overrides == tuple(added)


def test_common_budgets_are_told_while_the_search_lived_and_never_those_of_others(
    store: Store, daemon: DaemonStore, submitted: SearchHeader, progress: SearchProgress
) -> None:
    store.commit(
        "a-search",
        replace(
            progress, state=SearchState.STOPPED, stop_reason=StopReason.CANCELLED, ended_at=at(10), clock_at=at(10)
        ),
        Step(),
    )
    during = Override("daemon/all", at(5), 5.0, "during", None)
    for override in (
        Override("daemon/all", at(-1), 1.0, "before", None),
        during,
        Override("daemon/all", at(11), 11.0, "after", None),
        Override("a-search-2/1", at(5), 2.0, "of another", None),
        Override("a-search/3", at(5), 3.0, "of a budget that it does not have", None),
    ):
        daemon.add_override(override)
    assert load_record(store, "a-search").overrides == (during,)
    assert _limits(store) == [500.0, 1e6]


def test_a_search_that_was_not_submitted_has_none(
    store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    daemon.add_override(Override("daemon/all", at(0), 5.0, "why", None))
    assert load_record(store, "a-search").overrides == ()


def test_a_search_in_memory_has_none() -> None:
    store = MemoryStore()
    store.create(*new_search("a"))
    assert load_record(store, "a").overrides == ()
