"""From the record of a search to its report; pure."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum

from carbon_sources.interval import HOUR
from carbon_sources.units import J_PER_KWH
from carbonnas.emissions import EmissionEntry, EmissionTotals, by_trial, totals
from carbonnas.record import Override, SearchRecord, own_budget_name
from carbonnas.report.clean_share import clean_share
from carbonnas.report.counterfactuals import counterfactuals
from carbonnas.report.downtime import downtimes, in_all
from carbonnas.report.findings import best, front, limit_lines, target_fronts
from carbonnas.report.model import (
    BudgetLine,
    Comparison,
    DecisionLine,
    Downtime,
    MeasurementLine,
    OverrideLine,
    PricedBy,
    ProvenanceSummary,
    ReportDocument,
    SearchSummary,
    Totals,
    TrialLine,
)
from carbonnas.trials import Trial
from schedulers.budget import BudgetState

FORMAT = 1
"""Version of the document's shape."""


def build_document(record: SearchRecord) -> ReportDocument:
    """Return the report of a search; the same record gives the same report."""
    return ReportDocument(
        format=FORMAT,
        search=_search(record),
        totals=_totals(record),
        downtime=_downtime(record),
        budget=tuple(_budget(record, *each) for each in (*enumerate(record.budgets), *record.exceeded)),
        overrides=tuple(_override(added) for added in record.overrides),
        best=best(record.trials, record.objectives, record.limits),
        pareto=front(record.trials, record.objectives, record.limits),
        targets=target_fronts(record),
        limits=limit_lines(record),
        counterfactuals=_comparison(record),
        measurement=_measurement(record),
        provenance=_provenance(record.entries),
        trials=trial_lines(record),
        decisions=decision_lines(record),
    )


def trial_lines(record: SearchRecord) -> tuple[TrialLine, ...]:
    """Return a line for each trial with what the ledger says of it, in order of number."""
    emitted = by_trial(record.entries)
    return tuple(_trial(trial, emitted.get(trial.number)) for trial in record.trials)


def decision_lines(record: SearchRecord) -> tuple[DecisionLine, ...]:
    """Return a line for each decision, in order of time."""
    return tuple(
        DecisionLine(
            time=made.time,
            intensity_g_per_kwh=made.intensity_g_per_kwh,
            train_slots=made.decision.train_slots,
            score_slots=made.decision.score_slots,
            reason=made.decision.reason.text,
            reason_code=made.decision.reason.code,
        )
        for made in record.decisions
    )


def changes(decisions: Sequence[DecisionLine]) -> tuple[DecisionLine, ...]:
    """Return the decisions that differ from the one before in slots or in the kind of reason."""
    keys = [(line.train_slots, line.score_slots, line.reason_code) for line in decisions]
    return tuple(line for index, line in enumerate(decisions) if index == 0 or keys[index] != keys[index - 1])


def to_json(document: ReportDocument) -> str:
    """Return the document as JSON: instants as ISO 8601 ending in `Z`, numbers that are not finite as null."""
    return json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def iso(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, ending in `Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    if value is None or type(value) in {str, int}:  # most of a long report
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _search(record: SearchRecord) -> SearchSummary:
    return SearchSummary(
        id=record.search_id,
        name=record.name,
        state=record.state,
        stop_reason=record.stop_reason,
        started_at=record.started_at,
        ended_at=record.ended_at,
        deadline=record.deadline,
        seed=record.seed,
        slots=record.slots,
        clock=record.clock,
        objectives=tuple(str(objective) for objective in record.objectives),
        config=record.config,
        exhausted=record.exhausted,
    )


def _totals(record: SearchRecord) -> Totals:
    sums, clean = totals(record.entries), clean_share(record)
    return Totals(
        energy_kwh=sums.energy_j / J_PER_KWH,
        emissions_g=sums.emissions_g,
        trials_g=sums.trials_g,
        overhead_g=sums.overhead_g,
        idle_g=sums.idle_g,
        unpriced_kwh=sums.unpriced_j / J_PER_KWH,
        clean_share=clean.share,
        clean_share_how=clean.how,
    )


def _downtime(record: SearchRecord) -> Downtime:
    stretches = downtimes(record)
    return Downtime(in_all(stretches) / HOUR, stretches)


def _override(added: Override) -> OverrideLine:
    return OverrideLine(added.at, added.budget, added.grams, added.reason, added.window_start)


def _budget(record: SearchRecord, place: int, state: BudgetState) -> BudgetLine:
    name = own_budget_name(record.search_id, place)
    start = state.window.start if state.window else None
    return BudgetLine(
        window=state.budget.window,
        window_start=start,
        window_end=state.window.end if state.window else None,
        limit_g=state.budget.limit_g,
        added_g=math.fsum(o.grams for o in record.overrides if o.budget == name and o.window_start == start),
        spent_g=state.spent_g,
        reserved_g=state.reserved_g,
        remaining_g=state.remaining_g,
        warned=state.warned,
        exhausted=state.exhausted,
        at_limit=state.budget.at_limit,
    )


def _trial(trial: Trial, emitted: EmissionTotals | None) -> TrialLine:
    energy_j, unpriced_j = (emitted.energy_j, emitted.unpriced_j) if emitted else (0.0, 0.0)
    known_g = emitted.emissions_g if emitted else 0.0
    return TrialLine(
        id=trial.number,
        kind=trial.kind,
        fidelity=trial.fidelity.name.value,
        epochs=trial.fidelity.epochs,
        architecture=trial.key,
        state=trial.state,
        attempt=trial.attempt,
        energy_kwh=energy_j / J_PER_KWH,
        emissions_g=None if 0 < energy_j <= unpriced_j else known_g,
        unpriced_kwh=unpriced_j / J_PER_KWH,
        started_at=trial.started_at,
        ended_at=trial.ended_at,
        metrics=dict(sorted(trial.metrics.items())),
        failure=trial.failure,
        curve=dict(sorted(trial.curve.items())),
    )


def _comparison(record: SearchRecord) -> Comparison:
    other = counterfactuals(record)
    return Comparison(
        carbon_blind_g=other.carbon_blind.emissions_g,
        carbon_blind_trials_g=other.carbon_blind.trials_g,
        carbon_blind_end=other.carbon_blind_end,
        carbon_blind_how=other.carbon_blind.how,
        clairvoyant_g=other.clairvoyant.emissions_g,
        clairvoyant_trials_g=other.clairvoyant.trials_g,
        clairvoyant_how=other.clairvoyant.how,
    )


def _measurement(record: SearchRecord) -> MeasurementLine:
    effectiveness = {entry.pue for entry in record.entries}
    return MeasurementLine(
        meter=record.measurement.meter,
        method=record.measurement.method,
        details=dict(sorted(record.measurement.details.items())),
        caveat=record.measurement.caveat,
        modelled=record.measurement.modelled,
        measured_kwh=math.fsum(sample.joules for sample in record.measured) / J_PER_KWH,
        pue=effectiveness.pop() if len(effectiveness) == 1 else None,
    )


def _provenance(entries: tuple[EmissionEntry, ...]) -> ProvenanceSummary:
    groups: dict[tuple[str, str, str, str, str, str], list[EmissionEntry]] = defaultdict(list)
    unpriced_j = []
    for entry in entries:
        said = entry.priced.intensity
        if said is None:
            unpriced_j.append(entry.priced.sample.joules)
        else:
            key = (said.source, said.method, said.zone, said.kind.value, said.basis.value, said.provenance.value)
            groups[key].append(entry)
    priced = tuple(
        PricedBy(
            *key,
            energy_kwh=math.fsum(entry.priced.sample.joules for entry in lines) / J_PER_KWH,
            emissions_g=math.fsum(entry.emissions_g or 0.0 for entry in lines),
        )
        for key, lines in sorted(groups.items())
    )
    return ProvenanceSummary(priced, math.fsum(unpriced_j) / J_PER_KWH)
