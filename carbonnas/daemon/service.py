"""The daemon itself: one thread that ticks, told what to do by any other."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from carbon_sources.clock import monotonic_s
from carbon_sources.shared_monitor import SharedMonitor
from carbonnas.daemon.commands import Commands
from carbonnas.daemon.common_budgets import CommonBudgets, NamedBudget
from carbonnas.daemon.config import DaemonConfig
from carbonnas.daemon.control import Control, DaemonView, Submission, UnknownNameError, require_priority
from carbonnas.daemon.fleet import Fleet
from carbonnas.daemon.grids import Grids
from carbonnas.daemon.logs import decision_line
from carbonnas.daemon.operator import BudgetDesk
from carbonnas.daemon.overrides import Overrides
from carbonnas.daemon.registry import Draft, Registry
from carbonnas.daemon.seat import Machine, Seat
from carbonnas.daemon.surroundings import CLOSERS, OPENERS, Surroundings
from carbonnas.daemon.views import ReasonCounter, TickClock, budget_views
from carbonnas.energy.meter import Measurement
from carbonnas.energy.node_meter import NodeMeter
from carbonnas.grid import GridSettings
from carbonnas.plugins import ENERGY_METERS
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.storage.syncing import Syncing

_log = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(seconds=0.1)
"""How often working slots are asked whether something has ended."""
_IDLE = timedelta(hours=1)
"""Longest time between two ticks in simulated time, in which nobody can come in between."""
_LEAST_TO_CLOSE_S = 5.0
"""What searches have for their end in any case, real seconds, even if their trainings have taken all the time that a stop may take."""
_LOOK_AGAIN = timedelta(minutes=1)
"""After a look at the energy meter that failed."""
_STOPPING = "The daemon is stopping; the search goes on when it starts anew."


class Daemon(Control):
    """Runs many searches on one machine for as long as it lives.

    Protocol: `open` once; then `step` again and again by one and the same thread, or `run`, which does that until it is stopped; `close`
    at the end. Everything else may be called from any thread.

    Args:
        config: Its configuration.
        surroundings: What it is handed.
    """

    def __init__(self, config: DaemonConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._around = surroundings
        self._speed = config.clock.speed
        self._wake = threading.Event()
        self._syncing = Syncing(store_path(surroundings.state_folder))
        self._commands = Commands(self._wake, self._syncing.kept)
        self._news = threading.Condition()
        self._store = Store(self._syncing.path, syncing=self._syncing)
        self._daemon_store = DaemonStore(self._syncing.path, syncing=self._syncing)
        self._openers, self._closers = surroundings.threads(OPENERS), surroundings.threads(CLOSERS)
        energy, services = config.energy, {"slots": config.daemon.slots}
        self._machine = Machine(
            clock=surroundings.clock,
            store=self._store,
            state_folder=surroundings.state_folder,
            node=NodeMeter(lambda: ENERGY_METERS.create(energy.use, energy.options, services)),
            grids=Grids(surroundings.clock, self._store.archive, simulated=surroundings.simulated),
            budgets=CommonBudgets(common_budgets(config), config.accounting.bound_g_per_kwh),
            overrides=Overrides(self._daemon_store.overrides()),
            slots=config.daemon.slots,
            openers=self._openers,
            closers=self._closers,
        )
        self._machine.grids.watch(_own_grid(config))
        self._fleet = Fleet(
            self._machine, config.daemon.quantum, self._note_end, enough=surroundings.enough, speed=self._speed
        )
        self._desk = BudgetDesk(self._machine.budgets, self._fleet.seats)
        self._registry = Registry(config, self._machine, self._daemon_store)
        self._ticks = TickClock()
        self._reasons = ReasonCounter()
        self._watched: dict[str, SharedMonitor] = {}
        self._stopping = False
        self._stop_by_s: float | None = None
        self._measured: Future[Measurement] | None = None
        self._look_again_at = surroundings.clock.now()
        self._view = self._empty_view()

    @property
    def syncing(self) -> Syncing:
        """What whoever else writes the store in this process has to go by."""
        return self._syncing

    def open(self) -> None:
        """Take over what an earlier process left. Raises `StorageError` if the store can't be read."""
        self._commands.own()
        for seat in self._registry.restored():
            self._fleet.enter(seat)
        for override in self._machine.overrides.all:
            self._desk.apply(override)
        self._publish(self._around.clock.now())

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop` is set and `nudge` was called, then let trainings reach a checkpoint within the time configured, and close."""
        try:
            while not stop.is_set():
                self._rest(self.step(), stop)
            self._drain()
        finally:
            self.close()

    def step(self) -> datetime:
        """Do what was asked for, tick all searches, and return when to do so again at the latest."""
        begun_s, now = monotonic_s(), self._around.clock.now()
        self._look_at_meter(now)
        self._wake.clear()
        asked = self._commands.carry_out()
        stopping = _STOPPING if self._stopping else None
        statuses = self._fleet.tick(now, stopping=stopping)
        for search_id, status in statuses.items():
            self._reasons.add(status)
            if status.news is not None:
                _log.info("%s", status.news.decision.reason.text, extra=decision_line(search_id, status.news))
        self._watch_grids(now)
        self._around.beat()
        self._ticks.add(monotonic_s() - begun_s)
        self._publish(now, news=bool(asked or statuses))
        self._commands.answer()
        latest = now + (_IDLE if self._around.simulated else self._config.daemon.tick * self._speed)
        return self._fleet.next_at(now, latest)

    def nudge(self) -> None:
        """Have the next tick come at once."""
        self._wake.set()

    def close(self) -> None:
        """Close all searches and the store; they go on in a later process. What is stuck is left: it ends with this process, as do its workers."""
        self._commands.close()
        self._fleet.close()
        now_s = monotonic_s()
        by_s = self._stop_by_s or now_s + self._config.daemon.stop_timeout.total_seconds()
        self._fleet.wait(max(_LEAST_TO_CLOSE_S, by_s - now_s))
        # Not before: workers die with the thread that started them.
        for threads in (self._closers, self._openers):
            threads.shutdown(wait=False)
        self._syncing.close()
        self._store.close()
        self._daemon_store.close()

    def reload(self, config: DaemonConfig) -> None:
        """Go by another configuration from the next tick on; called from any thread. What can't change was compared before."""
        own = _own_grid(config)
        if own is not None:
            self._machine.grids.glance(own)
        self._commands.ask(lambda: self._reload(config))

    def _reload(self, config: DaemonConfig) -> None:
        self._machine.grids.watch(_own_grid(config))
        self._config = config
        self._machine.slots = config.daemon.slots
        self._machine.budgets.replace(common_budgets(config))
        for override in self._machine.overrides.all:
            if override.is_common:
                self._desk.apply(override)
        self._fleet.quantum = config.daemon.quantum

    def rest(self, until: datetime) -> None:
        """Wait until then, or until there is something to do before."""
        self._rest(until, threading.Event())

    def _rest(self, until: datetime, stop: threading.Event) -> None:
        clock = self._around.clock
        if self._around.simulated:
            clock.wait(until, self._wake)
            return
        while not (stop.is_set() or self._wake.is_set()) and (now := clock.now()) < until:
            if self._fleet.fetch():
                return
            clock.wait(min(until, now + _LOOK_EVERY * self._speed) if self._fleet.is_busy else until, self._wake)

    def _drain(self) -> None:
        self._stopping = True
        self._stop_by_s = monotonic_s() + self._config.daemon.stop_timeout.total_seconds()
        self.step()
        while self._fleet.running and monotonic_s() < self._stop_by_s:
            self._rest(self._around.clock.now() + _LOOK_EVERY * self._speed, threading.Event())
            self.step()

    def _look_at_meter(self, now: datetime) -> None:
        """Have another thread look how energy is measured: a daemon's first meter takes seconds, for which nobody has to wait, and no tick."""
        if self._measured is not None and self._measured.done() and now >= self._look_again_at:
            error = self._measured.exception()
            if error is not None:
                _log.error("energy can't be measured: %s", error)
                self._measured = None
        if self._measured is None and now >= self._look_again_at:
            self._look_again_at = now + _LOOK_AGAIN
            try:
                self._measured = self._openers.submit(self._machine.node.share("").measurement)
            except RuntimeError as error:
                _log.error("how energy is measured can't be found out yet: %s", error)

    @property
    def _measurement(self) -> Measurement | None:
        """How energy is measured; `None` until that is known."""
        known = self._measured is not None and self._measured.done() and self._measured.exception() is None
        return self._measured.result() if known and self._measured is not None else None

    def _watch_grids(self, now: datetime) -> None:
        self._machine.grids.forget_unused(now)
        monitors = self._machine.grids.monitors
        for name in self._watched.keys() - monitors.keys():
            self._around.unwatched(name)
        for name, monitor in monitors.items():
            if monitor is not self._watched.get(name):
                self._around.watched(name, partial(self._poll, monitor))
        self._watched = monitors

    def _poll(self, monitor: SharedMonitor) -> None:
        monitor.poll(self._around.clock.now())

    def _note_end(self, seat: Seat) -> None:
        status = seat.status
        why = None if status is None or status.stop_reason is None else status.stop_reason.value
        _log.info("search %s has ended: %s", seat.search_id, why or "cancelled", extra={"search": seat.search_id})

    # What people look at

    def view(self) -> DaemonView:
        return self._view

    def wait(self, version: int, timeout_s: float) -> DaemonView:
        with self._news:
            self._news.wait_for(lambda: self._view.version > version, timeout_s)
        return self._view

    def _empty_view(self) -> DaemonView:
        now = self._around.clock.now()
        return DaemonView(
            version=0,
            now=now,
            started_at=now,
            ready=False,
            stopping=False,
            trouble="the daemon is taking over what an earlier process left",
            clock=self._config.clock.description,
            slots=self._config.daemon.slots,
            searches=(),
            budgets=(),
            grids=(),
            measurement=None,
            decisions={},
            ticks=self._ticks.times,
        )

    def _publish(self, now: datetime, *, news: bool = True) -> None:
        seats = list(self._fleet.seats.values())
        trouble, searches = self._fleet.trouble or self._around.trouble(), tuple(seat.view() for seat in seats)
        shown = trouble or self._fleet.stuck(now)
        before = self._view.trouble, [each.phase for each in self._view.searches]
        view = replace(
            self._view,
            version=self._view.version + (news or before != (shown, [each.phase for each in searches])),
            now=now,
            ready=trouble is None and not self._stopping,
            stopping=self._stopping,
            trouble=shown,
            slots=self._machine.slots,
            stalled=self._around.stalled(),
            searches=searches,
            budgets=budget_views(self._machine.budgets, seats, self._machine.overrides, now),
            grids=self._machine.grids.views(now),
            measurement=self._measurement,
            decisions=self._reasons.counts,
            ticks=self._ticks.times,
        )
        with self._news:
            self._view = view
            self._news.notify_all()

    # What people ask for

    def submit(self, submission: Submission) -> str:
        draft = self._registry.draft(submission, self._around.check(submission))
        return self._commands.ask(lambda: self._enter(draft))

    def _enter(self, draft: Draft) -> str:
        entered = self._registry.enter(draft, self._around.clock.now())
        if isinstance(entered, str):
            return entered
        self._fleet.enter(entered)
        stored = entered.stored
        marks = {"search": stored.search_id, "priority": stored.priority, "labels": list(stored.labels)}
        _log.info("search %s was submitted", stored.search_id, extra=marks)
        return entered.search_id

    def pause(self, search_id: str) -> None:
        self._commands.ask(lambda: self._set_paused(search_id, paused=True))

    def resume(self, search_id: str) -> None:
        self._commands.ask(lambda: self._set_paused(search_id, paused=False))

    def _set_paused(self, search_id: str, *, paused: bool) -> None:
        seat = self._seat(search_id)
        self._daemon_store.set_paused(search_id, paused)
        seat.stored = replace(seat.stored, paused=paused)
        done = "paused" if paused else "resumed"
        _log.info("search %s was %s by a person", search_id, done, extra={"search": search_id})

    def cancel(self, search_id: str) -> None:
        self._commands.ask(lambda: self._fleet.cancel(self._seat(search_id).search_id, self._around.clock.now()))

    def set_priority(self, search_id: str, priority: int) -> None:
        self._commands.ask(lambda: self._set_priority(search_id, priority))

    def _set_priority(self, search_id: str, priority: int) -> None:
        require_priority(priority)
        seat = self._seat(search_id)
        self._daemon_store.set_priority(search_id, priority)
        seat.stored = replace(seat.stored, priority=priority)
        _log.info("search %s got another priority", search_id, extra={"search": search_id, "priority": priority})

    def override(self, budget: str, grams: float, reason: str) -> None:
        self._commands.ask(lambda: self._override(budget, grams, reason))

    def _override(self, budget: str, grams: float, reason: str) -> None:
        override = self._desk.override(budget, grams, reason=reason, now=self._around.clock.now())
        self._daemon_store.add_override(override)
        self._machine.overrides.add(override)
        marks = {"budget": budget, "grams": grams, "given_reason": override.reason}
        _log.warning("%g g were added to the budget %s by a person: %s", grams, budget, override.reason, extra=marks)
        self._desk.apply(override)

    def _seat(self, search_id: str) -> Seat:
        if search_id not in self._fleet.seats:
            raise UnknownNameError(f"there is no search {search_id!r} that has not ended")
        return self._fleet.seats[search_id]


def _own_grid(config: DaemonConfig) -> GridSettings | None:
    """Return the grid that a daemon looks at although no search lives on it; `None` if it looks at none."""
    if config.carbon_source is None:
        return None
    return GridSettings(config.carbon_source, config.forecaster, config.forecasting, config.accounting, config.clock)


def common_budgets(config: DaemonConfig) -> list[NamedBudget]:
    """Return the budgets that a daemon's configuration sets for all searches, or for those with a label."""
    return [NamedBudget(section.name, section.budget, section.label) for section in config.budgets]
