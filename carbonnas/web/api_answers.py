"""From what the daemon and the store know to the shapes of the API."""

from __future__ import annotations

import functools
import math
from collections import Counter
from importlib.metadata import version

from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import Interval
from carbonnas.accounting import RunningTotals
from carbonnas.daemon.control import BudgetView, DaemonView, EndedWindow, GridView, Phase, SearchView
from carbonnas.energy.meter import Measurement
from carbonnas.execution.executor import EpochReport
from carbonnas.record import DecisionRecord, SearchState
from carbonnas.search_state import Totals
from carbonnas.status import SearchStatus
from carbonnas.storage.search_index import SearchSummary
from carbonnas.trials import Trial
from carbonnas.web import api_models as models
from carbonnas.web.events import by_kind
from carbonnas.web.pages_words import why_over
from carbonnas.web.shelf import ShelfDetails
from schedulers.budget import BudgetState
from schedulers.decision import Decision


@functools.cache
def release() -> str:
    """Return the release of carbonnas that runs."""
    return version("carbonnas")


def status_answer(view: DaemonView) -> models.StatusAnswer:
    """Return the daemon as a whole."""
    phases = Counter(search.phase for search in view.searches)
    stalled = view.stalled
    return models.StatusAnswer(
        release=release(),
        version=view.version,
        now=view.now,
        started_at=view.started_at,
        ready=view.ready,
        stopping=view.stopping,
        trouble=view.trouble,
        clock=view.clock,
        slots=view.slots,
        granted=sum(search.granted for search in view.searches),
        phases=dict(phases),
        decisions=dict(view.decisions),
        ticks=models.TicksAnswer(
            count=view.ticks.count,
            median_s=view.ticks.median_s,
            p99_s=view.ticks.p99_s,
            last_s=view.ticks.last_s,
        ),
        stalled=None if stalled is None else models.StallAnswer(since=stalled[0], seconds=stalled[1].total_seconds()),
        measurement=None if view.measurement is None else measurement_answer(view.measurement),
    )


def measurement_answer(measurement: Measurement) -> models.MeasurementAnswer:
    """Return how energy is measured."""
    return models.MeasurementAnswer(
        meter=measurement.meter,
        method=measurement.method,
        caveat=measurement.caveat,
        modelled=measurement.modelled,
    )


def live_line(search: SearchView) -> models.SearchLine:
    """Return a search that has not ended, for lists."""
    return models.SearchLine.model_validate(_live(search))


def _live(search: SearchView) -> dict[str, object]:
    header, status = search.header, search.status
    return {
        "id": header.search_id,
        "name": header.name,
        "phase": search.phase,
        "problem": search.problem,
        "state": None if status is None else status.state,
        "stop_reason": None if status is None else status.stop_reason,
        "priority": search.priority,
        "labels": list(search.labels),
        "slots": header.slots,
        "granted": search.granted,
        "submitted_at": search.submitted_at,
        "started_at": header.started_at,
        "ended_at": None,
        "deadline": header.deadline,
        "totals": None if status is None else _totals(status.totals),
        "trials": None if status is None else by_kind(status.counts),
    }


def shelved_line(summary: SearchSummary) -> models.SearchLine:
    """Return a search that the daemon does not run, for lists."""
    return models.SearchLine.model_validate(_shelved(summary))


def _shelved(summary: SearchSummary) -> dict[str, object]:
    submission = summary.submission
    return {
        "id": summary.search_id,
        "name": summary.name,
        "phase": None if summary.state is SearchState.RUNNING else Phase.ENDED,
        "problem": None,
        "state": summary.state,
        "stop_reason": summary.stop_reason,
        "priority": None if submission is None else submission.priority,
        "labels": [] if submission is None else list(submission.labels),
        "slots": summary.slots,
        "granted": 0,
        "submitted_at": None if submission is None else submission.submitted_at,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "deadline": summary.deadline,
        "totals": _totals(summary.totals),
        "trials": by_kind(summary.totals.counts),
    }


def live_answer(search: SearchView, budgets: tuple[BudgetView, ...]) -> models.SearchAnswer:
    """Return all of a search that has not ended; `budgets` are those that it has itself."""
    header, status = search.header, search.status
    more: dict[str, object] = {
        "seed": header.seed,
        "objectives": [str(objective) for objective in header.objectives],
        "clock": header.clock,
        "planned": None,
        "running": [],
        "decision": None,
        "best": None,
        "budgets": [budget_answer(budget) for budget in budgets],
        "next_at": None,
    }
    if status is not None:
        more |= _standing(status)
    return models.SearchAnswer.model_validate({**_live(search), **more})


def _standing(status: SearchStatus) -> dict[str, object]:
    current = status.observation.current
    intensity = None if current is None else current.g_per_kwh
    return {
        "planned": dict(status.planned),
        "running": [trial_answer(trial, status.epochs.get(trial.number)) for trial in status.running],
        "decision": None if status.decision is None else _decision(status.decision, intensity),
        "best": None if status.best is None else trial_answer(status.best),
        "next_at": status.next_at,
        "looking": status.looking,
        "exhausted": status.exhausted,
    }


def shelved_answer(details: ShelfDetails) -> models.SearchAnswer:
    """Return all of a search that the daemon does not run."""
    header = details.header
    more = {
        "seed": header.seed,
        "objectives": [str(objective) for objective in header.objectives],
        "clock": header.clock,
        "planned": None,
        "running": [],
        "decision": None if details.decision is None else decision_answer(details.decision),
        "best": None if details.best is None else trial_answer(details.best),
        "budgets": [budget_answer(budget) for budget in details.budgets],
        "next_at": None,
        "exhausted": details.progress.position.exhausted,
    }
    return models.SearchAnswer.model_validate({**_shelved(details.summary), **more})


def _totals(totals: RunningTotals | Totals) -> models.Totals:
    return models.Totals(energy_j=totals.energy_j, emissions_g=totals.emissions_g, unpriced_j=totals.unpriced_j)


def trial_answer(trial: Trial, report: EpochReport | None = None) -> models.TrialAnswer:
    """Return one trial, with its newest report while it runs."""
    return models.TrialAnswer(
        number=trial.number,
        round=trial.round,
        kind=trial.kind,
        fidelity=trial.fidelity.name,
        epochs=trial.fidelity.epochs,
        epoch=None if report is None else report.epoch,
        architecture=trial.key,
        state=trial.state,
        attempt=trial.attempt,
        queued_at=trial.queued_at,
        started_at=trial.started_at,
        ended_at=trial.ended_at,
        metrics={name: value if math.isfinite(value) else None for name, value in trial.metrics.items()},
        failure=trial.failure,
    )


def decision_answer(record: DecisionRecord) -> models.DecisionAnswer:
    """Return a decision that was made."""
    return _decision(record.decision, record.intensity_g_per_kwh).model_copy(update={"time": record.time})


def _decision(decision: Decision, intensity_g_per_kwh: float | None) -> models.DecisionAnswer:
    return models.DecisionAnswer(
        time=None,
        intensity_g_per_kwh=intensity_g_per_kwh,
        train_slots=decision.train_slots,
        score_slots=decision.score_slots,
        reason=models.Why(code=decision.reason.code, text=decision.reason.text),
        review_at=decision.review_at,
    )


def budget_answer(view: BudgetView) -> models.BudgetAnswer:
    """Return how a budget stands."""
    state, budget, window = view.state, view.state.budget, view.state.window
    return models.BudgetAnswer(
        name=view.name,
        search_id=view.search_id,
        label=view.label,
        window=budget.window,
        window_start=None if window is None else window.start,
        window_end=None if window is None else window.end,
        timezone=budget.timezone,
        at_limit=budget.at_limit,
        warn_at=budget.warn_at,
        limit_g=budget.limit_g,
        **_grams(state),
        warned=state.warned,
        exhausted=state.exhausted,
        exhausted_at=view.exhausted_at,
        overrides=[
            models.OverrideAnswer(at=o.at, grams=o.grams, reason=o.reason, window_start=o.window_start)
            for o in view.overrides
        ],
        exceeded=[_ended_window(each.state.window, each) for each in view.exceeded if each.state.window is not None],
    )


def _ended_window(span: Interval, window: EndedWindow) -> models.EndedWindowAnswer:
    state = window.state
    return models.EndedWindowAnswer(
        window_start=span.start,
        window_end=span.end,
        limit_g=state.budget.limit_g,
        spent_g=state.spent_g,
        unpriced_g=state.unpriced_g,
        doubt_g=state.doubt_g,
        over_g=-state.remaining_g,
        at_end_g=window.at_end_g,
        why=why_over(window),
    )


def _grams(state: BudgetState) -> dict[str, float]:
    return {name: getattr(state, name) for name in ("spent_g", "unpriced_g", "doubt_g", "reserved_g", "remaining_g")}


def source_answer(grid: GridView) -> models.SourceAnswer:
    """Return a carbon source and how well it serves."""
    seen, health = grid.observation, grid.health
    return models.SourceAnswer(
        name=grid.name,
        searches=list(grid.searches),
        current=None if seen.current is None else _intensity(seen.current),
        expected=None if seen.expected is None else _intensity(seen.expected),
        state=health.state,
        sentences=list(health.sentences),
        newest_end=health.newest_end,
        age_s=None if health.age is None else health.age.total_seconds(),
        failures=health.failures,
        failing_since=health.failing_since,
        forecast_error=grid.forecast_error,
        due_at=seen.due_at,
    )


def _intensity(sample: IntensitySample) -> models.IntensityAnswer:
    return models.IntensityAnswer(
        start=sample.interval.start,
        end=sample.interval.end,
        g_per_kwh=sample.g_per_kwh,
        zone=sample.zone,
        kind=sample.kind,
        basis=sample.basis,
        provenance=sample.provenance,
        source=sample.source,
    )
