"""Proposals are made a few at a time, and what is proposed does not depend on how many."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbonnas.architecture import Architecture, stable_hash
from carbonnas.candidates import CandidateQueue
from carbonnas.costs.known import KnownCosts
from carbonnas.costs.plan import CostPlan
from carbonnas.costs.screen import Screen
from carbonnas.costs.table import LatencyTable
from carbonnas.objectives.limit import Limit
from carbonnas.plan import OpenRound, PlanPosition, PlanShape
from carbonnas.planning import Planner
from carbonnas.proposing import Allowance
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.state import decode_state, encode_state
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict
from carbonnas.testing.strategies import OBJECTIVES, Letters, trained
from carbonnas.trial_book import TrialBook
from carbonnas.trials import FidelityName, TrialKind, TrialState

NOW = datetime(2022, 1, 1, tzinfo=UTC)
LIMIT = Limit("latency_ms", at_most=1.0)
LETTERS = list(itertools.product(range(3), range(4), range(1), range(5)))
WHOLE = Allowance(10**9, 10**9)

cuts = st.lists(st.tuples(st.integers(30, 300), st.integers(3, 30)), min_size=1, max_size=5)


class Counting(Screen):
    """Counts the looks at networks, as if each took its time."""

    def __init__(self, costs: KnownCosts, limits: Sequence[Limit]) -> None:
        super().__init__(costs, limits)
        self.looks = 0

    @property
    def builds(self) -> bool:
        return True

    def broken(self, architecture: Architecture) -> str | None:
        self.looks += 1
        return super().broken(architecture)


def screen_of(space: SearchSpace, allowed: Collection[Architecture]) -> Counting:
    """Return a screen that lets through some networks only, by a table."""
    known = {space.key(each): 1.0 if each in allowed else 2.0 for each in LETTERS}
    table = LatencyTable("a phone", architectures=known)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.json"
        path.write_text(table.to_json(), encoding="utf-8")
        plan = CostPlan(frozenset({"latency_ms"}), tables={"latency_ms": path})
        return Counting(KnownCosts(space, plan, None), [LIMIT])


class Touchy(SearchStrategy):
    """Whatever it is asked or told, and in which order, changes all that it proposes later."""

    def __init__(self, seed: int) -> None:
        self._course = seed

    def ask(self) -> Architecture:
        self._course = stable_hash(self._course, "ask")
        return LETTERS[self._course % len(LETTERS)]

    def tell(self, observation: Observation) -> None:
        o = observation
        self._course = stable_hash(self._course, o.architecture, o.fidelity, sorted(o.metrics.items()), o.failed)

    def state_dict(self) -> StateDict:
        return {"course": self._course}

    def load_state_dict(self, state: StateDict) -> None:
        self._course = cast("int", state["course"])


def planner_of(strategy: SearchStrategy, screen: Screen | None = None, **shape: int) -> Planner:
    sizes = {"rounds": 4, "score_per_round": 3, "train_per_round": 1, "lookahead_rounds": 1, **shape}
    return Planner(
        PlanShape(**sizes),
        Letters(),
        strategy=strategy,
        objectives=OBJECTIVES,
        queue=CandidateQueue(("synflow",)),
        seed=0,
        epochs=12,
        full_epochs=20,
        limits=(LIMIT,) if screen is not None else (),
        screen=screen,
    )


def end(book: TrialBook, count: int | None = None, *, backwards: bool = False) -> None:
    """Let open trials end, with results that depend on the network alone."""
    waiting = book.in_state(TrialState.QUEUED)
    for trial in (waiting[::-1] if backwards else waiting)[:count]:
        result = dict(trained(trial.architecture).metrics)
        metrics = (
            {"synflow": result["val_accuracy"]} if trial.kind is TrialKind.SCORE else {**result, "latency_ms": 1.0}
        )
        book.put(trial.to(TrialState.RUNNING).to(TrialState.COMPLETED, ended_at=NOW, metrics=metrics))


def laid_out(book: TrialBook) -> list[tuple[int, int, FidelityName, Architecture]]:
    return sorted((t.number, t.round, t.fidelity.name, t.architecture) for t in book.values())


def whole_search(planner: Planner) -> tuple[TrialBook, PlanPosition]:
    """Carry out a plan, each time as far as it can be laid out; return all trials and the last position."""
    book, position = TrialBook(), PlanPosition()
    for _ in range(10_000):
        _, position = planner.extend(book, position, NOW, WHOLE)
        if not planner.proposes(book, position):
            if book.finished:
                return book, position
            end(book)
    raise AssertionError("the plan does not end")


def interrupted_search(
    seed: int, screen: Screen, pieces: Sequence[tuple[int, int]], **shape: int
) -> tuple[TrialBook, PlanPosition]:
    """Carry out a plan in pieces, by a new process each time, with trials that end one by one, the last first, while it is laid out."""
    book, position = TrialBook(), PlanPosition()
    state = encode_state(Touchy(seed).state_dict())
    for asks, looks in itertools.islice(itertools.cycle(pieces), 10_000):
        strategy = Touchy(99)
        strategy.load_state_dict(decode_state(state))
        planner = planner_of(strategy, screen, **shape)
        _, position = planner.extend(book, position, NOW, Allowance(asks, looks))
        state = encode_state(strategy.state_dict())
        if not planner.proposes(book, position) and book.finished:
            return book, position
        end(book, 1, backwards=True)
    raise AssertionError("the plan does not end")


@settings(max_examples=12)
@example(seed=0, allowed=set(LETTERS[::2]), pieces=[(1, 1)], lookahead=1)
@given(seed=st.integers(0, 9), allowed=st.sets(st.sampled_from(LETTERS)), pieces=cuts, lookahead=st.integers(0, 2))
def test_where_a_plan_is_cut_does_not_change_what_is_laid_out(
    seed: int, allowed: set[Architecture], pieces: list[tuple[int, int]], lookahead: int
) -> None:
    screen = screen_of(Letters(), allowed)
    whole, position = whole_search(planner_of(Touchy(seed), screen, lookahead_rounds=lookahead))
    cut, cut_position = interrupted_search(seed, screen, pieces, lookahead_rounds=lookahead)
    assert laid_out(cut) == laid_out(whole)
    assert cut_position == position


def test_no_call_looks_at_more_than_a_few_networks_or_asks_more_than_a_few_times() -> None:
    screen = screen_of(Letters(), [])
    planner, book, position = planner_of(Touchy(0), screen), TrialBook(), PlanPosition()
    while planner.proposes(book, position):
        looks, asks = screen.looks, 0 if position.open_round is None else position.open_round.asks
        _, position = planner.extend(book, position, NOW)
        assert screen.looks - looks <= 1
        if position.open_round is not None:
            assert 0 < position.open_round.asks - asks <= 32


def test_a_round_that_found_nothing_ends_all_proposing_and_says_why() -> None:
    screen = screen_of(Letters(), [])
    book, position = whole_search(planner_of(Touchy(0), screen, rounds=10**6))
    assert not book
    assert position.final_planned
    # There are 3 * 4 * 1 * 5 = 60 networks; a thousand draws meet them all.
    assert screen.looks == 60
    assert position.pruned == {"latency_ms at most 1": 60}
    assert position.exhausted == (
        "Nothing was found to propose from round 1 of 1,000,000 on: of 1,000 proposals in a row 60 break"
        ' "latency_ms at most 1" and 940 had been made before.'
        " Rounds after that train what was scored, until nothing is left."
    )


def test_a_limit_that_one_network_in_sixty_keeps_ends_nothing_before_it_is_found() -> None:
    for seed in range(5):
        screen = screen_of(Letters(), LETTERS[7:8])
        book, position = whole_search(planner_of(Touchy(seed), screen, score_per_round=1))
        scored = [trial.architecture for trial in book.values() if trial.kind is TrialKind.SCORE]
        assert scored == LETTERS[7:8]
        assert position.exhausted is not None
        assert "from round 2 of 4 on" in position.exhausted


def test_an_exhausted_space_is_trained_to_its_end_as_far_as_rounds_reach() -> None:
    # Six networks, four of which are scored in the first round and two in the second: one is trained in each round of the plan.
    screen = screen_of(Letters(), LETTERS[:6])
    shape = {"rounds": 5, "score_per_round": 4, "train_per_round": 1}
    book, position = whole_search(planner_of(Touchy(0), screen, **shape))
    ranks = [trial for trial in book.values() if trial.fidelity.name is FidelityName.SEARCH]
    assert [trial.round for trial in ranks] == [0, 1, 2, 3, 4]
    assert position.exhausted is not None
    assert "from round 3 of 5 on" in position.exhausted
    best = max(ranks, key=lambda trial: trial.metrics["val_accuracy"])
    (final,) = (trial for trial in book.values() if trial.fidelity.name is FidelityName.FULL)
    assert (final.architecture, final.state) == (best.architecture, TrialState.COMPLETED)


def test_what_is_left_of_an_exhausted_space_is_what_was_scored_and_not_trained() -> None:
    screen = screen_of(Letters(), LETTERS[:6])
    planner = planner_of(Touchy(0), screen, rounds=500, score_per_round=6)
    book, position = TrialBook(), PlanPosition()
    search, full = planner.trainings_left(book, position)
    assert planner.trainings_left(book, position) == {search: 500, full: 1}
    for _ in range(2):
        _, position = planner.extend(book, position, NOW, WHOLE)
        end(book)
    assert position.exhausted is not None
    trained_ones = sum(trial.fidelity == search for trial in book.values())
    assert 0 < trained_ones < 6
    assert planner.trainings_left(book, position) == {search: 6 - trained_ones, full: 1}


def test_what_is_looked_for_is_told_while_it_is() -> None:
    screen = screen_of(Letters(), LETTERS[:1])
    planner, book = planner_of(Touchy(0), screen), TrialBook()
    assert planner.looking(book, PlanPosition(open_round=OpenRound(1234, ((0, 0, 0, 0),), {"a": ((0, 0, 0, 1),)}))) == (
        "Looks for networks to propose in round 1 of 4: 1,234 proposals made so far, 1 to be scored, 1 that break a limit."
    )
    _, position = planner.extend(book, PlanPosition(), NOW, Allowance(0))
    assert position == PlanPosition()
    book, position = whole_search(planner)
    assert planner.looking(book, position) is None


def test_a_proposal_is_never_a_numpy_number_that_no_store_keeps() -> None:
    screen = screen_of(Letters(), LETTERS[:30])
    _, position = planner_of(Touchy(0), screen).extend(TrialBook(), PlanPosition(), NOW, Allowance(2, 2))
    round_ = position.open_round
    assert round_ is not None
    seen = [*round_.proposed, *itertools.chain.from_iterable(round_.dropped.values())]
    assert seen
    assert not any(isinstance(index, np.generic) for each in seen for index in each)
