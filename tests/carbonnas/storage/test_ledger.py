"""What is entered into the ledger is what is read from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Owner
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import at, entry, hours, intensity, new_search

instants = st.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
intervals = st.builds(
    lambda start, us: Interval(start, start + timedelta(microseconds=us)), instants, st.integers(1, 10**12)
)
amounts = st.floats(0, 1e12)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
counts = st.integers(0, 10**6)
intensities = st.builds(
    IntensitySample,
    intervals,
    amounts,
    names,
    st.sampled_from(IntensityKind),
    st.sampled_from(Basis),
    st.sampled_from(Provenance),
    names,
    names,
)
owners = st.builds(Owner, st.just(Account.TRIAL), counts, counts) | st.builds(
    Owner, st.sampled_from([Account.OVERHEAD, Account.IDLE])
)
entries = st.builds(
    EmissionEntry,
    names,
    owners,
    st.builds(PricedEnergy, st.builds(EnergySample, intervals, amounts, amounts, amounts), st.none() | intensities),
    st.floats(1, 10),
)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return one store for many examples, each of which has a search of its own."""
    store = Store(tmp_path_factory.mktemp("shared") / "carbonnas.db")
    yield store
    store.close()


@settings(max_examples=60)
@given(st.lists(entries, max_size=4))
def test_entries_survive(shared: Store, drawn: list[EmissionEntry]) -> None:
    search_id = f"s{next(NUMBERS)}"
    header, progress = new_search(search_id)
    shared.create(header, progress)
    entered = [replace(made, entry_id=f"{search_id}/{place}/{made.entry_id}") for place, made in enumerate(drawn)]
    shared.commit(search_id, progress, Step(entries=entered))
    found = shared.entries(search_id)
    assert found == sorted(entered, key=lambda made: made.priced.sample.interval.start)


def test_entries_share_intensities_intervals_and_owners(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    entered = [entry(name, hours(0, 1), intensity(0)) for name in "ab"]
    store.commit("a-search", progress, Step(entries=entered))
    one, other = store.entries("a-search")
    assert one.priced.intensity is other.priced.intensity
    assert one.priced.sample.interval is other.priced.sample.interval
    assert one.owner is other.owner


def test_an_entry_that_counts_within_a_stretch_is_read_with_its_price(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    entered = [entry(f"e{hour}", hours(hour, hour + 1), intensity(hour)) for hour in range(5)]
    store.commit("a-search", progress, Step(entries=entered))
    assert store.entries("a-search", Interval(at(1.5), at(3))) == entered[1:3]
