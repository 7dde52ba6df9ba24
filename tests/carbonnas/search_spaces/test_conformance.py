"""The built-in spaces keep the laws of search spaces."""

from __future__ import annotations

from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.testing.spaces import SearchSpaceConformance


class TestNASBench201(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return NASBench201(channels=4, cells=1)


class TestSmallConv(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return SmallConv()
