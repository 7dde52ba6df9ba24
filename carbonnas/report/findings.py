"""What a search found: the best architecture and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

from carbonnas.costs.names import LATENCY
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.pareto import pareto_front
from carbonnas.ranking import ranked_trainings, trainings
from carbonnas.record import SearchRecord
from carbonnas.report.model import Best, FrontLine, LimitLine, TargetFront
from carbonnas.trials import FidelityName, Trial


def front(
    trials: Sequence[Trial], objectives: Sequence[Objective], limits: Sequence[Limit] = ()
) -> tuple[FrontLine, ...]:
    """Return the trainings of fidelity `search` that keep all limits and that no other one beats in all objectives, the best by the first one first."""
    if not objectives:
        return ()
    candidates = trainings(trials, FidelityName.SEARCH, objectives, limits)
    chosen = pareto_front([[objective.value(trial.metrics) for objective in objectives] for trial in candidates])
    lines = sorted((candidates[index] for index in chosen), key=lambda t: (-objectives[0].value(t.metrics), t.number))
    return tuple(FrontLine(t.number, t.key, {o.metric: t.metrics[o.metric] for o in objectives}) for t in lines)


def target_fronts(record: SearchRecord) -> tuple[TargetFront, ...]:
    """Return the front of each device: the objectives of the search with the latency on it in place of any other.

    A hard limit holds on every device, whatever it is on, as it does when proposals are dropped; only that of a target is its own.
    """
    latencies = {LATENCY, *(target.metric for target in record.targets)}
    done = trainings(record.trials, FidelityName.SEARCH, record.objectives[:1])
    return tuple(
        TargetFront(
            target.name,
            target.at_most_ms,
            sum(target.metric not in trial.metrics for trial in done),
            front(
                record.trials,
                target.objectives(record.objectives, sorted(latencies)),
                (*record.limits, *target.limits),
            ),
        )
        for target in record.targets
    )


def limit_lines(record: SearchRecord) -> tuple[LimitLine, ...]:
    """Return what became of each limit, and of those that targets have in common."""
    done = trainings(record.trials, FidelityName.SEARCH, [])
    own = [
        LimitLine(str(limit), record.pruned.get(str(limit), 0), sum(not limit.kept_by(trial.metrics) for trial in done))
        for limit in record.limits
    ]
    named = {line.limit for line in own}
    return (*own, *(LimitLine(text, count, 0) for text, count in sorted(record.pruned.items()) if text not in named))


def best(trials: Sequence[Trial], objectives: Sequence[Objective], limits: Sequence[Limit] = ()) -> Best | None:
    """Return the architecture to take, or `None` before a training is complete.

    Architectures that keep all limits are ranked by the first objective at fidelity `search`, the earlier one at a tie. If any was trained in full, the
    highest-ranked of those is returned with the metrics of the full training. A test accuracy never chooses anything.
    """
    if not objectives:
        return None
    first = objectives[0]
    ranked = ranked_trainings(trials, first, limits)
    rank = {trial.key: place for place, trial in reversed(list(enumerate(ranked)))}
    finals = [
        trial
        for trial in trainings(trials, FidelityName.FULL, [])
        if not any(limit.broken_by(trial.metrics) for limit in limits)
    ]
    full = sorted(finals, key=lambda t: (rank.get(t.key, len(ranked)), t.number))
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
