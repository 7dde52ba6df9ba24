"""Proxies that guide another strategy: proposals filtered by them, and a start that leans on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.proxies.fusion import expand, fuse, learn_weights
from carbonnas.strategies.strategy import Candidate, Json, Observation, SearchStrategy, StateDict
from carbonnas.trials import Fidelity, TrialKind

Array = NDArray[np.float64]

_INNER = "strategy/"
_SAME = 1e-12
"""Spread below which nothing is better than anything else."""
_HALVINGS = 40
"""Steps of the search for a temperature; each halves the interval."""


class Guided(SearchStrategy):
    """Another strategy, with proxies that help it to choose what is trained.

    * **Filtered proposals.** Of every `compete` networks that the strategy proposed last and that were not trained, the best by fused
      ranks is trained; what each proxy weighs is learnt from the trainings so far. The strategy's own view of the space stays as it is, so the filter can't lead it into a corner.
    * **Warm start.** The first `warm_start` trainings are drawn from all that was scored, with probabilities that grow with the fused
      rank, and strategies that have a policy lean it the same way. Both stop leaning where the entropy would fall below
      `entropy_floor` of that of uniform draws: a start that trusts proxies fully has seen nothing else when they are wrong.

    Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS", ICLR, section 4 (warm-up and move proposal).

    Args:
        strategy: Proposes and learns; told everything that this one is told.
        proxies: Scores whose ranks are fused, at least one.
        objective: What trainings are to tell of the proxies.
        seed: Decides the draws.
        compete: Proposals for each training, at least 1; `None` leaves the choice to the strategy and the search.
        warm_start: Trainings, at least 0.
        entropy_floor: Share of the entropy that is kept, above 0 and at most 1.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(
        self,
        strategy: SearchStrategy,
        proxies: tuple[str, ...],
        *,
        objective: Objective,
        seed: int,
        compete: int | None = None,
        warm_start: int = 0,
        entropy_floor: float = 0.7,
    ) -> None:
        if not proxies:
            raise ValueError("nothing can guide a strategy without a proxy: name at least one")
        if compete is not None and compete < 1:
            raise ValueError(f"compete must be at least 1, got {compete}")
        if warm_start < 0:
            raise ValueError(f"warm_start must be at least 0, got {warm_start}")
        if not 0 < entropy_floor <= 1:
            raise ValueError(f"entropy_floor must be above 0 and at most 1, got {entropy_floor}")
        self._strategy = strategy
        self._proxies = expand(proxies)
        self._objective = objective
        self._seed = seed
        self._compete = compete
        self._warm_start = warm_start
        self._floor = entropy_floor
        self._trained = 0
        self._scored: dict[Architecture, dict[str, float]] = {}
        """What was scored while the start is warm."""
        self._leant = 0
        """For how many of them the policy was leant."""

    def ask(self) -> Architecture:
        if self._leant < len(self._scored) and self._trained < self._warm_start:
            fused = np.array(fuse(list(self._scored.values()), self._proxies))
            self._strategy.lean(list(self._scored), fused, self._floor)
            self._leant = len(self._scored)
        return self._strategy.ask()

    def tell(self, observation: Observation) -> None:
        if observation.failed:
            pass  # proposals that were dropped are told as failed trainings, and may be many
        elif observation.kind is TrialKind.TRAIN:
            self._trained += 1
        elif self._trained < self._warm_start:
            known = {name: observation.metrics[name] for name in self._proxies if name in observation.metrics}
            self._scored.setdefault(observation.architecture, known)
        self._strategy.tell(observation)

    def promote(
        self, candidates: Sequence[Candidate], waiting: Sequence[int], fidelity: Fidelity, count: int
    ) -> Sequence[int] | None:
        if any(candidates[place].results for place in waiting):
            return self._strategy.promote(candidates, waiting, fidelity, count)
        climbed = len(candidates) - len(waiting)
        cold = count - min(count, max(0, self._warm_start - climbed))
        fused = self._fused(candidates, fidelity)
        drawn = self._drawn(fused[list(waiting)], count - cold, len(candidates))
        chosen = [waiting[place] for place in drawn]
        left = [place for place in waiting if place not in chosen]
        if not cold or not left:
            return chosen
        if self._compete is not None:
            latest = left[-self._compete * cold :]
            return chosen + sorted(latest, key=lambda place: (-fused[place], place))[:cold]
        further = self._strategy.promote(candidates, left, fidelity, cold)
        if further is None:
            further = sorted(left, key=lambda place: (-fused[place], place))[:cold]
        return chosen + list(further)

    def lean(self, architectures: Sequence[Architecture], worth: Array, entropy_floor: float) -> None:
        self._strategy.lean(architectures, worth, entropy_floor)

    def state_dict(self) -> StateDict:
        inner = {_INNER + name: value for name, value in self._strategy.state_dict().items()}
        scored: list[Json] = [[list(a), dict(scores)] for a, scores in self._scored.items()]
        return {**inner, "trained": self._trained, "scored": scored, "leant": self._leant}

    def load_state_dict(self, state: StateDict) -> None:
        inner = {name.removeprefix(_INNER): value for name, value in state.items() if name.startswith(_INNER)}
        self._strategy.load_state_dict(inner)
        self._trained = cast("int", state["trained"])
        scored = cast("list[tuple[list[int], dict[str, float]]]", state["scored"])
        self._scored = {as_architecture(architecture): scores for architecture, scores in scored}
        self._leant = cast("int", state["leant"])

    def _fused(self, candidates: Sequence[Candidate], fidelity: Fidelity) -> Array:
        """Return the fused ranks of candidates, weighted by what their trainings tell of the proxies."""
        scores = [candidate.scores for candidate in candidates]
        found = {
            place: self._objective.value(candidate.results[fidelity.name])
            for place, candidate in enumerate(candidates)
            if fidelity.name in candidate.results
        }
        finite = {place: value for place, value in found.items() if math.isfinite(value)}
        return np.array(fuse(scores, self._proxies, learn_weights(scores, finite, self._proxies)))

    def _drawn(self, fused: Array, count: int, scored: int) -> list[int]:
        """Draw places without replacement; how many were scored by now decides the draws."""
        rng = np.random.default_rng(derive_seed(self._seed, "warm start", scored))
        return draw_tempered(fused, min(count, len(fused)), self._floor, rng)


def draw_tempered(worth: Array, count: int, entropy_floor: float, rng: np.random.Generator) -> list[int]:
    """Draw places with probabilities that grow with their worth, one after the other, without replacement.

    The probabilities of those left are proportional to `exp(worth / temperature)`, at the lowest temperature at which their entropy is
    at least `entropy_floor` of that of uniform draws.

    Args:
        worth: Shape (n,), finite.
        count: How many to draw, at most n.
        entropy_floor: Above 0 and at most 1.
        rng: Source of the draws.
    """
    left, drawn = list(range(len(worth))), []
    for _ in range(count):
        p = tempered(worth[left], entropy_floor)
        drawn.append(left.pop(int(rng.choice(len(left), p=p))))
    return drawn


def tempered(worth: Array, entropy_floor: float) -> Array:
    """Return the probabilities of `draw_tempered`: shape (n,), sum 1."""
    spread = float(worth.std())
    if spread < _SAME:
        return np.full(len(worth), 1 / len(worth))
    scaled, low, high = (worth - worth.max()) / spread, 0.0, 100.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (
            (middle, high)
            if _entropy(_softmax(middle * scaled)) >= entropy_floor * math.log(len(worth))
            else (low, middle)
        )
    return _softmax(low * scaled)


def _softmax(values: Array) -> Array:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum())


def _entropy(p: Array) -> float:
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())
