"""The composition root: the only place that makes a search out of its configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from carbon_sources.clock import Clock, ReplayClock, SimulatedClock, SystemClock
from carbon_sources.errors import CarbonSourceError
from carbon_sources.monitor import GridMonitor
from carbon_sources.plugins import PluginGroup
from carbonnas.accounting import Accountant
from carbonnas.budgeting import BudgetBook, Budgets
from carbonnas.candidates import CandidateQueue
from carbonnas.checkpoint_folder import CheckpointFolder
from carbonnas.config import ClockSection, SearchConfig
from carbonnas.costs.known import KnownCosts
from carbonnas.costs.names import COUNTED
from carbonnas.costs.screen import Screen
from carbonnas.energy.meter import EnergyMeter
from carbonnas.errors import CarbonNASError, ConfigError, StorageError
from carbonnas.execution.executor import Executor
from carbonnas.execution.workbench import Workbench
from carbonnas.grid import GridSettings, make_monitor
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition
from carbonnas.planning import Planner
from carbonnas.plugin_workbench import task_of_dataset
from carbonnas.plugins import (
    ENERGY_METERS,
    EXECUTORS,
    SCHEDULERS,
    SEARCH_SPACES,
    STRATEGIES,
    PluginChoice,
)
from carbonnas.record import SearchState
from carbonnas.search import Search
from carbonnas.search_parts import SearchParts
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.paths import search_folder
from carbonnas.storage.search_store import SearchStore
from carbonnas.strategies.guided import Guided
from carbonnas.strategies.state import decode_state, encode_state
from carbonnas.strategies.strategy import SearchStrategy
from schedulers.errors import SchedulingError
from schedulers.safety import SafetyLayer

T = TypeVar("T")

_SIMULATED_METERING = timedelta(minutes=1)
"""Simulated work draws nothing real: it is only metered where a budget could run out, and then this often."""


@dataclass(frozen=True, slots=True)
class OpenSearch:
    """A search ready to start, the clock that it lives in, and the folder of its checkpoints and spools."""

    search_id: str
    search: Search
    clock: Clock
    executor: Executor
    folder: Path


@dataclass(frozen=True, slots=True)
class SharedNode:
    """What searches on one machine have in common.

    Attributes:
        slots: Slots of the machine.
        meter: The search's share of the machine's meter.
        budgets: The search's own budgets, and beside them those that searches have in common.
        executor: Puts the search's executor where the machine can look after it.
    """

    slots: int
    meter: EnergyMeter
    budgets: Budgets
    executor: Callable[[Executor], Executor]


@dataclass(frozen=True, slots=True)
class Substitutes:
    """What a search is handed in place of what its configuration names: many simulations share some of it, searches on one machine the rest.

    Attributes:
        clock: Tells the time; `None` to make it as configured.
        node: The machine; `None` if the search has one to itself.
        monitor: Knows the grid; `None` to make it as configured.
        workbench: Makes the evaluators; `None` for those that are configured.
        scheduler_services: Services for the scheduler, such as the intensities that came, which no live search has.
    """

    clock: Clock | None = None
    node: SharedNode | None = None
    monitor: GridMonitor | None = None
    workbench: Workbench | None = None
    scheduler_services: Mapping[str, object] = field(default_factory=dict)


_NONE = Substitutes()


def search_id_for(config: SearchConfig, number: int) -> str:
    """Return the id of the `number`-th search with a configuration, from 1: its name, a hash, and a number after the first."""
    slug = re.sub(r"[^a-z0-9]+", "-", config.search.name.lower()).strip("-")[:40] or "search"
    return f"{slug}-{config.fingerprint[:8]}" + ("" if number == 1 else f"-{number}")


def choose_search(config: SearchConfig, store: SearchStore, *, anew: bool) -> str:
    """Return the id of the search to run: the last one with this configuration, or a new one if there is none or `anew`."""
    known = store.by_fingerprint(config.fingerprint)
    return search_id_for(config, len(known) + 1) if anew or not known else known[-1]


def open_search(
    config: SearchConfig,
    text: str,
    store: SearchStore,
    *,
    search_id: str,
    state_folder: Path,
    substitutes: Substitutes = _NONE,
) -> OpenSearch:
    """Make the search that a configuration describes, as the store left it, or enter it as a new one; with a long ledger that takes seconds.

    Args:
        config: The validated configuration.
        text: Its TOML, kept for the report.
        store: Where searches are kept.
        search_id: Which search, from `choose_search`; its lock is held by the caller.
        state_folder: Folder of the store; checkpoints and spools lie beside it.
        substitutes: What is there already.

    Raises:
        ConfigError: If plug-ins refuse their options.
    """
    resumed = store.progress(search_id) if search_id in store.ids() else None
    clock = substitutes.clock or make_clock(config.clock, None if resumed is None else resumed.clock_at)
    folder = search_folder(state_folder, search_id)
    builder = _Builder(config, clock, folder, substitutes)
    parts, strategy = builder.parts(search_id, text, store, resumed)
    if resumed is None:
        resumed = _fresh_progress(parts, strategy, clock.now())
        store.create(parts.header, resumed)
    else:
        _load_state(strategy, resumed.strategy_state)
    trials = store.trials(search_id)
    if resumed.state is SearchState.RUNNING:
        parts.accountant.restore(trials)
    search = Search(parts, resumed, trials, store.decisions(search_id))
    return OpenSearch(search_id, search, clock, parts.executor, folder)


def draft_search(
    config: SearchConfig, text: str, store: SearchStore, *, search_id: str, state_folder: Path, substitutes: Substitutes
) -> tuple[SearchHeader, SearchProgress]:
    """Return what the store is to hold of a new search, without entering it; the arguments are those of `open_search`.

    Raises:
        ConfigError: If plug-ins refuse their options.
    """
    clock = substitutes.clock or make_clock(config.clock, None)
    builder = _Builder(config, clock, search_folder(state_folder, search_id), substitutes)
    parts, strategy = builder.parts(search_id, text, store, None)
    return parts.header, _fresh_progress(parts, strategy, clock.now())


def make_clock(section: ClockSection, resume_at: datetime | None) -> Clock:
    """Return the clock of a search; replayed and simulated time goes on where the search was left."""
    if section.start is None:
        return SystemClock()
    start = resume_at or section.start
    return SimulatedClock(start) if section.use == "simulated" else ReplayClock(start, section.speed)


def _make(group: PluginGroup[T], key: str, choice: PluginChoice, services: Mapping[str, object]) -> T:
    try:
        return group.create(choice.use, choice.options, services)
    except (ValueError, CarbonSourceError, SchedulingError, CarbonNASError) as error:
        raise ConfigError(f"[{key}]", (str(error),)) from error


def _metering(config: SearchConfig, *, has_budgets: bool) -> timedelta | None:
    if config.clock.use == "simulated":
        return _SIMULATED_METERING if has_budgets else None
    return config.accounting.metering_interval * config.clock.speed


def _fresh_progress(parts: SearchParts, strategy: SearchStrategy, now: datetime) -> SearchProgress:
    return SearchProgress(
        state=SearchState.RUNNING,
        stop_reason=None,
        ended_at=None,
        clock_at=now,
        position=PlanPosition(),
        strategy_state=encode_state(strategy.state_dict()),
        executor_state=None,
        measurement=parts.accountant.measurement(),
    )


def _load_state(strategy: SearchStrategy, data: bytes) -> None:
    try:
        strategy.load_state_dict(decode_state(data))
    except KeyError as error:
        raise StorageError(
            f"the search can't go on: its strategy's state lacks {error}, an older release wrote it; begin it anew with --new"
        ) from error


class _Builder:
    """Makes the parts of one search."""

    def __init__(self, config: SearchConfig, clock: Clock, folder: Path, substitutes: Substitutes) -> None:
        self._config = config
        self._clock = clock
        self._folder = folder
        self._substitutes = substitutes
        self._objectives = tuple(Objective.parse(text) for text in config.search.objectives)
        self._budgets = tuple(section.budget for section in config.budgets)

    def parts(
        self, search_id: str, text: str, store: SearchStore, resumed: SearchProgress | None
    ) -> tuple[SearchParts, SearchStrategy]:
        config = self._config
        space = _make(SEARCH_SPACES, "space", config.space, {})
        strategy = self._strategy(space)
        node = self._substitutes.node
        own_slots = {"slots": config.search.slots}
        meter = _make(ENERGY_METERS, "energy", config.energy, own_slots) if node is None else node.meter
        parts = SearchParts(
            header=store.header(search_id) if resumed else self._header(search_id, text),
            store=store,
            planner=self._planner(space, strategy),
            scheduler=SafetyLayer(
                _make(SCHEDULERS, "scheduler", config.scheduler, self._substitutes.scheduler_services),
                config.safety.limits,
            ),
            accountant=self._accountant(search_id, meter, store),
            executor=self._executor(meter) if node is None else node.executor(self._executor(meter)),
            checkpoints=CheckpointFolder(self._folder / "checkpoints"),
            trial_timeout=config.search.trial_timeout,
            training_s=config.search.training_s,
            metering=_metering(config, has_budgets=bool(config.budgets) or node is not None),
            virtual=config.clock.use == "simulated",
            node_slots=config.search.slots if node is None else max(node.slots, config.search.slots),
        )
        return parts, strategy

    def _strategy(self, space: SearchSpace) -> SearchStrategy:
        config, seed = self._config, self._config.search.seed
        reward = config.reward.make(self._objectives, seed)
        services = {"space": space, "objectives": self._objectives, "seed": seed, "reward": reward}
        strategy = _make(STRATEGIES, "strategy", config.strategy, services)
        guidance = config.guidance
        if not guidance.active:
            return strategy
        return Guided(
            strategy,
            config.rank_by,
            objective=self._objectives[0],
            seed=seed,
            compete=guidance.compete,
            warm_start=guidance.warm_start,
            entropy_floor=guidance.entropy_floor,
        )

    def _planner(self, space: SearchSpace, strategy: SearchStrategy) -> Planner:
        section = self._config.search
        return Planner(
            section.plan,
            space,
            strategy=strategy,
            objectives=self._objectives,
            queue=CandidateQueue(self._config.rank_by),
            seed=section.seed,
            epochs=section.epochs,
            full_epochs=section.full_epochs,
            limits=self._config.hard_limits,
            screen=self._screen(space),
        )

    def _screen(self, space: SearchSpace) -> Screen | None:
        config = self._config
        plan, limits, targets = config.cost_plan, config.hard_limits, config.devices
        bound = {limit.metric for limit in (*limits, *(limit for target in targets for limit in target.limits))}
        if not bound & {*plan.known}:
            return None
        needs_task = plan.task is None and (bool(bound & COUNTED) or bool(plan.tables))
        task = task_of_dataset(config.training) if needs_task else plan.task
        costs = KnownCosts(space, plan, task)
        costs.prepare()
        return Screen(costs, limits, targets)

    def _accountant(self, search_id: str, meter: EnergyMeter, store: SearchStore) -> Accountant:
        section, node = self._config.accounting, self._substitutes.node
        return Accountant(
            meter,
            self._substitutes.monitor or make_monitor(GridSettings.of(self._config), self._clock, store.archive),
            store,
            search_id=search_id,
            book=BudgetBook(self._budgets, section.bound_g_per_kwh) if node is None else node.budgets,
            pue=section.pue,
            bound_g_per_kwh=section.bound_g_per_kwh,
        )

    def _executor(self, meter: EnergyMeter) -> Executor:
        config = self._config
        named = config.workbench(meter.probe())
        services = {
            "clock": self._clock,
            "slots": config.search.slots,
            "workbench": self._substitutes.workbench or named,
            "spool": self._folder / "spool",
            "probe": meter.probe(),
        }
        return _make(EXECUTORS, "executor", config.executor, services)

    def _header(self, search_id: str, text: str) -> SearchHeader:
        section, started_at = self._config.search, self._clock.now()
        return SearchHeader(
            search_id=search_id,
            name=section.name,
            fingerprint=self._config.fingerprint,
            config=text,
            seed=section.seed,
            slots=section.slots,
            objectives=self._objectives,
            budgets=self._budgets,
            bound_g_per_kwh=self._config.accounting.bound_g_per_kwh,
            started_at=started_at,
            deadline=None if section.deadline is None else started_at + section.deadline,
            clock=self._config.clock.description,
            limits=self._config.hard_limits,
            targets=self._config.devices,
        )
