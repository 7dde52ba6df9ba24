"""Multi-objective search at two fidelities with a surrogate: many short trainings point out the few full ones that are worth their energy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.gain import hypervolume_gains
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.objectives.pareto import pareto_front
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.candidate_inputs import CandidateInputs
from carbonnas.strategies.full_results import expected
from carbonnas.strategies.learning import learnable_value
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy, StateDict
from carbonnas.trials import Fidelity, FidelityName

Array = NDArray[np.float64]

_DRAWS = 32
"""Draws of what full trainings may give over which gains are averaged."""
_OPTIMISM = 2.0
"""Scale of the optimistic draws for short trainings: the process doubts too little what it has seen little of."""


class MultiFidelity(SearchStrategy):
    """Spends energy where the hypervolume is expected to grow most for it.

    Short trainings (fidelity `search`) go to the candidates that, in the light of a Gaussian process over all short trainings so far, could
    add most to the front of expected full results. Once there were `explore` of them, full trainings go to those whose expected
    gain of the front of full results is largest for what they cost, averaged over joint draws of what they may give; both choices are
    greedy, one after the other, each counting on the ones before. None is made once no candidate is expected to add the share `min_gain` to the hypervolume.

    Expected hypervolume improvement by cost after Emmerich et al. 2006, "Single- and multiobjective evolutionary optimization assisted by
    Gaussian random field metamodels", of batches by joint draws after Daulton et al. 2020, "Differentiable expected hypervolume
    improvement for parallel multi-objective Bayesian optimization"; two fidelities after Kennedy and O'Hagan 2000.

    Proposals for scoring are drawn uniformly until something was trained; then every second one is a mutation of a network of the front.

    Args:
        space: What to search.
        objectives: All of them span the hypervolume; those that scorings give are known at once, the others are learnt.
        seed: Decides the sequence of proposals and choices.
        explore: Short trainings before the first full one, at least 1.
        initial: Short trainings of random candidates to begin with, at least 2.
        reference: Worst values of interest in the order and units of the objectives; without it the worst values of all candidates.
        min_gain: Share of the hypervolume that a training has to promise, at least 0.
        cost_metric: Score that the cost of a training is believed to grow with; half of it is taken as fixed. `None`: all cost the same.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(  # noqa: PLR0913 - the options that users set are keyword-only parameters
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        *,
        explore: Annotated[int, Field(ge=1)] = 64,
        initial: Annotated[int, Field(ge=2)] = 16,
        reference: tuple[float, ...] | None = None,
        min_gain: Annotated[float, Field(ge=0)] = 5e-4,
        cost_metric: str | None = "macs",
    ) -> None:
        if reference is not None and len(reference) != len(objectives):
            raise ValueError(f"reference needs {len(objectives)} values, one for each objective, got {len(reference)}")
        self._space = space
        self._objectives = objectives
        self._seed = seed
        self._explore = explore
        self._initial = initial
        self._reference = reference
        self._min_gain = min_gain
        self._cost_metric = cost_metric
        self._rng = np.random.default_rng(derive_seed(seed, "multi-fidelity search"))
        self._told: dict[Architecture, tuple[float, ...]] = {}
        self._front: list[Architecture] = []
        """The front of what was told, made when it is asked for."""
        self._inputs = CandidateInputs(space)

    def ask(self) -> Architecture:
        if len(self._told) < self._initial or self._rng.random() < 0.5:
            return self._space.sample(self._rng)
        if not self._front:
            told = list(self._told)
            self._front = [told[place] for place in pareto_front(list(self._told.values()))]
        return self._space.mutate(self._front[int(self._rng.integers(len(self._front)))], self._rng)

    def tell(self, observation: Observation) -> None:
        values = [learnable_value(observation, objective) for objective in self._objectives]
        if None not in values:
            self._space.validate(observation.architecture)
            self._told[observation.architecture] = tuple(cast("list[float]", values))
            self._front = []

    def promote(
        self, candidates: Sequence[Candidate], waiting: Sequence[int], fidelity: Fidelity, count: int
    ) -> Sequence[int]:
        full = fidelity.name is FidelityName.FULL
        candidates = [self._learnable(candidate) for candidate in candidates]
        short = sum(FidelityName.SEARCH in candidate.results for candidate in candidates)
        known = short or sum(FidelityName.FULL in candidate.results for candidate in candidates)
        rng = np.random.default_rng(derive_seed(self._seed, "promotion", fidelity.name, len(candidates), known))
        if known < self._initial and not (full and short):
            return self._first(candidates, waiting, min(count, self._initial - known), rng)
        if full and short and short < self._explore:
            return []
        outlook = expected(candidates, self._objectives, self._inputs.of(candidates))
        together = outlook.draws(waiting, _DRAWS, rng) if full else None
        counted = [FidelityName.FULL in c.results if full else bool(c.results) for c in candidates]

        def draws() -> Array:
            if together is not None:
                return together
            # Counting on an optimistic draw of a short training keeps the next ones away from its neighbours.
            return outlook.at(waiting, doubts=_OPTIMISM * abs(float(rng.standard_normal())))[None]

        least = self._min_gain if full or short >= self._explore else 0.0
        values = outlook.at(range(len(candidates)))
        costs, reference = self._costs(candidates)[list(waiting)], self._worst(values)
        chosen = _greedy(draws, costs, values[counted], reference, count=count, least=least)
        return [waiting[place] for place in chosen]

    def _learnable(self, candidate: Candidate) -> Candidate:
        """Return a candidate without scores that are not finite, and without trainings of which an objective is not."""
        scores = {name: value for name, value in candidate.scores.items() if math.isfinite(value)}
        results = {
            name: metrics
            for name, metrics in candidate.results.items()
            if all(math.isfinite(o.value(metrics)) for o in self._objectives if o.metric not in scores)
        }
        return Candidate(candidate.architecture, scores, results)

    def _first(
        self, candidates: Sequence[Candidate], waiting: Sequence[int], count: int, rng: np.random.Generator
    ) -> list[int]:
        """Draw candidates: every second one evenly over the range of an objective that is known, where few may lie at the ends."""
        known = [o for o in self._objectives if all(o.metric in candidate.scores for candidate in candidates)]
        left = list(waiting)
        chosen: list[int] = []
        while left and len(chosen) < count:
            place = int(rng.integers(len(left)))
            if known and len(chosen) % 2 == 0:
                objective = known[len(chosen) // 2 % len(known)]
                values = np.array([objective.value(candidates[other].scores) for other in left])
                place = int(np.argmin(np.abs(values - rng.uniform(values.min(), values.max()))))
            chosen.append(left.pop(place))
        return chosen

    def _worst(self, values: Array) -> Array:
        if self._reference is None:
            return np.asarray(values.min(axis=0))
        signs = [1.0 if objective.direction is Direction.MAXIMIZE else -1.0 for objective in self._objectives]
        return np.asarray(np.array(signs) * np.array(self._reference))

    def _costs(self, candidates: Sequence[Candidate]) -> Array:
        metric = self._cost_metric
        if metric is None or any(metric not in candidate.scores for candidate in candidates):
            return np.ones(len(candidates))
        sizes = np.array([candidate.scores[metric] for candidate in candidates])
        return np.asarray(sizes + (float(np.median(sizes)) or 1.0))

    def state_dict(self) -> StateDict:
        architectures = np.array(list(self._told), dtype=np.int64).reshape(len(self._told), len(self._space.choices))
        values = np.array(list(self._told.values()), dtype=np.float64).reshape(len(self._told), len(self._objectives))
        rng = cast("dict[str, Any]", self._rng.bit_generator.state)
        return {"rng": rng, "architectures": architectures, "values": values}

    def load_state_dict(self, state: StateDict) -> None:
        architectures, values = cast("Array", state["architectures"]), cast("Array", state["values"])
        self._told = {
            as_architecture(a): tuple(float(v) for v in row) for a, row in zip(architectures, values, strict=True)
        }
        self._front = []
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])


def _greedy(
    draws: Callable[[], Array], costs: Array, front: Array, reference: Array, *, count: int, least: float
) -> list[int]:
    """Choose one candidate after the other that adds most to the hypervolume for its cost, each as if those before had come out as drawn.

    Joint draws know that what is unknown is unknown of all alike: that keeps a batch from hedging with networks between two that are chosen anyway.

    Args:
        draws: Returns what the candidates may give, shape (draws, candidates, objectives), for each choice anew.
        costs: Shape (candidates,), above zero.
        front: Shape (n, objectives), what counts already.
        reference: Shape (objectives,).
        count: How many are chosen at most.
        least: Share of the hypervolume that one has to add in the mean of the draws, at least 0.

    Returns:
        Places of the chosen.
    """
    held, left = _volume(front, reference), np.ones(len(costs), dtype=bool)
    fronts: list[Array] = []
    chosen: list[int] = []
    while len(chosen) < count and left.any():
        drawn = draws()
        fronts = fronts or [front] * len(drawn)
        gains = np.mean([hypervolume_gains(one, f, reference) for one, f in zip(drawn, fronts, strict=True)], axis=0)
        best = int(np.argmax(np.where(left, gains / costs, -1.0)))
        if gains[best] <= 0.0 < least or gains[best] < least * held:
            break
        left[best] = False
        chosen.append(best)
        fronts = [np.vstack([f, one[best]]) for one, f in zip(drawn, fronts, strict=True)]
    return chosen


def _volume(front: Array, reference: Array) -> float:
    """Return the hypervolume of a front, point by point."""
    total, held = 0.0, front[:0]
    for point in front:
        total += float(hypervolume_gains(point[None], held, reference)[0])
        held = np.vstack([held, point])
    return total
