"""What a worker needs to evaluate architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.trials import TrialKind


class Workbench(ABC):
    """Makes the evaluators inside the process that uses them; picklable."""

    @abstractmethod
    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        """Return one evaluator for each kind of trial, freshly made."""

    def modules(self) -> tuple[str, ...]:
        """Return the modules that are slow to import; they are imported once for all workers."""
        return ()
