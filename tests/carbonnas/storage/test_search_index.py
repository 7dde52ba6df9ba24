"""Lists and pages show what the store holds, without reading all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.emissions import totals
from carbonnas.errors import SearchNotFoundError
from carbonnas.record import SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step, Totals
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.search_index import SearchIndex
from carbonnas.storage.store import Store
from carbonnas.trials import TrialKind, TrialState
from tests.carbonnas.storage.made import KWH, START, at, decision, entry, hours, intensity, submission, trial

KEPT = Totals(
    energy_j=3.0,
    emissions_g=2.0,
    unpriced_j=1.0,
    counts={(TrialKind.SCORE, TrialState.COMPLETED): 5, (TrialKind.TRAIN, TrialState.QUEUED): 1},
)


@pytest.fixture
def index(path: Path, store: Store) -> Iterator[SearchIndex]:
    opened = SearchIndex(path)
    yield opened
    opened.close()


def test_totals_that_are_kept_come_back(store: Store, header: SearchHeader, progress: SearchProgress) -> None:
    store.create(header, progress)
    assert store.progress("a-search").totals is None
    store.commit("a-search", replace(progress, totals=KEPT), Step())
    assert store.progress("a-search").totals == KEPT
    assert KEPT.count(TrialKind.SCORE, *TrialState) == 5


def test_a_sum_that_is_no_number_is_not_kept(store: Store, header: SearchHeader, progress: SearchProgress) -> None:
    store.create(header, replace(progress, totals=replace(KEPT, emissions_g=float("nan"))))
    assert store.progress("a-search").totals is None


def test_a_summary_says_what_a_list_shows(
    path: Path, store: Store, index: SearchIndex, header: SearchHeader, progress: SearchProgress
) -> None:
    daemon = DaemonStore(path)
    daemon.submit(header, replace(progress, totals=KEPT), submission("a-search"))
    ended = replace(progress, state=SearchState.STOPPED, stop_reason=StopReason.DEADLINE, ended_at=at(5), totals=KEPT)
    store.commit("a-search", ended, Step())
    found = index.summary("a-search")
    assert (found.search_id, found.name, found.slots) == ("a-search", "A search", 2)
    assert (found.state, found.stop_reason) == (SearchState.STOPPED, StopReason.DEADLINE)
    assert (found.started_at, found.ended_at, found.deadline) == (START, at(5), header.deadline)
    assert (found.totals, found.submission) == (KEPT, submission("a-search"))
    assert index.summaries() == [found]
    daemon.close()


def test_what_is_not_kept_is_summed_from_ledger_and_trials(
    store: Store, index: SearchIndex, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id in ("empty", "full"):
        store.create(replace(header, search_id=search_id), progress)
    step = Step(
        trials={n: trial(n, TrialKind.TRAIN if n > 2 else TrialKind.SCORE) for n in range(5)},
        entries=[
            entry("a", hours(0, 1), intensity(0, 200.0), pue=1.5),
            entry("b", hours(0, 1), intensity(0, 300.0)),
            entry("c", hours(1, 2), joules=2 * KWH),
            entry("a+0", hours(0, 1), intensity(0, 100.0), pue=1.5, supersedes="a"),
        ],
    )
    store.commit("full", progress, step)
    full, empty = index.summaries()
    # 1 kWh at 100 g/kWh and a PUE of 1.5, and 1 kWh at 300 g/kWh; 2 kWh have no price.
    assert full.totals == Totals(
        energy_j=4 * KWH,
        emissions_g=450.0,
        unpriced_j=2 * KWH,
        counts={(TrialKind.SCORE, TrialState.COMPLETED): 3, (TrialKind.TRAIN, TrialState.COMPLETED): 2},
    )
    exact = totals(store.entries("full"))
    assert (exact.energy_j, exact.emissions_g, exact.unpriced_j) == (4 * KWH, 450.0, 2 * KWH)
    assert empty.totals == Totals(0.0, 0.0, 0.0, {})
    assert empty.submission is None


def test_the_newest_search_comes_first_and_the_list_goes_on_where_a_page_ended(
    store: Store, index: SearchIndex, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id in "cab":
        store.create(replace(header, search_id=search_id), progress)
    assert [found.search_id for found in index.summaries()] == ["b", "a", "c"]
    assert [found.search_id for found in index.summaries(2)] == ["b", "a"]
    assert [found.search_id for found in index.summaries(2, before="a")] == ["c"]
    assert index.summaries(2, before="nope") == []
    with pytest.raises(SearchNotFoundError, match="there is no search 'nope'"):
        index.summary("nope")


def test_trials_come_in_pages_by_number(
    store: Store, index: SearchIndex, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.create(replace(header, search_id="other"), progress)
    kinds = (TrialKind.SCORE, TrialKind.TRAIN)
    made = {n: trial(n, kinds[n % 2], TrialState.FAILED if n == 3 else TrialState.COMPLETED) for n in range(6)}
    store.commit("a-search", progress, Step(trials=made))
    store.commit("other", progress, Step(trials={0: trial(0)}))
    assert index.trials_page("a-search", limit=2) == [made[0], made[1]]
    assert index.trials_page("a-search", 3, limit=9) == [made[4], made[5]]
    assert index.trials_page("a-search", limit=2, kind=TrialKind.TRAIN) == [made[1], made[3]]
    assert index.trials_page("a-search", 1, limit=9, kind=TrialKind.TRAIN, state=TrialState.COMPLETED) == [made[5]]
    assert index.trials_page("a-search", 5, limit=2) == []


def test_decisions_come_in_pages_newest_first(
    store: Store, index: SearchIndex, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.create(replace(header, search_id="other"), progress)
    for hour in range(3):
        store.commit("other", progress, Step(decisions=[decision(9)]))
        store.commit("a-search", progress, Step(decisions=[decision(hour)]))
    page = index.decisions_page("a-search", limit=2)
    assert [made for _, made in page] == [decision(2), decision(1)]
    assert [made for _, made in index.decisions_page("a-search", page[-1][0], limit=2)] == [decision(0)]
