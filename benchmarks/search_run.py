"""One search over a table: the production plan and strategy, with the seconds charged that its work would have taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.search_contestants import Contestant
from benchmarks.search_table import Benchmark
from carbonnas.candidates import CandidateQueue
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition, PlanShape
from carbonnas.planning import Planner
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Trial, TrialKind, TrialState

OBJECTIVES = (Objective.parse("maximize val_accuracy"),)
_EPOCHS = 12
_NOW = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for every instant: nothing here depends on the time."""
_ROUNDS = 4000
"""More than a budget pays for; fewer only for a strategy that finds nothing new any more."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best training so far by validation.

    Attributes:
        seconds: What had been charged when it ended.
        accuracy: Of the validation part, 0..1.
        tests: Test accuracy in percent by data set.
        trainings: How many trainings there had been.
    """

    seconds: float
    accuracy: float
    tests: dict[str, float]
    trainings: int


def search(
    contestant: Contestant, benchmark: Benchmark, space: SearchSpace, seed: int, *, budget_s: float
) -> list[Found]:
    """Return each training that was the best so far by validation, in order; what ends after the budget does not count.

    The plan has no look-ahead: each round learns from all before it.
    """
    planner = Planner(
        PlanShape(_ROUNDS, contestant.score_per_round, contestant.train_per_round, lookahead_rounds=0),
        space,
        strategy=contestant.make(space, OBJECTIVES, seed),
        objectives=OBJECTIVES,
        queue=CandidateQueue(contestant.proxies),
        seed=seed,
        epochs=_EPOCHS,
        full_epochs=None,
    )
    found: list[Found] = []
    trials, position, charged, trained = TrialBook(), PlanPosition(), 0.0, 0
    while True:
        added, position = planner.extend(trials, position, _NOW)
        if not added and not planner.proposes(trials, position):
            return found
        for trial in added:
            if trial.kind is TrialKind.SCORE:
                scores, seconds = benchmark.score(trial.architecture, contestant.proxies)
                charged += seconds
                trials.put(_ended(trial, scores))
                continue
            training = benchmark.train(trial.architecture)
            charged, trained = charged + training.seconds, trained + 1
            if charged > budget_s:
                return found
            if not found or training.accuracy > found[-1].accuracy:
                found.append(Found(charged, training.accuracy, training.tests, trained))
            trials.put(_ended(trial, {"val_accuracy": training.accuracy}))


def _ended(trial: Trial, metrics: dict[str, float] | None) -> Trial:
    running = trial.to(TrialState.RUNNING)
    if metrics is None:
        return running.to(TrialState.FAILED, failure="a score is not finite")
    return running.to(TrialState.COMPLETED, metrics=metrics)
