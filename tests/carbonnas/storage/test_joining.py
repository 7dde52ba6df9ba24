"""Lines of some minutes become one: nothing that anybody sums up may change by it, and nothing else may go."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import QUARTER_HOUR, Interval, quarter_hour
from carbonnas.emissions import EmissionEntry, current, entries_for, reprice, totals
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Attribution, EnergySample, MeterReading, Owner
from carbonnas.errors import StorageError
from carbonnas.record import SearchRecord
from carbonnas.search_state import Step
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.records import load_record
from carbonnas.storage.search_store import SearchStore
from carbonnas.storage.settling import Due, Turns
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import START, intensity, new_search

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
TRIALS = (Owner(Account.TRIAL, 0, 1), Owner(Account.TRIAL, 1, 1))
NEVER: list[EmissionEntry] = []


def reading(name: str, within: Interval, joules: Sequence[float]) -> MeterReading:
    """Return a reading in which overhead, idle share and two trials draw so much each; what draws nothing is left out."""
    owners = (OVERHEAD, IDLE, *TRIALS)
    drawn = [(owner, each) for owner, each in zip(owners, joules, strict=False) if each]
    parts = tuple(Attribution(owner, EnergySample(within, each, 0.0, each / 8)) for owner, each in drawn)
    whole = math.fsum(each for _, each in drawn)
    return MeterReading(name, (EnergySample(within, whole, 0.0, whole / 8),), parts)


class Metered:
    """A search that is metered every few seconds, kept in a store and, never joined, in memory."""

    def __init__(self, store: Store, search_id: str) -> None:
        self.memory, self.search_id = MemoryStore(), search_id
        self.kept: tuple[SearchStore, ...] = store, self.memory
        header, self.progress = new_search(search_id)
        for each in self.kept:
            each.create(header, self.progress)
        self.numbers = itertools.count()
        self.now = START

    def draw(self, until: datetime, series: IntensitySeries, joules: Sequence[float], every: timedelta) -> None:
        """Draw so much in each reading, and commit about once in five minutes."""
        while self.now < until:
            made: list[MeterReading] = []
            while self.now < until and len(made) * every < 5 * MINUTE:
                within = Interval(self.now, min(self.now + every, until))
                made.append(reading(f"{self.search_id}-{next(self.numbers)}", within, joules))
                self.now = within.end
            self.commit(made, [entry for each in made for entry in entries_for(each, series, 1.2)])

    def revise(self, series: IntensitySeries) -> None:
        """Correct all that is priced otherwise by now, as the search's accountant does."""
        self.progress = replace(self.progress, clock_at=self.now)
        for kept in self.kept:
            corrections = [each for entry in kept.entries(self.search_id) for each in reprice(entry, series)]
            kept.commit(self.search_id, self.progress, Step(entries=corrections))

    def commit(self, readings: list[MeterReading] | None = None, entries: list[EmissionEntry] = NEVER) -> None:
        self.progress = replace(self.progress, clock_at=self.now)
        for each in self.kept:
            each.commit(self.search_id, self.progress, Step(readings=readings or [], entries=entries))

    def wait(self, length: timedelta) -> None:
        self.now += length
        self.commit()

    def rest(self) -> None:
        """Let steps come until all is looked at, however much a step may do."""
        for _ in range(3):
            self.wait(QUARTER_HOUR)

    def settle(self) -> None:
        """Wait until values are final."""
        for _ in range(3):
            self.wait(timedelta(days=1))


def prices(*g_per_kwh: float, length: timedelta = timedelta(hours=1)) -> IntensitySeries:
    like = intensity(0)
    spans = (Interval(START + n * length, START + (n + 1) * length) for n in range(len(g_per_kwh)))
    return IntensitySeries(
        tuple(replace(like, interval=span, g_per_kwh=value) for span, value in zip(spans, g_per_kwh, strict=True))
    )


def rows(path: Path, table: str, search_id: str = "a") -> int:
    connection = sqlite3.connect(path)
    ((number,),) = connection.execute(f"SELECT count(*) FROM {table} WHERE search_id = ?", (search_id,))  # noqa: S608 - ours
    connection.close()
    return int(number)


def test_an_hour_of_readings_becomes_twelve_rows_for_each_owner_and_four_once_values_are_final(
    path: Path, store: Store
) -> None:
    metered = Metered(store, "a")
    metered.draw(START + 4 * QUARTER_HOUR, prices(100.0), (10.0, 20.0, 40.0), 5 * SECOND)
    metered.rest()
    assert (rows(path, "ledger"), rows(path, "readings")) == (12 * 3, 12)
    metered.settle()
    assert (rows(path, "ledger"), rows(path, "readings")) == (4 * 3, 4)
    first = store.entries("a")[0]
    # 180 readings of 5 s each.
    assert first.priced.sample == EnergySample(Interval(START, START + QUARTER_HOUR), 1800.0, 0.0, 225.0)
    assert first.priced.intensity == prices(100.0).samples[0]
    assert first.emissions_g == pytest.approx(2025 / 3.6e6 * 100 * 1.2, rel=1e-12)


def test_a_price_that_changes_within_a_quarter_hour_and_a_break_keep_lines_apart(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    series = prices(100.0, 200.0, 300.0, length=5 * MINUTE)
    metered.draw(START + 8 * MINUTE, series, (10.0,), 5 * SECOND)
    metered.wait(SECOND)
    metered.draw(START + 15 * MINUTE, series, (10.0,), 5 * SECOND)
    spans = [(entry.priced.sample.interval, entry.emissions_g) for entry in store.entries("a")]
    metered.rest()
    # From 8 min on nobody metered for a second; readings of 5 s are cut where the price changes.
    borders = [0 * MINUTE, 5 * MINUTE, 8 * MINUTE, 8 * MINUTE + SECOND, 10 * MINUTE, 15 * MINUTE]
    expected = [Interval(START + a, START + b) for a, b in itertools.pairwise(borders) if b - a > SECOND]
    assert [span for span, _ in spans] == expected
    # Of the readings, which are not cut, the one from 9:56 to 10:01 lies in no five minutes.
    assert rows(path, "readings") == 5


def test_what_waits_for_its_price_stays_as_it_was_metered_until_it_has_one(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    metered.draw(START + QUARTER_HOUR, prices(), (10.0,), 5 * SECOND)
    metered.rest()
    assert len(store.entries("a")) == 180
    # Prices that change every five minutes find readings of 5 s, not of a quarter hour.
    metered.revise(prices(100.0, 200.0, 300.0, length=5 * MINUTE))
    metered.rest()
    assert [entry.priced.sample.joules for entry in store.entries("a")] == [pytest.approx(675.0)] * 3
    # The lines without a price, now superseded, stand beside the three.
    assert rows(path, "ledger") == 6


def test_a_value_that_is_revised_after_lines_were_joined_corrects_them(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    metered.draw(START + 5 * MINUTE, prices(100.0), (3000.0,), 5 * SECOND)
    metered.rest()
    for value in (200.0, 50.0):
        metered.revise(prices(value))
        metered.rest()
        (line,) = store.entries("a")
        # 60 times 3375 J at a PUE of 1.2.
        assert line.emissions_g == pytest.approx(60 * 3375 / 3.6e6 * 1.2 * value, rel=1e-12)
    assert rows(path, "ledger") == 3


def test_a_value_that_is_revised_to_finer_steps_finds_what_was_drawn_in_each(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    # Of a quarter hour at one value ten minutes draw 2 W and five draw 600 W.
    metered.draw(START + 10 * MINUTE, prices(100.0), (10.0,), 5 * SECOND)
    metered.draw(START + 15 * MINUTE, prices(100.0), (3000.0,), 5 * SECOND)
    metered.rest()
    assert rows(path, "ledger") == 3
    metered.revise(prices(100.0, 200.0, 300.0, length=5 * MINUTE))
    metered.rest()
    expected = [60 * joules * 1.125 / 3.6e6 * 1.2 * value for joules, value in ((10, 100), (10, 200), (3000, 300))]
    assert [entry.emissions_g for entry in store.entries("a")] == pytest.approx(expected, rel=1e-12)


def steps_of(turns: Turns, names: Sequence[str], seconds: range) -> dict[datetime, list[str]]:
    """Return which of some searches joined at which instant, all of them having steps at the same ones, in the same order."""
    joined_until = dict.fromkeys(names, START)
    joined: dict[datetime, list[str]] = defaultdict(list)
    for now in (START + second * SECOND for second in seconds):
        for name in names:
            due = Due.at(now, joined_until[name], ())
            if turns.has_come(name, due, now):
                joined_until[name] = due.until
                joined[now].append(name)
    return joined


@pytest.mark.parametrize("number", [1, 5, 60, 200])
def test_each_of_many_searches_has_its_turn_twice_in_five_minutes_and_no_instant_the_turns_of_all(number: int) -> None:
    names = [str(place) for place in range(number)]
    joined = steps_of(Turns(), names, range(0, 3600, 5))
    for name in names:
        at = [now for now, those in joined.items() if name in those]
        assert len(at) in {23, 24}
        assert all(after - before <= 155 * SECOND for before, after in itertools.pairwise(at))
    # 30 instants in two and a half minutes: 6.7 searches of 200 for each.
    assert max(map(len, joined.values())) <= number / 30 + 2


def test_who_has_much_to_join_is_helped_one_at_an_instant() -> None:
    # Nobody had steps for an hour.
    joined = steps_of(Turns(), "abcde", range(3600, 3660, 5))
    assert [those for _, those in sorted(joined.items())] == [["a"], ["b"], ["c"], ["d"], ["e"]]


def test_a_ledger_that_was_never_joined_is_joined_bit_by_bit(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    # As an earlier release left it: no step has joined anything yet.
    entries = [
        made
        for number in range(1440)
        for made in entries_for(
            reading(str(number), Interval(START + number * 5 * SECOND, START + (number + 1) * 5 * SECOND), (1.0, 2.0)),
            prices(100.0, 200.0),
            1.0,
        )
    ]
    metered.commit(entries=entries)
    assert rows(path, "ledger") == 2880
    metered.now += timedelta(hours=2)
    seen = []
    while rows(path, "ledger") > 48:
        metered.wait(SECOND)
        seen.append(rows(path, "ledger"))
    # Two owners, 24 times five minutes, of which a step looks at four, as five are more than 500 lines.
    assert seen == [2880 - n * 4 * (120 - 2) for n in (1, 2, 3, 4, 5, 6)]


def test_a_correction_that_begins_where_a_step_has_looked_to_is_not_lost(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    metered.draw(START + 8 * MINUTE, prices(), (10.0,), 40 * SECOND)
    # The reading from 4:40 to 5:20 is cut at 5:00, up to which the step looks.
    metered.now = START + 5 * MINUTE
    metered.revise(prices(*range(100, 108), length=MINUTE))
    metered.rest()
    assert sums(store.entries("a")) == pytest.approx(sums(metered.memory.entries("a")), rel=1e-12)
    # 11.25 J in 40 s. That reading lies in no five minutes, and what takes its place is no part of what is beside it.
    lines = zip(
        (60, 60, 60, 60, 40, 20, 20, 40, 60, 60), (100, 101, 102, 103, 104, 104, 105, 105, 106, 107), strict=True
    )
    assert [entry.emissions_g for entry in store.entries("a")] == pytest.approx(
        [11.25 / 40 * seconds * value * 1.2 / 3.6e6 for seconds, value in lines]
    )


def test_a_step_that_fails_while_it_joins_leaves_all_as_it_was(path: Path, store: Store) -> None:
    metered = Metered(store, "a")
    metered.draw(START + 2 * MINUTE, prices(100.0), (10.0, 20.0), 5 * SECOND)
    before = store.entries("a"), store.measured("a"), store.progress("a")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TRIGGER fails BEFORE DELETE ON readings BEGIN SELECT RAISE(ABORT, 'it fails'); END")
    connection.commit()
    with pytest.raises(StorageError, match="it fails"):
        metered.wait(QUARTER_HOUR)
    assert (store.entries("a"), store.measured("a"), store.progress("a")) == before
    assert connection.execute("SELECT count(*) FROM joining").fetchall() == [(0,)]
    connection.execute("DROP TRIGGER fails")
    connection.commit()
    connection.close()
    metered.rest()
    assert (rows(path, "ledger"), rows(path, "readings")) == (2, 1)
    assert sums(store.entries("a")) == pytest.approx(sums(metered.memory.entries("a")), rel=1e-12)


@pytest.mark.parametrize("table", ["ledger", "readings"])
def test_outside_of_joining_nothing_can_be_deleted(path: Path, store: Store, table: str) -> None:
    metered = Metered(store, "a")
    metered.draw(START + 2 * QUARTER_HOUR, prices(100.0), (10.0,), MINUTE)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM joining").fetchall() == [(0,)]
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    connection.execute("INSERT INTO joining VALUES ('another', '2020')")
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    connection.rollback()
    connection.close()


NUMBERS = itertools.count()
watts = st.sampled_from([0.0, 7.0, 30.0, 1e-3])
stretches = st.tuples(
    st.sampled_from([MINUTE, 7 * MINUTE, QUARTER_HOUR, 40 * MINUTE]),
    st.sampled_from([100 * SECOND, 3 * MINUTE, 20 * MINUTE]),
    st.tuples(watts, watts, watts, watts),
    st.sampled_from(["draw", "draw", "break", "revise"]),
)
value = st.sampled_from([50.0, 80.0, 200.0])
revisions = st.lists(
    st.tuples(st.lists(value, max_size=6), st.sampled_from([5 * MINUTE, 30 * MINUTE, 60 * MINUTE])), min_size=1
)


@settings(max_examples=25, deadline=None)
@given(st.lists(stretches, min_size=1, max_size=6), revisions)
def test_whatever_is_metered_and_revised_nothing_that_is_summed_up_changes(
    shared: tuple[Store, DaemonStore],
    drawn: list[tuple[timedelta, timedelta, tuple[float, ...], str]],
    known: list[tuple[list[float], timedelta]],
) -> None:
    (store, daemon), name = shared, f"joined-{next(NUMBERS)}"
    metered, series = Metered(store, name), itertools.cycle([prices(*each, length=long) for each, long in known])
    present = next(series)
    for length, every, joules, what in drawn:
        if what == "break":
            metered.wait(length)
        elif what == "revise":
            present = next(series)
            metered.revise(present)
        else:
            metered.draw(metered.now + length, present, joules, every)
    metered.rest()
    found, expected = store.entries(name), metered.memory.entries(name)
    assert sums(found) == pytest.approx(sums(expected), rel=1e-12)
    assert by_owner(found) == pytest.approx(by_owner(expected), rel=1e-12)
    assert len(found) <= len(expected)
    assert len({entry.entry_id for entry in found}) == len(found)
    assert daemon.grams_by_quarter(700.0).get(name, {}) == {
        quarter: pytest.approx(grams, rel=1e-9) for quarter, grams in quarters(expected).items()
    }
    in_file, in_memory = load_record(store, name), load_record(metered.memory, name)
    assert spans(in_file) == spans(in_memory)
    assert [state.spent_g for state in in_file.budgets] == pytest.approx([s.spent_g for s in in_memory.budgets])


def sums(entries: Sequence[EmissionEntry]) -> tuple[float, ...]:
    found = totals(entries)
    return found.energy_j, found.emissions_g, found.trials_g, found.overhead_g, found.idle_g, found.unpriced_j


def by_owner(entries: Sequence[EmissionEntry]) -> dict[tuple[Owner, str], float]:
    found: dict[tuple[Owner, str], list[float]] = defaultdict(list)
    for entry in entries:
        sample = entry.priced.sample
        found[entry.owner, "J"].append(sample.joules)
        found[entry.owner, "s"].append(sample.interval.seconds)
    return {key: math.fsum(values) for key, values in found.items()}


def quarters(entries: Sequence[EmissionEntry]) -> dict[datetime, tuple[float, float]]:
    priced: dict[datetime, float] = defaultdict(float)
    rest: dict[datetime, float] = defaultdict(float)
    for entry in current(entries):
        whole, quarter = entry.priced.sample.interval, quarter_hour(entry.priced.sample.interval.start)
        while quarter < whole.end:
            common = whole.intersection(Interval(quarter, quarter + QUARTER_HOUR))
            share = 0.0 if common is None else common.duration / whole.duration
            if entry.emissions_g is None:
                rest[quarter] += entry.priced.sample.joules / 3.6e6 * entry.pue * 700.0 * share
            else:
                priced[quarter] += entry.emissions_g * share
            quarter += QUARTER_HOUR
    return {quarter: (priced[quarter], rest[quarter]) for quarter in priced | rest}


def spans(record: SearchRecord) -> list[tuple[object, ...]]:
    lines = [(e.owner, e.priced.sample.interval, e.priced.intensity, e.pue) for e in record.entries]
    return [*sorted(lines, key=repr), *((sample.interval,) for sample in record.measured)]
