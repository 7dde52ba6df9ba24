"""The evaluators that a configuration names, made inside the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from carbonnas.costs.plan import CostPlan
from carbonnas.energy.meter import ProbeFactory
from carbonnas.evaluation.costing import with_costs
from carbonnas.evaluation.datasets import task_of
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.workbench import Workbench
from carbonnas.plugins import EVALUATORS, SEARCH_SPACES, PluginChoice
from carbonnas.search_spaces.space import SearchSpace, TaskShape
from carbonnas.trials import TrialKind


@dataclass(frozen=True, slots=True)
class PluginWorkbench(Workbench):
    """The evaluators that a configuration names.

    Attributes:
        space: The search space.
        scoring: Evaluator of scorings.
        training: Evaluator of trainings.
        seed: Seed of the search.
        costs: What is to be found of each network besides what the evaluators tell.
        probe: Makes what measures the energy of a worker; `None` if nothing does.
    """

    space: PluginChoice
    scoring: PluginChoice
    training: PluginChoice
    seed: int
    costs: CostPlan = field(default_factory=CostPlan)
    probe: ProbeFactory | None = None

    def modules(self) -> tuple[str, ...]:
        """Return the modules of the chosen plug-ins, by their entry points and without importing them."""
        chosen = ((SEARCH_SPACES, self.space), (EVALUATORS, self.scoring), (EVALUATORS, self.training))
        points = [point for group, choice in chosen for point in entry_points(group=group.group, name=choice.use)]
        return ("carbonnas.plugins", *sorted({point.module for point in points}))

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        space = SEARCH_SPACES.create(self.space.use, self.space.options, {})
        return with_costs(self._chosen(space), space, self.costs, self.probe)

    def _chosen(self, space: SearchSpace) -> Mapping[TrialKind, Evaluator]:
        services = {"space": space, "seed": self.seed}
        scoring = EVALUATORS.create(self.scoring.use, self.scoring.options, services)
        if self.training == self.scoring:
            return {TrialKind.SCORE: scoring, TrialKind.TRAIN: scoring}
        return {
            TrialKind.SCORE: scoring,
            TrialKind.TRAIN: EVALUATORS.create(self.training.use, self.training.options, services),
        }


def task_of_dataset(evaluator: PluginChoice) -> TaskShape | None:
    """Return what an evaluator's networks are built for, as far as its options `dataset` and `data_path` tell.

    Raises:
        DatasetError: If there is no such data set.
        PluginError: If there is no such evaluator.
    """
    options = EVALUATORS.options(evaluator.use).model_validate(evaluator.options)
    name = getattr(options, "dataset", None)
    return None if name is None else task_of(str(name), getattr(options, "data_path", None))
