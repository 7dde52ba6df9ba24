"""What simulations found: plain records that the command prints and the report draws.

Emissions are in kg of CO2 equivalent, energy in kWh at the plug of the machine (without the power usage effectiveness, with which emissions
count), times in hours since the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carbonnas.record import StopReason


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The hypervolume from an instant on.

    Attributes:
        hours: When a training that added to it ended.
        kg: What the whole search had emitted by then.
        kwh: What it had drawn by then.
        share: Hypervolume of what was trained by then as a share of the maximal one, 0..1.
    """

    hours: float
    kg: float
    kwh: float
    share: float


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """One search on the virtual clock.

    Attributes:
        seed: Its seed.
        stop_reason: Why it ended.
        finish_h: When it ended.
        emissions_kg: What it emitted; a lower bound while `unpriced_kwh` is above zero.
        energy_kwh: What it drew.
        unpriced_kwh: Energy of times whose intensity the trace does not know.
        scorings: Completed scorings.
        search_trainings: Completed trainings that rank candidates.
        full_trainings: Completed full trainings.
        share: Hypervolume at the end as a share of the maximal one, 0..1.
        curve: How it grew, in order of time.
        suspensions: How often a training left its slot before it was done.
        longest_wait_h: Longest time for which trainings were ready while none ran.
        budget_violations: Windows of budgets in which more was emitted than allowed.
        overshoot_g: By how much at most, in grams.
        training_slots: Slots that trained, on average over each hour since the start.
    """

    seed: int
    stop_reason: StopReason
    finish_h: float
    emissions_kg: float
    energy_kwh: float
    unpriced_kwh: float
    scorings: int
    search_trainings: int
    full_trainings: int
    share: float
    curve: tuple[CurvePoint, ...]
    suspensions: int
    longest_wait_h: float
    budget_violations: int
    overshoot_g: float
    training_slots: tuple[float, ...]

    @property
    def trainings(self) -> tuple[int, int]:
        """Completed trainings, those that rank candidates and full ones."""
        return self.search_trainings, self.full_trainings

    @property
    def deadline_missed(self) -> bool:
        """Whether the deadline came before the plan was carried out."""
        return self.stop_reason is StopReason.DEADLINE

    def reached(self, share: float) -> CurvePoint | None:
        """Return when a share of the maximal hypervolume was reached, or `None` if it never was."""
        return next((point for point in self.curve if point.share >= share), None)


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the seeds; seeds without it count as larger than all others, and what falls on them is `None`.

    Attributes:
        median: Half of the seeds have less.
        q25: A quarter of them.
        q75: Three quarters of them.
        low: The least.
        high: The largest.
        known: Seeds that have the figure.
    """

    median: float | None
    q25: float | None
    q75: float | None
    low: float | None
    high: float | None
    known: int


@dataclass(frozen=True, slots=True)
class QualityLine:
    """What it took to reach a share of the maximal hypervolume.

    Attributes:
        share: The share, 0..1.
        kg: Emissions by then.
        kwh: Energy by then.
        hours: Time by then.
        times_less: Emissions of `carbon_blind` with the same seed by then, divided by `kg`.
        fewer_joules: The factor of it that is due to less energy.
        cleaner_joules: The factor that is due to cleaner energy.
    """

    share: float
    kg: Spread
    kwh: Spread
    hours: Spread
    times_less: Spread
    fewer_joules: Spread
    cleaner_joules: Spread


@dataclass(frozen=True, slots=True)
class SavingLine:
    """A scheduler against `carbon_blind` with the same seeds, over whole searches.

    Attributes:
        kg: What it saves.
        share: What it saves as a share of the emissions of `carbon_blind`.
        fewer_joules_kg: The part that is due to less energy.
        cleaner_joules_kg: The part that is due to cleaner energy; with the other it makes `kg` for every seed.
        clairvoyant_share: What it saves as a share of what `oracle` saves.
        same_work: Seeds whose search completed as many trainings as that of `carbon_blind`: a deadline or a budget that cuts a search
            short saves what was not done, too.
    """

    kg: Spread
    share: Spread
    fewer_joules_kg: Spread
    cleaner_joules_kg: Spread
    clairvoyant_share: Spread
    same_work: int


@dataclass(frozen=True, slots=True)
class Growth:
    """The hypervolume along an axis, over the seeds.

    Attributes:
        at: Places on the axis, ascending.
        median: Median share of the maximal hypervolume at each of them.
        q25: The lower quartile.
        q75: The upper quartile.
    """

    at: tuple[float, ...]
    median: tuple[float, ...]
    q25: tuple[float, ...]
    q75: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SchedulerResult:
    """All searches with one scheduler.

    Attributes:
        name: What the user called it: the plug-in, with options if some were given.
        use: The plug-in.
        options: Its options as they were written.
        uses_forecast: Whether it was handed forecasts.
        runs: One for each seed, in the order of the seeds.
        figures: Spreads of the figures of the runs, by name.
        qualities: What the shares of the hypervolume took.
        saving: What it saves.
        by_kg: Hypervolume against emissions.
        by_hours: Hypervolume against time.
        training_slots: Slots that trained in each hour, on average over the seeds.
    """

    name: str
    use: str
    options: Mapping[str, object]
    uses_forecast: bool
    runs: tuple[SimulatedRun, ...]
    figures: Mapping[str, Spread]
    qualities: tuple[QualityLine, ...]
    saving: SavingLine
    by_kg: Growth
    by_hours: Growth
    training_slots: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HypervolumeLine:
    """How quality was measured.

    Attributes:
        objectives: The objectives.
        fidelity: The fidelity whose trainings count.
        reference: The reference point by metric, in the metric's unit.
        maximum: The hypervolume of all rows of the table.
        rows: Rows of the table.
    """

    objectives: tuple[str, ...]
    fidelity: str
    reference: Mapping[str, float]
    maximum: float
    rows: int


@dataclass(frozen=True, slots=True)
class GridLine:
    """The grid.

    Attributes:
        trace: The trace, as it was named.
        zone: Its zone.
        kind: Average or marginal.
        basis: Life cycle or direct.
        hours: Begins of the hours that were looked at.
        g_per_kwh: Mean intensity of each; `None` in gaps.
    """

    trace: str
    zone: str
    kind: str
    basis: str
    hours: tuple[datetime, ...]
    g_per_kwh: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ChargedLine:
    """What was charged.

    Attributes:
        accounting: `full` or `ce-nas`.
        method: One sentence on the power of work.
        details: Its figures by name.
        pue: Power usage effectiveness.
        suspend_s: Seconds that writing a checkpoint takes.
        resume_s: Seconds that a suspended training needs before it goes on.
    """

    accounting: str
    method: str
    details: Mapping[str, str]
    pue: float
    suspend_s: float
    resume_s: float


@dataclass(frozen=True, slots=True)
class SimulationDocument:
    """Everything that a call of `simulate` found.

    Attributes:
        search: Name of the search.
        start: First instant.
        deadline_h: Hours after which a search is ended; `None` for never.
        slots: Slots of the machine.
        seeds: The seeds.
        forecaster: What schedulers with forecasts were told by; `None` if none was.
        grid: The grid.
        charged: What was charged.
        hypervolume: How quality was measured.
        schedulers: The results, `carbon_blind` first and `oracle` last unless they were asked for elsewhere.
    """

    search: str
    start: datetime
    deadline_h: float | None
    slots: int
    seeds: tuple[int, ...]
    forecaster: str | None
    grid: GridLine
    charged: ChargedLine
    hypervolume: HypervolumeLine
    schedulers: tuple[SchedulerResult, ...]
