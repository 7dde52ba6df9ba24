"""The interface of every search strategy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carbonnas.architecture import Architecture
from carbonnas.trials import Fidelity, FidelityName, TrialKind

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
StateDict = Mapping[str, Json | np.ndarray]
"""State of a strategy: JSON values and numeric arrays by name. Nothing in it is ever pickled."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of one trial, told to the strategy.

    Attributes:
        architecture: What was evaluated.
        kind: Score or train.
        fidelity: How thoroughly.
        metrics: Measured values; empty if the trial failed.
        failed: Whether the trial ended without a result; a failure is an observation too.
    """

    architecture: Architecture
    kind: TrialKind
    fidelity: Fidelity
    metrics: Mapping[str, float]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An architecture that was scored, with all that may be used of it.

    Attributes:
        architecture: The architecture, canonical.
        scores: What its scoring gave.
        results: What its completed trainings gave, by what they were for.
    """

    architecture: Architecture
    scores: Mapping[str, float]
    results: Mapping[FidelityName, Mapping[str, float]]


class SearchStrategy(ABC):
    """Proposes architectures and learns from what became of them.

    Constructor: services before `*` are `space: SearchSpace`, `objectives: tuple[Objective, ...]` (the first is the one to rank
    by), `seed: int` and, for those that maximise one number, `reward: Reward`; options are keyword-only. The search calls `ask` as
    often as it wants proposals and `tell` with results in an order that is fixed by its plan, never by timing; several proposals may
    be open at once, some are never evaluated, and some are told that were never asked.

    The same seed and the same calls give the same proposals, and after `load_state_dict(state_dict())` in a new object
    the sequence goes on exactly. `carbonnas.testing.strategies.StrategyConformance` checks the contract.
    """

    @abstractmethod
    def ask(self) -> Architecture:
        """Return the next proposal; it may repeat an earlier one."""

    @abstractmethod
    def tell(self, observation: Observation) -> None:
        """Learn from one result."""

    def promote(
        self,
        candidates: Sequence[Candidate],  # noqa: ARG002 - for those that choose
        waiting: Sequence[int],  # noqa: ARG002
        fidelity: Fidelity,  # noqa: ARG002
        count: int,  # noqa: ARG002
    ) -> Sequence[int] | None:
        """Return which candidates deserve an evaluation at `fidelity`; by default the choice is left to the search.

        A pure function of its arguments and of what the strategy was made with: what was told does not count, because how much was
        told by now depends on timing.

        Args:
            candidates: All that was scored and is not known by that to break a limit, in the order of the plan. Those that do not wait
                have climbed to `fidelity` already, or were not trained on the rung below.
            waiting: Places of those that wait on the rung below, at least one.
            fidelity: The rung to climb to.
            count: How many may climb at most, at least 1.

        Returns:
            Some of `waiting`, best first, at most `count`, each once; fewer or none if no more are worth their energy.
            `None` leaves the choice to the fused ranks of scores, or to the first objective among trainings.
        """
        return None

    def lean(self, architectures: Sequence[Architecture], worth: np.ndarray, entropy_floor: float) -> None:  # noqa: B027 - most have no policy
        """Lean a policy towards networks that proxies find promising; nothing to do for strategies without one.

        Args:
            architectures: What was scored.
            worth: Fused ranks, shape (architectures,), larger is better, on no scale in particular.
            entropy_floor: Share, 0..1, of the entropy of uniform draws that the policy has to keep.
        """

    @abstractmethod
    def state_dict(self) -> StateDict:
        """Return all that is needed to go on, the generator's state included."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Go on from what `state_dict` of the same class, space and options returned."""
