"""What a worker needs to evaluate architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.trials import TrialKind

if TYPE_CHECKING:
    # Imported where they are used: a worker with another workbench starts without them.
    from carbonnas.plugins import PluginChoice


class Workbench(ABC):
    """Makes the evaluators inside the process that uses them; picklable."""

    @abstractmethod
    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        """Return one evaluator for each kind of trial, freshly made."""

    def modules(self) -> tuple[str, ...]:
        """Return the modules that are slow to import; they are imported once for all workers."""
        return ()


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
        from carbonnas.plugins import EVALUATORS, SEARCH_SPACES

        chosen = ((SEARCH_SPACES, self.space), (EVALUATORS, self.scoring), (EVALUATORS, self.training))
        points = [point for group, choice in chosen for point in entry_points(group=group.group, name=choice.use)]
        return ("carbonnas.plugins", *sorted({point.module for point in points}))

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        from carbonnas.plugins import EVALUATORS, SEARCH_SPACES

        space = SEARCH_SPACES.create(self.space.use, self.space.options, {})
        services = {"space": space, "seed": self.seed}
        scoring = EVALUATORS.create(self.scoring.use, self.scoring.options, services)
        if self.training == self.scoring:
            return {TrialKind.SCORE: scoring, TrialKind.TRAIN: scoring}
        return {
            TrialKind.SCORE: scoring,
            TrialKind.TRAIN: EVALUATORS.create(self.training.use, self.training.options, services),
        }
