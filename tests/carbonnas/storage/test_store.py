"""The store: one step is all or nothing, and the account books only grow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy, reprice, totals
from carbonnas.energy.meter import Account, Attribution, EnergySample, MeterReading, Owner
from carbonnas.errors import SearchNotFoundError, StorageError
from carbonnas.plan import PlanPosition
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.trials import PROXY, Trial, TrialKind, TrialState
from schedulers.decision import Decision, Reason, ReasonCode

START = datetime(2021, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = "a-search"
TABLES = ("trials", "decisions", "readings", "usages", "ledger", "intensities")


def hours(start: float, end: float) -> Interval:
    return Interval(START + start * HOUR, START + end * HOUR)


def intensity(hour: int, g_per_kwh: float = 100.0) -> IntensitySample:
    return IntensitySample(
        hours(hour, hour + 1), g_per_kwh, "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "s"
    )


def energy(start: float, end: float, joules: float = 3.6e6) -> EnergySample:
    return EnergySample(hours(start, end), joules, 0.0, 0.0)


def entry(entry_id: str, hour: int, price: IntensitySample | None, supersedes: str | None = None) -> EmissionEntry:
    owner = Owner(Account.TRIAL, 0, 1)
    return EmissionEntry(entry_id, owner, PricedEnergy(energy(hour, hour + 1), price), 1.0, supersedes)


def trial(number: int, state: TrialState = TrialState.QUEUED) -> Trial:
    return Trial(number, 0, TrialKind.SCORE, PROXY, (1, 2), "k", 7, START, state=state, metrics={"params": 3.0})


def decision(hour: int) -> DecisionRecord:
    reason = Reason(ReasonCode.CLEAN, "clean")
    return DecisionRecord(START + hour * HOUR, None, Decision(1, 0, reason, START + (hour + 1) * HOUR))


def whole_step() -> Step:
    return Step(
        trials={0: trial(0), 1: trial(1)},
        decisions=[decision(0)],
        readings=[MeterReading("r", (energy(0, 1), energy(1, 2)), (Attribution(Owner(Account.IDLE), energy(0, 2)),))],
        entries=[entry("e", 0, intensity(0))],
        usage_marks={"w-1": 4},
        intensities=[intensity(0), intensity(1)],
    )


@pytest.fixture
def filled(store: Store, header: SearchHeader, progress: SearchProgress) -> Store:
    store.create(header, progress)
    store.commit(ID, progress, whole_step())
    return store


@pytest.fixture
def raw(path: Path, filled: Store) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def rows(connection: sqlite3.Connection) -> dict[str, int]:
    return {table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608 - constants


def test_a_search_is_read_as_it_was_entered(store: Store, header: SearchHeader, progress: SearchProgress) -> None:
    store.create(header, progress)
    assert store.header(ID) == header
    assert store.progress(ID) == progress
    assert (store.trials(ID), store.entries(ID), store.measured(ID), store.decisions(ID)) == ([], [], [], [])


def test_a_step_is_read_as_it_was_committed(filled: Store) -> None:
    step = whole_step()
    assert filled.trials(ID) == list(step.trials.values())
    assert filled.decisions(ID) == step.decisions
    assert filled.measured(ID) == list(step.readings[0].measured)
    assert filled.entries(ID) == step.entries
    assert filled.usage_marks(ID) == {"w-1": 4}
    assert filled.intensities(intensity(0), hours(0, 5)).samples == (intensity(0), intensity(1))


def test_a_later_step_changes_progress_and_trials_and_adds_the_rest(filled: Store, progress: SearchProgress) -> None:
    ended = replace(
        progress,
        state=SearchState.STOPPED,
        stop_reason=StopReason.DEADLINE,
        ended_at=START + HOUR,
        clock_at=START + HOUR,
        position=PlanPosition(9, 8, 7),
        strategy_state=b"later",
        executor_state="{}",
    )
    done = trial(1, TrialState.COMPLETED)
    filled.commit(ID, ended, Step(trials={1: done}, decisions=[decision(1)], usage_marks={"w-1": 6, "w-2": 0}))
    assert filled.progress(ID) == ended
    assert filled.trials(ID) == [trial(0), done]
    assert filled.decisions(ID) == [decision(0), decision(1)]
    assert filled.usage_marks(ID) == {"w-1": 6, "w-2": 0}


def test_a_step_whose_last_row_fails_leaves_nothing(
    filled: Store, progress: SearchProgress, raw: sqlite3.Connection
) -> None:
    before = rows(raw)
    step = Step(
        trials={2: trial(2)},
        decisions=[decision(3)],
        readings=[MeterReading("r2", (energy(5, 6),), ())],
        entries=[entry("new", 5, intensity(5)), entry("e", 6, None)],
        usage_marks={"w-1": 9},
        intensities=[intensity(7)],
    )
    with pytest.raises(StorageError, match=r"UNIQUE constraint failed: ledger\.entry_id"):
        filled.commit(ID, replace(progress, clock_at=START + 9 * HOUR), step)
    assert rows(raw) == before
    assert filled.progress(ID) == progress
    assert filled.usage_marks(ID) == {"w-1": 4}
    filled.commit(ID, progress, Step(trials={2: trial(2)}))
    assert len(filled.trials(ID)) == 3


@pytest.mark.parametrize("table", ["ledger", "readings"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET cpu_j = 0", "DELETE FROM {}"])
def test_the_account_books_refuse_changes(raw: sqlite3.Connection, table: str, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        raw.execute(statement.format(table))


def test_superseded_entries_count_no_more_and_energy_is_conserved(filled: Store, progress: SearchProgress) -> None:
    unpriced = EmissionEntry("u", Owner(Account.IDLE), PricedEnergy(energy(2, 4, 7.2e6), None))
    filled.commit(ID, progress, Step(entries=[unpriced]))
    before = totals(filled.entries(ID))
    assert (before.energy_j, before.unpriced_j, before.emissions_g) == (10.8e6, 7.2e6, 100.0)
    series = IntensitySeries((intensity(2, 200.0), intensity(3, 300.0)))
    filled.commit(ID, progress, Step(entries=list(reprice(unpriced, series))))
    after = totals(filled.entries(ID))
    # 1 kWh at 100 g/kWh, then 1 kWh at 200 and 1 kWh at 300.
    assert (after.energy_j, after.unpriced_j, after.emissions_g) == (10.8e6, 0.0, 600.0)
    assert [e.entry_id for e in filled.entries(ID)] == ["e", "u+0", "u+1"]


def test_a_chain_of_corrections_leaves_the_last(filled: Store, progress: SearchProgress) -> None:
    filled.commit(ID, progress, Step(entries=[entry("e+0", 0, intensity(0, 120.0), "e")]))
    filled.commit(ID, progress, Step(entries=[entry("e+0+0", 0, intensity(0, 90.0), "e+0")]))
    assert [(e.entry_id, e.emissions_g) for e in filled.entries(ID)] == [("e+0+0", 90.0)]


def test_a_correction_of_nothing_is_refused(filled: Store, progress: SearchProgress) -> None:
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        filled.commit(ID, progress, Step(entries=[entry("x", 0, None, supersedes="nothing")]))


def test_entries_within_a_stretch_are_those_that_overlap_it(filled: Store, progress: SearchProgress) -> None:
    filled.commit(ID, progress, Step(entries=[entry(f"h{hour}", hour, None) for hour in (1, 2, 3)]))
    assert [e.entry_id for e in filled.entries(ID, hours(1.5, 3))] == ["h1", "h2"]


def test_an_intensity_is_stored_once_however_often_it_prices(
    filled: Store, progress: SearchProgress, raw: sqlite3.Connection
) -> None:
    step = Step(entries=[entry("a", 0, intensity(0)), entry("b", 0, intensity(0))], intensities=[intensity(0)])
    filled.commit(ID, progress, step)
    assert rows(raw)["intensities"] == 2


def test_the_newest_value_of_an_hour_wins(filled: Store, progress: SearchProgress) -> None:
    filled.commit(ID, progress, Step(intensities=[intensity(1, 50.0)]))
    assert [s.g_per_kwh for s in filled.intensities(intensity(0), hours(0, 5))] == [100.0, 50.0]


def test_values_of_another_length_replace_those_that_they_overlap(filled: Store, progress: SearchProgress) -> None:
    half = replace(intensity(1, 50.0), interval=hours(1.5, 2))
    filled.commit(ID, progress, Step(intensities=[half]))
    assert filled.intensities(intensity(0), hours(0, 5)).samples == (intensity(0), half)


def test_intensities_of_another_zone_are_not_mixed_in(filled: Store, progress: SearchProgress) -> None:
    filled.commit(ID, progress, Step(intensities=[replace(intensity(0, 1.0), zone="other")]))
    assert [s.g_per_kwh for s in filled.intensities(intensity(0), hours(0, 1))] == [100.0]


def test_searches_are_found_by_id_prefix_and_configuration(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id, fingerprint in (("run-1", "x"), ("run-1-2", "x"), ("other", "y")):
        store.create(replace(header, search_id=search_id, fingerprint=fingerprint), progress)
    assert store.ids() == ["run-1", "run-1-2", "other"]
    assert store.by_fingerprint("x") == ["run-1", "run-1-2"]
    assert store.find("run-1") == "run-1"
    assert store.find("o") == "other"
    with pytest.raises(SearchNotFoundError, match="several searches match 'run'; known are: run-1, run-1-2"):
        store.find("run")
    with pytest.raises(SearchNotFoundError, match="there is no search 'nope'; known are: run-1, run-1-2, other"):
        store.find("nope")


@pytest.mark.parametrize("search_id", ["%", "_", "' OR 1=1 --", "../x", "\U0001f30d", ""])
def test_odd_ids_are_no_patterns(filled: Store, search_id: str) -> None:
    with pytest.raises(SearchNotFoundError):
        filled.header(search_id)


def test_two_readers_read_while_another_process_writes(path: Path, filled: Store, progress: SearchProgress) -> None:
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE searches SET name = 'changed'")
    readers = [Store(path) for _ in range(2)]
    assert [reader.header(ID).name for reader in readers] == ["A search", "A search"]
    writer.execute("COMMIT")
    assert [reader.header(ID).name for reader in readers] == ["changed", "changed"]
    writer.close()
    for reader in readers:
        reader.close()


def test_all_that_is_read_in_a_snapshot_is_of_one_instant(path: Path, filled: Store, progress: SearchProgress) -> None:
    reader = Store(path)
    with reader.snapshot():
        assert len(reader.trials(ID)) == 2
        filled.commit(ID, progress, Step(trials={5: trial(5)}, entries=[entry("late", 3, None)]))
        assert len(reader.trials(ID)) == 2
        assert len(reader.entries(ID)) == 1
    assert len(reader.trials(ID)) == 3
    reader.close()


def test_a_record_holds_all_that_is_known(filled: Store, header: SearchHeader) -> None:
    record = load_record(filled, ID)
    assert (record.search_id, record.name, record.config) == (ID, header.name, header.config)
    assert record.trials == tuple(filled.trials(ID))
    assert record.entries == tuple(filled.entries(ID))
    assert record.intensities.samples == (intensity(0), intensity(1))
    # 1 kWh at 100 g/kWh within both windows.
    assert [state.spent_g for state in record.budgets] == [100.0, 100.0]


def test_a_record_of_a_search_without_priced_energy_has_no_intensities(
    store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    assert len(load_record(store, ID).intensities) == 0


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE searches SET state = 'flying'",
        "UPDATE searches SET position = '{'",
        "UPDATE searches SET clock_at = 'yesterday'",
        "UPDATE searches SET measurement = '{}'",
        "UPDATE trials SET kind = 'x'",
    ],
)
def test_a_row_that_makes_no_sense_is_named_in_a_sentence(filled: Store, raw: sqlite3.Connection, damage: str) -> None:
    raw.execute(damage)
    with pytest.raises(StorageError, match="holds a row that can't be read"):
        load_record(filled, ID)
