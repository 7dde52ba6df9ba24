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
    OpenRound,
    PlanPosition,
    PlanShape,
    can_ask,
    can_complete,
    can_finish,
    can_promote,
    pass_over,
    tellable_rounds,
)
from carbonnas.proposing import Allowance, Proposer, standing, why_nothing
from carbonnas.ranking import ranked_trainings
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.trial_book import TrialBook
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState
from carbonnas.work_left import trainings_left

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
        self._identity = functools.lru_cache(_REMEMBERED)(self._identify)
        self._fidelities = {FidelityName.PROXY: PROXY, FidelityName.SEARCH: Fidelity(FidelityName.SEARCH, epochs)}
        if full_epochs is not None:
            self._fidelities[FidelityName.FULL] = Fidelity(FidelityName.FULL, full_epochs)
        self._proposer = Proposer(
            strategy,
            screen,
            identify=self._identity,
            key=space.format,
            size=shape.score_per_round,
            fidelity=self._fidelities[FidelityName.SEARCH],
        )

    def extend(
        self, trials: TrialBook, position: PlanPosition, now: datetime, allowance: Allowance | None = None
    ) -> tuple[list[Trial], PlanPosition]:
        """Return the trials that can be added now, and the position after that. `trials` is extended by them.

        Proposals are made a few at a time: as long as `proposes` is true of the position that is returned there is more to do at once.

        Args:
            trials: All trials so far.
            position: How much is laid out.
            now: The instant.
            allowance: What may be done about proposals; the usual if absent.
        """
        added: list[Trial] = []
        allowance = allowance or Allowance()
        while True:
            if can_complete(position, trials):
                new = self._promote(trials, FidelityName.FULL, position.completed, now)
                position = replace(position, completed=position.completed + 1)
            elif can_promote(position, trials):
                new = self._promote(trials, FidelityName.SEARCH, position.promoted, now)
                position = replace(position, promoted=position.promoted + 1)
            elif self.proposes(trials, position):
                if not allowance.is_left:
                    return added, position
                new, position = self._propose(trials, position, allowance, now)
            elif can_finish(self.shape, position, trials) and not position.final_planned:
                new = self._finish(trials, now)
                position = replace(position, final_planned=True)
            else:
                return added, position
            for trial in new:
                trials.put(trial)
            added.extend(new)

    def proposes(self, trials: TrialBook, position: PlanPosition) -> bool:
        """Say whether there are proposals to be made, or rounds to be laid out without any."""
        return can_ask(self.shape, position, trials)

    def looking(self, trials: TrialBook, position: PlanPosition) -> str | None:
        """Return what the plan waits for while proposals are made, in one sentence; `None` if it does not."""
        if not self.proposes(trials, position) or position.exhausted is not None:
            return None
        round_ = f"round {position.asked + 1:,} of {self.shape.rounds:,}"
        return f"Looks for networks to propose in {round_}: {standing(position.open_round or OpenRound())}."

    def trainings_left(self, trials: TrialBook, position: PlanPosition) -> dict[Fidelity, int]:
        """Return how many trainings of each fidelity are not laid out as trials yet, at most."""
        left = trainings_left(self.shape, position, with_final=FidelityName.FULL in self._fidelities)
        if position.exhausted is not None:
            keys = {rung: {t.key for t in trials.values() if t.fidelity.name is rung} for rung in FidelityName}
            useless = {t.key for t in trials.values() if t.state is TrialState.FAILED or self._breaks(t)}
            scored = keys[FidelityName.PROXY] - useless
            left = {rung: min(count, len(scored - keys[rung])) for rung, count in left.items()}
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
        wanted: dict[str, Iterable[str]] = {}
        if rung is FidelityName.PROXY:
            wanted["search.rank_by"] = self._queue.proxies
        elif rung is FidelityName.SEARCH or self.shape.full_per_round:
            wanted["search.objectives"] = [objective.metric for objective in self._objectives]
        if rung in self.shape.rungs[1:2]:
            # Networks are chosen by what their first training tells: what comes later, no network would keep at that time.
            wanted["limits"] = [limit.metric for limit in self._limits]
        given = ", ".join(sorted(metrics))
        problems = [
            f"{key}: nothing measures {', '.join(missing)} at fidelity {rung}; there are: {given}"
            for key, names in wanted.items()
            if (missing := [name for name in names if name not in metrics and not may_lack(name)])
        ]
        if problems:
            raise ConfigError("search", tuple(problems))

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

    def _propose(
        self, trials: TrialBook, position: PlanPosition, allowance: Allowance, now: datetime
    ) -> tuple[list[Trial], PlanPosition]:
        """Return the scorings of a round once all its proposals are made, and the position after what was done."""
        if position.exhausted is not None:
            allowance.asks -= 1
            return [], pass_over(self.shape, position, trials)
        position, number = self._tell(trials, position), position.asked
        before = position.open_round or OpenRound()
        round_ = self._proposer.go_on(before, {trial.key for trial in trials.values()}, allowance)
        news = Counter(round_.pruned) - Counter(before.pruned)
        position = replace(position, open_round=round_, pruned=dict(Counter(position.pruned) + news))
        if not self._proposer.is_over(round_.asks, len(round_.proposed)):
            return [], position
        new = [
            self._trial(number, FidelityName.PROXY, index, architecture=architecture, now=now)
            for index, architecture in enumerate(round_.proposed)
        ]
        exhausted = None if new else self._why_exhausted(number, round_)
        return new, replace(position, asked=number + 1, open_round=None, exhausted=exhausted)

    def _why_exhausted(self, number: int, round_: OpenRound) -> str:
        since = f"Nothing was found to propose from round {number + 1:,} of {self.shape.rounds:,} on: {why_nothing(round_)}."
        return f"{since} Rounds after that train what was scored, until nothing is left."

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
        candidates = _candidates(t for t in done if self._counts(t, rung, round_))
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

    def _counts(self, trial: Trial, rung: FidelityName, round_: int) -> bool:
        """Say whether who promotes to `rung` sees a result: what scoring finds to break a limit never climbs, and is no candidate."""
        if trial.kind is TrialKind.SCORE:
            return not self._breaks(trial)
        return self._usable(trial, rung, round_) and not self._lacks(trial)

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
