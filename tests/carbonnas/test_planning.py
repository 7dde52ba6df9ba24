"""Laying out the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from carbonnas.architecture import Architecture
from carbonnas.candidates import CandidateQueue
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition, PlanShape
from carbonnas.planning import Planner
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy, StateDict
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Fidelity, FidelityName, TrialState

NOW = datetime(2022, 1, 1, tzinfo=UTC)
ZEROS = (0, 0, 0, 0, 0, 0)
# Nothing reaches the output of either, whatever the first edge does: the same network.
SAME_AS_ZEROS = (3, 0, 0, 0, 0, 0)
OTHERS = [(0, 0, 0, option, 0, 0) for option in (1, 2, 3)]


class CountingSpace(NASBench201):
    """Counts how often the canonical form of each architecture is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[Architecture] = Counter()

    def canonical(self, architecture: Architecture) -> Architecture:
        self.asked[architecture] += 1
        return super().canonical(architecture)


class Repeating(SearchStrategy):
    """Proposes each architecture many times and trains in the order of the plan; remembers what it was shown."""

    def __init__(self, proposals: Sequence[Architecture]) -> None:
        self._proposals = [proposal for proposal in proposals for _ in range(10)]
        self.shown: list[Candidate] = []

    def ask(self) -> Architecture:
        return self._proposals.pop(0)

    def tell(self, observation: Observation) -> None:
        """Learn nothing."""

    def promote(
        self,
        candidates: Sequence[Candidate],
        waiting: Sequence[int],
        fidelity: Fidelity,
        count: int,
    ) -> Sequence[int] | None:
        self.shown = list(candidates)
        return waiting[:count]

    def state_dict(self) -> StateDict:
        return {}

    def load_state_dict(self, state: StateDict) -> None:
        """Take over nothing."""


def planner_of(space: NASBench201, strategy: SearchStrategy) -> Planner:
    return Planner(
        PlanShape(rounds=2, score_per_round=2, train_per_round=1, lookahead_rounds=0, full_per_round=1),
        space,
        strategy=strategy,
        objectives=(Objective.parse("maximize accuracy"),),
        queue=CandidateQueue(("params",)),
        seed=0,
        epochs=12,
        full_epochs=200,
    )


def complete(book: TrialBook, metrics: Mapping[str, float]) -> None:
    """Let all open trials end with the same metrics."""
    for trial in book.in_state(TrialState.QUEUED):
        book.put(trial.to(TrialState.RUNNING).to(TrialState.COMPLETED, ended_at=NOW, metrics=metrics))


def test_proposals_that_repeat_themselves_are_looked_at_once() -> None:
    space = CountingSpace()
    strategy = Repeating([ZEROS, SAME_AS_ZEROS, *OTHERS])
    added, position = planner_of(space, strategy).extend(TrialBook(), PlanPosition(), NOW)
    assert [trial.architecture for trial in added] == [ZEROS, OTHERS[0]]
    assert position.asked == 1
    # Of each proposal the form and the key, which asks for the form of the form.
    assert max(space.asked.values()) <= 3


def test_candidates_carry_the_results_of_all_their_trainings() -> None:
    space, book, position = NASBench201(), TrialBook(), PlanPosition()
    strategy = Repeating([ZEROS, *OTHERS])
    planner = planner_of(space, strategy)
    for metrics in ({"params": 1.0}, {"accuracy": 0.5}, {"accuracy": 0.9}, {"params": 2.0}):
        _, position = planner.extend(book, position, NOW)
        complete(book, metrics)
    planner.extend(book, position, NOW)
    first, second, *new = strategy.shown
    assert first == Candidate(
        ZEROS, {"params": 1.0}, {FidelityName.SEARCH: {"accuracy": 0.5}, FidelityName.FULL: {"accuracy": 0.9}}
    )
    assert second == Candidate(OTHERS[0], {"params": 1.0}, {})
    assert [(candidate.architecture, candidate.results) for candidate in new] == [(OTHERS[1], {}), (OTHERS[2], {})]
