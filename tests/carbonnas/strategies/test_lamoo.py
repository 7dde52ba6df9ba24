from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.objectives.objective import Objective
from carbonnas.plugins import STRATEGIES
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.lamoo import Encoding, LaMOO
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, SEARCH, Letters, StrategyConformance, scored, trained
from carbonnas.trials import Fidelity, FidelityName, TrialKind

FULL = Fidelity(FidelityName.FULL, 200)
TRADE_OFF = (Objective.parse("maximize accuracy"), Objective.parse("minimize energy"))


class Cells(NASBench201):
    """Cells whose accuracy and energy are known: 3 x 3 convolutions are good and dear, pooling is bad and not cheap."""

    def metrics(self, cell: Architecture) -> dict[str, float]:
        canonical = self.canonical(cell)
        return {
            "accuracy": canonical.count(3) + 0.5 * canonical.count(2) - 0.5 * canonical.count(4),
            "energy": 6.0 * canonical.count(3) + 5.0 * canonical.count(2) + 4.0 * canonical.count(4),
        }

    def observed(self, cell: Architecture, fidelity: Fidelity = SEARCH) -> Observation:
        return Observation(cell, TrialKind.TRAIN, fidelity, self.metrics(cell))


def search(strategy: SearchStrategy, space: Cells, rounds: int) -> list[Architecture]:
    """Return the proposals of rounds of ten, each told before the next begins."""
    proposals = []
    for _ in range(rounds):
        batch = [strategy.ask() for _ in range(10)]
        proposals.extend(batch)
        for cell in batch:
            strategy.tell(space.observed(cell))
    return proposals


def lamoo(seed: int = 0, **options: Any) -> LaMOO:
    return LaMOO(Cells(), TRADE_OFF, seed, **options)


class TestLaMOO(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return NASBench201()

    def make(self, seed: int) -> SearchStrategy:
        return LaMOO(self.make_space(), OBJECTIVES, seed, initial=4, leaf=3)


def test_a_search_goes_on_when_everything_was_proposed() -> None:
    strategy = LaMOO(Letters(), OBJECTIVES, 0, initial=4, leaf=3)
    # 3 x 4 x 1 x 5 architectures; afterwards they repeat.
    everything = [strategy.ask() for _ in range(60)]
    assert len(set(everything)) == 60
    for architecture in everything:
        strategy.tell(trained(architecture))
    assert {strategy.ask() for _ in range(5)} <= set(everything)
    successor = LaMOO(Letters(), OBJECTIVES, 1, initial=4, leaf=3)
    successor.load_state_dict(strategy.state_dict())
    assert [successor.ask() for _ in range(5)] == [strategy.ask() for _ in range(5)]


def test_proposals_move_to_where_the_good_trade_offs_are() -> None:
    space = Cells()

    def pooling(cells: list[Architecture]) -> float:
        return float(np.mean([space.canonical(cell).count(4) for cell in cells]))

    for encoding in Encoding:
        learned = search(lamoo(encoding=encoding), space, 6)[-20:]
        # Of six edges a fifth pool; dead ones do not count, which leaves a little less than 1.2.
        assert pooling([space.sample(np.random.default_rng(i)) for i in range(200)]) > 0.9
        assert pooling(learned) < 0.6


def test_a_single_objective_is_enough() -> None:
    space = Cells()
    strategy = LaMOO(space, TRADE_OFF[:1], 0)
    proposals = search(strategy, space, 6)
    accuracies = [space.metrics(cell)["accuracy"] for cell in proposals]
    assert np.mean(accuracies[-20:]) > np.mean(accuracies[:10]) + 0.5


def test_proposals_are_random_until_enough_was_trained() -> None:
    told, untold, space = lamoo(initial=5), lamoo(initial=5), Cells()
    cells = [space.sample(np.random.default_rng(i)) for i in range(4)]
    for cell in cells:
        told.tell(space.observed(cell))
        told.tell(Observation(cell, TrialKind.TRAIN, FULL, {}, failed=True))
        told.tell(scored(cell))
    assert [told.ask() for _ in range(5)] == [untold.ask() for _ in range(5)]


def test_a_network_is_not_proposed_twice_while_there_are_others() -> None:
    space, strategy = Cells(), lamoo()
    keys = [space.key(cell) for cell in search(strategy, space, 6)]
    keys += [space.key(strategy.ask()) for _ in range(60)]
    assert len(set(keys)) == 120


def test_of_one_network_the_training_of_the_highest_fidelity_counts() -> None:
    space, strategy = Cells(), lamoo()
    cell = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")

    def tell(fidelity: Fidelity, accuracy: float) -> list[list[float]]:
        metrics = {"accuracy": accuracy, "energy": 7.0}
        strategy.tell(Observation(cell, TrialKind.TRAIN, fidelity, metrics))
        return strategy.state_dict()["values"].tolist()  # type: ignore[union-attr,no-any-return] # an array

    assert tell(SEARCH, 0.5) == [[0.5, -7.0]]
    assert tell(FULL, 0.9) == [[0.9, -7.0]]
    assert tell(SEARCH, 0.6) == [[0.9, -7.0]]
    assert tell(Fidelity(FidelityName.SEARCH, 999), 0.7) == [[0.9, -7.0]]


def test_what_was_told_again_changes_nothing() -> None:
    space, strategy, other = Cells(), lamoo(), lamoo()
    cells = search(strategy, space, 2)
    search(other, space, 2)
    strategy.ask()
    other.ask()
    strategy.tell(space.observed(cells[3]))
    assert [strategy.ask() for _ in range(5)] == [other.ask() for _ in range(5)]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_result_that_is_not_finite_teaches_nothing(value: float) -> None:
    strategy = lamoo()
    strategy.tell(Observation((3,) * 6, TrialKind.TRAIN, SEARCH, {"accuracy": 0.5, "energy": value}))
    assert len(strategy.state_dict()["values"]) == 0  # type: ignore[arg-type] # an array


def test_a_training_without_an_objective_is_an_error() -> None:
    with pytest.raises(KeyError, match="energy"):
        lamoo().tell(Observation((3,) * 6, TrialKind.TRAIN, SEARCH, {"accuracy": 0.5}))


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(ArchitectureError):
        lamoo().tell(trained((9,) * 6))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"initial": 0}, "initial must be at least 1, got 0"),
        ({"leaf": 0}, "leaf must be at least 1, got 0"),
        ({"height": -1}, "height must be at least 0, got -1"),
        ({"exploration": -0.1}, "exploration must be at least zero and finite, got -0.1"),
        ({"exploration": math.nan}, "exploration must be at least zero and finite, got nan"),
        ({"reference": (0.0,)}, "reference must be 2 finite values, one for each objective"),
        ({"reference": (0.0, math.inf)}, "reference must be 2 finite values, one for each objective"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        lamoo(**options)


def test_the_reference_is_in_the_units_of_the_objectives() -> None:
    class Negated(Cells):
        def metrics(self, cell: Architecture) -> dict[str, float]:
            return {name: -value if name == "energy" else value for name, value in super().metrics(cell).items()}

    both_larger = (TRADE_OFF[0], Objective.parse("maximize energy"))
    proposals = search(lamoo(reference=(-3.0, 40.0), exploration=1.0), Cells(), 4)
    negated = LaMOO(Negated(), both_larger, 0, reference=(-3.0, -40.0), exploration=1.0)
    assert proposals == search(negated, Negated(), 4)
    assert proposals != search(lamoo(reference=(-3.0, -40.0), exploration=1.0), Cells(), 4)


def test_it_is_made_from_a_configuration() -> None:
    options = json.loads('{"reference": [0, 50], "exploration": 0.05, "encoding": "options"}')
    services = {"space": Cells(), "objectives": TRADE_OFF, "seed": 0}
    assert isinstance(STRATEGIES.create("lamoo", options, services), LaMOO)


def test_only_the_first_proposal_after_a_result_takes_the_time_to_learn() -> None:
    space, strategy = Cells(), lamoo()
    first_s, later_s = list[float](), list[float]()
    search(strategy, space, 6)
    for _ in range(5):
        strategy.tell(space.observed(strategy.ask()))
        for number in range(8):
            begun = time.process_time()
            strategy.ask()
            (later_s if number else first_s).append(time.process_time() - begun)
    # A thousandth, as measured.
    assert np.median(later_s) < np.median(first_s) / 5


def test_the_library_is_imported_only_when_something_is_learned() -> None:
    program = (
        "import sys; from carbonnas.strategies.lamoo import LaMOO; from carbonnas.testing.strategies import Letters, OBJECTIVES;"
        "LaMOO(Letters(), OBJECTIVES, 0).ask(); sys.exit(bool({'sklearn', 'torch', 'moocore'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
