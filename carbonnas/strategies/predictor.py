"""Search with a performance predictor that learns from architectures and proxies alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.candidate_inputs import CandidateInputs
from carbonnas.strategies.gaussian_process import GaussianProcess
from carbonnas.strategies.normal_scores import normal_scores
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import FirstObjective, Reward
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy, StateDict
from carbonnas.trials import Fidelity

Array = NDArray[np.float64]

_TRIES = 100
"""Draws of a network that was not proposed yet before one that was is taken."""
_ELITE = 10
"""Networks that proposals are mutations of."""
_SHARPNESS = 0.3
"""Probability that the best of them is the parent, and of the others that each next one is if those before are not."""
_FURTHER = 0.3
"""Probability of each further mutation."""


class Predictor(SearchStrategy):
    """Trains, of all that was scored, what a predictor finds most promising.

    The predictor is a Gaussian process, whose uncertainty is honest where little is known, on the features of the space and the ranks of
    all scores. It learns what each proxy is worth from the trainings of the search itself, so a proxy that misleads does no lasting harm.
    The targets are the ranks of the results as normal scores: a network that hardly learns at all is a bad one, not an outlier.
    What is trained has the highest mean plus a few deviations, drawn anew for each choice from half a normal distribution of scale
    `optimism`; of several that are chosen at once each next one counts on the ones before. Until `initial` trainings are there the best
    by fused ranks are trained. Full trainings among those trained before are chosen by their results.

    Proposals for scoring are mutations of the ten best so far, of the best most often; a share of `explore` is drawn uniformly, and
    before `initial` trainings are there all are.

    After Wen et al. 2020, "Neural Predictor for Neural Architecture Search", and White et al. 2021, "BANANAS"; proxies as inputs after White et
    al. 2021, "How Powerful are Performance Predictors in Neural Architecture Search?", section 4.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the sequence of proposals and choices.
        reward: What is maximised; the first objective if absent.
        initial: Trainings before the predictor is asked, at least 2.
        explore: Share of proposals that are drawn uniformly, 0..1.
        optimism: Scale of the deviations, at least 0.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        reward: Reward | None = None,
        *,
        initial: int = 10,
        explore: float = 0.2,
        optimism: float = 0.5,
    ) -> None:
        if initial < 2:
            raise ValueError(f"initial must be at least 2, got {initial}")
        if not 0 <= explore <= 1:
            raise ValueError(f"explore must be 0 to 1, got {explore}")
        if not 0 <= optimism < math.inf:
            raise ValueError(f"optimism must be at least zero and finite, got {optimism}")
        self._space = space
        self._reward = reward or FirstObjective(objectives)
        self._results = Results(space, self._reward)
        self._seed = seed
        self._initial = initial
        self._explore = explore
        self._optimism = optimism
        self._proposed: dict[Architecture, None] = {}
        self._inputs = CandidateInputs(space)
        self._rng = np.random.default_rng(derive_seed(seed, "predictor"))

    def ask(self) -> Architecture:
        for _ in range(_TRIES):
            drawn = self._space.canonical(self._draw())
            if drawn not in self._proposed:
                break
        self._proposed[drawn] = None
        return drawn

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is not None:
            self._proposed[architecture] = None

    def promote(
        self, candidates: Sequence[Candidate], waiting: Sequence[int], fidelity: Fidelity, count: int
    ) -> Sequence[int] | None:
        if any(candidates[place].results for place in waiting):
            return None
        found = [candidate.results.get(fidelity.name) for candidate in candidates]
        vectors = [None if metrics is None else self._reward.vector(metrics) for metrics in found]
        known = [place for place, vector in enumerate(vectors) if vector is not None]
        if len(known) < self._initial:
            return None
        worth = self._reward.values(np.array([vectors[place] for place in known]), len(known))
        inputs, targets = self._inputs.of(candidates), normal_scores(worth)
        process = GaussianProcess.fit(inputs[known], targets)
        # What is in training already has no result, but the next choice has to count on it as well as on the ones before.
        counted = sorted(set(range(len(candidates))) - set(waiting) - set(known))
        rng = np.random.default_rng(derive_seed(self._seed, "promotion", len(candidates), len(known)))
        chosen: list[int] = []
        left = list(waiting)
        while left and len(chosen) < count:
            mean, doubt = process.counting_on(inputs[counted + chosen]).predict(inputs[left])
            best = int(np.argmax(mean + self._optimism * abs(rng.standard_normal()) * doubt))
            chosen.append(left.pop(best))
        return chosen

    def state_dict(self) -> StateDict:
        return {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "proposed": np.array(list(self._proposed), dtype=np.int64).reshape(-1, len(self._space.choices)),
            **self._results.state(),
        }

    def load_state_dict(self, state: StateDict) -> None:
        self._results.load(state)
        self._proposed = dict.fromkeys(as_architecture(row) for row in cast("np.ndarray", state["proposed"]))
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _draw(self) -> Architecture:
        trained = self._results.trained
        if len(trained) < self._initial or self._rng.random() < self._explore:
            return self._space.sample(self._rng)
        best = np.argsort(-self._results.values(trained), kind="stable")[:_ELITE]
        place = min(int(self._rng.geometric(_SHARPNESS)) - 1, len(best) - 1)
        child = self._space.mutate(trained[int(best[place])], self._rng)
        while self._rng.random() < _FURTHER:
            child = self._space.mutate(child, self._rng)
        return child
