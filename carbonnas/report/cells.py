"""What a trial drew, emitted and measured, and what was found for a device, as it stands in a table or above one."""

from __future__ import annotations

from carbonnas.report.formatting import NOTHING, grams, kwh, metric
from carbonnas.report.model import TargetFront, TrialLine
from carbonnas.trials import TrialState

UNRESOLVED = "below the meter's resolution"


def trial_energy(trial: TrialLine) -> str:
    """Return the energy of a trial; work that was done and shows none was too short for the meter, not free."""
    return UNRESOLVED if _unresolved(trial) else kwh(trial.energy_kwh)


def trial_emissions(trial: TrialLine) -> str:
    """Return the emissions of a trial; a dash where its energy was too small to be seen."""
    return NOTHING if _unresolved(trial) else grams(trial.emissions_g)


def outcome(trial: TrialLine) -> str:
    """Return what a trial measured and, after it, why it measured no more."""
    measured = ", ".join(f"{name} {metric(name, value)}" for name, value in trial.metrics.items())
    return "; ".join(part for part in (measured, trial.failure) if part)


def target_words(target: TargetFront) -> str:
    """Return what a reader must know of the front of a device."""
    limit = "" if target.at_most_ms is None else f"At most {target.at_most_ms:g} ms. "
    several = "s" if target.unknown > 1 else ""
    unknown = f"The latency of {target.unknown} training{several} on it is unknown. " if target.unknown else ""
    found = f"{len(target.front)} architectures." if len(target.front) != 1 else "One architecture."
    return limit + unknown + (found if target.front else "No training qualifies.")


def _unresolved(trial: TrialLine) -> bool:
    return trial.state is TrialState.COMPLETED and trial.energy_kwh == 0
