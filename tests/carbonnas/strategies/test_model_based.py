"""The strategies that learn a model of the results: `bayesian`, `predictor`; and evolution with several objectives, `nsga2`."""

from __future__ import annotations

import statistics
from importlib.util import find_spec
from typing import Any, NoReturn

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.bayesian import Bayesian
from carbonnas.strategies.gaussian_process import GaussianProcess
from carbonnas.strategies.nsga2 import Nsga2
from carbonnas.strategies.predictor import Predictor
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.strategies.surrogate import SurrogateKind
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, StrategyConformance, trained
from carbonnas.trials import Fidelity, FidelityName, TrialKind


class Dials(SearchSpace):
    """Six choices of five options; the best network has the last option everywhere."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"dial{i}", tuple("01234")) for i in range(6))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError


def worth(architecture: Architecture) -> float:
    return sum(architecture) / 24


def observed(architecture: Architecture, **metrics: float) -> Observation:
    return Observation(architecture, TrialKind.TRAIN, SEARCH, metrics)


def mean_of_last(strategy: SearchStrategy, steps: int, last: int) -> float:
    values = []
    for _ in range(steps):
        architecture = strategy.ask()
        values.append(worth(architecture))
        strategy.tell(observed(architecture, val_accuracy=values[-1]))
    return statistics.mean(values[-last:])


def drawn(count: int, seed: int = 0) -> list[Architecture]:
    space, rng = Dials(), np.random.default_rng(seed)
    return list(dict.fromkeys(space.sample(rng) for _ in range(count)))


class TestBayesian(StrategyConformance):
    steps = 12

    def make_space(self) -> SearchSpace:
        return Dials()

    def make(self, seed: int) -> SearchStrategy:
        return Bayesian(self.make_space(), OBJECTIVES, seed, initial=4, trees=5, pool=10)


class TestPredictor(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Dials()

    def make(self, seed: int) -> SearchStrategy:
        return Predictor(self.make_space(), OBJECTIVES, seed, initial=4)


class TestNsga2(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Dials()

    def make(self, seed: int) -> SearchStrategy:
        return Nsga2(self.make_space(), OBJECTIVES, seed, population=6)


def test_a_forest_beats_random_search() -> None:
    # Random proposals are worth 0.5 on average.
    assert mean_of_last(Bayesian(Dials(), OBJECTIVES, 0, trees=10), 40, 10) > 0.7


@pytest.mark.skipif(find_spec("botorch") is not None, reason="BoTorch is installed")
def test_without_botorch_its_surrogate_is_refused_with_what_to_install() -> None:
    with pytest.raises(ValueError, match="install the extra 'botorch'"):
        Bayesian(Dials(), OBJECTIVES, 0, surrogate=SurrogateKind.BOTORCH)


def test_failures_keep_the_forest_away() -> None:
    strategy = Bayesian(Dials(), OBJECTIVES, 0, initial=4, trees=20)
    for architecture in drawn(60):
        if architecture[0] == 4:
            strategy.tell(trained(architecture, failed=True))
        else:
            strategy.tell(observed(architecture, val_accuracy=0.5 + worth(architecture) / 10))
    assert sum(strategy.ask()[0] == 4 for _ in range(20)) <= 2


@pytest.mark.parametrize("make", [Bayesian, Nsga2, Predictor])
def test_what_was_trained_is_not_proposed_again(make: type[SearchStrategy]) -> None:
    strategy = make(Dials(), OBJECTIVES, 0)  # type: ignore[call-arg] # the interface has no constructor
    proposed = []
    for _ in range(60):
        proposed.append(strategy.ask())
        strategy.tell(observed(proposed[-1], val_accuracy=worth(proposed[-1])))
    # Random draws before there is a model may repeat one of 15,625.
    assert len(set(proposed)) >= 59


def test_children_come_from_the_first_front() -> None:
    objectives = (*OBJECTIVES, Objective.parse("minimize params"))
    strategy = Nsga2(Dials(), objectives, 0, population=4, crossover=0.0)
    front = [((level,) * 6, level / 4, float(level)) for level in range(4)]
    for _, (architecture, accuracy, params) in enumerate(front):
        strategy.tell(observed(architecture, val_accuracy=accuracy, params=params))
    for place in range(5):
        strategy.tell(observed((4, 4, 4, 4, 4, place), val_accuracy=0.01, params=9.0))
    for _ in range(20):
        child = strategy.ask()
        assert min(sum(a != level for a in child) for level in range(4)) == 1


def test_crossover_has_options_of_both_parents() -> None:
    strategy = Nsga2(Dials(), OBJECTIVES, 0, population=2, crossover=1.0)
    for level in (0, 4):
        strategy.tell(observed((level,) * 6, val_accuracy=0.5))
    children = [strategy.ask() for _ in range(30)]
    assert any(child.count(0) >= 2 and child.count(4) >= 2 for child in children)


def candidates(count: int, known: int, *, helpful: bool = True) -> list[Candidate]:
    """Return candidates whose score tells their worth, or nothing; the first ones were trained."""
    made, rng = [], np.random.default_rng(1)
    for place, architecture in enumerate(drawn(count)):
        score = worth(architecture) if helpful else float(rng.normal())
        results = {FidelityName.SEARCH: {"val_accuracy": worth(architecture)}} if place < known else {}
        made.append(Candidate(architecture, {"synflow": score}, results))
    return made


@pytest.mark.parametrize("helpful", [True, False], ids=["a proxy that helps", "a proxy that misleads"])
def test_the_predictor_trains_what_is_good(*, helpful: bool) -> None:
    pool = candidates(120, 60, helpful=helpful)
    chosen = Predictor(Dials(), OBJECTIVES, 0).promote(pool, range(60, len(pool)), SEARCH, 5)
    assert chosen is not None
    best = sorted((worth(candidate.architecture) for candidate in pool[60:]), reverse=True)
    assert statistics.mean(worth(pool[place].architecture) for place in chosen) > best[12]


def test_before_it_has_learnt_the_predictor_leaves_the_choice_to_the_ranks() -> None:
    assert Predictor(Dials(), OBJECTIVES, 0, initial=10).promote(candidates(30, 9), range(9, 30), SEARCH, 2) is None


def test_full_trainings_are_chosen_by_their_results() -> None:
    pool = candidates(30, 30)
    full = Fidelity(FidelityName.FULL, 200)
    assert Predictor(Dials(), OBJECTIVES, 0, initial=4).promote(pool, range(30), full, 1) is None


def test_a_result_that_is_not_finite_teaches_the_predictor_nothing() -> None:
    pool = candidates(30, 12)
    pool[3] = Candidate(pool[3].architecture, pool[3].scores, {FidelityName.SEARCH: {"val_accuracy": float("nan")}})
    assert Predictor(Dials(), OBJECTIVES, 0).promote(pool, range(12, 30), SEARCH, 1) is not None


def test_proposals_are_mostly_near_the_best() -> None:
    strategy = Predictor(Dials(), OBJECTIVES, 0, initial=2, explore=0.0)
    for level in (0, 4):
        strategy.tell(observed((level,) * 6, val_accuracy=level / 4))
    near = [min(6 - proposal.count(0), 6 - proposal.count(4)) for proposal in (strategy.ask() for _ in range(40))]
    assert statistics.mean(near) < 2.5


def test_counting_on_what_is_expected_leaves_the_mean_and_takes_doubt_away() -> None:
    rng = np.random.default_rng(0)
    inputs, further = rng.normal(size=(20, 3)), rng.normal(size=(4, 3))
    process = GaussianProcess.fit(inputs, inputs.sum(axis=1))
    believing = process.counting_on(further)
    (mean, doubt), (same, less) = process.predict(further), believing.predict(further)
    assert same == pytest.approx(mean)
    assert (less < doubt).all()
    # Where the process saw its targets instead of believing them it would doubt exactly as much.
    seen = process.counting_on(inputs[:0])
    assert seen is process


@pytest.mark.parametrize(
    ("make", "option", "value"),
    [
        (Bayesian, "initial", 1),
        (Bayesian, "trees", 1),
        (Bayesian, "pool", 1),
        (Nsga2, "population", 1),
        (Nsga2, "crossover", 1.5),
        (Predictor, "initial", 1),
        (Predictor, "explore", -0.1),
        (Predictor, "optimism", float("inf")),
    ],
)
def test_options_out_of_range_are_refused(make: Any, option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{option} must be"):
        make(Dials(), OBJECTIVES, 0, **{option: value})
