"""Laying out the plan: proposals, promotions and the winner's full training become trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from carbonnas.architecture import Architecture, derive_seed
from carbonnas.candidates import CandidateQueue
from carbonnas.errors import ConfigError
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition, PlanShape, can_ask, can_finish, can_promote, tellable_rounds
from carbonnas.ranking import ranked_trainings
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState

_TRIES_PER_PROPOSAL = 50
"""How often a strategy may repeat itself before a round goes on with fewer proposals than planned."""


class Planner:
    """Adds trials to a search as far as the results so far allow, in an order that depends on the seed alone.

    Args:
        shape: How much work.
        space: Where architectures come from.
        strategy: Who proposes them.
        objectives: What is searched for; the first ranks.
        queue: Ranks the candidates.
        seed: Seed of the search.
        epochs: Epochs of a training that ranks candidates.
        full_epochs: Epochs of the winner's full training; `None` for none.
    """

    def __init__(  # noqa: PLR0913 - the parts of a plan
        self,
        shape: PlanShape,
        space: SearchSpace,
        *,
        strategy: SearchStrategy,
        objectives: tuple[Objective, ...],
        queue: CandidateQueue,
        seed: int,
        epochs: int,
        full_epochs: int | None,
    ) -> None:
        self.shape = shape
        self.space = space
        self.strategy = strategy
        self._objectives = objectives
        self._queue = queue
        self._seed = seed
        self._fidelity = Fidelity(FidelityName.SEARCH, epochs)
        self._full = None if full_epochs is None else Fidelity(FidelityName.FULL, full_epochs)

    def extend(
        self, trials: dict[int, Trial], position: PlanPosition, now: datetime
    ) -> tuple[list[Trial], PlanPosition]:
        """Return the trials that can be added now, and the position after that. `trials` is extended by them."""
        added: list[Trial] = []
        while True:
            if can_promote(position, trials):
                new = self._promote(trials, position.promoted, now)
                position = replace(position, promoted=position.promoted + 1)
            elif can_ask(self.shape, position, trials):
                position = self._tell(trials, position)
                new = self._ask(trials, position.asked, now)
                position = replace(position, asked=position.asked + 1)
            elif can_finish(self.shape, position, trials) and not position.final_planned:
                new = self._finish(trials, now)
                position = replace(position, final_planned=True)
            else:
                return added, position
            trials.update({trial.number: trial for trial in new})
            added.extend(new)

    def require_metrics(self, trial: Trial, metrics: Mapping[str, float]) -> None:
        """Raise `ConfigError` unless an evaluation gives what the configuration wants to rank by."""
        if trial.kind is TrialKind.SCORE:
            key, wanted = "search.rank_by", self._queue.proxies
        elif trial.fidelity == self._fidelity:
            key, wanted = "search.objectives", tuple(objective.metric for objective in self._objectives)
        else:
            return
        if missing := [name for name in wanted if name not in metrics]:
            given = ", ".join(sorted(metrics))
            raise ConfigError("search", (f"{key}: nothing measures {', '.join(missing)}; there are: {given}",))

    def _tell(self, trials: dict[int, Trial], position: PlanPosition) -> PlanPosition:
        rounds = tellable_rounds(self.shape, position)
        for trial in sorted(trials.values(), key=lambda t: t.number):
            if trial.round in rounds:
                failed = trial.state is not TrialState.COMPLETED
                observation = Observation(trial.architecture, trial.kind, trial.fidelity, trial.metrics, failed)
                self.strategy.tell(observation)
        return replace(position, told=rounds.stop)

    def _ask(self, trials: dict[int, Trial], round_: int, now: datetime) -> list[Trial]:
        known = {trial.key for trial in trials.values()}
        proposals: dict[str, Architecture] = {}
        for _ in range(self.shape.score_per_round * _TRIES_PER_PROPOSAL):
            if len(proposals) == self.shape.score_per_round:
                break
            architecture = self.space.canonical(self.strategy.ask())
            key = self.space.key(architecture)
            if key not in known:
                proposals.setdefault(key, architecture)
        return [
            self._trial(round_, index, kind=TrialKind.SCORE, architecture=architecture, now=now)
            for index, architecture in enumerate(proposals.values())
        ]

    def _promote(self, trials: dict[int, Trial], round_: int, now: datetime) -> list[Trial]:
        scored = [t for t in _completed(trials.values(), TrialKind.SCORE) if t.round <= round_]
        promoted = {t.key for t in trials.values() if t.kind is TrialKind.TRAIN}
        best = self._queue.best(scored, promoted, self.shape.train_per_round)
        return [
            self._trial(round_, index, kind=TrialKind.TRAIN, architecture=candidate.architecture, now=now)
            for index, candidate in enumerate(best)
        ]

    def _finish(self, trials: dict[int, Trial], now: datetime) -> list[Trial]:
        ranked = ranked_trainings(trials.values(), self._objectives[0])
        if not ranked or self._full is None:
            return []
        winner = ranked[0]
        seed = derive_seed(self._seed, winner.key, TrialKind.TRAIN.value, self._full.name)
        number = self.shape.final_number
        return [
            Trial(number, self.shape.rounds, TrialKind.TRAIN, self._full, winner.architecture, winner.key, seed, now)
        ]

    def _trial(self, round_: int, index: int, *, kind: TrialKind, architecture: Architecture, now: datetime) -> Trial:
        fidelity = PROXY if kind is TrialKind.SCORE else self._fidelity
        key = self.space.key(architecture)
        seed = derive_seed(self._seed, key, kind.value, fidelity.name)
        number = self.shape.number(round_, kind, index)
        return Trial(number, round_, kind, fidelity, architecture, key, seed, now)


def _completed(trials: Iterable[Trial], kind: TrialKind) -> list[Trial]:
    return [t for t in trials if t.kind is kind and t.state is TrialState.COMPLETED]
