"""What a trial drew and emitted, as it stands in a table."""

from __future__ import annotations

from carbonnas.report.formatting import NOTHING, grams, kwh
from carbonnas.report.model import TrialLine
from carbonnas.trials import TrialState

UNRESOLVED = "below the meter's resolution"


def trial_energy(trial: TrialLine) -> str:
    """Return the energy of a trial; work that was done and shows none was too short for the meter, not free."""
    return UNRESOLVED if _unresolved(trial) else kwh(trial.energy_kwh)


def trial_emissions(trial: TrialLine) -> str:
    """Return the emissions of a trial; a dash where its energy was too small to be seen."""
    return NOTHING if _unresolved(trial) else grams(trial.emissions_g)


def _unresolved(trial: TrialLine) -> bool:
    return trial.state is TrialState.COMPLETED and trial.energy_kwh == 0
