from __future__ import annotations

import numpy as np
import pytest

from carbonnas.objectives.hypervolume import hypervolume
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.multi_fidelity import MultiFidelity
from carbonnas.strategies.strategy import Candidate, Observation, SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, Letters, StrategyConformance
from carbonnas.trials import Fidelity, FidelityName, TrialKind

SHORT, FULL = Fidelity(FidelityName.SEARCH, 12), Fidelity(FidelityName.FULL, 200)
BOTH = (Objective.parse("maximize accuracy"), Objective.parse("minimize energy"))


class TestMultiFidelity(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Letters()

    def make(self, seed: int) -> SearchStrategy:
        return MultiFidelity(self.make_space(), OBJECTIVES, seed, initial=5)


def _everything() -> list[Candidate]:
    """Return all networks of `Letters`; more letters from the end of the alphabet are better and dearer."""
    return [
        Candidate((a, b, 0, c), {"energy": 5.0 + 3 * a + 2 * b + 4 * c, "macs": 100.0 + 10 * (a + b + c)}, {})
        for a in range(3)
        for b in range(4)
        for c in range(5)
    ]


def _accuracy(candidate: Candidate, fidelity: Fidelity) -> float:
    a, b, _, c = candidate.architecture
    full = 0.5 + 0.08 * a + 0.03 * b + 0.05 * c
    return full if fidelity is FULL else full - 0.2


def _told(candidates: list[Candidate], places: list[int], fidelity: Fidelity) -> None:
    for place in places:
        metrics = {"accuracy": _accuracy(candidates[place], fidelity)}
        old = candidates[place]
        candidates[place] = Candidate(old.architecture, old.scores, {**old.results, fidelity.name: metrics})


def _waiting(candidates: list[Candidate], fidelity: Fidelity) -> list[int]:
    below = FidelityName.SEARCH if fidelity is FULL else None
    return [
        i
        for i, c in enumerate(candidates)
        if fidelity.name not in c.results and (below in c.results if below else not c.results)
    ]


def _searched(seed: int, rounds: int = 12) -> tuple[list[Candidate], MultiFidelity]:
    strategy = MultiFidelity(Letters(), BOTH, seed, explore=16, initial=6, reference=(0.0, 40.0))
    candidates = _everything()
    for _ in range(rounds):
        for fidelity, count in ((SHORT, 4), (FULL, 1)):
            waiting = _waiting(candidates, fidelity)
            if waiting:
                _told(candidates, list(strategy.promote(candidates, waiting, fidelity, count)), fidelity)
    return candidates, strategy


def _volume(candidates: list[Candidate]) -> float:
    points = [
        [c.results[FidelityName.FULL]["accuracy"], -c.scores["energy"]]
        for c in candidates
        if FidelityName.FULL in c.results
    ]
    return hypervolume(points, [0.0, -40.0])


def test_a_few_full_trainings_find_nearly_all_of_the_front() -> None:
    candidates, _ = _searched(seed=0)
    everything = _everything()
    _told(everything, list(range(len(everything))), FULL)
    assert sum(FidelityName.FULL in c.results for c in candidates) <= 8
    assert _volume(candidates) > 0.95 * _volume(everything)


def test_nothing_is_trained_in_full_before_enough_short_trainings() -> None:
    strategy = MultiFidelity(Letters(), BOTH, 0, explore=10, initial=4)
    candidates = _everything()
    _told(candidates, list(range(9)), SHORT)
    assert strategy.promote(candidates, _waiting(candidates, FULL), FULL, 3) == []
    _told(candidates, [9], SHORT)
    assert len(strategy.promote(candidates, _waiting(candidates, FULL), FULL, 3)) == 3


def test_a_search_stops_by_itself_where_nothing_more_can_be_gained() -> None:
    candidates, strategy = _searched(seed=1)
    _told(candidates, _waiting(candidates, SHORT), SHORT)
    _told(candidates, [i for i in _waiting(candidates, FULL) if i % 2], FULL)
    _told(candidates, [i for i in _waiting(candidates, FULL) if _accuracy(candidates[i], FULL) > 0.6], FULL)
    assert len(strategy.promote(candidates, _waiting(candidates, FULL), FULL, 9)) < 9


def test_the_choice_depends_on_what_is_known_alone() -> None:
    candidates, strategy = _searched(seed=2, rounds=5)
    waiting = _waiting(candidates, SHORT)
    chosen = strategy.promote(candidates, waiting, SHORT, 4)
    strategy.ask()
    strategy.tell(Observation((1, 1, 0, 1), TrialKind.TRAIN, SHORT, {"accuracy": 0.1, "energy": 1.0}))
    assert strategy.promote(candidates, waiting, SHORT, 4) == chosen
    assert _searched(seed=2, rounds=5)[1].promote(candidates, waiting, SHORT, 4) == chosen
    assert set(chosen) <= set(waiting)
    assert len(set(chosen)) == len(chosen) == 4


def test_without_short_trainings_the_full_ones_teach() -> None:
    strategy = MultiFidelity(Letters(), BOTH, 0, initial=8, reference=(0.0, 40.0))
    candidates = _everything()
    for _ in range(5):
        waiting = [i for i, c in enumerate(candidates) if not c.results]
        _told(candidates, list(strategy.promote(candidates, waiting, FULL, 4)), FULL)
    everything = _everything()
    _told(everything, list(range(len(everything))), FULL)
    assert _volume(candidates) > 0.95 * _volume(everything)


def test_the_cheaper_of_two_equals_is_trained_first() -> None:
    dear, cheap = ({"energy": 10.0, "macs": macs} for macs in (900.0, 100.0))
    known = [
        Candidate((a, b, 0, 0), {"energy": 20.0, "macs": 500.0}, {FidelityName.SEARCH: {"accuracy": 0.5}})
        for a in range(2)
        for b in range(4)
    ]
    twins = [Candidate((2, 2, 0, 2), scores, {FidelityName.SEARCH: {"accuracy": 0.6}}) for scores in (dear, cheap)]
    strategy = MultiFidelity(Letters(), BOTH, 0, explore=4, initial=4, reference=(0.0, 40.0))
    assert strategy.promote([*known, *twins], range(10), FULL, 1) == [9]


def test_a_reference_needs_a_value_for_each_objective() -> None:
    with pytest.raises(ValueError, match="2 values"):
        MultiFidelity(Letters(), BOTH, 0, reference=(1.0,))


def test_networks_of_the_front_have_mutants_among_the_proposals() -> None:
    strategy = MultiFidelity(Letters(), BOTH, 0, initial=2)
    rng = np.random.default_rng(0)
    for architecture in ((2, 3, 0, 4), (0, 0, 0, 0), (0, 1, 0, 0)):
        metrics = {"accuracy": 0.9 if architecture[0] else 0.1, "energy": 1.0 if architecture[0] else 9.0}
        strategy.tell(Observation(architecture, TrialKind.TRAIN, SHORT, metrics))
    near = [sum(x != y for x, y in zip(strategy.ask(), (2, 3, 0, 4), strict=True)) for _ in range(200)]
    drawn = [sum(x != y for x, y in zip(Letters().sample(rng), (2, 3, 0, 4), strict=True)) for _ in range(200)]
    assert np.mean(np.array(near) == 1) > np.mean(np.array(drawn) == 1) + 0.2


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_results_and_scores_that_are_not_finite_teach_nothing(wrong: float) -> None:
    strategy = MultiFidelity(Letters(), BOTH, 0, initial=4, explore=6, reference=(0.0, 40.0))
    candidates = _everything()
    odd = candidates[3]
    candidates[3] = Candidate(odd.architecture, {**odd.scores, "macs": wrong}, {})
    for place in range(8):
        architecture, scores = candidates[place].architecture, candidates[place].scores
        candidates[place] = Candidate(architecture, scores, {FidelityName.SEARCH: {"accuracy": wrong}})
    chosen = strategy.promote(candidates, _waiting(candidates, SHORT), SHORT, 4)
    assert len(set(chosen)) == 4


def test_nothing_is_trained_in_full_that_can_add_nothing() -> None:
    strategy = MultiFidelity(Letters(), BOTH, 0, initial=4, explore=6, reference=(0.9999, 1.0))
    candidates = _everything()
    _told(candidates, list(range(10)), SHORT)
    assert strategy.promote(candidates, _waiting(candidates, FULL), FULL, 4) == []
