"""Laying out the plan: proposals, promotions and the winner's full training become trials."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from carbonnas.architecture import Architecture, derive_seed
from carbonnas.candidates import CandidateQueue
from carbonnas.costs.names import ACCOUNTED, may_lack
from carbonnas.costs.screen import Screen
from carbonnas.errors import ConfigError
from carbonnas.evaluation.evaluator import Evaluation
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.plan import (
    PlanPosition,
    PlanShape,
    can_ask,
    can_complete,
    can_finish,
    can_promote,
    tellable_rounds,
)
from carbonnas.ranking import ranked_trainings
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.trial_book import TrialBook
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState
from carbonnas.work_left import trainings_left

_TRIES_PER_PROPOSAL = 50
"""How often a strategy may repeat itself before a round goes on with fewer proposals than planned."""

_NOTHING: Mapping[FidelityName, Mapping[str, float]] = {}
_REMEMBERED = 1 << 15
"""Architectures whose canonical forms and keys are kept: strategies propose the same ones again and again."""


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
        full_epochs: Epochs of a full training; `None` for none.
        limits: What networks must keep: what is known to break one does not climb, and is no winner.
        screen: Drops proposals before any work; `None` for none. The strategy is told of them as of failed trainings.
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
        limits: tuple[Limit, ...] = (),
        screen: Screen | None = None,
    ) -> None:
        self.shape = shape
        self.space = space
        self.strategy = strategy
        self._objectives = objectives
        self._queue = queue
        self._seed = seed
        self._limits = limits
        self._screen = screen
        self._identity = functools.lru_cache(_REMEMBERED)(self._identify)
        self._fidelities = {FidelityName.PROXY: PROXY, FidelityName.SEARCH: Fidelity(FidelityName.SEARCH, epochs)}
        if full_epochs is not None:
            self._fidelities[FidelityName.FULL] = Fidelity(FidelityName.FULL, full_epochs)

    def extend(self, trials: TrialBook, position: PlanPosition, now: datetime) -> tuple[list[Trial], PlanPosition]:
        """Return the trials that can be added now, and the position after that. `trials` is extended by them."""
        added: list[Trial] = []
        while True:
            if can_complete(position, trials):
                new = self._promote(trials, FidelityName.FULL, position.completed, now)
                position = replace(position, completed=position.completed + 1)
            elif can_promote(position, trials):
                new = self._promote(trials, FidelityName.SEARCH, position.promoted, now)
                position = replace(position, promoted=position.promoted + 1)
            elif can_ask(self.shape, position, trials):
                position = self._tell(trials, position)
                new, dropped = self._ask(trials, position.asked, now)
                pruned = dict(Counter(position.pruned) + dropped)
                position = replace(position, asked=position.asked + 1, pruned=pruned)
            elif can_finish(self.shape, position, trials) and not position.final_planned:
                new = self._finish(trials, now)
                position = replace(position, final_planned=True)
            else:
                return added, position
            for trial in new:
                trials.put(trial)
            added.extend(new)

    def trainings_left(self, position: PlanPosition) -> dict[Fidelity, int]:
        """Return how many trainings of each fidelity are not laid out as trials yet, at most."""
        left = trainings_left(self.shape, position, with_final=FidelityName.FULL in self._fidelities)
        return {self._fidelities[rung]: count for rung, count in left.items() if rung in self._fidelities}

    def completed(self, trial: Trial, at: datetime, evaluation: Evaluation, spent: Mapping[str, float]) -> Trial:
        """Return a trial with its result, and with what the ledger charged to it if that is wanted.

        Args:
            trial: The trial, running.
            at: When it ended, UTC.
            evaluation: Its result.
            spent: `training_j` and `training_g` as far as they are known.

        Raises:
            ConfigError: Unless it gives what the configuration wants to rank by.
        """
        metrics, lacks = dict(evaluation.metrics), dict(evaluation.lacks)
        for name in sorted(self._wanted & ACCOUNTED) if trial.kind is TrialKind.TRAIN else ():
            if name in spent:
                metrics[name] = spent[name]
            else:
                lacks[name] = f"{name} is unknown: its energy was not metered or has no price yet"
        self._require_metrics(trial, metrics)
        failure = "; ".join(lacks[name] for name in sorted(lacks)) or None
        return trial.to(TrialState.COMPLETED, ended_at=at, metrics=metrics, failure=failure, curve=evaluation.curve)

    @property
    def _wanted(self) -> set[str]:
        return {objective.metric for objective in self._objectives} | {limit.metric for limit in self._limits}

    def _require_metrics(self, trial: Trial, metrics: Mapping[str, float]) -> None:
        rung = trial.fidelity.name
        if rung is FidelityName.PROXY:
            key, wanted = "search.rank_by", self._queue.proxies
        elif rung is FidelityName.SEARCH or self.shape.full_per_round:
            key, wanted = "search.objectives", tuple(objective.metric for objective in self._objectives)
        else:
            return
        if missing := [name for name in wanted if name not in metrics and not may_lack(name)]:
            given = ", ".join(sorted(metrics))
            text = f"{key}: nothing measures {', '.join(missing)} at fidelity {rung}; there are: {given}"
            raise ConfigError("search", (text,))

    def _tell(self, trials: TrialBook, position: PlanPosition) -> PlanPosition:
        rounds = tellable_rounds(self.shape, position)
        for trial in sorted((t for t in trials.values() if t.round in rounds), key=lambda t: t.number):
            self.strategy.tell(self._observation(trial))
        return replace(position, told=rounds.stop)

    def _observation(self, trial: Trial) -> Observation:
        failed = trial.state is not TrialState.COMPLETED or self._lacks(trial)
        return Observation(trial.architecture, trial.kind, trial.fidelity, {} if failed else trial.metrics, failed)

    def _lacks(self, trial: Trial) -> bool:
        """Say whether a training could not tell an objective that trainings of its sort are to tell: nothing can be learnt from it."""
        full = trial.fidelity.name is FidelityName.FULL
        is_judged = trial.kind is TrialKind.TRAIN and (not full or self.shape.full_per_round > 0)
        return is_judged and any(objective.metric not in trial.metrics for objective in self._objectives)

    def _ask(self, trials: TrialBook, round_: int, now: datetime) -> tuple[list[Trial], Counter[str]]:
        """Return the proposals of a round, and how many networks were dropped for each limit."""
        known = {trial.key for trial in trials.values()}
        proposals: dict[str, Architecture] = {}
        dropped: dict[str, str] = {}
        for _ in range(self.shape.score_per_round * _TRIES_PER_PROPOSAL):
            if len(proposals) == self.shape.score_per_round:
                break
            architecture, key = self._identity(self.strategy.ask())
            if key in known or key in proposals or key in dropped:
                continue
            broken = None if self._screen is None else self._screen.broken(architecture)
            if broken is None:
                proposals[key] = architecture
            else:
                dropped[key] = broken
                fidelity = self._fidelities[FidelityName.SEARCH]
                self.strategy.tell(Observation(architecture, TrialKind.TRAIN, fidelity, {}, failed=True))
        new = [
            self._trial(round_, FidelityName.PROXY, index, architecture=architecture, now=now)
            for index, architecture in enumerate(proposals.values())
        ]
        return new, Counter(dropped.values())

    def _identify(self, architecture: Architecture) -> tuple[Architecture, str]:
        """Return the canonical form of an architecture, and its key."""
        canonical = self.space.canonical(architecture)
        return canonical, self.space.key(canonical)

    def _promote(self, trials: TrialBook, rung: FidelityName, round_: int, now: datetime) -> list[Trial]:
        """Return the trials of a round that climb to `rung`, as the strategy chooses or, if it does not, by what ranks on the rung below."""
        count = self.shape.size(rung)
        if not count:
            return []
        below = self.shape.rungs[self.shape.rungs.index(rung) - 1]
        climbed = {t.key for t in trials.values() if t.fidelity.name is rung}
        done = [t for t in trials.in_state(TrialState.COMPLETED) if t.round <= round_]
        pool = [t for t in done if t.fidelity.name is below and not self._breaks(t)]
        waiting = {t.key: t for t in pool if t.key not in climbed}
        known = [t for t in done if t.kind is TrialKind.SCORE or (self._usable(t, rung, round_) and not self._lacks(t))]
        candidates = _candidates(known)
        places = [place for place, key in enumerate(candidates) if key in waiting]
        chosen = None
        if places:
            chosen = self.strategy.promote(list(candidates.values()), places, self._fidelities[rung], count)
        if chosen is not None:
            keys = list(candidates)
            best = [waiting[keys[place]] for place in chosen]
        elif below is FidelityName.PROXY:
            best = self._queue.best(pool, climbed, count)
        else:
            best = [t for t in ranked_trainings(pool, self._objectives[0], self._limits) if t.key not in climbed][
                :count
            ]
        return [self._trial(round_, rung, i, architecture=t.architecture, now=now) for i, t in enumerate(best)]

    def _breaks(self, trial: Trial) -> bool:
        """Say whether what is known of a trial breaks a limit."""
        return any(limit.broken_by(trial.metrics) for limit in self._limits)

    def _usable(self, trial: Trial, rung: FidelityName, round_: int) -> bool:
        """Say whether a promotion of a round to `rung` may use a training, by its place in the plan and not by its timing."""
        if trial.fidelity.name is FidelityName.SEARCH and rung is FidelityName.FULL:
            return trial.round <= round_
        return trial.round < round_ - self.shape.lookahead_rounds

    def _finish(self, trials: TrialBook, now: datetime) -> list[Trial]:
        ranked = ranked_trainings(trials.values(), self._objectives[0], self._limits)
        if not ranked or FidelityName.FULL not in self._fidelities or self.shape.full_per_round:
            return []
        winner = ranked[0]
        trial = self._trial(self.shape.rounds, FidelityName.FULL, 0, architecture=winner.architecture, now=now)
        return [replace(trial, number=self.shape.final_number)]

    def _trial(
        self, round_: int, rung: FidelityName, index: int, *, architecture: Architecture, now: datetime
    ) -> Trial:
        kind = TrialKind.SCORE if rung is FidelityName.PROXY else TrialKind.TRAIN
        fidelity = self._fidelities[rung]
        _, key = self._identity(architecture)
        seed = derive_seed(self._seed, key, kind.value, fidelity.name)
        number = self.shape.number(round_, rung, index)
        return Trial(number, round_, kind, fidelity, architecture, key, seed, now)


def _candidates(trials: Iterable[Trial]) -> dict[str, Candidate]:
    """Return what is known of each architecture by its key; trials come in the order of the plan."""
    scored: dict[str, Trial] = {}
    results: dict[str, dict[FidelityName, Mapping[str, float]]] = defaultdict(dict)
    for trial in trials:
        if trial.kind is TrialKind.SCORE:
            scored.setdefault(trial.key, trial)
        else:
            results[trial.key][trial.fidelity.name] = trial.metrics
    return {
        key: Candidate(trial.architecture, trial.metrics, results.get(key, _NOTHING)) for key, trial in scored.items()
    }
