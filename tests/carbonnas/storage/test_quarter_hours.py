"""The whole ledger by quarter hour: what the budgets over many searches go by."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, conservative_g, current
from carbonnas.record import SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import START, at, entry, hours, intensity, new_search

BOUND = 700.0
QUARTER = timedelta(minutes=15)


@pytest.fixture
def daemon(path: Path, store: Store) -> Iterator[DaemonStore]:
    opened = DaemonStore(path)
    yield opened
    opened.close()


def test_an_hour_is_four_quarters(
    store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.commit("a-search", progress, Step(entries=[entry("e", hours(0, 1), intensity(0, 100.0), pue=1.5)]))
    # 1 kWh at 100 g/kWh and a PUE of 1.5 is 150 g.
    assert daemon.grams_by_quarter(BOUND) == {"a-search": {at(n / 4): (37.5, 0.0) for n in range(4)}}


def test_energy_without_a_price_counts_with_the_bound_and_beside_the_rest(
    store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    entries = [entry("e", hours(0, 0.1)), entry("f", hours(0.1, 0.25), intensity(0, 100.0))]
    store.commit("a-search", progress, Step(entries=entries))
    assert daemon.grams_by_quarter(BOUND) == {"a-search": {START: (100.0, 700.0)}}


def test_what_is_superseded_counts_no_more(
    store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    store.commit("a-search", progress, Step(entries=[entry("e", hours(0, 0.25)), entry("f", hours(1, 2))]))
    corrections = [
        entry("e+0", hours(0, 0.25), intensity(0, 50.0), supersedes="e"),
        entry("f+0", hours(1, 2), intensity(1, 40.0), supersedes="f"),
    ]
    store.commit("a-search", progress, Step(entries=corrections))
    assert daemon.grams_by_quarter(BOUND) == {
        "a-search": {START: (50.0, 0.0)} | {at(1 + n / 4): (10.0, 0.0) for n in range(4)}
    }


def test_searches_are_told_apart(
    store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    for number, search_id in enumerate("abc"):
        store.create(replace(header, search_id=search_id), progress)
        step = Step(entries=[entry(search_id, hours(number, number + 0.25), intensity(number, 10.0))])
        store.commit(search_id, progress, step)
    assert daemon.grams_by_quarter(BOUND) == {name: {at(number): (10.0, 0.0)} for number, name in enumerate("abc")}


def test_the_sums_of_a_search_that_ended_are_kept_and_forgotten_when_its_ledger_grows(
    path: Path, store: Store, daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id in ("open", "ended"):
        store.create(replace(header, search_id=search_id), progress)
        entries = [entry(f"{search_id}/0", hours(0, 0.25), intensity(0, 10.0)), entry(f"{search_id}/1", hours(0, 0.5))]
        store.commit(search_id, progress, Step(entries=entries))
    ended = replace(progress, state=SearchState.STOPPED, stop_reason=StopReason.DEADLINE, ended_at=at(1))
    store.commit("ended", ended, Step())
    # 1 kWh at 10 g/kWh, and 1 kWh without a price over two quarters of an hour.
    sums = {START: (10.0, BOUND / 2), at(0.25): (0.0, BOUND / 2)}
    assert daemon.grams_by_quarter(BOUND) == {"open": sums, "ended": sums}
    assert kept(path) == [("ended", 10.0, 0.5), ("ended", 0.0, 0.5)]
    assert daemon.grams_by_quarter(BOUND) == {"open": sums, "ended": sums}
    assert daemon.grams_by_quarter(2 * BOUND)["ended"] == {START: (10.0, BOUND), at(0.25): (0.0, BOUND)}
    correction = entry("ended/1+0", hours(0, 0.5), intensity(0, 20.0), supersedes="ended/1")
    store.commit("ended", ended, Step(entries=[correction]))
    assert kept(path) == []
    assert daemon.grams_by_quarter(BOUND)["ended"] == {START: (20.0, 0.0), at(0.25): (10.0, 0.0)}


def kept(path: Path) -> list[tuple[str, float, float]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT search_id, priced_g, unpriced_kwh FROM ended_sums ORDER BY quarter").fetchall()
    connection.close()
    return rows


NUMBERS = itertools.count()
MICROSECOND = timedelta(microseconds=1)
spans = st.builds(
    lambda start, length: Interval(START + start, START + start + length),
    st.timedeltas(timedelta(0), timedelta(hours=3)) | st.sampled_from([n * QUARTER for n in range(9)]),
    st.timedeltas(MICROSECOND, timedelta(hours=2)) | st.sampled_from([MICROSECOND, QUARTER, 4 * QUARTER]),
)


def by_hand(entries: list[EmissionEntry]) -> dict[datetime, tuple[float, float]]:
    """Share each entry out among all quarters of six hours."""
    sums: dict[datetime, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for counting in current(entries):
        whole = counting.priced.sample.interval
        for start in (START + n * QUARTER for n in range(24)):
            common = whole.intersection(Interval(start, start + QUARTER))
            if common is not None:
                place = 1 if counting.emissions_g is None else 0
                sums[start][place] += conservative_g(counting, BOUND) * (common.duration / whole.duration)
    return {start: (priced, unpriced) for start, (priced, unpriced) in sums.items()}


@settings(max_examples=60)
@given(st.lists(st.tuples(spans, st.booleans(), st.booleans()), min_size=1, max_size=6))
@example([(hours(0.75, 1), True, False), (Interval(at(1) - MICROSECOND, at(1)), False, True)])
@example([(Interval(at(0.75), at(1) + MICROSECOND), True, False)])
def test_every_gram_is_in_the_quarter_hour_in_which_it_was_emitted(
    shared: tuple[Store, DaemonStore], drawn: list[tuple[Interval, bool, bool]]
) -> None:
    store, daemon = shared
    name, entries = f"quarters-{next(NUMBERS)}", list[EmissionEntry]()
    for number, (span, priced, corrected) in enumerate(drawn):
        entry_id = f"{name}/{number}"
        entries.append(entry(entry_id, span, intensity(0) if priced else None))
        if corrected:
            entries.append(entry(f"{entry_id}+0", span, intensity(0, 50.0), supersedes=entry_id))
    header, progress = new_search(name)
    store.create(header, progress)
    store.commit(name, progress, Step(entries=entries))
    found = daemon.grams_by_quarter(BOUND)[name]
    # So that its sums are kept, and the next example need not sum it again.
    store.commit(name, replace(progress, state=SearchState.STOPPED, ended_at=at(6)), Step())
    expected = by_hand(entries)
    assert set(found) == set(expected)
    for quarter, grams in expected.items():
        assert found[quarter] == pytest.approx(grams, rel=1e-9)
    total = math.fsum(conservative_g(counting, BOUND) for counting in current(entries))
    assert math.fsum(g for grams in found.values() for g in grams) == pytest.approx(total)
