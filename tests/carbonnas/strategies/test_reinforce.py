from __future__ import annotations

import math
import statistics
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.strategies.lstm_policy import LstmPolicy
from carbonnas.strategies.ppo import Ppo
from carbonnas.strategies.reinforce import Reinforce, Setting
from carbonnas.strategies.state import encode_state
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, Letters, StrategyConformance, scored, trained
from carbonnas.trials import TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


def make(seed: int = 0, **options: Any) -> Reinforce:
    return Reinforce(Letters(), OBJECTIVES, seed, **({"hidden": 16, "imitation": 0.0} | options))


def observed(architecture: Architecture, value: float) -> Observation:
    return Observation(architecture, TrialKind.TRAIN, SEARCH, {"val_accuracy": value})


def policy_along(strategy: SearchStrategy, architecture: Architecture) -> tuple[float, float]:
    """Return probability and entropy of the strategy's policy along some decisions."""
    policy = LstmPolicy(Letters().choices, 16, 1, spread=0.1, generator=torch.Generator())
    weights = {
        name.removeprefix("policy/"): torch.tensor(value)
        for name, value in strategy.state_dict().items()
        if name.startswith("policy/")
    }
    policy.load_state_dict(weights)
    with torch.no_grad():
        log_probability, entropy = policy(torch.tensor([architecture]), torch.ones(1, 4, dtype=torch.bool))
    return math.exp(float(log_probability)), float(entropy)


class TestReinforce(StrategyConformance):
    steps = 13  # trainings told in one half leave an update half full

    def make_space(self) -> SearchSpace:
        return Letters()

    def make(self, seed: int) -> SearchStrategy:
        return make(seed, batch=3)

    def test_torchs_global_random_numbers_are_left_alone(self) -> None:
        torch.manual_seed(1)
        expected = float(torch.rand(()))
        torch.manual_seed(1)
        self.drive(self.make(0))
        assert float(torch.rand(())) == expected


@pytest.mark.parametrize(("value", "grows"), [(0.9, True), (0.1, False)], ids=["better", "worse"])
def test_a_training_moves_the_policy_towards_what_was_better_than_usual(*, value: float, grows: bool) -> None:
    strategy, target = make(batch=1, entropy=0.0), (2, 3, 0, 4)
    before, _ = policy_along(strategy, target)
    strategy.tell(observed((0, 0, 0, 0), 0.5))
    for _ in range(40):
        strategy.tell(observed((0, 0, 0, 0), 0.5))
        strategy.tell(observed(target, value))
    after, _ = policy_along(strategy, target)
    assert (after > before + 0.1) if grows else (after < before)


def test_a_failure_drives_the_policy_away() -> None:
    strategy, bad = make(batch=1, learning_rate=0.02, entropy=0.0), (1, 1, 0, 1)
    strategy.tell(observed((0, 0, 0, 0), 0.5))
    before, _ = policy_along(strategy, bad)
    for _ in range(10):
        strategy.tell(trained(bad, failed=True))
    after, _ = policy_along(strategy, bad)
    assert after < before / 4


def test_a_result_that_is_not_a_number_counts_as_a_failure() -> None:
    left, right = make(batch=1), make(batch=1)
    left.tell(observed((1, 1, 0, 1), math.nan))
    right.tell(trained((1, 1, 0, 1), failed=True))
    assert encode_state(left.state_dict()) == encode_state(right.state_dict())


@pytest.mark.parametrize("defence", [{"entropy": 1.0}, {"entropy": 0.0, "entropy_floor": 0.9}], ids=["weight", "floor"])
def test_entropy_keeps_the_policy_open(defence: dict[str, Any]) -> None:
    narrowing: dict[str, Any] = {"entropy": 0.0}
    open_minded, narrow = (make(learning_rate=0.02, **options) for options in (defence, narrowing))
    for strategy in (open_minded, narrow):
        for step in range(60):
            strategy.tell(observed((0, 0, 0, 0) if step % 2 else (1, 1, 0, 1), 0.5 + step % 2 / 10))
    kept, lost = (policy_along(strategy, (0, 0, 0, 0))[1] for strategy in (open_minded, narrow))
    assert kept > 2 * lost


def test_what_is_known_is_learnt_from_again_and_not_proposed() -> None:
    strategy = make(batch=1, learning_rate=0.05, entropy=0.0)
    for place in range(3):
        strategy.tell(observed((place, 0, 0, 0), 0.1 * place))
    told = {(place, 0, 0, 0) for place in range(3)}
    before = strategy.state_dict()["baseline"]
    assert told.isdisjoint({strategy.ask() for _ in range(60)})
    assert strategy.state_dict()["baseline"] != before


def test_a_settled_policy_proposes_something_near() -> None:
    strategy, best = make(batch=1, learning_rate=0.1, entropy=0.0), (2, 3, 0, 4)
    strategy.tell(observed((0, 0, 0, 0), 0.1))
    for _ in range(60):
        strategy.tell(observed(best, 0.9))
        strategy.tell(observed((0, 0, 0, 0), 0.1))
    assert policy_along(strategy, best)[0] > 0.9
    assert strategy.ask() != best


def test_many_proposals_for_one_training_do_not_learn_more_from_what_is_known() -> None:
    strategy, best = make(batch=1, learning_rate=0.1, entropy=0.0), (2, 3, 0, 4)
    for _ in range(60):
        strategy.tell(observed(best, 0.9))
        strategy.tell(observed((0, 0, 0, 0), 0.1))
    # A settled policy draws what is known nearly every time, and learns from twenty draws again.
    asked = [strategy.ask() for _ in range(10)]
    learnt = strategy.state_dict()["policy/start"]
    asked += [strategy.ask() for _ in range(10)]
    assert np.array_equal(strategy.state_dict()["policy/start"], learnt)  # type: ignore[arg-type] # arrays
    assert len(set(asked)) == 20


@pytest.mark.parametrize("setting", Setting)
def test_every_setting_searches(setting: Setting) -> None:
    strategy = Reinforce(Letters(), OBJECTIVES, 0, setting=setting)
    for _ in range(12):
        strategy.tell(trained(strategy.ask()))


def test_an_update_waits_for_its_batch() -> None:
    strategy = make(batch=3)
    weights = "policy/start"
    initial = strategy.state_dict()[weights]
    for value in (0.1, 0.5):
        strategy.tell(observed((0, 0, 0, 0), value))
    assert np.array_equal(strategy.state_dict()[weights], initial)  # type: ignore[arg-type] # arrays
    strategy.tell(observed((1, 1, 0, 1), 0.9))
    assert not np.array_equal(strategy.state_dict()[weights], initial)  # type: ignore[arg-type] # arrays
    assert strategy.state_dict()["pending"] == []


def test_scorings_teach_nothing() -> None:
    strategy = make(batch=1)
    before = encode_state(strategy.state_dict())
    strategy.tell(scored((0, 0, 0, 0)))
    assert encode_state(strategy.state_dict()) == before


def test_a_training_of_another_space_is_an_error() -> None:
    with pytest.raises(ArchitectureError):
        make().tell(observed((9, 9, 9, 9), 0.5))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("hidden", 0),
        ("batch", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("entropy", -1.0),
        ("entropy_floor", 1.0),
        ("imitation", -0.1),
        ("layers", 0),
        ("baseline_decay", 1.0),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option} must be"):
        make(**{option: value})


class Dials(SearchSpace):
    """Six choices of five options; the best network has the last option everywhere."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"dial{i}", tuple("01234")) for i in range(6))

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("dials are no networks")


@pytest.mark.slow
@pytest.mark.parametrize("make_strategy", [Reinforce, Ppo])
def test_a_policy_beats_random_search(make_strategy: type[Reinforce | Ppo]) -> None:
    # Random proposals are worth 0.5 on average, and what is known is not proposed again.
    strategy, values = make_strategy(Dials(), OBJECTIVES, 0), []
    for _ in range(120):
        architecture = strategy.ask()
        values.append(sum(architecture) / (6 * 4))
        strategy.tell(observed(architecture, values[-1]))
    assert statistics.mean(values[-30:]) > 0.7
