"""A daemon as the web sees it, without an engine: a view made of a real search, and commands that change the view."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbon_sources.health import Health, HealthState
from carbon_sources.monitor import Observation
from carbonnas.config_file import parse_config
from carbonnas.daemon.control import (
    BudgetView,
    CommandError,
    Control,
    DaemonView,
    GridView,
    Phase,
    SearchView,
    Submission,
    TickTimes,
    UnknownNameError,
)
from carbonnas.driver import run_search
from carbonnas.errors import ConfigError
from carbonnas.record import Override
from carbonnas.report.render import ReportFormat, render
from carbonnas.search_state import SearchHeader
from carbonnas.status import SearchStatus
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.searches import write_simulated_search
from schedulers.budget import BudgetState, EmissionBudget, Window
from schedulers.decision import ReasonCode

NOW = datetime(2021, 1, 9, 12, tzinfo=UTC)
DAEMON_BUDGET = "daemon/day"


@dataclass(frozen=True, slots=True)
class World:
    """A state folder with a search that has ended and one that was left in the middle, and how that one stood."""

    state_folder: Path
    ended: str
    active: SearchHeader
    status: SearchStatus

    @property
    def store(self) -> Path:
        """The file of the store."""
        return store_path(self.state_folder)


def make_world(folder: Path, name: str = "simulated") -> World:
    """Run one small search, `name`, to its end, and another one until some of its trials run."""
    state = folder / "state"
    budget = {"limit": "100 kg", "window": "search"}
    done = write_simulated_search(folder / "done", rounds=2, budgets=[budget], search={"name": name})
    ended = run_search(done.read_text(encoding="utf-8"), state, folder=done.parent)
    left = write_simulated_search(folder / "left", seed=2, rounds=4, budgets=[budget], search={"name": "left"})
    seen: list[SearchStatus] = []
    stop = threading.Event()

    def look(status: SearchStatus) -> None:
        seen.append(status)
        if status.running and status.best is not None:
            stop.set()

    record = run_search(left.read_text(encoding="utf-8"), state, folder=left.parent, on_status=look, stop=stop)
    store = Store(store_path(state))
    header = store.header(record.search_id)
    store.close()
    return World(state, ended.search_id, header, seen[-1])


def make_report(store_path: Path, search_id: str, format: ReportFormat) -> bytes:  # noqa: A002 # as in the shelf
    """Make a report in this process, which takes a moment instead of seconds."""
    store = Store(store_path)
    try:
        return render(load_record(store, search_id), format).encode(errors="replace")
    finally:
        store.close()


def live_view(header: SearchHeader, status: SearchStatus | None, phase: Phase = Phase.RUNNING) -> SearchView:
    """Return a search of the daemon."""
    return SearchView(header, phase, 0, ("team-a",), header.started_at, 2, status, None)


def grid_view(observation: Observation, name: str = "trace.csv SUN") -> GridView:
    """Return a grid that serves well."""
    newest = observation.now - timedelta(minutes=20)
    health = Health(HealthState.OK, ("all is well",), newest, timedelta(minutes=20), 0, None, "trace.csv")
    return GridView(name, observation, health, 0.082, ())


def daemon_view(world: World) -> DaemonView:
    """Return a daemon that runs the unfinished search of a world."""
    header, status = world.active, world.status
    own = tuple(
        BudgetView(f"{header.search_id}/{number}", header.search_id, None, state, None)
        for number, state in enumerate(status.budgets, start=1)
    )
    day = EmissionBudget(2000.0, Window.DAY)
    daily = BudgetState(day, 1700.0, 125.0, day.window_at(status.now))
    over_all = BudgetView(DAEMON_BUDGET, None, None, daily, status.now + timedelta(hours=3))
    return DaemonView(
        version=1,
        now=status.now,
        started_at=status.now - timedelta(days=1),
        ready=True,
        stopping=False,
        trouble=None,
        clock="simulated",
        slots=4,
        searches=(live_view(header, status),),
        budgets=(over_all, *own),
        grids=(grid_view(status.observation),),
        measurement=None,
        decisions={ReasonCode.CLEAN.value: 12, ReasonCode.DIRTY.value: 7},
        ticks=TickTimes(1000, 0.002, 0.015, 0.003),
    )


@dataclass(slots=True)
class SketchControl(Control):
    """Keeps one view; commands change it as the daemon would, and are noted."""

    now_view: DaemonView
    submitted: list[Submission] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def change(self, change: Callable[[DaemonView], DaemonView]) -> None:
        """Put another view in place of the present one, with the next version."""
        with self._changed:
            self.now_view = replace(change(self.now_view), version=self.now_view.version + 1)
            self._changed.notify_all()

    def view(self) -> DaemonView:
        with self._changed:
            return self.now_view

    def wait(self, version: int, timeout_s: float) -> DaemonView:
        with self._changed:
            self._changed.wait_for(lambda: self.now_view.version > version, timeout_s)
            return self.now_view

    def submit(self, submission: Submission) -> str:
        config = parse_config(submission.config, "configuration", Path(submission.folder))
        if config.search.slots > self.view().slots:
            raise ConfigError("configuration", (f"search.slots: this machine has {self.view().slots}",))
        self.submitted.append(submission)
        return config.search.name

    def pause(self, search_id: str) -> None:
        self._set(search_id, phase=Phase.PAUSED)

    def resume(self, search_id: str) -> None:
        if self._find(search_id).phase is not Phase.PAUSED:
            raise CommandError(f"the search {search_id} is not paused")
        self._set(search_id, phase=Phase.RUNNING)

    def cancel(self, search_id: str) -> None:
        self._find(search_id)
        self.change(
            lambda view: replace(view, searches=tuple(s for s in view.searches if s.header.search_id != search_id))
        )

    def set_priority(self, search_id: str, priority: int) -> None:
        self._set(search_id, priority=priority)

    def override(self, budget: str, grams: float, reason: str) -> None:
        if budget not in {known.name for known in self.view().budgets}:
            raise UnknownNameError(f"there is no budget {budget!r}")
        added = Override(budget, self.view().now, grams, reason, None)
        self.change(
            lambda view: replace(
                view,
                budgets=tuple(
                    replace(b, overrides=(*b.overrides, added)) if b.name == budget else b for b in view.budgets
                ),
            )
        )

    def _find(self, search_id: str) -> SearchView:
        for search in self.view().searches:
            if search.header.search_id == search_id:
                return search
        raise UnknownNameError(f"there is no active search {search_id!r}")

    def _set(self, search_id: str, **changes: object) -> None:
        changed = replace(self._find(search_id), **changes)  # type: ignore[arg-type] # checked by the dataclass's own types
        self.change(
            lambda view: replace(
                view,
                searches=tuple(changed if s.header.search_id == search_id else s for s in view.searches),
            )
        )
