"""What a search is doing at the moment, for progress displays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.monitor import Observation
from carbonnas.accounting import RunningTotals
from carbonnas.execution.executor import EpochReport
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.trials import Trial, TrialKind, TrialState
from schedulers.budget import BudgetState
from schedulers.decision import Decision


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """One look at a search.

    Attributes:
        now: Instant in the clock of the search.
        state: Running, completed or stopped.
        stop_reason: Why it ended.
        observation: What is known of the grid.
        decision: The decision in force; `None` before the first.
        news: The decision as it was recorded in this step; `None` if it is none but the one before.
        counts: Number of trials by kind and state.
        running: Trials that hold a slot, by number.
        epochs: The newest report of each running trial that gave one.
        planned: Trainings and scorings that the whole plan holds.
        totals: Energy and emissions so far.
        budgets: How the budgets stand.
        best: Best completed training so far.
        wanted_slots: Slots that it would use at the moment if it were granted all of its own.
        next_at: When the search looks again at the latest; `now` if there is more to do at once.
        looking: What its plan waits for while proposals are made, in one sentence; `None` if it does not.
        exhausted: Why nothing is proposed any more, in one sentence; `None` as long as rounds are.
    """

    now: datetime
    state: SearchState
    stop_reason: StopReason | None
    observation: Observation
    decision: Decision | None
    news: DecisionRecord | None
    counts: Mapping[tuple[TrialKind, TrialState], int]
    running: tuple[Trial, ...]
    epochs: Mapping[int, EpochReport]
    planned: Mapping[TrialKind, int]
    totals: RunningTotals
    budgets: tuple[BudgetState, ...]
    best: Trial | None
    wanted_slots: int
    next_at: datetime
    looking: str | None = None
    exhausted: str | None = None

    def count(self, kind: TrialKind, *states: TrialState) -> int:
        """Return how many trials of a kind are in one of the states."""
        return sum(self.counts.get((kind, state), 0) for state in states)
