"""`list` goes by what the store keeps, and sums only what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.search_state import Step, Totals
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.testing.commands import carbonnas
from carbonnas.trials import TrialKind, TrialState
from tests.carbonnas.storage.made import KWH, entry, hours, intensity, new_search, trial

SCORED, TRAINED = (TrialKind.SCORE, TrialState.COMPLETED), (TrialKind.TRAIN, TrialState.COMPLETED)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(store_path(tmp_path))
    yield opened
    opened.close()


def test_a_list_shows_the_sums_that_are_kept_without_reading_the_ledger(store: Store, tmp_path: Path) -> None:
    header, progress = new_search("kept")
    totals = Totals(2 * KWH, 120.0, 0.5 * KWH, {SCORED: 7, TRAINED: 3, (TrialKind.TRAIN, TrialState.FAILED): 1})
    store.create(header, replace(progress, totals=totals))
    (row,) = carbonnas("list", "--state", tmp_path, "--json").json["searches"]
    # There is nothing in the ledger, and no trial: what is told can only stem from the sums.
    assert (row["scored"], row["trained"]) == (7, 3)
    assert (row["energy_kwh"], row["emissions_g"], row["unpriced_kwh"]) == (2.0, 120.0, 0.5)
    assert "+ unpriced" in carbonnas("list", "--state", tmp_path).out


def test_a_list_sums_what_an_older_release_did_not_keep(store: Store, tmp_path: Path) -> None:
    for search_id, price in (("first", 100.0), ("second", 50.0)):
        header, progress = new_search(search_id)
        store.create(header, progress)
        entries = [entry(search_id, hours(0, 1), intensity(0, price))]
        store.commit(search_id, progress, Step(trials={0: trial(0)}, entries=entries))
    rows = carbonnas("list", "--state", tmp_path, "--json").json["searches"]
    assert [row["id"] for row in rows] == ["first", "second"]
    assert [(row["scored"], row["trained"], row["emissions_g"]) for row in rows] == [(1, 0, 100.0), (1, 0, 50.0)]
