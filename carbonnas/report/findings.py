"""What a search found: the best architecture and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

from carbonnas.objectives.objective import Objective
from carbonnas.objectives.pareto import pareto_front
from carbonnas.ranking import ranked_trainings, trainings
from carbonnas.report.model import Best, FrontLine
from carbonnas.trials import FidelityName, Trial


def front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> tuple[FrontLine, ...]:
    """Return the trainings of fidelity `search` that no other one beats in all objectives, the best by the first one first."""
    if not objectives:
        return ()
    candidates = trainings(trials, FidelityName.SEARCH, objectives)
    chosen = pareto_front([[objective.value(trial.metrics) for objective in objectives] for trial in candidates])
    lines = sorted((candidates[index] for index in chosen), key=lambda t: (-objectives[0].value(t.metrics), t.number))
    return tuple(FrontLine(t.number, t.key, {o.metric: t.metrics[o.metric] for o in objectives}) for t in lines)


def best(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Best | None:
    """Return the architecture to take, or `None` before a training is complete.

    Architectures are ranked by the first objective at fidelity `search`, the earlier one at a tie. If any was trained in full, the
    highest-ranked of those is returned with the metrics of the full training. A test accuracy never chooses anything.
    """
    if not objectives:
        return None
    first = objectives[0]
    ranked = ranked_trainings(trials, first)
    rank = {trial.key: place for place, trial in reversed(list(enumerate(ranked)))}
    full = sorted(trainings(trials, FidelityName.FULL, []), key=lambda t: (rank.get(t.key, len(ranked)), t.number))
    if full:
        how = (
            f"The final training of the best candidate by {first.metric} during the search; test accuracy chose nothing. "
            "Candidates were ranked by a shorter training, perhaps on a harder task (see the configuration), so their "
            f"{first.metric} is not comparable with these figures."
        )
        return _best(full[0], how)
    if ranked:
        return _best(
            ranked[0], f"The best candidate by {first.metric} during the search; it has not been trained in full."
        )
    return None


def _best(trial: Trial, how: str) -> Best:
    return Best(trial.number, trial.key, str(trial.fidelity), dict(sorted(trial.metrics.items())), how)
