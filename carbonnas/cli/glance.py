"""What a progress display shows of a search, whether this process works on it or the daemon tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.units import J_PER_KWH
from carbonnas.report.formatting import grams, kwh, spent, spent_share
from carbonnas.status import SearchStatus
from carbonnas.trials import TrialKind, TrialState
from schedulers.decision import ReasonCode


@dataclass(frozen=True, slots=True)
class Course:
    """What a decision is about; another course is news."""

    train_slots: int
    score_slots: int
    reason_code: ReasonCode

    def __str__(self) -> str:
        return f"{self.train_slots} training, {self.score_slots} scoring"


@dataclass(frozen=True, slots=True)
class Work:
    """Trials of one kind.

    Attributes:
        completed: Those with a result.
        failed: Those that ended without.
        planned: What the whole plan holds; `None` if unknown.
    """

    completed: int
    failed: int
    planned: int | None

    @property
    def done(self) -> int:
        """Those that have ended."""
        return self.completed + self.failed


@dataclass(frozen=True, slots=True)
class Drawn:
    """Energy in J, emissions in g of the part that is priced, and energy in J that has no price."""

    energy_j: float
    emissions_g: float
    unpriced_j: float

    def __str__(self) -> str:
        unpriced = f", {kwh(self.unpriced_j / J_PER_KWH)} not priced yet" if self.unpriced_j > 0 else ""
        return f"{kwh(self.energy_j / J_PER_KWH)}, {grams(self.emissions_g)} CO2eq{unpriced}"


@dataclass(frozen=True, slots=True)
class BudgetGlance:
    """One budget: grams spent of the limit in its window, whether that is near the end, or at it."""

    spent_g: float
    limit_g: float
    window: str
    warned: bool
    exhausted: bool

    def __str__(self) -> str:
        share = spent_share(self.spent_g, self.limit_g)
        return f"{spent(self.spent_g, self.limit_g)} of {grams(self.limit_g)} per {self.window} ({share})"


@dataclass(frozen=True, slots=True)
class Best:
    """The best training so far."""

    number: int
    key: str
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Glance:
    """One look at a search.

    Attributes:
        now: Instant in the clock of the search, UTC.
        held: Why the daemon lets it rest, in one sentence; `None` if it does not, or there is no daemon.
        intensity: What is known of the grid, in one sentence; `None` where nothing is told of it.
        course: What the decision in force is; `None` before the first.
        reason: Why, in one sentence.
        scored: Scorings; `None` while unknown.
        trained: Trainings; `None` while unknown.
        running: What holds a slot, a few words each.
        drawn: Energy and emissions so far; `None` while unknown.
        budgets: How the budgets stand.
        best: The best training so far.
        looking: What its plan waits for while proposals are made, in one sentence; `None` if it does not.
        exhausted: Why nothing is proposed any more, in one sentence; `None` as long as rounds are.
    """

    now: datetime
    held: str | None
    intensity: str | None
    course: Course | None
    reason: str | None
    scored: Work | None
    trained: Work | None
    running: tuple[str, ...]
    drawn: Drawn | None
    budgets: tuple[BudgetGlance, ...]
    best: Best | None
    looking: str | None = None
    exhausted: str | None = None


def glance_at(status: SearchStatus) -> Glance:
    """Return what is shown of a search of this process."""
    decision, best = status.decision, status.best
    return Glance(
        now=status.now,
        held=None,
        intensity=_intensity(status),
        course=None if decision is None else Course(decision.train_slots, decision.score_slots, decision.reason.code),
        reason=None if decision is None else decision.reason.text,
        scored=_work(status, TrialKind.SCORE),
        trained=_work(status, TrialKind.TRAIN),
        running=tuple(_stage(status, trial.number, trial.kind) for trial in status.running),
        drawn=Drawn(status.totals.energy_j, status.totals.emissions_g, status.totals.unpriced_j),
        budgets=tuple(
            BudgetGlance(state.spent_g, state.budget.limit_g, state.budget.window.value, state.warned, state.exhausted)
            for state in status.budgets
        ),
        best=None if best is None else Best(best.number, best.key, best.metrics),
        looking=status.looking,
        exhausted=status.exhausted,
    )


def stage(kind: str, number: int, epoch: int | None, epochs: int | None) -> str:
    """Return a few words on a running trial: what it is, and how far, if it has told."""
    at = "" if epoch is None or epochs is None else f" (epoch {epoch} of {epochs})"
    return f"{kind} {number}{at}"


def _intensity(status: SearchStatus) -> str:
    current = status.observation.current
    if current is None:
        return f"intensity unknown: {status.observation.problem or 'no data for this time'}"
    return f"{current.g_per_kwh:.0f} g/kWh in {current.zone}, {current.provenance.value}"


def _work(status: SearchStatus, kind: TrialKind) -> Work:
    completed, failed = (status.count(kind, state) for state in (TrialState.COMPLETED, TrialState.FAILED))
    return Work(completed, failed, status.planned[kind])


def _stage(status: SearchStatus, number: int, kind: TrialKind) -> str:
    report = status.epochs.get(number)
    return stage(kind.value, number, *((None, None) if report is None else (report.epoch, report.epochs)))
