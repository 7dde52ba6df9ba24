"""Simulations as JSON; docs/simulation.md says what each key means."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from carbonnas.report.document import iso
from carbonnas.report.simulation_model import (
    Growth,
    SavingLine,
    SchedulerResult,
    SimulatedRun,
    SimulationDocument,
    Spread,
)

FORMAT = 1
"""Version of the document's shape."""


def simulation_json(document: SimulationDocument) -> dict[str, Any]:
    """Return everything that was found as plain values; the same document gives the same."""
    return {
        "format": FORMAT,
        "search": document.search,
        "start": iso(document.start),
        "deadline_h": document.deadline_h,
        "slots": document.slots,
        "seeds": list(document.seeds),
        "forecaster": document.forecaster,
        "trace": {
            "path": document.grid.trace,
            "zone": document.grid.zone,
            "kind": document.grid.kind,
            "basis": document.grid.basis,
        },
        "charged": _charged(document),
        "hypervolume": _hypervolume(document),
        "kg_to_quality": _to_quality(document),
        "schedulers": {result.name: _scheduler(result) for result in document.schedulers},
        "grid": {
            "hours": [iso(hour) for hour in document.grid.hours],
            "g_per_kwh": list(document.grid.g_per_kwh),
        },
    }


def _charged(document: SimulationDocument) -> dict[str, Any]:
    charged = document.charged
    return {
        "accounting": charged.accounting,
        "method": charged.method,
        "details": dict(sorted(charged.details.items())),
        "pue": charged.pue,
        "suspend_s": charged.suspend_s,
        "resume_s": charged.resume_s,
    }


def _hypervolume(document: SimulationDocument) -> dict[str, Any]:
    line = document.hypervolume
    return {
        "objectives": list(line.objectives),
        "fidelity": line.fidelity,
        "reference": dict(line.reference),
        "maximum": line.maximum,
        "rows": line.rows,
    }


def _to_quality(document: SimulationDocument) -> dict[str, dict[str, float | None]]:
    """Return the median kg to each share of the hypervolume by scheduler: the comparison at equal quality in one place."""
    return {
        f"{share:g}": {result.name: result.qualities[place].kg.median for result in document.schedulers}
        for place, share in enumerate(quality.share for quality in document.schedulers[0].qualities)
    }


def _scheduler(result: SchedulerResult) -> dict[str, Any]:
    return {
        "use": result.use,
        "options": {key: _option(value) for key, value in sorted(result.options.items())},
        "uses_forecast": result.uses_forecast,
        "figures": {name: _spread(found) for name, found in result.figures.items()},
        "to_quality": {
            f"{line.share:g}": {
                name: _spread(getattr(line, name))
                for name in ("kg", "kwh", "hours", "times_less", "fewer_joules", "cleaner_joules")
            }
            for line in result.qualities
        },
        "saving": _saving(result.saving),
        "hypervolume_by_kg": _growth(result.by_kg, "kg"),
        "hypervolume_by_hours": _growth(result.by_hours, "hours"),
        "training_slots_by_hour": list(result.training_slots),
        "runs": [_run(run) for run in result.runs],
    }


def _option(value: object) -> object:
    """Return an option as it was written, other things than texts, numbers and truth values as text."""
    return value if isinstance(value, str | int | float) else str(value)


def _spread(found: Spread) -> dict[str, Any]:
    return asdict(found)


def _saving(line: SavingLine) -> dict[str, Any]:
    names = ("kg", "share", "fewer_joules_kg", "cleaner_joules_kg", "clairvoyant_share")
    return {**{name: _spread(getattr(line, name)) for name in names}, "same_work": line.same_work}


def _growth(growth: Growth, axis: str) -> dict[str, list[float]]:
    return {
        axis: list(growth.at),
        "median": list(growth.median),
        "q25": list(growth.q25),
        "q75": list(growth.q75),
    }


def _run(run: SimulatedRun) -> dict[str, Any]:
    return {
        "seed": run.seed,
        "stop_reason": run.stop_reason.value,
        "finish_h": run.finish_h,
        "emissions_kg": run.emissions_kg,
        "energy_kwh": run.energy_kwh,
        "unpriced_kwh": run.unpriced_kwh,
        "scorings": run.scorings,
        "search_trainings": run.search_trainings,
        "full_trainings": run.full_trainings,
        "hypervolume_share": run.share,
        "suspensions": run.suspensions,
        "longest_wait_h": run.longest_wait_h,
        "budget_violations": run.budget_violations,
        "overshoot_g": run.overshoot_g,
        "deadline_missed": run.deadline_missed,
        "curve": [[point.hours, point.kg, point.kwh, point.share] for point in run.curve],
    }
