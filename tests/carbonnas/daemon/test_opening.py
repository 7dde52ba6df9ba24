"""Searches are opened and closed beside the ticks, which go on meanwhile: nothing is doubled, lost, or let into slots that are taken."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor as Threads
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.at_once import AtOnce
from carbonnas.daemon.control import DaemonView, Phase
from carbonnas.daemon.threads import LeavableThreads
from carbonnas.driver import run_search
from carbonnas.errors import SearchLockedError
from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.storage.lock import search_lock
from carbonnas.storage.paths import search_folder, store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.daemon_process import pause_s
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.exactly_once import violations
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
from carbonnas.trials import TrialState

P = ParamSpec("P")
T = TypeVar("T")

HOUR = timedelta(hours=1)


class Held(Threads):
    """Threads that do nothing of what they are told before they are let go; from then on they do it at once. Or there are none to be had."""

    def __init__(self) -> None:
        self.let_go = False
        self.refuses = False
        self.waiting: list[Callable[[], None]] = []
        self.begun: list[Future[Any]] = []
        self._handed: list[Future[Any]] = []

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        if self.refuses:
            raise RuntimeError("can't start new thread")

        def run() -> None:
            if future in self.begun or future.set_running_or_notify_cancel():
                done = AtOnce().submit(call, *args, **kwargs)
                if (error := done.exception()) is not None:
                    future.set_exception(error)
                else:
                    future.set_result(done.result())

        if self.let_go:
            run()
        else:
            self.waiting.append(run)
            self._handed.append(future)
        return future

    def begin(self) -> None:
        """Begin with all that was asked for, so that it can't be taken back any more."""
        self.begun = [future for future in self._handed if future.set_running_or_notify_cancel()]

    def go_on_with(self, place: int) -> None:
        """Do what was asked for in this place: the first is 0, the last -1."""
        self.waiting.pop(place)()

    def go(self) -> None:
        """Do all that was asked for, and whatever will be."""
        self.let_go = True
        for run in self.waiting:
            run()
        self.waiting.clear()


class Handled:
    """A daemon on simulated time, whose openers and closers a test holds back."""

    def __init__(self, folder: Path, *, slots: int = 2) -> None:
        self.openers, self.closers = Held(), Held()
        threads: Mapping[str, Threads] = {"openers": self.openers, "closers": self.closers}
        self.simulated = SimulatedDaemon(folder / "daemon", slots=slots, threads=threads.__getitem__)
        self._folder = folder

    def submit(self, name: str, *, rounds: int = 3, priority: int = 0) -> str:
        return self.simulated.submit(search(self._folder, name, rounds), priority=priority)

    def ticks(self, number: int = 3) -> DaemonView:
        """Tick some times at the same instant."""
        for _ in range(number):
            self.simulated.daemon.step()
        return self.simulated.daemon.view()

    def finish(self) -> None:
        """Let everything go and close the daemon."""
        self.openers.go()
        self.closers.go()
        self.simulated.daemon.close()

    def record(self, search_id: str) -> SearchRecord:
        store = Store(store_path(self.simulated.state))
        try:
            return load_record(store, search_id)
        finally:
            store.close()

    def is_locked(self, search_id: str) -> bool:
        try:
            with search_lock(search_folder(self.simulated.state, search_id)):
                return False
        except SearchLockedError:
            return True


def search(folder: Path, name: str, rounds: int = 3) -> Path:
    scheduler = {"use": "carbon_blind", "percentile": None}
    return write_simulated_search(folder / name, rounds=rounds, search={"name": name}, scheduler=scheduler)


def running(view: DaemonView) -> dict[str, int]:
    """Return how many trials of each search hold a slot."""
    return {each.header.search_id: 0 if each.status is None else len(each.status.running) for each in view.searches}


def test_a_search_that_takes_long_to_open_holds_up_no_tick_and_begins_when_it_is_open(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    search_id = daemon.submit("slow")
    view = daemon.ticks()
    assert view.searches[0].status is None
    assert view.searches[0].problem is None
    assert view.searches[0].phase is Phase.OPENING
    assert daemon.is_locked(search_id)
    daemon.openers.go()
    assert running(daemon.ticks()) == {search_id: 2}
    daemon.closers.go()
    daemon.simulated.run()
    alone = run_search((tmp_path / "slow" / "search.toml").read_text(), tmp_path / "alone", folder=tmp_path / "slow")
    found = daemon.record(search_id)
    assert [(trial.number, trial.key, trial.metrics) for trial in found.trials] == [
        (trial.number, trial.key, trial.metrics) for trial in alone.trials
    ]
    assert violations([found]) == []
    daemon.finish()


def test_a_search_that_is_cancelled_before_its_opening_has_begun_is_let_go_of_at_once(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    search_id = daemon.submit("slow")
    daemon.ticks()
    daemon.simulated.daemon.cancel(search_id)
    assert not daemon.is_locked(search_id)
    assert daemon.record(search_id).stop_reason is StopReason.CANCELLED
    daemon.finish()


def test_a_search_that_is_cancelled_while_it_opens_has_ended_at_once_and_stays_so(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    search_id = daemon.submit("slow")
    daemon.ticks()
    daemon.openers.begin()
    daemon.simulated.daemon.cancel(search_id)
    assert daemon.record(search_id).stop_reason is StopReason.CANCELLED
    assert daemon.ticks().searches == ()
    assert daemon.is_locked(search_id)
    daemon.openers.go()
    daemon.closers.go()
    daemon.ticks()
    assert not daemon.is_locked(search_id)
    assert daemon.simulated.daemon.view().grids[0].searches == ()
    assert daemon.record(search_id).state is SearchState.STOPPED
    daemon.finish()


def test_slots_of_a_search_that_is_closed_are_taken_until_its_workers_have_ended(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.go()
    first, second = daemon.submit("first", rounds=6), daemon.submit("second", priority=-1)
    assert running(daemon.ticks()) == {first: 2, second: 0}
    daemon.simulated.daemon.cancel(first)
    assert running(daemon.ticks()) == {second: 0}
    daemon.closers.go()
    assert running(daemon.ticks()) == {second: 2}
    daemon.finish()


def test_a_search_that_is_still_being_closed_is_not_opened_again(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.go()
    search_id = daemon.submit("s", rounds=6)
    daemon.ticks()
    daemon.simulated.daemon.pause(search_id)
    while not daemon.closers.waiting:
        daemon.simulated.daemon.rest(daemon.simulated.daemon.step())
    assert daemon.simulated.daemon.view().searches[0].phase is Phase.PAUSED
    daemon.simulated.daemon.resume(search_id)
    view = daemon.ticks()
    assert (view.searches[0].phase, running(view)) == (Phase.QUEUED, {search_id: 0})
    daemon.closers.go()
    assert running(daemon.ticks()) == {search_id: 2}
    daemon.simulated.run()
    assert violations([daemon.record(search_id)]) == []
    daemon.finish()


def test_a_closed_search_that_is_cancelled_keeps_what_has_ended_and_has_nothing_left_to_do(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.go()
    daemon.closers.go()
    search_id = daemon.submit("s", rounds=6)
    daemon.simulated.run(until=STARTS_AT + 5 * HOUR)
    daemon.simulated.daemon.pause(search_id)
    daemon.simulated.run(until=STARTS_AT + 12 * HOUR)
    assert not daemon.is_locked(search_id)
    before = daemon.record(search_id).trials
    daemon.simulated.daemon.cancel(search_id)
    after = daemon.record(search_id).trials
    assert [trial for trial in after if trial.state is not TrialState.CANCELLED] == [
        trial for trial in before if trial.state.final
    ]
    assert any(trial.state is TrialState.COMPLETED for trial in after)
    assert any(trial.state is TrialState.CANCELLED for trial in after)
    daemon.finish()


def test_a_search_that_fails_to_open_says_why_and_lets_go(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    search_id = daemon.submit("s")
    (tmp_path / "s" / "table.csv").write_text("nonsense")
    daemon.ticks()
    daemon.openers.go()
    view = daemon.ticks()
    assert view.searches[0].problem is not None
    assert "table.csv" in view.searches[0].problem
    daemon.closers.go()
    daemon.ticks()
    assert not daemon.is_locked(search_id)
    daemon.finish()


def test_a_daemon_that_is_closed_while_searches_open_leaves_none_open(tmp_path: Path) -> None:
    daemon = Handled(tmp_path)
    search_id = daemon.submit("slow")
    daemon.ticks()
    daemon.finish()
    assert not daemon.is_locked(search_id)
    again = SimulatedDaemon(tmp_path / "daemon")
    assert again.run().searches == ()
    assert again.daemon.view().trouble is None
    again.daemon.close()


def test_searches_that_are_stuck_while_they_open_are_named_and_hold_up_the_others_for_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Handled(tmp_path, slots=4)
    ids = [daemon.submit(name) for name in ("first", "second", "third")]
    view = daemon.ticks()
    assert [each.phase for each in view.searches] == [Phase.OPENING, Phase.OPENING, Phase.QUEUED]
    assert view.searches[2].granted > 0
    assert view.trouble is None
    view = daemon.simulated.run(until=STARTS_AT + timedelta(seconds=61))
    assert [each.phase for each in view.searches] == [Phase.OPENING] * 3
    sentences = [
        f"the search {each} has been opening since 2021-01-08 00:00 UTC: something that it imports or reads may be stuck"
        for each in ids[:2]
    ]
    assert (view.trouble, view.ready) == ("; ".join(sentences), True)
    assert [record.message for record in caplog.records if "opening" in record.message] == sentences
    daemon.openers.begin()
    daemon.openers.go_on_with(-1)
    assert running(daemon.ticks())[ids[2]] > 0
    # A person who cancels one is not rid of it: it still holds its place.
    daemon.simulated.daemon.cancel(ids[1])
    assert daemon.ticks().trouble == "; ".join(sentences)
    daemon.openers.go()
    daemon.closers.go()
    assert daemon.ticks().trouble is None
    daemon.finish()


def test_a_search_that_is_stuck_while_it_opens_keeps_no_slot_from_others(tmp_path: Path) -> None:
    daemon = Handled(tmp_path, slots=1)
    daemon.submit("first")
    daemon.ticks()
    daemon.submit("second")
    view = daemon.simulated.run(until=STARTS_AT + timedelta(seconds=61))
    assert [each.phase for each in view.searches] == [Phase.OPENING, Phase.OPENING]
    assert [each.granted for each in view.searches] == [0, 1]
    daemon.openers.begin()
    daemon.openers.go()
    daemon.closers.go()
    daemon.finish()


def test_a_daemon_stops_in_time_although_a_search_is_stuck_while_it_opens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    threads = {name: LeavableThreads(2, name) for name in ("openers", "closers")}
    simulated = SimulatedDaemon(tmp_path / "daemon", threads=threads.__getitem__, stop_timeout="1 s")
    path = search(tmp_path, "stuck")
    search_id = simulated.submit(path)
    table = path.with_name("table.csv")
    table.unlink()
    os.mkfifo(table)
    simulated.daemon.step()
    # Whoever reads it waits until all who write it have closed it.
    writer = opened_to_write(table)
    simulated.daemon.close()
    (told,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert told.startswith(f"search {search_id} could not be closed in ")
    os.close(writer)


def test_a_search_that_no_thread_can_be_started_to_close_stays_until_one_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.go()
    daemon.closers.go()
    first, second = daemon.submit("first", rounds=6), daemon.submit("second", priority=-1)
    assert running(daemon.ticks()) == {first: 2, second: 0}
    daemon.closers.refuses = True
    daemon.simulated.daemon.cancel(first)
    assert running(daemon.ticks()) == {second: 0}
    assert daemon.is_locked(first)
    assert [record.message for record in caplog.records if "closed" in record.message] == [
        f"search {first} can't be closed yet, which is tried again: can't start new thread"
    ]
    daemon.closers.refuses = False
    assert running(daemon.ticks()) == {second: 2}
    assert not daemon.is_locked(first)
    daemon.finish()


def test_a_daemon_stops_although_no_thread_can_be_started_to_close_a_search(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.go()
    search_id = daemon.submit("s")
    daemon.ticks()
    daemon.closers.refuses = True
    daemon.simulated.daemon.close()
    assert caplog.records[-1].message.startswith(f"search {search_id} could not be closed in ")


def test_a_search_that_no_thread_can_be_started_to_open_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Handled(tmp_path)
    daemon.openers.refuses = True
    search_id = daemon.submit("s")
    (view,) = daemon.ticks().searches
    assert (view.phase, view.problem) == (Phase.FAILING, "can't start new thread")
    told = "how energy is measured can't be found out yet: can't start new thread"
    assert [record.message for record in caplog.records if "energy" in record.message] == [told]
    daemon.openers.refuses = False
    daemon.openers.go()
    daemon.simulated.run(until=STARTS_AT + timedelta(minutes=2))
    view_after = daemon.ticks()
    assert running(view_after) == {search_id: 2}
    assert view_after.measurement is not None
    daemon.finish()


def opened_to_write(pipe: Path) -> int:
    """Return a named pipe opened to write, once somebody has opened it to read."""
    until_s = monotonic_s() + 300.0
    while monotonic_s() < until_s:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            pause_s(0.01)
    raise AssertionError("nobody reads the pipe")


@pytest.mark.slow
def test_searches_that_are_seen_to_one_at_a_time_find_what_they_find_alone(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=4, enough=timedelta(0))
    names = ("one", "two", "three")
    ids = [daemon.submit(search(tmp_path, name)) for name in names]
    most = 0

    def look(view: DaemonView) -> None:
        nonlocal most
        most = max(most, sum(running(view).values()))

    daemon.run(on_view=look)
    assert most <= 4
    store = Store(store_path(daemon.state))
    for name, search_id in zip(names, ids, strict=True):
        found = load_record(store, search_id)
        folder = tmp_path / name
        alone = run_search((folder / "search.toml").read_text(), tmp_path / f"alone-{name}", folder=folder)
        assert [(t.number, t.key, t.metrics) for t in found.trials] == [
            (t.number, t.key, t.metrics) for t in alone.trials
        ]
        assert violations([found]) == []
    store.close()
    daemon.daemon.close()
