"""The shapes of the API, as its description tells them.

Energy is in joules, emissions in grams of CO2 equivalent, intensities in g/kWh, durations in seconds, instants ISO 8601 in UTC. `null` means
unknown, or that there is none; it never stands for zero.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from carbon_sources.health import HealthState
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbonnas.daemon.control import (
    LONGEST_CONFIG,
    LONGEST_LABEL,
    LONGEST_REASON,
    MOST_GRAMS,
    MOST_LABELS,
    PRIORITIES,
    Phase,
)
from carbonnas.record import SearchState, StopReason
from carbonnas.trials import FidelityName, TrialKind, TrialState
from schedulers.budget import AtLimit, Window
from schedulers.decision import ReasonCode

Label = Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]+$")]
Priority = Annotated[int, Field(ge=PRIORITIES[0], le=PRIORITIES[-1], description="A higher one gets slots first.")]
TrialCounts = Annotated[
    dict[TrialKind, dict[TrialState, int]],
    Field(description="Number of trials by kind and state; states without any are left out."),
]


class Answer(BaseModel):
    """What every answer is."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class Problem(Answer):
    """Why a request was not carried out."""

    detail: str = Field(description="One sentence.")
    problems: list[str] | None = Field(
        None, description="Every mistake, one sentence each, where there can be several."
    )


class Well(Answer):
    """All is well."""

    status: Literal["ok"] = "ok"


class Request(BaseModel):
    """What every request is: a key that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class SubmissionBody(Request):
    """A search to be entered."""

    config: str = Field(min_length=1, max_length=LONGEST_CONFIG, description="Its configuration, TOML.")
    folder: str = Field(
        max_length=4096,
        pattern=r"^/[^\x00]*$",
        description="Absolute path of the folder, on the daemon's machine, in which relative paths of the configuration start.",
    )
    priority: Priority = 0
    labels: list[Label] = Field(
        [], max_length=MOST_LABELS, description="Labels such as a team, for budgets that hold for a label."
    )
    new: bool = Field(
        default=False, description="Whether to begin another search although one with this configuration exists."
    )
    anyway: bool = Field(
        default=False, description="Whether to begin although deadline and budgets leave no room for all trainings."
    )


class PriorityBody(Request):
    """A priority."""

    priority: Priority


class OverrideBody(Request):
    """Grams added to a budget for its present window."""

    grams: float = Field(gt=0, le=MOST_GRAMS, allow_inf_nan=False, description="Grams of CO2 equivalent to add.")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, description="Why; it stays in the report.")


class Submitted(Answer):
    """A search that was entered, or that was there already."""

    id: str = Field(description="Its name in commands.")
    there: bool = Field(default=False, description="Whether it was there already; then it stays as it was.")
    priority: int = Field(default=0, description="The priority that it has.")
    labels: list[str] = Field(default=[], description="The labels that it has.")


class Totals(Answer):
    """Energy and emissions so far."""

    energy_j: float = Field(description="All energy in J, priced or not.")
    emissions_g: float = Field(description="Emissions of the priced energy in g.")
    unpriced_j: float = Field(description="Energy in J whose intensity is unknown; its emissions are in no sum.")


class Why(Answer):
    """Why a decision is what it is."""

    code: ReasonCode = Field(description="For programs.")
    text: str = Field(description="For people, one sentence.")


class DecisionAnswer(Answer):
    """A decision of the scheduler."""

    time: datetime | None = Field(description="When it was made; null for the one in force.")
    intensity_g_per_kwh: float | None = Field(description="The intensity that it saw; null while blind.")
    train_slots: int = Field(description="Slots that may train.")
    score_slots: int = Field(description="Slots that may score.")
    reason: Why
    review_at: datetime = Field(description="When the scheduler is asked again at the latest.")


class TrialAnswer(Answer):
    """One piece of work of a search."""

    number: int = Field(description="Place in the plan, from 0.")
    round: int
    kind: TrialKind
    fidelity: FidelityName
    epochs: int = Field(description="Passes over the training part; 0 for scoring.")
    epoch: int | None = Field(description="Epochs done, as last reported while it runs.")
    architecture: str = Field(description="Canonical text of the architecture.")
    state: TrialState
    attempt: int
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    metrics: dict[str, float | None] = Field(
        description="Measured values; accuracies are fractions, null is not finite."
    )
    failure: str | None = Field(description="Why it failed, in one sentence.")


class OverrideAnswer(Answer):
    """Grams that an operator added to a budget for one window."""

    at: datetime
    grams: float
    reason: str
    window_start: datetime | None


class EndedWindowAnswer(Answer):
    """A window of a budget that has ended, and in which more was emitted than allowed."""

    window_start: datetime
    window_end: datetime
    limit_g: float
    spent_g: float = Field(
        description="Spent in it, as is known by now; unpriced energy counts with what is expected of it at most."
    )
    unpriced_g: float = Field(description="The part of it that is for unpriced energy.")
    doubt_g: float = Field(description="How much more that energy may turn out to have emitted.")
    over_g: float = Field(description="How far what is spent and in doubt is above the limit.")
    at_end_g: float | None = Field(
        description="What was spent and in doubt when it ended; null if the daemon did not run then, or was started anew since."
    )
    why: str = Field(description="For people: whether it was over when it ended, or prices came later.")


class BudgetAnswer(Answer):
    """How a budget stands, in grams of CO2 equivalent."""

    name: str = Field(description="`daemon/NAME`, or `SEARCH-ID/NUMBER` with numbers from 1.")
    search_id: str | None = Field(description="Whose it is; null for one over many searches.")
    label: str | None = Field(description="The label whose searches it holds for; null for all.")
    window: Window
    window_start: datetime | None
    window_end: datetime | None
    timezone: str
    at_limit: AtLimit
    warn_at: float = Field(description="Share of the limit from which it warns, 0..1.")
    limit_g: float
    spent_g: float = Field(
        description="Spent in this window; unpriced energy counts with what is expected of it at most."
    )
    unpriced_g: float = Field(description="The part of it that is for unpriced energy.")
    doubt_g: float = Field(description="How much more that energy may turn out to have emitted.")
    reserved_g: float = Field(description="Upper estimates of the work that is running.")
    remaining_g: float = Field(description="Surely neither spent nor reserved; below zero after an overshoot.")
    warned: bool
    exhausted: bool
    exhausted_at: datetime | None = Field(
        description="When it will be exhausted as forecast; null if not within the forecast, or unknown."
    )
    overrides: list[OverrideAnswer] = Field(description="What operators have added in this window, oldest first.")
    exceeded: list[EndedWindowAnswer] = Field(
        [],
        description="Of a budget of the daemon, those of its last 14 ended windows in which more was emitted than allowed, the newest first;"
        " those of a search's own budget stand in its report.",
    )


class SearchLine(Answer):
    """A search in a list."""

    id: str
    name: str
    phase: Phase | None = Field(description="Null for one that has not ended and is not the daemon's.")
    problem: str | None = Field(description="Why it can't run, in one sentence.")
    state: SearchState | None = Field(description="Null before its first step.")
    stop_reason: StopReason | None
    priority: int | None = Field(description="-100..100; null for one that was not handed to the daemon.")
    labels: list[str]
    slots: int = Field(description="Slots that it was set up for.")
    granted: int = Field(description="Slots that it may use at the moment.")
    submitted_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    totals: Totals | None
    trials: TrialCounts | None = None


class SearchList(Answer):
    """A page of searches, the newest first."""

    searches: list[SearchLine]
    next: str | None = Field(description="Value of `before` for the next page; null if there is none.")


class SearchAnswer(SearchLine):
    """One search."""

    seed: int
    objectives: list[str] = Field(description="What it is after; the first ranks.")
    clock: str | None = Field(description="One sentence on a clock that is not the machine's.")
    planned: dict[TrialKind, int] | None = Field(
        description="Trials that the whole plan holds; null for one that has ended."
    )
    running: list[TrialAnswer] = Field(description="Trials that hold a slot.")
    decision: DecisionAnswer | None = Field(description="The decision in force, or the last one.")
    best: TrialAnswer | None = Field(description="Best completed training so far.")
    budgets: list[BudgetAnswer]
    next_at: datetime | None = Field(description="When it looks again at the latest.")
    looking: str | None = Field(
        None, description="What its plan waits for while proposals are made, in one sentence; null if it does not."
    )
    exhausted: str | None = Field(
        None,
        description="Why nothing is proposed any more before the last round, in one sentence; null as long as rounds are.",
    )


class TrialList(Answer):
    """A page of trials by number."""

    trials: list[TrialAnswer]
    next: int | None = Field(description="Value of `after` for the next page; null if there is none.")


class DecisionList(Answer):
    """A page of decisions, the newest first."""

    decisions: list[DecisionAnswer]
    next: int | None = Field(description="Value of `before` for the next page; null if there is none.")


class BudgetList(Answer):
    """All budgets: the daemon's, and those of searches that have not ended."""

    budgets: list[BudgetAnswer]


class IntensityAnswer(Answer):
    """Mean carbon intensity over an interval."""

    start: datetime
    end: datetime
    g_per_kwh: float
    zone: str
    kind: IntensityKind
    basis: Basis
    provenance: Provenance
    source: str


class SourceAnswer(Answer):
    """A carbon source and how well it serves."""

    name: str
    searches: list[str] = Field(description="Ids of the searches that use it.")
    current: IntensityAnswer | None = Field(description="The present intensity; null while it is unknown.")
    expected: IntensityAnswer | None = Field(description="What the forecast says of the present.")
    state: HealthState
    sentences: list[str] = Field(description="What is wrong, odd or worth knowing.")
    newest_end: datetime | None = Field(description="End of the newest value's interval.")
    age_s: float | None = Field(description="How long ago that was, in seconds.")
    failures: int = Field(description="Questions without an answer since the last one that was answered.")
    failing_since: datetime | None
    forecast_error: float | None = Field(
        description="Mean absolute percentage error of what was forecast a day before, over 24 h; 0.1 is 10 %."
    )
    due_at: datetime = Field(description="When the source is asked again.")


class SourceList(Answer):
    """The carbon sources in use."""

    sources: list[SourceAnswer]


class TicksAnswer(Answer):
    """How long ticks take, in real seconds, over the newest thousand at most."""

    count: int
    median_s: float
    p99_s: float
    last_s: float


class StallAnswer(Answer):
    """A time in which the machine slept or the daemon was stopped."""

    since: datetime
    seconds: float


class MeasurementAnswer(Answer):
    """How energy is measured."""

    meter: str
    method: str
    caveat: str
    modelled: bool = Field(description="Whether a model, a table or a constant stands in for the processor's counters.")


class StatusAnswer(Answer):
    """The daemon after its last tick that changed something."""

    release: str = Field(description="Release of carbonnas.")
    version: int = Field(description="Grows with each change.")
    now: datetime
    started_at: datetime
    ready: bool
    stopping: bool
    trouble: str | None = Field(description="Why it is not ready, or does not tick on time, in one sentence.")
    clock: str | None = Field(description="One sentence on a clock that is not the machine's.")
    slots: int = Field(description="Slots of the machine.")
    granted: int = Field(description="Slots that searches may use at the moment.")
    phases: dict[Phase, int] = Field(description="Number of searches by phase; those that have ended are left out.")
    decisions: dict[str, int] = Field(description="Number of decisions since the start by reason code.")
    ticks: TicksAnswer
    stalled: StallAnswer | None
    measurement: MeasurementAnswer | None = Field(description="Null while nothing is measured.")
