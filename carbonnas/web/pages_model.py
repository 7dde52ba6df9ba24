"""What the templates show of searches and budgets: frozen records of texts and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval
from carbon_sources.units import J_PER_KWH
from carbonnas.daemon.control import BudgetView, EndedWindow, Phase, SearchView
from carbonnas.record import SearchState
from carbonnas.report import formatting
from carbonnas.report.formatting import UNKNOWN, grams, kwh, metric
from carbonnas.status import SearchStatus
from carbonnas.storage.search_index import SearchSummary
from carbonnas.trials import Trial, TrialKind, TrialState
from carbonnas.web import pages_words as words

Counts = Mapping[tuple[TrialKind, TrialState], int]

_APART = "It has not ended, and this daemon does not carry it out."
_WORK = {TrialKind.TRAIN: "trains", TrialKind.SCORE: "scores"}
_DONE = (TrialState.COMPLETED, TrialState.FAILED)


@dataclass(frozen=True, slots=True)
class Bar:
    """How far the trials of one kind are: `done` of `total`, failures among them."""

    label: str
    done: int
    failed: int
    total: int

    @property
    def text(self) -> str:
        """The bar in words."""
        return f"{self.done:,} of {self.total:,}" + (f", {self.failed:,} failed" if self.failed else "")


@dataclass(frozen=True, slots=True)
class EndedRow:
    """A window that has ended with more emitted than allowed."""

    window: Interval | None
    spent: str
    limit: str
    over: str
    why: str


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget; shares are percent of the limit as drawn, so that they end at 100."""

    name: str
    search_id: str | None
    scope: str
    limit: str
    spent: str
    share: str
    reserved: str
    remaining: str
    doubt: str | None
    over: bool
    exhausted: bool
    warned: bool
    at_limit: str
    spent_share: float
    reserved_share: float
    ended: tuple[EndedRow, ...]
    view: BudgetView


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One search in a list, and at the top of its own page.

    Attributes:
        id: Its id.
        name: What the user called it.
        phase: What the daemon does with it, in one word for style sheets.
        phase_word: The same for people.
        why: What it does and why, or how it ended.
        bars: Scorings and trainings; none while nothing is known of them.
        emitted: Emissions, or that they are unknown.
        energy: Energy with what of it has no price.
        best: Its best value, or that there is none.
        active: Whether the daemon carries it out, so that it can be paused or cancelled.
        priority: -100..100; `None` if it was not submitted to a daemon.
        labels: Its labels.
        started_at: When it began, in its own clock.
        ended_at: When it ended.
        deadline: When it has to end.
        running: Its trials that hold a slot, in words.
        budgets: Its budgets.
    """

    id: str
    name: str
    phase: str
    phase_word: str
    why: str
    bars: tuple[Bar, ...]
    emitted: str
    energy: str
    best: str
    active: bool
    priority: int | None
    labels: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None
    running: tuple[str, ...] = ()
    budgets: tuple[BudgetRow, ...] = ()


def budget_row(view: BudgetView) -> BudgetRow:
    """Return a budget as it is shown."""
    state = view.state
    limit_g = state.budget.limit_g
    spent = _share(state.spent_g, limit_g)
    return BudgetRow(
        name=view.name,
        search_id=view.search_id,
        scope=words.scope(view),
        limit=words.limit(view),
        spent=formatting.spent(state.spent_g, limit_g),
        share=formatting.spent_share(state.spent_g, limit_g),
        reserved=grams(state.reserved_g),
        remaining=grams(abs(state.remaining_g)),
        doubt=grams(state.doubt_g) if state.doubt_g > 0 else None,
        over=state.remaining_g < 0,
        exhausted=state.exhausted,
        warned=state.warned,
        at_limit=words.at_limit(view),
        spent_share=spent,
        reserved_share=min(100.0 - spent, _share(state.reserved_g + state.doubt_g, limit_g)),
        ended=tuple(map(_ended_row, view.exceeded)),
        view=view,
    )


def _ended_row(window: EndedWindow) -> EndedRow:
    state = window.state
    limit = grams(state.budget.limit_g)
    return EndedRow(
        state.window, grams(state.spent_g + state.doubt_g), limit, grams(-state.remaining_g), words.why_over(window)
    )


def _share(part_g: float, limit_g: float) -> float:
    return round(100 * min(1.0, max(0.0, part_g / limit_g)), 2)


def active_row(view: SearchView, budgets: tuple[BudgetView, ...] = ()) -> SearchRow:
    """Return a search that has not ended."""
    status, header = view.status, view.header
    return SearchRow(
        id=header.search_id,
        name=header.name,
        phase=view.phase.value,
        phase_word=words.PHASES[view.phase],
        why=words.why(view),
        bars=bars(status.counts, status.planned) if status else (),
        emitted=UNKNOWN
        if status is None
        else emitted(status.totals.energy_j, status.totals.emissions_g, status.totals.unpriced_j),
        energy=UNKNOWN if status is None else energy(status.totals.energy_j, status.totals.unpriced_j),
        best=best_value(status.best if status else None, header.objectives[0].metric if header.objectives else None),
        active=True,
        priority=view.priority,
        labels=view.labels,
        started_at=header.started_at,
        ended_at=None,
        deadline=header.deadline,
        running=tuple(_stage(status, trial) for trial in status.running) if status else (),
        budgets=tuple(budget_row(each) for each in budgets if each.search_id == header.search_id),
    )


def stored_row(summary: SearchSummary, best: str, budgets: tuple[BudgetRow, ...] = ()) -> SearchRow:
    """Return a search that only the store knows; `best` is its best value in words."""
    over, totals, submission = summary.state is not SearchState.RUNNING, summary.totals, summary.submission
    counted = {kind: totals.count(kind, *TrialState) for kind in TrialKind}
    return SearchRow(
        id=summary.search_id,
        name=summary.name,
        phase=Phase.ENDED.value if over else "apart",
        phase_word=words.PHASES[Phase.ENDED] if over else "not the daemon's",
        why=words.ended(summary.state, summary.stop_reason) if over else _APART,
        bars=bars(totals.counts, counted),
        emitted=emitted(totals.energy_j, totals.emissions_g, totals.unpriced_j),
        energy=energy(totals.energy_j, totals.unpriced_j),
        best=best,
        active=False,
        priority=None if submission is None else submission.priority,
        labels=() if submission is None else submission.labels,
        started_at=summary.started_at,
        ended_at=summary.ended_at,
        deadline=summary.deadline,
        budgets=budgets,
    )


def _stage(status: SearchStatus, trial: Trial) -> str:
    report = status.epochs.get(trial.number)
    at = "" if report is None else f", epoch {report.epoch} of {report.epochs}"
    return f"{_WORK[trial.kind]} trial {trial.number}{at}"


def bars(counts: Counts, planned: Mapping[TrialKind, int]) -> tuple[Bar, ...]:
    """Return the bars of both kinds of trials."""
    return tuple(_bar(counts, planned, kind, label) for kind, label in _KINDS)


_KINDS = ((TrialKind.SCORE, "Scored"), (TrialKind.TRAIN, "Trained"))


def _bar(counts: Counts, planned: Mapping[TrialKind, int], kind: TrialKind, label: str) -> Bar:
    done = sum(counts.get((kind, state), 0) for state in _DONE)
    return Bar(label, done, counts.get((kind, TrialState.FAILED), 0), max(planned.get(kind, 0), done))


def emitted(energy_j: float, emissions_g: float, unpriced_j: float) -> str:
    """Return emissions; unknown where energy was drawn and none of it has a price."""
    return UNKNOWN if 0 < energy_j <= unpriced_j else f"{grams(emissions_g)} CO₂e"


def energy(energy_j: float, unpriced_j: float) -> str:
    """Return energy, with what of it has no price yet."""
    unpriced = f", {kwh(unpriced_j / J_PER_KWH)} of it not priced yet" if unpriced_j > 0 else ""
    return kwh(energy_j / J_PER_KWH) + unpriced


def best_value(best: Trial | None, first: str | None) -> str:
    """Return the first objective of the best training."""
    if best is None or first is None or first not in best.metrics:
        return "nothing trained yet"
    return f"{first} {metric(first, best.metrics[first])}"
