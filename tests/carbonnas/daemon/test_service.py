"""Many searches in one daemon: each finds what it would find alone, and together they keep to slots and budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from carbonnas.daemon.control import CommandError, DaemonView, Phase, UnknownNameError
from carbonnas.driver import run_search
from carbonnas.errors import ConfigError
from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.searches import STARTS_AT, write_simulated_search, write_trace

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
BLIND: dict[str, object] = {"use": "carbon_blind", "percentile": None}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[SimulatedDaemon]:
    made = SimulatedDaemon(tmp_path / "daemon", slots=4)
    yield made
    made.daemon.close()


def search(
    folder: Path,
    name: str,
    *,
    seed: int = 1,
    scheduler: Mapping[str, object] | None = None,
    **changes: Mapping[str, object],
) -> Path:
    tables = {"search": {"name": name}, "scheduler": scheduler or {}, **changes}
    return write_simulated_search(folder / name, seed=seed, rounds=6, budgets=(), **tables)


def record(daemon: SimulatedDaemon, search_id: str) -> SearchRecord:
    store = Store(store_path(daemon.state))
    try:
        return load_record(store, search_id)
    finally:
        store.close()


def work(of: SearchRecord) -> list[tuple[object, ...]]:
    return [(t.number, t.kind, t.fidelity, t.key, t.state, tuple(sorted(t.metrics.items()))) for t in of.trials]


def test_searches_side_by_side_find_what_each_finds_alone(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    paths = [search(tmp_path, f"s{seed}", seed=seed) for seed in (1, 2, 3)]
    ids = [daemon.submit(path) for path in paths]
    daemon.run()
    for search_id, path in zip(ids, paths, strict=True):
        alone = run_search(path.read_text(), tmp_path / "alone" / search_id, folder=path.parent)
        assert work(record(daemon, search_id)) == work(alone)


def test_every_joule_of_the_machine_is_in_exactly_one_ledger(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    ids = [daemon.submit(search(tmp_path, f"s{seed}", seed=seed)) for seed in (1, 2)]
    view = daemon.run()
    records = [record(daemon, search_id) for search_id in ids]
    for each in records:
        measured = sum(sample.joules for sample in each.measured)
        assert sum(entry.priced.sample.joules for entry in each.entries) == pytest.approx(measured, rel=1e-9)
    # 50 W of rest for as long as any search was open, and 300 W or 100 W for each slot second of work on top of it.
    seconds = (view.now - STARTS_AT).total_seconds()
    slots_j = sum(
        entry.priced.sample.joules for each in records for entry in each.entries if entry.owner.trial is not None
    )
    total_j = sum(entry.priced.sample.joules for each in records for entry in each.entries)
    assert total_j - slots_j == pytest.approx(50.0 * seconds, rel=1e-6)


def test_never_more_work_than_slots(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    for seed in range(4):
        daemon.submit(search(tmp_path, f"s{seed}", seed=seed, scheduler=BLIND))
    seen: list[int] = []
    daemon.run(on_view=lambda view: seen.append(sum(len(s.status.running) for s in view.searches if s.status)))
    assert max(seen) == 4


def test_a_search_of_a_higher_priority_gets_the_slots_at_the_next_epoch(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=2)
    low = daemon.submit(search(tmp_path, "low", scheduler=BLIND))
    daemon.run(until=STARTS_AT + HOUR)
    high = daemon.submit(search(tmp_path, "high", scheduler=BLIND), priority=10)
    ends = {}

    def note(view: DaemonView) -> None:
        for each in (low, high):
            if each not in ends and each not in {s.header.search_id for s in view.searches}:
                ends[each] = view.now

    daemon.run(on_view=note)
    assert ends[high] < ends[low]
    daemon.daemon.close()


def test_a_paused_search_rests_and_goes_on_when_it_is_resumed(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    path = search(tmp_path, "s", scheduler=BLIND)
    search_id = daemon.submit(path)
    daemon.run(until=STARTS_AT + HOUR)
    daemon.daemon.pause(search_id)
    view = daemon.run(until=STARTS_AT + 10 * HOUR)
    (paused,) = view.searches
    assert paused.phase is Phase.PAUSED
    done = paused.status.totals.energy_j if paused.status else 0.0
    view = daemon.run(until=STARTS_AT + 20 * HOUR)
    assert view.searches[0].status is not None
    assert view.searches[0].status.totals.energy_j == done
    daemon.daemon.resume(search_id)
    daemon.run()
    alone = run_search(path.read_text(), tmp_path / "alone", folder=path.parent)
    assert work(record(daemon, search_id)) == work(alone)


def test_a_cancelled_search_ends_and_keeps_what_it_did(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    search_id = daemon.submit(search(tmp_path, "s", scheduler=BLIND))
    daemon.run(until=STARTS_AT + 5 * HOUR)
    daemon.daemon.cancel(search_id)
    assert daemon.run().searches == ()
    kept = record(daemon, search_id)
    assert (kept.state, kept.stop_reason) == (SearchState.STOPPED, StopReason.CANCELLED)
    assert any(trial.metrics for trial in kept.trials)
    with pytest.raises(UnknownNameError):
        daemon.daemon.pause(search_id)


def test_a_search_that_never_had_a_slot_can_be_cancelled(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=1)
    daemon.submit(search(tmp_path, "first", scheduler=BLIND))
    daemon.run(until=STARTS_AT + HOUR / 10)
    waiting = daemon.submit(search(tmp_path, "second", scheduler=BLIND), priority=-1)
    view = daemon.run(until=STARTS_AT + HOUR / 5)
    assert [each.phase for each in view.searches] == [Phase.RUNNING, Phase.QUEUED]
    daemon.daemon.cancel(waiting)
    assert record(daemon, waiting).stop_reason is StopReason.CANCELLED
    daemon.daemon.close()


def test_a_search_that_cannot_be_opened_can_be_cancelled(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    path = search(tmp_path, "s", scheduler=BLIND)
    search_id = daemon.submit(path)
    (path.parent / "table.csv").write_text("nonsense")
    view = daemon.run(until=STARTS_AT + HOUR)
    assert view.searches[0].phase is Phase.FAILING
    daemon.daemon.cancel(search_id)
    assert daemon.run().searches == ()
    assert record(daemon, search_id).stop_reason is StopReason.CANCELLED


def test_a_daemon_that_starts_anew_goes_on_to_the_same_ends(tmp_path: Path) -> None:
    paths = [search(tmp_path, f"s{seed}", seed=seed) for seed in (1, 2)]
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=3)
    ids = [daemon.submit(path) for path in paths]
    for hours in (1, 7, 11, 20):
        view = daemon.run(until=STARTS_AT + hours * HOUR)
        daemon.daemon.close()
        daemon = SimulatedDaemon(tmp_path / "daemon", slots=3, start=view.now)
    daemon.run()
    for search_id, path in zip(ids, paths, strict=True):
        alone = run_search(path.read_text(), tmp_path / "alone" / search_id, folder=path.parent)
        assert work(record(daemon, search_id)) == work(alone)
    daemon.daemon.close()


def test_a_search_that_cannot_run_holds_up_nobody_and_is_tried_again(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    broken, sound = search(tmp_path, "broken", seed=1), search(tmp_path, "sound", seed=2)
    ids = [daemon.submit(broken), daemon.submit(sound)]
    table = (broken.parent / "table.csv").read_text()
    (broken.parent / "table.csv").write_text("nonsense")
    view = daemon.run(until=STARTS_AT + 60 * HOUR)
    assert record(daemon, ids[1]).state is SearchState.COMPLETED
    assert [(each.header.search_id, each.phase) for each in view.searches] == [(ids[0], Phase.FAILING)]
    assert "table.csv" in (view.searches[0].problem or "")
    (broken.parent / "table.csv").write_text(table)
    daemon.run()
    assert record(daemon, ids[0]).state is SearchState.COMPLETED


def test_the_same_configuration_is_the_same_search_unless_it_has_ended(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    path = search(tmp_path, "s")
    first = daemon.submit(path)
    assert daemon.submit(path) == first
    daemon.run()
    assert daemon.submit(path) != first


def test_a_configuration_that_does_not_go_with_the_daemon_is_refused_with_all_reasons(
    daemon: SimulatedDaemon, tmp_path: Path
) -> None:
    path = search(
        tmp_path,
        "s",
        clock={"use": "system", "start": None},
        executor={"use": "process"},
        energy={"use": "constant_power", "train": "1 W", "score": "1 W", "idle": "1 W"},
    )
    with pytest.raises(ConfigError) as caught:
        daemon.submit(path)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["clock.use", "energy"]


DAILY = '\n[[budgets]]\nname = "day"\nwindow = "day"\nlimit = "1500 g"\n'


def test_two_searches_that_race_for_the_last_grams_of_a_day_never_exceed_it(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=4, more=DAILY)
    for seed in (1, 2):
        daemon.submit(search(tmp_path, f"s{seed}", seed=seed, scheduler=BLIND))
    at_work: list[float] = []

    def look(view: DaemonView) -> None:
        if any(each.status and each.status.running for each in view.searches):
            at_work.append(view.budgets[0].state.spent_g)

    daemon.run(on_view=look)
    # A minute of 4 slots at 300 W and 50 W of rest at 500 g/kWh is 10.4 g: the metering interval of simulated time. The machine's
    # rest goes on to be drawn, and counted, when all work has stopped.
    assert max(at_work) <= 1500 + 10.5
    assert max(at_work) > 1000
    daemon.daemon.close()


def test_grams_that_were_added_to_a_day_can_be_spent_on_that_day_alone(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=4, more=DAILY)
    daemon.submit(search(tmp_path, "s", scheduler=BLIND))
    daemon.daemon.override("daemon/day", 500.0, "a paper is due")
    (budget,) = daemon.run(until=STARTS_AT + 23 * HOUR).budgets
    assert budget.state.budget.limit_g == 2000.0
    assert [(each.grams, each.reason) for each in budget.overrides] == [(500.0, "a paper is due")]
    daemon.daemon.close()
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=4, more=DAILY, start=STARTS_AT + 23.5 * HOUR)
    assert daemon.run(until=STARTS_AT + 23.7 * HOUR).budgets[0].state.budget.limit_g == 2000.0
    (budget,) = daemon.run(until=STARTS_AT + 25 * HOUR).budgets
    assert budget.state.budget.limit_g == 1500.0
    assert budget.overrides == ()
    daemon.daemon.close()


@pytest.mark.parametrize(
    ("name", "grams", "reason", "error"),
    [
        ("daemon/none", 1.0, "why", UnknownNameError),
        ("daemon/day", 0.0, "why", CommandError),
        ("daemon/day", float("nan"), "why", CommandError),
        ("daemon/day", 1.0, "  ", CommandError),
        ("daemon/day", 1.0, "x" * 501, CommandError),
    ],
)
def test_an_override_needs_a_budget_an_amount_and_a_reason(
    tmp_path: Path, name: str, grams: float, reason: str, error: type[Exception]
) -> None:
    daemon = SimulatedDaemon(tmp_path, more=DAILY)
    with pytest.raises(error):
        daemon.daemon.override(name, grams, reason)
    daemon.daemon.close()


def test_the_daemon_watches_a_grid_of_its_own_although_no_search_lives_on_it(tmp_path: Path) -> None:
    write_trace(tmp_path / "trace.csv")
    daemon = SimulatedDaemon(tmp_path, more='\n[carbon_source]\nuse = "trace"\npath = "trace.csv"\n')
    (grid,) = daemon.run(until=STARTS_AT + HOUR).grids
    assert grid.observation.current is not None
    # At one o'clock: 300 + 200 cos(15 degrees) g/kWh.
    assert grid.observation.current.g_per_kwh == pytest.approx(493.185, abs=0.001)
    assert grid.searches == ()
    daemon.daemon.close()


def test_no_more_work_runs_than_there_are_slots_while_some_still_leaves_its_own(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=2)
    low = daemon.submit(search(tmp_path, "low", scheduler=BLIND))
    at_once: list[int] = []

    def count(view: DaemonView) -> None:
        at_once.append(sum(len(each.status.running) for each in view.searches if each.status))

    # Past the scorings of the first round: an epoch of a training takes minutes.
    daemon.run(until=STARTS_AT + HOUR, on_view=count)
    daemon.submit(search(tmp_path, "high", scheduler=BLIND, seed=2), priority=10)
    daemon.run(until=STARTS_AT + 2 * HOUR, on_view=count)
    daemon.daemon.pause(low)
    daemon.submit(search(tmp_path, "third", scheduler=BLIND, seed=3))
    daemon.run(until=STARTS_AT + 9 * HOUR, on_view=count)
    assert max(at_once) == 2
    daemon.daemon.close()


def test_a_search_that_comes_back_takes_turns_and_makes_up_for_nothing(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=1)
    shape = {"slots": 1, "rounds": 60}
    first = daemon.submit(search(tmp_path, "a", seed=1, scheduler=BLIND, search={"name": "a", **shape}))
    second = daemon.submit(search(tmp_path, "b", seed=2, scheduler=BLIND, search={"name": "b", **shape}))
    daemon.daemon.pause(second)
    daemon.run(until=STARTS_AT + 48 * HOUR)
    daemon.daemon.resume(second)
    served = dict.fromkeys((first, second), 0.0)
    before: dict[str, tuple[int, datetime]] = {}

    def look(view: DaemonView) -> None:
        for each in view.searches:
            name = each.header.search_id
            running, at = before.get(name, (0, view.now))
            served[name] += running * (view.now - at).total_seconds()
            before[name] = (0 if each.status is None else len(each.status.running), view.now)

    daemon.run(until=STARTS_AT + 72 * HOUR, on_view=look)
    # Each about half of 24 hours.
    assert min(served.values()) > 0.35 * sum(served.values())
    daemon.daemon.close()


def test_a_paused_search_ends_at_its_deadline(daemon: SimulatedDaemon, tmp_path: Path) -> None:
    path = search(tmp_path, "s", scheduler=BLIND, search={"name": "s", "deadline": "6 h"})
    search_id = daemon.submit(path, anyway=True)
    daemon.run(until=STARTS_AT + 2 * HOUR)
    daemon.daemon.pause(search_id)
    assert daemon.run().now == STARTS_AT + 6 * HOUR
    assert record(daemon, search_id).stop_reason is StopReason.DEADLINE


def test_pausing_resuming_and_cancelling_loses_no_joule(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=2)
    ids = [daemon.submit(search(tmp_path, f"s{seed}", seed=seed, scheduler=BLIND)) for seed in (1, 2)]
    daemon.run(until=STARTS_AT + 3 * HOUR + HOUR / 7)
    daemon.daemon.pause(ids[0])
    daemon.run(until=STARTS_AT + 5 * HOUR + HOUR / 9)
    daemon.daemon.resume(ids[0])
    daemon.run(until=STARTS_AT + 6 * HOUR + HOUR / 11)
    daemon.daemon.cancel(ids[0])
    view = daemon.run()
    entries = [entry for search_id in ids for entry in record(daemon, search_id).entries]
    # One search at least was open all the time: 50 W of rest, 300 W more while training and 100 W while scoring.
    rest_j = 50.0 * (view.now - STARTS_AT).total_seconds()
    work_j = sum(e.priced.sample.joules for e in entries if e.owner.trial is not None)
    assert sum(e.priced.sample.joules for e in entries) - work_j == pytest.approx(rest_j, rel=1e-9)
    daemon.daemon.close()


def test_an_override_of_a_day_is_none_of_a_budget_that_has_other_windows_by_now(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", more=DAILY)
    daemon.daemon.override("daemon/day", 500.0, "a paper is due")
    daemon.daemon.close()
    daemon = SimulatedDaemon(tmp_path / "daemon", more=DAILY.replace('window = "day"', 'window = "total"'))
    assert daemon.daemon.view().budgets[0].state.budget.limit_g == 1500.0
    daemon.daemon.reload(SimulatedDaemon(tmp_path / "other", more=DAILY).config)
    daemon.daemon.step()
    assert daemon.daemon.view().budgets[0].state.budget.limit_g == 2000.0
    daemon.daemon.close()
