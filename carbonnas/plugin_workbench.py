"""The evaluators that a configuration names, made inside the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.workbench import Workbench
from carbonnas.plugins import EVALUATORS, SEARCH_SPACES, PluginChoice
from carbonnas.trials import TrialKind


@dataclass(frozen=True, slots=True)
class PluginWorkbench(Workbench):
    """The evaluators that a configuration names.

    Attributes:
        space: The search space.
        scoring: Evaluator of scorings.
        training: Evaluator of trainings.
        seed: Seed of the search.
    """

    space: PluginChoice
    scoring: PluginChoice
    training: PluginChoice
    seed: int

    def modules(self) -> tuple[str, ...]:
        """Return the modules of the chosen plug-ins, by their entry points and without importing them."""
        chosen = ((SEARCH_SPACES, self.space), (EVALUATORS, self.scoring), (EVALUATORS, self.training))
        points = [point for group, choice in chosen for point in entry_points(group=group.group, name=choice.use)]
        return ("carbonnas.plugins", *sorted({point.module for point in points}))

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        space = SEARCH_SPACES.create(self.space.use, self.space.options, {})
        services = {"space": space, "seed": self.seed}
        scoring = EVALUATORS.create(self.scoring.use, self.scoring.options, services)
        if self.training == self.scoring:
            return {TrialKind.SCORE: scoring, TrialKind.TRAIN: scoring}
        return {
            TrialKind.SCORE: scoring,
            TrialKind.TRAIN: EVALUATORS.create(self.training.use, self.training.options, services),
        }
