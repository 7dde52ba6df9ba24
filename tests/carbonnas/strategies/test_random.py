from __future__ import annotations

from collections import Counter

from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.random import RandomSearch
from carbonnas.strategies.strategy import SearchStrategy
from carbonnas.testing.strategies import OBJECTIVES, Letters, StrategyConformance


class TestRandomSearch(StrategyConformance):
    def make_space(self) -> SearchSpace:
        return Letters()

    def make(self, seed: int) -> SearchStrategy:
        return RandomSearch(self.make_space(), OBJECTIVES, seed)


def test_every_option_is_drawn_about_equally_often() -> None:
    strategy = RandomSearch(Letters(), OBJECTIVES, 0)
    drawn = Counter(strategy.ask()[3] for _ in range(1000))
    # 1000 draws of 5 options: 200 each, standard deviation sqrt(1000 * 0.2 * 0.8) = 12.6.
    assert all(abs(drawn[option] - 200) < 4 * 12.6 for option in range(5))
