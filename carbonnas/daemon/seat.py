"""The place of one search in the daemon: closed, opening, or open and ticked."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor as Threads
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import Clock
from carbon_sources.interval import Interval
from carbonnas.budgeting import BudgetBook, Budgets
from carbonnas.config import SearchConfig
from carbonnas.daemon.common_budgets import CommonBudgets
from carbonnas.daemon.control import Phase, SearchView
from carbonnas.daemon.grids import Grids
from carbonnas.daemon.overrides import Overrides
from carbonnas.energy.meter import Usage
from carbonnas.energy.node_meter import NodeMeter
from carbonnas.errors import ConfigError
from carbonnas.execution.executor import Executor
from carbonnas.execution.polled_ahead import PolledAhead
from carbonnas.record import SearchState, StopReason, own_budget_name
from carbonnas.search_state import SearchHeader, Step
from carbonnas.status import SearchStatus
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.lock import search_lock
from carbonnas.storage.paths import search_folder
from carbonnas.storage.search_store import SearchStore
from carbonnas.trials import TrialState
from carbonnas.wiring import OpenSearch, SharedNode, Substitutes, open_search

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
        openers: Starts workers; its threads live as long as the daemon, because workers die with the thread that started them.
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
        self._opened: OpenSearch | None = None
        self._executor: PolledAhead | None = None
        self._own_budgets: BudgetBook | None = None
        self._told: tuple[int, str | None] | None = None
        self._warming: Future[None] | None = None
        self._held = ExitStack()

    @property
    def search_id(self) -> str:
        """Its id."""
        return self.stored.search_id

    @property
    def is_open(self) -> bool:
        """Whether it is ticked."""
        return self._opened is not None and self._warming is None

    @property
    def is_opening(self) -> bool:
        """Whether its workers are starting."""
        return self._warming is not None

    def is_due(self, now: datetime) -> bool:
        """Whether its deadline has come, so that it has to be ended although it has no slot."""
        return self.header.deadline is not None and now >= self.header.deadline

    @property
    def running(self) -> int:
        """Trials that hold a slot."""
        return 0 if self.status is None or self._opened is None else len(self.status.running)

    def wanted(self, now: datetime) -> int:
        """Return how many slots it would use, as far as is known; none while it is paused, or rests after a failure."""
        if self.stored.paused or (self._retry_at is not None and now < self._retry_at):
            return 0
        if self.status is None or not self.is_open:
            return min(self.header.slots, self._machine.slots)
        return self.status.wanted_slots

    def may_open(self, now: datetime) -> bool:
        """Whether it can be opened now: it is closed, and did not fail a short while ago."""
        return self._opened is None and (self._retry_at is None or now >= self._retry_at)

    def open(self) -> None:
        """Make the search and begin to start its workers. Raises what `open_search` and the search's lock raise."""
        machine, config = self._machine, self._usable
        self._held.enter_context(search_lock(search_folder(machine.state_folder, self.search_id)))
        substitutes = Substitutes(
            clock=machine.clock,
            node=SharedNode(
                slots=machine.slots,
                meter=machine.node.share(self.search_id),
                budgets=self._with_common,
                executor=self._polled_ahead,
            ),
            monitor=machine.grids.join(config, self.search_id),
        )
        self._opened = open_search(
            config,
            self.header.config,
            machine.store,
            search_id=self.search_id,
            state_folder=machine.state_folder,
            substitutes=substitutes,
        )
        if self._executor is not None:
            self._warming = machine.openers.submit(self._executor.warm)

    @property
    def _usable(self) -> SearchConfig:
        if isinstance(self._config, ConfigError):
            raise self._config
        return self._config

    def _with_common(self, own: BudgetBook) -> Budgets:
        self._own_budgets = own
        for place, budget in enumerate(own.budgets):
            for override in self._machine.overrides.of(own_budget_name(self.search_id, place)):
                own.raise_limit(place, override.window_of(budget), override.grams)
        return self._machine.budgets.open(self.search_id, self.stored.labels, own)

    def raise_limit(self, place: int, window: Interval | None, grams: float) -> None:
        """Add grams to the limit of one of its own budgets inside one of its windows."""
        if self._own_budgets is not None:
            self._own_budgets.raise_limit(place, window, grams)

    def _polled_ahead(self, executor: Executor) -> Executor:
        self._executor = PolledAhead(executor)
        return self._executor

    def settle_in(self, now: datetime) -> None:
        """Start the search once its workers are there. Raises what kept them from starting, and what `Search.start` raises."""
        if self._opened is not None and self._warming is not None and self._warming.done():
            self._warming.result()
            self._opened.search.start(now)
            self._warming = None

    def fetch(self) -> bool:
        """Poll its workers, and say whether something has ended."""
        return self._executor is not None and self.is_open and self._executor.fetch()

    @property
    def usages(self) -> tuple[Usage, ...]:
        """What its next tick will account for."""
        if self._executor is None or self._opened is None:
            return ()
        return (*self._opened.search.unread, *self._executor.usages)

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
        return None if self._executor is None or not self.is_open else self._executor.next_at

    def _orders(self, stopping: str | None) -> tuple[int, str | None]:
        """Return what its search is to be told: slots that it may use, and why it is to rest."""
        return self.allowed, stopping or ("A person has paused the search." if self.stored.paused else None)

    def has_to_tick(self, now: datetime, *, stopping: str | None) -> bool:
        """Whether its search has something to do: what it asked for has come, work has ended, or it is told something else than before."""
        if not self.is_open or self._executor is None:
            return False
        waits = self.status is not None and now < self.status.next_at and self._told == self._orders(stopping)
        return not waits or self._executor.has_outcomes

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
        if self._opened is not None and self._warming is None:
            try:
                self._opened.search.cancel(now)
            finally:
                # After a failure the search differs from what is stored of it.
                self.close()
            return
        self.close()
        with search_lock(search_folder(self._machine.state_folder, self.search_id)):
            self._cancel_stored(now)

    def _cancel_stored(self, now: datetime) -> None:
        store, step = self._machine.store, Step()
        for trial in store.trials(self.search_id):
            if not trial.state.final:
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
        """Stop workers and meter; what the search did so far is in the store."""
        opened, warming = self._opened, self._warming
        self._opened, self._warming = None, None
        if warming is not None and not warming.cancel():
            self._quietly(warming.exception)
        if opened is not None:
            self._quietly(opened.search.close)
            # Workers that could not be closed cleanly leave the meter open, and a search that is metered can't be opened again.
            self._quietly(lambda: self._machine.node.close(self.search_id))
        self._machine.budgets.close(self.search_id)
        self._machine.grids.leave(self.search_id)
        self._executor, self._own_budgets, self._told = None, None, None
        self._drawn.clear()
        if self.status is not None:
            self.status = replace(self.status, running=())
        self.granted, self.allowed = 0, 0
        self._held.close()

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
        if self._opened is None:
            return Phase.QUEUED
        resting = self.status is not None and self.status.wanted_slots == 0
        return Phase.RUNNING if self.granted or self.running or resting else Phase.QUEUED

    def restless(self, now: datetime) -> bool:
        """Whether it has had its slots for less than a quantum."""
        return self.settled_until is not None and now < self.settled_until
