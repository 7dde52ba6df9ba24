from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.reinforce import Reinforce
from carbonnas.strategies.reinforce_controller import Controller
from carbonnas.strategies.state import encode_state
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, Letters, StrategyConformance, scored, trained
from carbonnas.trials import TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


def make(seed: int = 0, **options: Any) -> Reinforce:
    return Reinforce(Letters(), OBJECTIVES, seed, **({"hidden": 16} | options))


def observed(architecture: Architecture, value: float) -> Observation:
    return Observation(architecture, TrialKind.TRAIN, SEARCH, {"val_accuracy": value})


def probability(strategy: SearchStrategy, architecture: Architecture, draws: int = 300) -> float:
    """Return how often a strategy proposes an architecture; it is only asked, so its policy stays."""
    return Counter(strategy.ask() for _ in range(draws))[architecture] / draws


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


def controller(hidden: int = 8) -> Controller:
    return Controller([3, 1, 4], hidden, torch.Generator().manual_seed(0))


EVERY = torch.tensor(list(itertools.product(range(3), range(1), range(4))))


def test_the_policy_is_a_distribution_over_the_space() -> None:
    log_probability, _ = controller()(EVERY)
    assert float(log_probability.exp().sum().detach()) == pytest.approx(1.0, abs=1e-6)


def test_the_expected_entropy_is_that_of_the_distribution() -> None:
    log_probability, entropy = (value.detach().double() for value in controller()(EVERY))
    p = log_probability.exp()
    assert float((p * entropy).sum()) == pytest.approx(float(-(p * log_probability).sum()), abs=1e-6)
    assert float(entropy.max()) <= math.log(3 * 1 * 4)


def test_what_is_drawn_follows_the_policy() -> None:
    network, rng, draws = controller(), np.random.default_rng(0), 2000
    with torch.no_grad():
        network.heads[0].bias += torch.tensor([1.0, 0.0, -1.0])  # type: ignore[operator] # a parameter
        expected = network(EVERY)[0].exp()
    drawn = Counter(network.sample(rng) for _ in range(draws))
    for row, p in zip(EVERY.tolist(), expected.tolist(), strict=True):
        # Four standard deviations of a share.
        assert drawn[tuple(row)] / draws == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / draws))


def test_later_choices_depend_on_earlier_ones() -> None:
    with torch.no_grad():
        log_probability, _ = controller()(EVERY)
    conditional = log_probability.reshape(3, 4).softmax(1)
    assert not torch.equal(conditional[0], conditional[1])


@pytest.mark.parametrize(("value", "grows"), [(0.9, True), (0.1, False)], ids=["better", "worse"])
def test_a_training_moves_the_policy_towards_what_was_better_than_usual(*, value: float, grows: bool) -> None:
    strategy, target = make(batch=1, entropy=0.0), (2, 3, 0, 4)
    before = probability(strategy, target)
    strategy.tell(observed((0, 0, 0, 0), 0.5))
    for _ in range(40):
        strategy.tell(observed((0, 0, 0, 0), 0.5))
        strategy.tell(observed(target, value))
    assert (probability(strategy, target) > before + 0.1) == grows
    assert (probability(strategy, target) < before + 0.01) != grows


def test_a_failure_drives_the_policy_away() -> None:
    strategy, bad = make(batch=1, learning_rate=0.02, entropy=0.0), (1, 1, 0, 1)
    strategy.tell(observed((0, 0, 0, 0), 0.5))
    for _ in range(10):
        strategy.tell(trained(bad, failed=True))
    drawn = [strategy.ask() for _ in range(100)]
    assert sum(architecture[3] == 1 for architecture in drawn) < 10


def test_a_result_that_is_not_a_number_counts_as_a_failure() -> None:
    left, right = make(batch=1), make(batch=1)
    left.tell(observed((1, 1, 0, 1), math.nan))
    right.tell(trained((1, 1, 0, 1), failed=True))
    assert encode_state(left.state_dict()) == encode_state(right.state_dict())


def test_entropy_keeps_the_policy_open() -> None:
    open_minded, narrow = (make(entropy=weight, learning_rate=0.02) for weight in (1.0, 0.0))
    for strategy in (open_minded, narrow):
        for step in range(60):
            strategy.tell(observed((0, 0, 0, 0) if step % 2 else (1, 1, 0, 1), 0.5 + step % 2 / 10))
    assert len({open_minded.ask() for _ in range(100)}) > 2 * len({narrow.ask() for _ in range(100)})


def test_an_update_waits_for_its_batch() -> None:
    strategy = make(batch=3)
    weights = "controller/start"
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
        ("baseline_decay", 1.0),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option} must be"):
        make(**{option: value})


def test_reinforce_beats_random_search() -> None:
    # The best option is the last one of each choice; random proposals are worth (2/2 + 3/2 ... ) / 9 = 0.5 on average.
    for seed in range(3):
        strategy, values = make(seed, hidden=64), []
        for _ in range(120):
            architecture = strategy.ask()
            values.append(sum(architecture) / (2 + 3 + 0 + 4))
            strategy.tell(observed(architecture, values[-1]))
        assert statistics.mean(values[-30:]) > 0.7


def test_each_option_of_each_choice_has_an_embedding_of_its_own() -> None:
    network = controller()
    network(torch.tensor([[1, 0, 2]]))[0].sum().backward()
    gradient = network.embedding.weight.grad
    assert gradient is not None
    # Rows 0-2 belong to the first choice, row 3 to the second; the last choice is followed by nothing.
    assert gradient.abs().sum(1).nonzero()[:, 0].tolist() == [1, 3]
