"""What a worker needs to evaluate architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.plugins import EVALUATORS, SEARCH_SPACES, PluginChoice
from carbonnas.trials import TrialKind


class Workbench(ABC):
    """Makes the evaluators inside the process that uses them; picklable."""

    @abstractmethod
    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        """Return one evaluator for each kind of trial, freshly made."""


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
