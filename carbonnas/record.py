"""Everything that is known of a search, read from the store: what a report is made from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import EnergySample, Measurement
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.trials import Trial
from schedulers.budget import BudgetState, EmissionBudget
from schedulers.decision import Decision


class SearchState(enum.Enum):
    """Where a search is in its life."""

    RUNNING = "running"
    COMPLETED = "completed"
    """Its plan was carried out."""
    STOPPED = "stopped"
    """It ended before its plan did: budget, deadline, or a person."""


class StopReason(enum.Enum):
    """Why a search ended."""

    PLAN_DONE = "plan_done"
    BUDGET_EXHAUSTED = "budget_exhausted"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    """A person ended it."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision and the intensity that it saw (`None` while blind)."""

    time: datetime
    intensity_g_per_kwh: float | None
    decision: Decision

    def is_news_after(self, before: DecisionRecord) -> bool:
        """Say whether it changes something, or the one before has run out."""
        return self.time >= before.decision.review_at or self._essence != before._essence

    @property
    def _essence(self) -> tuple[object, ...]:
        decision = self.decision
        return decision.train_slots, decision.score_slots, decision.reason.code, self.intensity_g_per_kwh


_COMMON = "daemon/"


@dataclass(frozen=True, slots=True)
class Override:
    """Grams that an operator added to a budget.

    Attributes:
        budget: Name of the budget: `SEARCH-ID/NUMBER` with numbers from 1, or `daemon/NAME` for one that searches have in common.
        at: When it was added, UTC.
        grams: How much, above zero.
        reason: Why.
        window_start: Begin of the only window that it holds for, UTC; `None` for a budget without windows.
    """

    budget: str
    at: datetime
    grams: float
    reason: str
    window_start: datetime | None

    @property
    def is_common(self) -> bool:
        """Whether the budget is one of the daemon, which several searches have in common."""
        return self.budget.startswith(_COMMON)

    def window_of(self, budget: EmissionBudget) -> Interval | None:
        """Return the window of its budget that it holds for; `None` if that has none."""
        return None if self.window_start is None else budget.window_at(self.window_start)

    def holds_for(self, budget: EmissionBudget) -> bool:
        """Say whether it holds for a budget of its name, which may have got other windows since: then it holds for none of them."""
        window = budget.window_at(self.at)
        return self.window_start == (None if window is None else window.start)


def common_budget_name(name: str) -> str:
    """Return the name that people use for a budget of the daemon."""
    return f"{_COMMON}{name}"


def own_budget_name(search_id: str, place: int) -> str:
    """Return the name of a search's own budget, by its place in the configuration from 0."""
    return f"{search_id}/{place + 1}"


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """A search as the store knows it.

    Attributes:
        search_id: Name of the search in commands.
        name: What the user called it.
        config: The configuration it runs with, as TOML.
        seed: Its seed.
        slots: Slots it had.
        state: Running, completed or stopped.
        stop_reason: Why it ended; `None` while it runs.
        started_at: When it began, UTC.
        ended_at: When it ended, UTC; `None` while it runs.
        deadline: When it had to end, UTC; `None` without a deadline.
        clock: One sentence on the clock if it is not the machine's: replayed with which speed, or simulated; else `None`.
        objectives: What it is after; the first ranks.
        trials: All trials by number.
        decisions: All decisions in order of time.
        entries: All ledger entries that count, superseded ones left out, in order of time.
        measured: What the meter measured, in order of time.
        intensities: Intensity over the time of the search, and some hours around it where known.
        budgets: How each budget of its own stands, what operators have added included.
        measurement: How energy was measured.
        overrides: What operators have added to its budgets, or to common ones of the daemon while it lived there; oldest first.
        limits: What networks must keep.
        targets: The devices that networks are searched for.
        pruned: Proposals that were dropped before any work, by the limit that they broke.
        exhausted: Why nothing was proposed any more before the last round of its plan, in one sentence; `None` if that was not so.
    """

    search_id: str
    name: str
    config: str
    seed: int
    slots: int
    state: SearchState
    stop_reason: StopReason | None
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    clock: str | None
    objectives: tuple[Objective, ...]
    trials: tuple[Trial, ...]
    decisions: tuple[DecisionRecord, ...]
    entries: tuple[EmissionEntry, ...]
    measured: tuple[EnergySample, ...]
    intensities: IntensitySeries
    budgets: tuple[BudgetState, ...]
    measurement: Measurement
    exceeded: tuple[tuple[int, BudgetState], ...] = ()
    overrides: tuple[Override, ...] = ()
    limits: tuple[Limit, ...] = ()
    targets: tuple[Target, ...] = ()
    pruned: Mapping[str, int] = field(default_factory=dict)
    exhausted: str | None = None
