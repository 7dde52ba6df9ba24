"""How long trials had a slot is counted once, whatever the meter's lines look like, and survives the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.health import Health
from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.monitor import GridMonitor, Observation
from carbonnas.accounting import Accountant
from carbonnas.budgeting import BudgetBook
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import (
    Account,
    Attribution,
    EnergyMeter,
    EnergySample,
    Measurement,
    MeterReading,
    Owner,
    Usage,
)
from carbonnas.energy.reading_window import ReadingWindows
from carbonnas.energy.split import NodeWork, merge, split_machine, split_processes
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.search_state import Step
from carbonnas.slot_seconds import SlotSeconds
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.search_store import SearchStore
from carbonnas.storage.store import Store
from carbonnas.trials import Trial, TrialKind, TrialState
from tests.carbonnas.storage.made import START, intensity, new_search, trial

TRAINED = trial(1, TrialKind.TRAIN)
PROBED_J = 45.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def usage(number: int, start_s: float, end_s: float, of: int = 1, stream: str = "worker") -> Usage:
    request = EvaluationRequest((1, 2), TRAINED.kind, TRAINED.fidelity, 7)
    within = Interval(at(start_s), at(end_s))
    probe = EnergySample(within, PROBED_J, 0.0, 0.0)
    return Usage(stream, number, within, Owner(Account.TRIAL, of, 1), request, end_s - start_s, probe)


@dataclass
class Instrument(EnergyMeter):
    """Sees 40 W of processors and 6 W of memory, on two slots and two cores; splits them by workers' probes or as counters are split."""

    by_probes: bool
    windows: ReadingWindows = field(default_factory=ReadingWindows)

    def start(self, now: datetime) -> None:
        self.windows.start(now)

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        window = self.windows.advance(now, usages)
        if window is None:
            return None
        seconds = window.interval.seconds
        sample = EnergySample(window.interval, 40 * seconds, 0.0, 6 * seconds)
        work = NodeWork(window.usages, slots=2, cores=2, real_s=seconds, own_cpu_s=0.0)
        if not self.by_probes:
            return MeterReading(window.reading_id, (sample,), split_machine(sample, work))
        probed = [Attribution(each.owner, each.probe) for each in window.usages if each.probe is not None]
        measured = (sample, *(each.sample for each in probed))
        return MeterReading(window.reading_id, measured, merge((*split_processes(sample, work), *probed)))

    def close(self) -> None:
        """Have nothing to close."""

    def measurement(self) -> Measurement:
        return Measurement("instrument", "Seen.", {}, "Exact.")


class Grid(GridMonitor):
    """Is known; from `revised_at` on another value is."""

    revised_at = at(90)

    def observe(
        self,
        now: datetime,
        wanted_since: datetime | None = None,
        *,
        with_forecast: bool = False,
    ) -> Observation:
        known = intensity(0) if now < self.revised_at else intensity(0, 250.0)
        changed = known.interval if now >= self.revised_at else None
        return Observation(now, known, IntensitySeries((known,)), changed, None, now + timedelta(hours=1))

    def health(self, now: datetime) -> Health:
        raise NotImplementedError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "carbonnas.db")
    yield opened
    opened.close()


def accountant(store: SearchStore, *, by_probes: bool) -> Accountant:
    meter = Instrument(by_probes)
    book = BudgetBook((), 700.0)
    return Accountant(meter, Grid(), store, search_id="s", book=book, pue=1.0, bound_g_per_kwh=700.0)


def account(accounting: Accountant, store: SearchStore, seconds: float, *usages: Usage) -> Step:
    """Account for usage at an instant and commit it as a search does."""
    step = Step()
    accounting.account(at(seconds), usages, step)
    store.commit("s", replace(new_search("s")[1], clock_at=at(seconds)), step)
    return step


def begun(store: SearchStore, *, by_probes: bool, state: TrialState = TrialState.COMPLETED) -> Accountant:
    """Return an accountant of a new search with one training."""
    header, progress = new_search("s")
    store.create(header, progress)
    store.commit("s", progress, Step(trials={1: replace(TRAINED, state=state)}))
    accounting = accountant(store, by_probes=by_probes)
    accounting.start(START)
    return accounting


@pytest.mark.parametrize("by_probes", [True, False], ids=["workers' probes", "counters of the node"])
def test_a_training_has_taken_as_long_as_it_held_a_slot(*, by_probes: bool) -> None:
    store = MemoryStore()
    accounting = begun(store, by_probes=by_probes)
    # In a minute between two readings it held a slot for half of it.
    account(accounting, store, 60, usage(0, 10, 25), usage(1, 25, 40))
    accounting.settle(TRAINED)
    assert accounting.spent_s(TRAINED) == accounting.trained_s == 30.0
    assert accounting.training_s() == {TRAINED.fidelity: 30.0}
    assert accounting.lengths()[TRAINED.fidelity].longest_s == 30.0
    # Memory: 6 W for a minute, 30 s of 120 slot seconds. The processor: what two probes say, or 30 s of 120 core seconds at 40 W.
    processor_j = 2 * PROBED_J if by_probes else 2400.0 * 30 / 120
    assert accounting.training_w() == pytest.approx((360.0 * 30 / 120 + processor_j) / 30)


@pytest.mark.parametrize("by_probes", [True, False], ids=["workers' probes", "counters of the node"])
def test_a_search_that_goes_on_knows_as_much_as_before(store: Store, *, by_probes: bool) -> None:
    before = begun(store, by_probes=by_probes)
    account(before, store, 60, usage(0, 10, 25), usage(1, 25, 40))
    account(before, store, 120, usage(2, 70, 77.5))
    before.settle(TRAINED)
    after = accountant(store, by_probes=by_probes)
    after.restore(store.trials("s"))
    assert after.trained_s == before.trained_s == 37.5
    assert after.training_s() == before.training_s()
    assert after.lengths() == before.lengths()
    assert after.training_w() == pytest.approx(before.training_w())


def test_seconds_go_on_from_where_they_were_and_count_no_usage_again(store: Store) -> None:
    running = replace(TRAINED, state=TrialState.RUNNING)
    before = begun(store, by_probes=True, state=TrialState.RUNNING)
    account(before, store, 60, usage(0, 10, 25), usage(1, 25, 40))
    after = accountant(store, by_probes=True)
    after.restore(store.trials("s"))
    after.start(at(100))
    account(after, store, 160, usage(1, 25, 40), usage(2, 100, 130), usage(0, 130, 150, stream="another"))
    assert after.spent_s(running) == 30 + 30 + 20
    assert store.slot_seconds("s") == {1: 80.0}
    # A trial that passes into another state keeps them.
    store.commit("s", new_search("s")[1], Step(trials={1: TRAINED}))
    assert store.slot_seconds("s") == {1: 80.0}


def test_corrections_of_prices_change_no_seconds() -> None:
    store = MemoryStore()
    accounting = begun(store, by_probes=True)
    account(accounting, store, 60, usage(0, 10, 40))
    corrected = account(accounting, store, 120)
    assert any(entry.supersedes and entry.owner.trial == 1 for entry in corrected.entries)
    assert accounting.spent_s(TRAINED) == 30.0


def line(start_s: float, end_s: float, of: int = 1) -> EmissionEntry:
    sample = EnergySample(Interval(at(start_s), at(end_s)), 1.0, 0.0, 0.0)
    return EmissionEntry(f"{start_s}-{end_s}", Owner(Account.TRIAL, of, 1), PricedEnergy(sample, None))


def test_of_a_trial_whose_seconds_were_never_counted_the_time_under_its_lines_is_taken() -> None:
    seconds = SlotSeconds()
    lines = [line(0, 60), line(10, 25), line(50, 70), line(100, 110), line(0, 99, of=2)]
    seconds.restore({2: 12.0}, {}, lines)
    assert (seconds.of(1), seconds.of(2), seconds.of(3)) == (70 + 10, 12.0, 0.0)
    assert seconds.count([usage(0, 110, 115)]) == {1: 85.0}


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 100)), max_size=20), st.data())
def test_each_usage_counts_once_however_often_it_is_told(stays: list[tuple[int, int]], data: st.DataObject) -> None:
    told = [usage(number, 0, length, of) for number, (of, length) in enumerate(stays)]
    seconds = SlotSeconds()
    while told:
        cut = data.draw(st.integers(1, len(told)))
        seconds.count([*told[:cut], *told[:cut]])
        seconds.count(told[:cut])
        told = told[cut:]
    for of in (1, 2, 3):
        assert seconds.of(of) == sum(length for whose, length in stays if whose == of)


def test_a_trial_that_only_waited_has_none() -> None:
    store = MemoryStore()
    accounting = begun(store, by_probes=True)
    account(accounting, store, 60)
    waiting: Trial = trial(5)
    assert accounting.spent_s(waiting) == 0.0
    assert store.slot_seconds("s") == {}
