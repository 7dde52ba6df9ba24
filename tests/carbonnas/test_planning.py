"""Laying out the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbonnas.architecture import Architecture
from carbonnas.candidates import CandidateQueue
from carbonnas.costs.known import KnownCosts
from carbonnas.costs.plan import CostPlan
from carbonnas.costs.screen import Screen
from carbonnas.costs.table import LatencyTable
from carbonnas.errors import ConfigError
from carbonnas.evaluation.evaluator import Evaluation
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition, PlanShape
from carbonnas.planning import Planner
from carbonnas.proposing import Allowance
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy, StateDict
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState

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


class Told(Repeating):
    """Remembers what it was told."""

    def __init__(self, proposals: Sequence[Architecture]) -> None:
        super().__init__(proposals)
        self.told: list[Observation] = []

    def tell(self, observation: Observation) -> None:
        self.told.append(observation)


def planner_of(
    space: NASBench201,
    strategy: SearchStrategy,
    limits: tuple[Limit, ...] = (),
    screen: Screen | None = None,
    *,
    trained: int = 1,
) -> Planner:
    return Planner(
        PlanShape(rounds=2, score_per_round=2, train_per_round=trained, lookahead_rounds=0, full_per_round=1),
        space,
        strategy=strategy,
        objectives=(Objective.parse("maximize accuracy"),),
        queue=CandidateQueue(("params",)),
        seed=0,
        epochs=12,
        full_epochs=200,
        limits=limits,
        screen=screen,
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


def screen_of(folder: Path, space: NASBench201, allowed: Sequence[Architecture]) -> tuple[Limit, Screen]:
    """Return a limit that only some cells keep, by a table."""
    path = folder / "table.json"
    table = LatencyTable("a phone", architectures={space.key(cell): 1.0 for cell in allowed})
    path.write_text(table.to_json(), encoding="utf-8")
    limit = Limit("latency_ms", at_most=1.0)
    plan = CostPlan(frozenset({"latency_ms"}), tables={"latency_ms": path})
    return limit, Screen(KnownCosts(space, plan, None), [limit])


def test_proposals_that_break_a_limit_are_dropped_told_and_counted_and_others_take_their_place(tmp_path: Path) -> None:
    space = NASBench201()
    limit, screen = screen_of(tmp_path, space, OTHERS[1:])
    strategy = Told([ZEROS, SAME_AS_ZEROS, *OTHERS])
    planner, allowance = planner_of(space, strategy, (limit,), screen), Allowance(100, 100)
    added, position = planner.extend(TrialBook(), PlanPosition(), NOW, allowance)
    assert [trial.architecture for trial in added] == OTHERS[1:]
    assert position.pruned == {"latency_ms at most 1": 2}
    assert [(o.architecture, o.kind, o.failed, o.metrics) for o in strategy.told] == [
        (ZEROS, TrialKind.TRAIN, True, {}),
        (OTHERS[0], TrialKind.TRAIN, True, {}),
    ]


def test_a_plan_in_which_every_proposal_breaks_a_limit_ends_without_a_trial(tmp_path: Path) -> None:
    space = NASBench201()
    limit, screen = screen_of(tmp_path, space, OTHERS[:1])
    strategy = Told([ZEROS] * 100)
    planner, allowance = planner_of(space, strategy, (limit,), screen), Allowance(10_000, 10_000)
    added, position = planner.extend(TrialBook(), PlanPosition(), NOW, allowance)
    assert added == []
    assert position.final_planned
    assert position.pruned == {"latency_ms at most 1": 1}
    assert position.exhausted is not None
    assert '1 break "latency_ms at most 1" and 999 had been made before' in position.exhausted


def test_what_scoring_finds_to_break_a_limit_is_not_trained() -> None:
    space, book = NASBench201(), TrialBook()
    planner = planner_of(space, Repeating([ZEROS, *OTHERS]), (Limit("params", at_most=1.5),))
    _, position = planner.extend(book, PlanPosition(), NOW)
    first, second = book.in_state(TrialState.QUEUED)
    for trial, params in ((first, 2.0), (second, 1.0)):
        book.put(trial.to(TrialState.RUNNING).to(TrialState.COMPLETED, ended_at=NOW, metrics={"params": params}))
    added, _ = planner.extend(book, position, NOW)
    assert [trial.key for trial in added if trial.kind is TrialKind.TRAIN] == [second.key]


def running_training(planner: Planner, book: TrialBook) -> Trial:
    _, position = planner.extend(book, PlanPosition(), NOW)
    complete(book, {"params": 1.0})
    added, _ = planner.extend(book, position, NOW)
    return next(trial for trial in added if trial.kind is TrialKind.TRAIN).to(TrialState.RUNNING)


def test_a_training_gets_what_the_ledger_knows_and_says_what_it_lacks() -> None:
    limits = (Limit("training_g", at_most=5.0), Limit("training_j", at_most=5.0))
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]), limits)
    trial = running_training(planner, TrialBook())
    result = Evaluation({"accuracy": 0.5}, lacks={"latency_ms": "latency_ms is unstable"})
    done = planner.completed(trial, NOW, result, {"training_j": 3.0})
    assert done.metrics == {"accuracy": 0.5, "training_j": 3.0}
    unpriced = "training_g is unknown: its energy was not metered or has no price yet"
    assert done.failure == f"latency_ms is unstable; {unpriced}"
    assert done.state is TrialState.COMPLETED


def test_what_nobody_wants_of_the_ledger_is_no_metric() -> None:
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]))
    trial = running_training(planner, TrialBook())
    done = planner.completed(trial, NOW, Evaluation({"accuracy": 0.5}), {"training_j": 3.0})
    assert (done.metrics, done.failure) == ({"accuracy": 0.5}, None)


def test_a_metric_that_nothing_ever_gives_ends_the_search() -> None:
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]))
    trial = running_training(planner, TrialBook())
    with pytest.raises(ConfigError, match="nothing measures accuracy at fidelity search; there are: speed"):
        planner.completed(trial, NOW, Evaluation({"speed": 1.0}), {})


def test_a_limit_on_what_no_training_ever_tells_ends_the_search_at_the_first_one() -> None:
    limits = (Limit("synflow", at_least=1.0), Limit("latency_ms", at_most=1.0))
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]), limits)
    trial = running_training(planner, TrialBook())
    # A latency may be lacking, since a measurement can be unstable.
    text = r"1 mistake\n  limits: nothing measures synflow at fidelity search; there are: accuracy$"
    with pytest.raises(ConfigError, match=text):
        planner.completed(trial, NOW, Evaluation({"accuracy": 0.5}), {})
    done = planner.completed(trial, NOW, Evaluation({"accuracy": 0.5, "synflow": 2.0}), {})
    assert done.state is TrialState.COMPLETED


def test_a_limit_on_what_the_final_training_alone_tells_ends_the_search_at_the_first_training() -> None:
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]), (Limit("test_accuracy", at_least=0.1),))
    trial = running_training(planner, TrialBook())
    with pytest.raises(ConfigError, match="limits: nothing measures test_accuracy at fidelity search; there are: acc"):
        planner.completed(trial, NOW, Evaluation({"accuracy": 0.5}), {})


def test_a_limit_on_what_the_first_training_tells_need_not_be_told_by_the_full_one() -> None:
    book, position = TrialBook(), PlanPosition()
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]), (Limit("val_loss", at_most=1.0),))
    for metrics in ({"params": 1.0}, {"accuracy": 0.5, "val_loss": 0.5}):
        _, position = planner.extend(book, position, NOW)
        complete(book, metrics)
    planner.extend(book, position, NOW)
    full = next(trial for trial in book.values() if trial.fidelity.name is FidelityName.FULL).to(TrialState.RUNNING)
    done = planner.completed(full, NOW, Evaluation({"accuracy": 0.9}), {})
    assert done.state is TrialState.COMPLETED


def test_where_all_trainings_are_full_ones_limits_are_on_what_these_tell() -> None:
    planner = planner_of(NASBench201(), Repeating([ZEROS, *OTHERS]), (Limit("test_accuracy", at_least=0.1),), trained=0)
    trial = running_training(planner, TrialBook())
    assert trial.fidelity.name is FidelityName.FULL
    done = planner.completed(trial, NOW, Evaluation({"accuracy": 0.5, "test_accuracy": 0.5}), {})
    assert done.state is TrialState.COMPLETED
    with pytest.raises(ConfigError, match="limits: nothing measures test_accuracy at fidelity full"):
        planner.completed(trial, NOW, Evaluation({"accuracy": 0.5}), {})


def test_what_scoring_finds_to_break_a_limit_is_no_candidate_and_none_that_has_climbed() -> None:
    space, book, strategy = NASBench201(), TrialBook(), Repeating([ZEROS, *OTHERS])
    planner = planner_of(space, strategy, (Limit("params", at_most=1.5),))
    _, position = planner.extend(book, PlanPosition(), NOW)
    first, second = book.in_state(TrialState.QUEUED)
    for trial, params in ((first, 2.0), (second, 1.0)):
        book.put(trial.to(TrialState.RUNNING).to(TrialState.COMPLETED, ended_at=NOW, metrics={"params": params}))
    planner.extend(book, position, NOW)
    assert [candidate.architecture for candidate in strategy.shown] == [second.architecture]


def test_a_training_without_the_value_of_an_objective_is_told_as_a_failure() -> None:
    space, book, position = NASBench201(), TrialBook(), PlanPosition()
    strategy = Told([ZEROS, *OTHERS])
    planner = planner_of(space, strategy)
    for metrics in ({"params": 1.0}, {"speed": 1.0}, {"speed": 1.0}):
        _, position = planner.extend(book, position, NOW)
        complete(book, metrics)
    planner.extend(book, position, NOW)
    training = next(o for o in strategy.told if o.fidelity.name is FidelityName.SEARCH)
    assert (training.failed, training.metrics) == (True, {})


def test_a_training_without_the_value_of_an_objective_is_not_shown_to_who_promotes() -> None:
    book, position, strategy = TrialBook(), PlanPosition(), Repeating([ZEROS, *OTHERS])
    planner = planner_of(NASBench201(), strategy)
    for metrics in ({"params": 1.0}, {"speed": 1.0}, {"params": 1.0}, {"speed": 1.0}, {"params": 1.0}):
        _, position = planner.extend(book, position, NOW)
        complete(book, metrics)
    planner.extend(book, position, NOW)
    assert strategy.shown
    assert all(not candidate.results for candidate in strategy.shown)
