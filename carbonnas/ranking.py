"""Ranking what was trained: the same rule for the winner's full training, the display and the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.trials import FidelityName, Trial, TrialKind, TrialState


def trainings(
    trials: Iterable[Trial], fidelity: FidelityName, objectives: Sequence[Objective], limits: Sequence[Limit] = ()
) -> list[Trial]:
    """Return the completed trainings of a fidelity that have a finite value for each of `objectives` and keep all `limits`, in their order."""
    return [
        trial
        for trial in trials
        if trial.kind is TrialKind.TRAIN
        and trial.state is TrialState.COMPLETED
        and trial.fidelity.name is fidelity
        and all(math.isfinite(trial.metrics.get(objective.metric, math.nan)) for objective in objectives)
        and all(limit.kept_by(trial.metrics) for limit in limits)
    ]


def ranked_trainings(trials: Iterable[Trial], objective: Objective, limits: Sequence[Limit] = ()) -> list[Trial]:
    """Return the trainings of fidelity `search` that keep all limits, the best by the objective first, the earlier one at a tie."""
    candidates = trainings(trials, FidelityName.SEARCH, [objective], limits)
    return sorted(candidates, key=lambda t: (-objective.value(t.metrics), t.number))
