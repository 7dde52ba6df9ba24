"""How good what a search found is, measured against all that there was to find."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from carbonnas.architecture import Architecture
from carbonnas.errors import ConfigError
from carbonnas.evaluation.evaluator import EvaluationRequest, Evaluator
from carbonnas.evaluation.table import read_table
from carbonnas.execution.attempt import evaluate_safely
from carbonnas.objectives.hypervolume import hypervolume
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.objectives.pareto import pareto_front
from carbonnas.plugins import EVALUATORS, PluginChoice
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.trials import Fidelity, TrialKind

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The hypervolume that a whole table holds, against which a search is measured that never sees it.

    Attributes:
        objectives: What spans the volume.
        fidelity: The trainings that count.
        reference: The reference point by metric, in the metric's own unit and direction.
        maximum: Hypervolume of all rows, above zero.
        rows: Rows of the table.
    """

    objectives: tuple[Objective, ...]
    fidelity: Fidelity
    reference: Mapping[str, float]
    maximum: float
    rows: int

    @property
    def origin(self) -> Point:
        """The reference point with all values turned so that larger is better."""
        return tuple(objective.value(self.reference) for objective in self.objectives)

    def shares(self, points: Sequence[Point]) -> list[tuple[int, float]]:
        """Return how the share of the maximal hypervolume grows along points, larger being better in every value.

        Returns:
            The place of each point that added to it, with the share from then on, 0..1.
        """
        grown: list[tuple[int, float]] = []
        front: list[Point] = []
        for place, point in enumerate(points):
            if any(all(mine >= other for mine, other in zip(known, point, strict=True)) for known in front):
                continue
            candidates = [*front, point]
            front = [candidates[kept] for kept in pareto_front(candidates)]
            share = hypervolume(front, self.origin) / self.maximum
            if share > (grown[-1][1] if grown else 0.0):
                grown.append((place, share))
        return grown


def make_yardstick(
    choice: PluginChoice,
    space: SearchSpace,
    evaluator: Evaluator,
    *,
    objectives: tuple[Objective, ...],
    fidelity: Fidelity,
    reference: Mapping[str, float],
) -> Yardstick:
    """Return the measure that a table gives.

    Args:
        choice: The evaluator of trainings as configured; only `tabular` knows all results.
        space: The search space.
        evaluator: That evaluator.
        objectives: What spans the volume.
        fidelity: The trainings that count.
        reference: Values of the reference point by metric; by default 0 where larger is better, else the largest of the table.

    Raises:
        ConfigError: If the table lacks an objective at that fidelity, or no row is better than the reference point.
    """
    architectures = _architectures(choice, space)
    rows = [_metrics(evaluator, architecture, fidelity, objectives) for architecture in architectures]
    known = [metrics for metrics in rows if metrics is not None]
    full = {o.metric: reference.get(o.metric, _usual_reference(o, known)) for o in objectives}
    points = [tuple(objective.value(metrics) for objective in objectives) for metrics in known]
    maximum = hypervolume(points, tuple(objective.value(full) for objective in objectives))
    if maximum <= 0:
        told = ", ".join(f"{metric}={value:g}" for metric, value in full.items())
        raise ConfigError("--reference", (f"no row of the table is better than {told} in every objective",))
    return Yardstick(objectives, fidelity, full, maximum, len(rows))


def _architectures(choice: PluginChoice, space: SearchSpace) -> list[Architecture]:
    options = EVALUATORS.options(choice.use)(**choice.options).model_dump()
    return list(read_table(Path(options["path"]), space, options["architecture_column"], ()).rows)


def _metrics(
    evaluator: Evaluator, architecture: Architecture, fidelity: Fidelity, objectives: Sequence[Objective]
) -> Mapping[str, float] | None:
    """Return what a training of a row gives, or `None` if the row has no result."""
    request = EvaluationRequest(architecture, TrialKind.TRAIN, fidelity, 0)
    evaluation = evaluate_safely({TrialKind.TRAIN: evaluator}, request, _NoSession()).evaluation
    if evaluation is None:
        return None
    missing = [objective.metric for objective in objectives if objective.metric not in evaluation.metrics]
    if missing:
        given = ", ".join(sorted(evaluation.metrics))
        sentence = f"nothing measures {', '.join(missing)} at fidelity {fidelity.name}; there are: {given}"
        raise ConfigError("search.objectives", (sentence,))
    return evaluation.metrics


def _usual_reference(objective: Objective, rows: Sequence[Mapping[str, float]]) -> float:
    if objective.direction is Direction.MAXIMIZE:
        return 0.0
    return max((metrics[objective.metric] for metrics in rows), default=math.nan)


class _NoSession:
    """A session in which nothing happens."""

    checkpoint: Path | None = None

    def suspend_requested(self) -> bool:
        return False

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Show nothing."""
