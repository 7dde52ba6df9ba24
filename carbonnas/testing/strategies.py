"""The conformance suite of search strategies; it needs pytest and hypothesis, which are no dependencies of the package.

class TestMyStrategy(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return SmallConv()

    def make(self, seed: int) -> SearchStrategy:
        return MyStrategy(self.make_space(), OBJECTIVES, seed)
"""
# ruff: noqa: S101 - a suite for pytest asserts

from __future__ import annotations

import enum
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NoReturn

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonnas.architecture import Architecture, stable_hash
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.state import decode_state, encode_state
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

OBJECTIVES = (Objective("val_accuracy", Direction.MAXIMIZE),)
"""What strategies under test are made with; trainings are told with this metric."""

SEARCH = Fidelity(FidelityName.SEARCH, 12)


class Letters(SearchSpace):
    """Four choices, one of which has a single option; a strategy needs no networks, and there are none."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"letter{i}", tuple(options)) for i, options in enumerate(("abc", "abcd", "a", "abcde")))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("letters are no networks")


class Walled(SearchSpace):
    """Six choices, of which two matter only after one option of another; the sum of the first three is limited."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        free = tuple(Choice(f"dial{i}", tuple("0123")) for i in range(4))
        return (*free, *(Choice(f"extra{i}", tuple("012"), lambda chosen: chosen["dial3"] > "1") for i in range(2)))

    def valid(self, architecture: Architecture) -> bool:
        return sum(architecture[:3]) <= 5

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("nothing is built behind the wall")


def trained(architecture: Architecture, *, failed: bool = False) -> Observation:
    """Return a training with an arbitrary but repeatable accuracy, or a failed one."""
    metrics = {} if failed else {"val_accuracy": stable_hash(*architecture) % 1000 / 1000}
    return Observation(architecture, TrialKind.TRAIN, SEARCH, metrics, failed)


def scored(architecture: Architecture) -> Observation:
    """Return a scoring, which has no accuracy."""
    return Observation(architecture, TrialKind.SCORE, PROXY, {"synflow": 1.0})


class Fate(enum.Enum):
    """What becomes of a proposal."""

    TRAINED = enum.auto()
    FAILED = enum.auto()
    NOT_FINITE = enum.auto()
    """A training whose accuracy is no number."""
    SCORED = enum.auto()
    FORGOTTEN = enum.auto()
    """Nothing is ever told of it."""
    ANOTHER_TRAINED = enum.auto()
    """Nothing is told of it, but of a network that was not proposed."""


class StrategyConformance(ABC):
    """The laws of `SearchStrategy`; subclass it in a test module and say how the strategy is made.

    Attributes:
        steps: Proposals in each half of a search; set it so that the strategy has learned something by then.
    """

    steps: ClassVar[int] = 20

    @abstractmethod
    def make_space(self) -> SearchSpace:
        """Return the space that `make` uses."""

    @abstractmethod
    def make(self, seed: int) -> SearchStrategy:
        """Return a new strategy over `make_space()` and `OBJECTIVES`, each time with the same options."""

    def drive(self, strategy: SearchStrategy, begin: int = 0) -> list[Architecture]:
        """Ask `steps` times and tell what a search might: scorings, trainings, failures, some late, some never, some unasked."""
        space, outside = self.make_space(), np.random.default_rng(begin)
        proposals: list[Architecture] = []
        for step in range(begin, begin + self.steps):
            proposals.append(strategy.ask())
            strategy.tell(scored(proposals[-1]))
            if step % 5 == 0:
                strategy.tell(trained(space.sample(outside)))
            if step % 3:
                strategy.tell(trained(proposals[-2] if step % 4 == 0 and len(proposals) > 1 else proposals[-1]))
            elif step % 2:
                strategy.tell(trained(proposals[-1], failed=True))
        return proposals

    def live(self, strategy: SearchStrategy, fates: Sequence[Fate]) -> list[Architecture]:
        """Ask once for each fate, tell what became of the proposal, and return the proposals."""
        space, outside = self.make_space(), np.random.default_rng(len(fates))
        proposals: list[Architecture] = []
        for fate in fates:
            proposals.append(strategy.ask())
            if fate is Fate.SCORED:
                strategy.tell(scored(proposals[-1]))
            elif fate is Fate.NOT_FINITE:
                strategy.tell(Observation(proposals[-1], TrialKind.TRAIN, SEARCH, {"val_accuracy": math.nan}))
            elif fate is not Fate.FORGOTTEN:
                told = space.sample(outside) if fate is Fate.ANOTHER_TRAINED else proposals[-1]
                strategy.tell(trained(told, failed=fate is Fate.FAILED))
        return proposals

    def candidates(self, scored_count: int, trained_count: int) -> list[Candidate]:
        """Return random candidates with arbitrary scores, the first of which were trained; the one before the last of these failed."""
        space, rng = self.make_space(), np.random.default_rng(0)
        drawn = dict.fromkeys(space.canonical(space.sample(rng)) for _ in range(20 * scored_count))
        made = []
        for place, architecture in enumerate(list(drawn)[:scored_count]):
            has_result = place < trained_count and place != trained_count - 2
            scores = {name: float(rng.normal()) for name in ("synflow", "naswot")}
            results = {SEARCH.name: trained(architecture).metrics} if has_result else {}
            made.append(Candidate(architecture, scores, results))
        return made

    def resumed(self, strategy: SearchStrategy, seed: int = 0) -> SearchStrategy:
        """Return a new strategy that goes on from the stored state of another."""
        successor = self.make(seed)
        successor.load_state_dict(decode_state(encode_state(strategy.state_dict())))
        return successor

    def test_proposals_belong_to_the_space(self) -> None:
        space = self.make_space()
        for architecture in self.drive(self.make(0)):
            space.validate(architecture)
            assert all(type(index) is int for index in architecture)

    def test_the_same_seed_and_calls_give_the_same_proposals(self) -> None:
        assert self.drive(self.make(7)) == self.drive(self.make(7))

    def test_another_seed_gives_other_proposals(self) -> None:
        assert self.drive(self.make(0)) != self.drive(self.make(1))

    def test_a_stored_strategy_goes_on_exactly(self) -> None:
        uninterrupted = self.make(3)
        self.drive(uninterrupted)
        successor = self.resumed(uninterrupted, seed=99)
        assert self.drive(successor, self.steps) == self.drive(uninterrupted, self.steps)
        assert encode_state(successor.state_dict()) == encode_state(uninterrupted.state_dict())

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(st.lists(st.sampled_from(Fate), max_size=20), st.lists(st.sampled_from(Fate), min_size=1, max_size=10))
    def test_whatever_happens_it_goes_on_exactly_and_within_the_space(
        self, before: list[Fate], after: list[Fate]
    ) -> None:
        space, uninterrupted = self.make_space(), self.make(5)
        proposals = self.live(uninterrupted, before)
        successor = self.resumed(uninterrupted, seed=98)
        proposals += self.live(successor, after)
        assert proposals[len(before) :] == self.live(uninterrupted, after)
        for architecture in proposals:
            space.validate(architecture)

    def test_a_strategy_can_be_stored_at_every_step(self) -> None:
        space, rng = self.make_space(), np.random.default_rng(0)
        uninterrupted = interrupted = self.make(4)
        interrupted = self.resumed(uninterrupted)
        for step in range(self.steps):
            interrupted = self.resumed(interrupted)
            told = trained(space.sample(rng), failed=step % 5 == 0)
            uninterrupted.tell(told)
            interrupted.tell(told)
            assert interrupted.ask() == uninterrupted.ask()

    def test_a_state_that_was_taken_does_not_change_any_more(self) -> None:
        strategy = self.make(0)
        self.drive(strategy)
        state = strategy.state_dict()
        before = encode_state(state)
        self.drive(strategy, self.steps)
        assert encode_state(state) == before

    def test_taking_the_state_changes_nothing(self) -> None:
        watched, alone = self.make(0), self.make(0)
        for _ in range(self.steps):
            watched.state_dict()
            assert watched.ask() == alone.ask()

    def test_failures_alone_do_not_end_a_search(self) -> None:
        strategy, space = self.make(0), self.make_space()
        for _ in range(self.steps):
            strategy.tell(trained(strategy.ask(), failed=True))
        space.validate(strategy.ask())

    def test_global_random_numbers_are_left_alone(self) -> None:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - the global generator is what is watched
        expected = random.random(), np.random.random()  # noqa: NPY002, S311 - as above
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - as above
        self.drive(self.make(0))
        assert (random.random(), np.random.random()) == expected  # noqa: NPY002, S311 - as above

    def test_a_promotion_is_a_choice_among_those_that_wait(self) -> None:
        for trained_count in (0, 2, 16):
            candidates = self.candidates(24, trained_count)
            waiting = range(trained_count, len(candidates))
            chosen = self.make(0).promote(candidates, waiting, SEARCH, 3)
            if chosen is not None:
                assert len(set(chosen)) == len(chosen) <= 3
                assert set(chosen) <= set(waiting)

    def test_promotions_do_not_depend_on_what_was_told_or_asked(self) -> None:
        candidates = self.candidates(24, 16)
        fresh, told = self.make(5), self.make(5)
        self.drive(told)
        for _ in range(2):
            answers = [strategy.promote(candidates, range(16, 24), SEARCH, 3) for strategy in (fresh, told)]
            assert answers[0] == answers[1]
        assert self.drive(fresh) == self.drive(self.make(5))
