"""What a report says, as frozen records; the names of the fields are those of the JSON report.

Energy is in kWh, emissions in grams of CO2 equivalent, intensity in g/kWh, instants are UTC, accuracies are fractions. `None` means
unknown, or that there is none; it never stands for zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval
from carbonnas.record import SearchState, StopReason
from carbonnas.trials import TrialKind, TrialState
from schedulers.budget import AtLimit, Window
from schedulers.decision import ReasonCode


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """Which search it was; as in `SearchRecord`."""

    id: str
    name: str
    state: SearchState
    stop_reason: StopReason | None
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    seed: int
    slots: int
    clock: str | None
    objectives: tuple[str, ...]
    config: str
    exhausted: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the ledger.

    Attributes:
        energy_kwh: All energy, priced or not.
        emissions_g: Emissions of the priced energy: `trials_g + overhead_g + idle_g`.
        trials_g: What trials emitted.
        overhead_g: What the search's own work emitted.
        idle_g: What the machine's idle share emitted.
        unpriced_kwh: Energy whose intensity is unknown; its emissions are in no sum.
        clean_share: Share of the energy drawn in the cleanest half of the hours, 0..1.
        clean_share_how: How that was computed, or why it is unknown.
    """

    energy_kwh: float
    emissions_g: float
    trials_g: float
    overhead_g: float
    idle_g: float
    unpriced_kwh: float
    clean_share: float | None
    clean_share_how: str


@dataclass(frozen=True, slots=True)
class Downtime:
    """When nobody worked on the search, so that nothing was drawn for it.

    Attributes:
        hours: How long in all.
        stretches: Each longer than a minute, in order of time.
    """

    hours: float
    stretches: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """How one budget stands.

    Attributes:
        window: What it counts over.
        window_start: Start of the calendar window; `None` for the whole search.
        window_end: Its end.
        limit_g: The limit, `added_g` included.
        added_g: What operators added to it.
        spent_g: Emissions inside the window; unpriced energy counts with a conservative bound.
        reserved_g: Upper estimates of the work that is running.
        remaining_g: What is neither spent nor reserved; below zero after an overshoot.
        warned: Whether spending has reached the share from which the user is warned.
        exhausted: Whether spending has reached the limit.
        at_limit: What happens at the limit.
    """

    window: Window
    window_start: datetime | None
    window_end: datetime | None
    limit_g: float
    added_g: float
    spent_g: float
    reserved_g: float
    remaining_g: float
    warned: bool
    exhausted: bool
    at_limit: AtLimit


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """What an operator added to a budget; as in `carbonnas.record.Override`."""

    at: datetime
    budget: str
    grams: float
    reason: str
    window_start: datetime | None


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One trial.

    Attributes:
        id: Its number.
        kind: Score or train.
        fidelity: Name of the fidelity.
        epochs: Epochs of the fidelity.
        architecture: Canonical text of the architecture.
        state: Where it is in its life.
        attempt: The last attempt; energy and emissions are those of all attempts.
        energy_kwh: Energy drawn.
        emissions_g: Emissions of the priced part; `None` if it drew energy and none of it is priced.
        unpriced_kwh: Energy whose intensity is unknown.
        started_at: When it first got a slot.
        ended_at: When it ended.
        metrics: Measured values by name; not-a-number and infinity become `None` in JSON.
        failure: Why it failed, or which metric a completed one lacks.
        curve: Values after each epoch, by name.
    """

    id: int
    kind: TrialKind
    fidelity: str
    epochs: int
    architecture: str
    state: TrialState
    attempt: int
    energy_kwh: float
    emissions_g: float | None
    unpriced_kwh: float
    started_at: datetime | None
    ended_at: datetime | None
    metrics: Mapping[str, float]
    failure: str | None
    curve: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision of the scheduler; `intensity_g_per_kwh` is `None` where it was unknown."""

    time: datetime
    intensity_g_per_kwh: float | None
    train_slots: int
    score_slots: int
    reason: str
    reason_code: ReasonCode


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same work placed differently.

    Attributes:
        carbon_blind_g: Without regard to the grid, overhead and idle energy as this search drew them.
        carbon_blind_trials_g: Its trials alone, to be compared with `Totals.trials_g`.
        carbon_blind_end: When that schedule would have ended.
        carbon_blind_how: How that was computed, or why it is unknown.
        clairvoyant_g: With perfect foresight, overhead and idle energy as this search drew them.
        clairvoyant_trials_g: Its trials alone.
        clairvoyant_how: How that was computed, or why it is unknown.
    """

    carbon_blind_g: float | None
    carbon_blind_trials_g: float | None
    carbon_blind_end: datetime | None
    carbon_blind_how: str
    clairvoyant_g: float | None
    clairvoyant_trials_g: float | None
    clairvoyant_how: str


@dataclass(frozen=True, slots=True)
class FrontLine:
    """One architecture that no other one beats in all objectives; `objectives` holds the measured values by metric."""

    trial: int
    architecture: str
    objectives: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One hard limit.

    Attributes:
        limit: The limit in words.
        pruned: Proposals that were dropped before any work because they break it; of several limits the first one counts.
        broken: Trainings for ranking that ended with a result and do not keep it, or do not tell.
    """

    limit: str
    pruned: int
    broken: int


@dataclass(frozen=True, slots=True)
class TargetFront:
    """What was found for one device.

    Attributes:
        name: What the user calls the device.
        at_most_ms: Latency from which a network is of no use on it; `None` for none.
        unknown: Trainings for ranking that ended with a result, and whose latency on it is not known.
        front: Those that keep all limits and that no other one beats on this device.
    """

    name: str
    at_most_ms: float | None
    unknown: int
    front: tuple[FrontLine, ...]


@dataclass(frozen=True, slots=True)
class Best:
    """What the search found.

    Attributes:
        trial: Number of the trial whose metrics these are.
        architecture: Canonical text of the architecture.
        fidelity: Fidelity of that trial.
        metrics: Its metrics; `test_accuracy` only after a full training.
        how: How it was chosen.
    """

    trial: int
    architecture: str
    fidelity: str
    metrics: Mapping[str, float]
    how: str


@dataclass(frozen=True, slots=True)
class MeasurementLine:
    """How energy was measured.

    Attributes:
        meter: Name of the meter.
        method: How it measures.
        details: Settings and findings by name.
        caveat: What the figure is worth.
        modelled: Whether a model or a constant stands in for the processor's counters.
        measured_kwh: What the meter measured; the ledger's total is `Totals.energy_kwh`.
        pue: Power usage effectiveness that emissions are multiplied with; `None` if nothing is accounted or it was changed.
    """

    meter: str
    method: str
    details: Mapping[str, str]
    caveat: str
    modelled: bool
    measured_kwh: float
    pue: float | None


@dataclass(frozen=True, slots=True)
class PricedBy:
    """Energy and emissions that were priced with intensities of one origin."""

    source: str
    method: str
    zone: str
    kind: str
    basis: str
    provenance: str
    energy_kwh: float
    emissions_g: float


@dataclass(frozen=True, slots=True)
class ProvenanceSummary:
    """Where the intensities came from that priced the energy, and how much energy has none yet."""

    priced: tuple[PricedBy, ...]
    unpriced_kwh: float


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """One report; `format` is raised when a field changes its meaning or vanishes."""

    format: int
    search: SearchSummary
    totals: Totals
    downtime: Downtime
    budget: tuple[BudgetLine, ...]
    overrides: tuple[OverrideLine, ...]
    best: Best | None
    pareto: tuple[FrontLine, ...]
    targets: tuple[TargetFront, ...]
    limits: tuple[LimitLine, ...]
    counterfactuals: Comparison
    measurement: MeasurementLine
    provenance: ProvenanceSummary
    trials: tuple[TrialLine, ...]
    decisions: tuple[DecisionLine, ...]
