"""What a result is worth to a strategy that maximises a single number."""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import derive_seed
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.objectives.pareto import pareto_front

Array = NDArray[np.float64]

_AUGMENTATION = 0.05
"""Share of the weighted sum in the augmented Chebyshev norm, as in ParEGO."""


class RewardKind(enum.StrEnum):
    """How one number is made of several; the texts are those of configurations."""

    FIRST = "first"
    CHEBYSHEV = "chebyshev"
    DOMINANCE = "dominance"
    MNASNET = "mnasnet"
    TUNAS = "tunas"


class Reward(ABC):
    """Makes one number out of what was measured; larger is better.

    Strategies keep the values of the objectives and ask for the numbers whenever they compare: what a result is worth may depend on
    the other results, and on the turn.

    Args:
        objectives: What counts.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = tuple(objectives)

    def vector(self, metrics: Mapping[str, float]) -> tuple[float, ...] | None:
        """Return the value of each objective that counts, larger is better; `None` if one of them is not finite.

        Raises:
            KeyError: If one was not measured.
        """
        values = tuple(objective.value(metrics) for objective in self._objectives)
        return values if all(map(math.isfinite, values)) else None

    @property
    def width(self) -> int:
        """How many objectives count."""
        return len(self._objectives)

    @abstractmethod
    def values(self, vectors: Array, turn: int) -> Array:
        """Return what results are worth beside each other.

        Args:
            vectors: Shape (n, width), as `vector` gives them.
            turn: How many results the strategy has seen; where weights are drawn, it decides which.

        Returns:
            Shape (n,), finite.
        """


class FirstObjective(Reward):
    """The first objective alone."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__(objectives[:1])

    def values(self, vectors: Array, turn: int) -> Array:  # noqa: ARG002 # always the same
        return vectors[:, 0]


class Chebyshev(Reward):
    """The augmented Chebyshev norm with other weights each turn, so that one search covers the whole front, dents included.

    `min_k w_k f_k + 0.05 sum_k w_k f_k`, with each objective scaled to 0..1 between the worst and the best value so far and weights drawn
    uniformly from the simplex. Knowles 2006, "ParEGO: a hybrid algorithm with on-line landscape approximation for expensive
    multiobjective optimization problems", section III (there for minimisation).

    Args:
        objectives: All of them count.
        seed: Decides the weights.
    """

    def __init__(self, objectives: Sequence[Objective], seed: int) -> None:
        super().__init__(objectives)
        self._seed = seed

    def values(self, vectors: Array, turn: int) -> Array:
        rng = np.random.default_rng(derive_seed(self._seed, "chebyshev weights", turn))
        weights = rng.dirichlet(np.ones(self.width))
        worst = vectors.min(axis=0, initial=math.inf)
        spread = vectors.max(axis=0, initial=-math.inf) - worst
        scaled = (vectors - worst) / np.where(spread > 0, spread, 1.0) * weights
        return np.asarray(scaled.min(axis=1, initial=math.inf) + _AUGMENTATION * scaled.sum(axis=1))


class Dominance(Reward):
    """The front that a result belongs to and, within a front, how lonely it is there: the crowded comparison.

    Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", sections III-A and III-B.
    """

    def values(self, vectors: Array, turn: int) -> Array:  # noqa: ARG002 # always the same
        worth, left = np.empty(len(vectors)), np.arange(len(vectors))
        front = 0
        while len(left):
            best = np.zeros(len(left), dtype=bool)
            best[pareto_front(vectors[left].tolist())] = True
            members = left[best]
            loneliness = 1.0 - 1.0 / (1.0 + _crowding(vectors[members]))
            worth[members] = loneliness - 2.0 * front
            left, front = left[~best], front + 1
        return worth


class HardwareAware(Reward):
    """The first objective, corrected by how far each cost with a target is from it.

    Args:
        objectives: The first one counts, and of the others those that have a target; these are to be minimised.
        targets: Targets above zero by metric, in the metric's unit; at least one.
        exponent: How much a cost counts, below zero.

    Raises:
        ValueError: If there is no target, one belongs to no objective that is minimised, or a number is out of range.
    """

    def __init__(self, objectives: Sequence[Objective], targets: Mapping[str, float], exponent: float) -> None:
        costs = [o for o in objectives[1:] if o.direction is Direction.MINIMIZE]
        known = ", ".join(o.metric for o in costs) or "none"
        if not targets:
            raise ValueError(
                f"a reward for hardware needs a target for an objective that is minimised; there are: {known}"
            )
        for metric, target in targets.items():
            if metric not in {o.metric for o in costs}:
                raise ValueError(
                    f"the target of {metric} belongs to no objective that is minimised; there are: {known}"
                )
            if not 0 < target < math.inf:
                raise ValueError(f"the target of {metric} must be above zero and finite, got {target}")
        if not -math.inf < exponent < 0:
            raise ValueError(f"exponent must be below zero and finite, got {exponent}")
        counting = [o for o in costs if o.metric in targets]
        super().__init__((objectives[0], *counting))
        self._targets = np.array([targets[o.metric] for o in counting])
        self._exponent = exponent

    def values(self, vectors: Array, turn: int) -> Array:  # noqa: ARG002 # always the same
        return self._corrected(vectors[:, 0], -vectors[:, 1:] / self._targets)

    @abstractmethod
    def _corrected(self, quality: Array, load: Array) -> Array:
        """Return the worth by quality, shape (n,), and cost as a share of the target, shape (n, costs)."""


class MnasNet(HardwareAware):
    """`Q (T / T0)^w` for each target; small fast networks gain where accuracies differ little.

    Tan et al. 2019, "MnasNet: Platform-Aware Neural Architecture Search for Mobile", equation 2, with the soft exponent on both sides.
    A cost of zero counts as a millionth of the target. The paper has accuracies. A quality below zero, as of all that is to be minimised,
    is divided by the factor, so that what costs more is worth less there, too.
    """

    def _corrected(self, quality: Array, load: Array) -> Array:
        factor = np.prod(np.maximum(load, 1e-6) ** self._exponent, axis=1)
        return np.asarray(np.where(quality < 0, quality / factor, quality * factor))


class TuNAS(HardwareAware):
    """`Q + b |T / T0 - 1|` for each target: what is too small is pulled to the target as well as what is too large.

    Bender et al. 2020, "Can Weight Sharing Outperform Random Architecture Search? An Investigation With TuNAS", section 3.1.
    """

    def _corrected(self, quality: Array, load: Array) -> Array:
        return np.asarray(quality + self._exponent * np.abs(load - 1.0).sum(axis=1))


def _crowding(front: Array) -> Array:
    """Return the sum over the objectives of the distance between both neighbours, as a share of the range; infinite at the ends."""
    distance = np.zeros(len(front))
    for column in front.T:
        order = np.argsort(column, kind="stable")
        spread = float(column[order[-1]] - column[order[0]]) or 1.0
        distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
        distance[order[[0, -1]]] = math.inf
    return distance


def make_reward(
    kind: RewardKind, objectives: Sequence[Objective], seed: int, *, targets: Mapping[str, float], exponent: float
) -> Reward:
    """Return the reward of a kind; targets and exponent are those of `HardwareAware`, and no other takes targets.

    Raises:
        ValueError: If they are out of range, or there are targets that nothing would use.
    """
    if kind in {RewardKind.MNASNET, RewardKind.TUNAS}:
        aware = MnasNet if kind is RewardKind.MNASNET else TuNAS
        return aware(objectives, targets, exponent)
    if targets:
        raise ValueError(f"targets are for the rewards mnasnet and tunas, not for {kind}")
    if kind is RewardKind.CHEBYSHEV:
        return Chebyshev(objectives, seed)
    return Dominance(objectives) if kind is RewardKind.DOMINANCE else FirstObjective(objectives)
