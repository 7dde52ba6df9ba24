"""Rows of the store to values of the program and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.architecture import as_architecture
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import EnergySample, Measurement
from carbonnas.record import DecisionRecord
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.budget import AtLimit, EmissionBudget, Window
from schedulers.decision import Decision, Reason, ReasonCode

Row = Mapping[str, Any]


def trial_row(search_id: str, trial: Trial) -> dict[str, Any]:
    """Return the row of a trial."""
    return {
        "search_id": search_id,
        "number": trial.number,
        "round": trial.round,
        "kind": trial.kind.value,
        "fidelity": trial.fidelity.name.value,
        "epochs": trial.fidelity.epochs,
        "architecture": list(trial.architecture),
        "key": trial.key,
        "seed": trial.seed,
        "state": trial.state.value,
        "attempt": trial.attempt,
        "queued_at": trial.queued_at,
        "started_at": trial.started_at,
        "ended_at": trial.ended_at,
        "metrics": dict(trial.metrics),
        "failure": trial.failure,
        "curve": {name: list(values) for name, values in trial.curve.items()} or None,
    }


def trial_from(row: Row) -> Trial:
    """Return the trial of a row."""
    return Trial(
        number=row["number"],
        round=row["round"],
        kind=TrialKind(row["kind"]),
        fidelity=Fidelity(FidelityName(row["fidelity"]), row["epochs"]),
        architecture=as_architecture(row["architecture"]),
        key=row["key"],
        seed=row["seed"],
        state=TrialState(row["state"]),
        attempt=row["attempt"],
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        metrics=row["metrics"],
        failure=row["failure"],
        curve=row["curve"] or {},
    )


def decision_row(search_id: str, record: DecisionRecord) -> dict[str, Any]:
    """Return the row of a decision."""
    decision = record.decision
    return {
        "search_id": search_id,
        "time": record.time,
        "intensity_g_per_kwh": record.intensity_g_per_kwh,
        "train_slots": decision.train_slots,
        "score_slots": decision.score_slots,
        "reason_code": decision.reason.code.value,
        "reason": decision.reason.text,
        "review_at": decision.review_at,
    }


def decision_from(row: Row) -> DecisionRecord:
    """Return the decision of a row."""
    reason = Reason(ReasonCode(row["reason_code"]), row["reason"])
    decision = Decision(row["train_slots"], row["score_slots"], reason, row["review_at"])
    return DecisionRecord(row["time"], row["intensity_g_per_kwh"], decision)


def intensity_row(sample: IntensitySample) -> dict[str, Any]:
    """Return the row of an intensity."""
    return {
        "source": sample.source,
        "zone": sample.zone,
        "kind": sample.kind.value,
        "basis": sample.basis.value,
        "provenance": sample.provenance.value,
        "start": sample.interval.start,
        "end": sample.interval.end,
        "g_per_kwh": sample.g_per_kwh,
        "method": sample.method,
    }


def intensity_from(row: Row) -> IntensitySample:
    """Return the intensity of a row."""
    return IntensitySample(
        interval=Interval(row["start"], row["end"]),
        g_per_kwh=row["g_per_kwh"],
        zone=row["zone"],
        kind=IntensityKind(row["kind"]),
        basis=Basis(row["basis"]),
        provenance=Provenance(row["provenance"]),
        source=row["source"],
        method=row["method"],
    )


def energy_row(sample: EnergySample) -> dict[str, Any]:
    """Return the columns of an energy sample."""
    return {
        "start": sample.interval.start,
        "end": sample.interval.end,
        "cpu_j": sample.cpu_j,
        "gpu_j": sample.gpu_j,
        "ram_j": sample.ram_j,
    }


def energy_from(row: Row) -> EnergySample:
    """Return the energy sample of a row."""
    return EnergySample(Interval(row["start"], row["end"]), row["cpu_j"], row["gpu_j"], row["ram_j"])


def entry_row(search_id: str, entry: EmissionEntry, intensity_id: int | None) -> dict[str, Any]:
    """Return the row of a ledger entry."""
    return {
        "entry_id": entry.entry_id,
        "search_id": search_id,
        "account": entry.owner.account.value,
        "trial": entry.owner.trial,
        "attempt": entry.owner.attempt,
        "pue": entry.pue,
        "intensity_id": intensity_id,
        "supersedes": entry.supersedes,
        **energy_row(entry.priced.sample),
    }


def budget_json(budget: EmissionBudget) -> dict[str, Any]:
    """Return a budget as JSON."""
    return {
        "limit_g": budget.limit_g,
        "window": budget.window.value,
        "at_limit": budget.at_limit.value,
        "warn_at": budget.warn_at,
        "timezone": budget.timezone,
    }


def budget_from(value: Row) -> EmissionBudget:
    """Return the budget of its JSON."""
    return EmissionBudget(
        value["limit_g"], Window(value["window"]), AtLimit(value["at_limit"]), value["warn_at"], value["timezone"]
    )


def measurement_json(measurement: Measurement) -> dict[str, Any]:
    """Return a measurement as JSON."""
    return {
        "meter": measurement.meter,
        "method": measurement.method,
        "details": dict(measurement.details),
        "caveat": measurement.caveat,
        "modelled": measurement.modelled,
    }


def measurement_from(value: Row) -> Measurement:
    """Return the measurement of its JSON."""
    return Measurement(value["meter"], value["method"], value["details"], value["caveat"], value.get("modelled", False))
