"""What is kept of a search between two steps, and what one step adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from carbon_sources.intensity import IntensitySample
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Measurement, MeterReading
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.plan import PlanPosition
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.trials import Trial, TrialKind, TrialState
from schedulers.budget import EmissionBudget


@dataclass(frozen=True, slots=True)
class SearchHeader:
    """What is fixed about a search when it is created.

    Attributes:
        search_id: Its name in commands.
        name: What the user called it.
        fingerprint: Hash of the validated configuration: the same search has the same.
        config: The configuration as TOML.
        seed: Its seed.
        slots: Its slots.
        objectives: What it is after.
        budgets: Its budgets.
        bound_g_per_kwh: Intensity that budgets count unpriced energy with.
        started_at: When it began, in its own clock.
        deadline: When it has to end.
        clock: One sentence on a clock that is not the machine's.
        limits: What networks must keep.
        targets: The devices that networks are searched for.
    """

    search_id: str
    name: str
    fingerprint: str
    config: str
    seed: int
    slots: int
    objectives: tuple[Objective, ...]
    budgets: tuple[EmissionBudget, ...]
    bound_g_per_kwh: float
    started_at: datetime
    deadline: datetime | None
    clock: str | None
    limits: tuple[Limit, ...] = ()
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a search as of one step.

    Attributes:
        energy_j: Energy of the ledger entries that count, in joules, without the power usage effectiveness.
        emissions_g: Grams of those that have a price.
        unpriced_j: Energy of those that have none, in joules.
        counts: Number of trials by kind and state; what is left out is none.
    """

    energy_j: float
    emissions_g: float
    unpriced_j: float
    counts: Mapping[tuple[TrialKind, TrialState], int]

    def count(self, kind: TrialKind, *states: TrialState) -> int:
        """Return how many trials of a kind are in one of the states."""
        return sum(self.counts.get((kind, state), 0) for state in states)


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """What changes about a search.

    Attributes:
        state: Running, completed or stopped.
        stop_reason: Why it ended.
        ended_at: When it ended.
        clock_at: Instant of the last step in the clock of the search.
        position: How far the plan is laid out.
        strategy_state: The strategy, encoded.
        executor_state: What a simulated executor needs to go on; `None` for a real one.
        measurement: How energy is measured.
        totals: Its sums; `None` where nobody has kept them, so that they have to be summed from ledger and trials.
    """

    state: SearchState
    stop_reason: StopReason | None
    ended_at: datetime | None
    clock_at: datetime
    position: PlanPosition
    strategy_state: bytes
    executor_state: str | None
    measurement: Measurement
    totals: Totals | None = None


@dataclass(slots=True)
class Step:
    """What one step of a search adds or changes; collected first, then committed at once.

    Attributes:
        trials: Trials that are new or passed into another state, by number.
        decisions: Decisions made.
        readings: What the meter measured.
        entries: New lines of the ledger.
        usage_marks: For each stream of usage the number up to which it is accounted for.
        slot_seconds: Seconds that trials have had a slot by now, in the clock of the search, by number of the trial.
        intensities: What came to be known of the grid.
    """

    trials: dict[int, Trial] = field(default_factory=dict)
    decisions: list[DecisionRecord] = field(default_factory=list)
    readings: list[MeterReading] = field(default_factory=list)
    entries: list[EmissionEntry] = field(default_factory=list)
    usage_marks: dict[str, int] = field(default_factory=dict)
    slot_seconds: dict[int, float] = field(default_factory=dict)
    intensities: list[IntensitySample] = field(default_factory=list)
