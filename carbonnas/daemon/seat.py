"""The place of one search in the daemon: closed, opening, open and ticked, or closing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor as Threads
from concurrent.futures import Future
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from carbon_sources.clock import Clock
from carbon_sources.interval import Interval
from carbonnas.budgeting import BudgetBook
from carbonnas.config import SearchConfig
from carbonnas.daemon.common_budgets import CommonBudgets
from carbonnas.daemon.control import Phase, SearchView
from carbonnas.daemon.grids import Grids
from carbonnas.daemon.opening import Opened, Opening
from carbonnas.daemon.overrides import Overrides
from carbonnas.energy.meter import Usage
from carbonnas.energy.node_meter import NodeMeter, NodeShare
from carbonnas.errors import ConfigError
from carbonnas.record import SearchState, StopReason, own_budget_name
from carbonnas.search_state import SearchHeader, Step
from carbonnas.status import SearchStatus
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.lock import search_lock
from carbonnas.storage.paths import search_folder
from carbonnas.storage.search_store import SearchStore
from carbonnas.trials import TrialState

_log = logging.getLogger(__name__)

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts to run a search that failed; each time twice as long."""


_RECENT = timedelta(minutes=10)
"""Over how much time the present power of a search is averaged."""


@dataclass(slots=True)
class Machine:
    """What all searches of the daemon have in common.

    Attributes:
        clock: The daemon's clock.
        store: Where searches are kept.
        state_folder: Folder of the store.
        node: Meters the machine.
        grids: Looks at the grids.
        budgets: The budgets that searches have in common.
        overrides: What operators have added to budgets.
        slots: Slots of the machine.
        openers: Opens searches and starts their workers; its threads live as long as the daemon, because workers die with the thread that
            started them.
        closers: Ends workers.
    """

    clock: Clock
    store: SearchStore
    state_folder: Path
    node: NodeMeter
    grids: Grids
    budgets: CommonBudgets
    overrides: Overrides
    slots: int
    openers: Threads
    closers: Threads


class Seat:
    """One search that has not ended.

    Args:
        machine: What it shares with others.
        stored: How it was submitted.
        header: What is fixed about it.
        config: Its configuration, or why it can't be used any more: then the search fails whenever it is opened.
    """

    def __init__(
        self, machine: Machine, stored: StoredSubmission, header: SearchHeader, config: SearchConfig | ConfigError
    ) -> None:
        self._machine = machine
        self._config = config
        self.stored = stored
        self.header = header
        self.granted = 0
        self.allowed = 0
        self.settled_until: datetime | None = None
        self.served_s = 0.0
        self.status: SearchStatus | None = None
        self.problem: str | None = None
        self._pause = _FIRST_PAUSE
        self._drawn: deque[tuple[datetime, float]] = deque()
        self._retry_at: datetime | None = None
        self._making: Future[Opened] | None = None
        self._handed: tuple[Future[Opened], datetime] | None = None
        self._opened: Opened | None = None
        self._to_end: Future[Opened] | None = None
        self._closing: Future[None] | None = None
        self._leaving = 0
        self._share: NodeShare | None = None
        self._own_budgets: BudgetBook | None = None
        self._told: tuple[int, str | None] | None = None
        self._held = ExitStack()

    @property
    def search_id(self) -> str:
        """Its id."""
        return self.stored.search_id

    @property
    def is_open(self) -> bool:
        """Whether it is ticked."""
        return self._opened is not None

    @property
    def is_changing(self) -> bool:
        """Whether it is being opened or closed in another thread."""
        return self._is_closing or (self._making is not None and self._opened is None)

    @property
    def opening_since(self) -> datetime | None:
        """Since when it has been opened, even if it was closed meanwhile; `None` if that is over, or has never begun."""
        return None if self._handed is None or self._handed[0].done() else self._handed[1]

    @property
    def closing(self) -> Future[None] | None:
        """What closes it in another thread; `None` if nothing does."""
        return self._closing

    @property
    def _is_closing(self) -> bool:
        return self._to_end is not None or self._closing is not None

    def is_due(self, now: datetime) -> bool:
        """Whether its deadline has come, so that it has to be ended although it has no slot."""
        return self.header.deadline is not None and now >= self.header.deadline

    @property
    def running(self) -> int:
        """Trials that hold a slot; of a search that is being closed those that have not ended for sure."""
        if self._is_closing:
            return self._leaving
        if self._opened is None:
            return 0
        known = 0 if self.status is None else len(self.status.running)
        return max(known, self.header.slots - self._opened.executor.free_slots)

    def wanted(self, now: datetime) -> int:
        """Return how many slots it would use, as far as is known; none while it is paused, or rests after a failure."""
        if self.stored.paused or (self._retry_at is not None and now < self._retry_at):
            return 0
        if self.status is None or not self.is_open:
            return min(self.header.slots, self._machine.slots)
        return self.status.wanted_slots

    def may_open(self, now: datetime) -> bool:
        """Whether it can be opened now: it is closed, and did not fail a short while ago."""
        is_closed = self._making is None and not self._is_closing
        return is_closed and (self._retry_at is None or now >= self._retry_at)

    def open(self, now: datetime) -> None:
        """Begin to open the search, in another thread. Raises what the search's lock raises, or why its configuration can't be used."""
        machine, config = self._machine, self._usable
        self._held.enter_context(search_lock(search_folder(machine.state_folder, self.search_id)))
        self._own_budgets = own = BudgetBook(self.header.budgets, self.header.bound_g_per_kwh)
        for place, budget in enumerate(own.budgets):
            for override in machine.overrides.of(own_budget_name(self.search_id, place)):
                own.raise_limit(place, override.window_of(budget), override.grams)
        self._share = machine.node.share(self.search_id)
        opening = Opening(
            config=config,
            header=self.header,
            clock=machine.clock,
            store=machine.store,
            state_folder=machine.state_folder,
            grids=machine.grids,
            node=machine.node,
            share=self._share,
            budgets=machine.budgets.open(self.search_id, self.stored.labels, own),
            slots=machine.slots,
        )
        self._making = machine.openers.submit(opening.make)
        self._handed = self._making, now

    @property
    def _usable(self) -> SearchConfig:
        if isinstance(self._config, ConfigError):
            raise self._config
        return self._config

    def raise_limit(self, place: int, window: Interval | None, grams: float) -> None:
        """Add grams to the limit of one of its own budgets inside one of its windows."""
        if self._own_budgets is not None:
            self._own_budgets.raise_limit(place, window, grams)

    def settle_in(self, now: datetime, room: int) -> None:
        """Start the search in at most `room` slots once it is open and its workers are there.

        Raises what kept it from opening, and what `Search.start` raises.
        """
        if self._making is not None and self._opened is None and self._making.done():
            self._opened = self._making.result()
            self._opened.search.grant(min(self.granted, room))
            self._opened.search.start(now)

    def fetch(self) -> bool:
        """Poll its workers, and say whether something has ended."""
        return self._opened is not None and self._opened.executor.fetch()

    @property
    def usages(self) -> tuple[Usage, ...]:
        """What its next tick will account for."""
        return () if self._opened is None else (*self._opened.search.unread, *self._opened.executor.usages)

    @property
    def watts(self) -> float | None:
        """What it has drawn of late on average, overhead of the building included; `None` while nobody knows."""
        if len(self._drawn) < 2:
            return None
        (begin, before_j), (end, after_j) = self._drawn[0], self._drawn[-1]
        seconds = (end - begin).total_seconds()
        return self._usable.accounting.pue * (after_j - before_j) / seconds if seconds > 0 else None

    @property
    def next_outcome_at(self) -> datetime | None:
        """When its next trial ends, where that is known beforehand."""
        return None if self._opened is None else self._opened.executor.next_at

    def _orders(self, stopping: str | None) -> tuple[int, str | None]:
        """Return what its search is to be told: slots that it may use, and why it is to rest."""
        return self.allowed, stopping or ("A person has paused the search." if self.stored.paused else None)

    def has_to_tick(self, now: datetime, *, stopping: str | None) -> bool:
        """Whether its search has something to do: what it asked for has come, work has ended, or it is told something else than before."""
        if self._opened is None:
            return False
        waits = self.status is not None and now < self.status.next_at and self._told == self._orders(stopping)
        return not waits or self._opened.executor.has_outcomes

    def tick(self, now: datetime, *, stopping: str | None) -> SearchState:
        """Let the search do what it can. Raises whatever goes wrong; then the search has to be closed."""
        if self._opened is None:
            raise RuntimeError("a search that is not open was ticked. This is a bug. Please report.")
        search = self._opened.search
        self._told = self._orders(stopping)
        search.grant(self.allowed)
        search.hold(self._told[1])
        before = self.status
        self.status = search.tick(now)
        if before is not None:
            self.served_s += len(before.running) * max(0.0, (now - before.now).total_seconds())
        self.problem, self._retry_at, self._pause = None, None, _FIRST_PAUSE
        self._drawn.append((now, self.status.totals.energy_j))
        while now - self._drawn[0][0] > _RECENT and len(self._drawn) > 2:
            self._drawn.popleft()
        return self.status.state

    def cancel(self, now: datetime) -> None:
        """End the search, even one that can't be opened. Raises what keeps its end from being stored."""
        if self._opened is not None:
            try:
                self._opened.search.cancel(now)
            finally:
                # After a failure the search differs from what is stored of it.
                self.close()
            return
        self.close()
        # Whoever still opens or closes it only reads the store, and holds the lock.
        is_held = self._is_closing
        folder = search_folder(self._machine.state_folder, self.search_id)
        with nullcontext() if is_held else search_lock(folder):
            self._cancel_stored(now)

    def _cancel_stored(self, now: datetime) -> None:
        store, step = self._machine.store, Step()
        for trial in store.trials(self.search_id, open_only=True):
            step.trials[trial.number] = trial.to(TrialState.CANCELLED, ended_at=now)
        ended = replace(
            store.progress(self.search_id),
            state=SearchState.STOPPED,
            stop_reason=StopReason.CANCELLED,
            ended_at=now,
            clock_at=now,
            totals=None,
        )
        store.commit(self.search_id, ended, step)

    def fail(self, now: datetime, error: Exception) -> None:
        """Close the search, because it can't run; it is tried again after a pause that grows."""
        self.problem = str(error) or type(error).__name__
        self._retry_at = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self.close()

    def close(self) -> None:
        """Stop meter and, in another thread, workers; what the search did so far is in the store. It stays locked until all have ended."""
        making, share = self._making, self._share
        if self._opened is not None:
            # What has been cancelled holds its slot until its worker has ended.
            self._leaving = self.header.slots - self._opened.executor.free_slots
        self._making, self._opened, self._share = None, None, None
        if share is not None:
            self._quietly(share.close)
        if making is not None and not making.cancel():
            self._to_end = making
            self._have_ended(making)
        self._machine.budgets.close(self.search_id)
        self._own_budgets, self._told = None, None
        self._drawn.clear()
        if self.status is not None:
            self.status = replace(self.status, running=())
        self.granted, self.allowed = 0, 0
        self.tidy()

    def tidy(self) -> bool:
        """Let go of the search if all that was closed has ended, and say whether it has."""
        if self.opening_since is None:
            self._handed = None
        if self._to_end is not None:
            self._have_ended(self._to_end, again=True)
        if self._to_end is not None or (self._closing is not None and not self._closing.done()):
            return False
        if self._making is None:
            self._closing, self._leaving = None, 0
            self._machine.grids.leave(self.search_id)
            self._quietly(self._held.close)
        return True

    def _have_ended(self, making: Future[Opened], *, again: bool = False) -> None:
        """Have another thread end what was opened; if none can be started it is left for `tidy`."""
        try:
            self._closing = self._machine.closers.submit(self._quietly, partial(_end, making))
        except RuntimeError as error:
            if not again:
                _log.error("search %s can't be closed yet, which is tried again: %s", self.search_id, error)
        else:
            self._to_end = None

    def _quietly(self, call: Callable[[], object]) -> None:
        """Call what may fail for the reason for which the search is closed."""
        try:
            call()
        except Exception:  # noqa: BLE001 - what keeps it from closing may be what it is closed for; it is logged
            _log.exception("search %s could not be closed cleanly", self.search_id)

    def view(self) -> SearchView:
        """Return how it stands."""
        return SearchView(
            header=self.header,
            phase=self._phase,
            priority=self.stored.priority,
            labels=self.stored.labels,
            submitted_at=self.stored.submitted_at,
            granted=self.granted,
            status=self.status,
            problem=self.problem,
        )

    @property
    def _phase(self) -> Phase:
        if self.stored.paused:
            return Phase.PAUSED
        if self.problem is not None:
            return Phase.FAILING
        if self._making is None:
            return Phase.QUEUED
        if self._opened is None:
            return Phase.OPENING
        resting = self.status is not None and self.status.wanted_slots == 0
        return Phase.RUNNING if self.granted or self.running or resting else Phase.QUEUED

    def restless(self, now: datetime) -> bool:
        """Whether it has had its slots for less than a quantum."""
        return self.settled_until is not None and now < self.settled_until


def _end(making: Future[Opened]) -> None:
    """End a search that is being opened, or was."""
    if making.exception() is None:
        making.result().search.close()
