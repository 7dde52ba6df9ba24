"""Every space that is shipped keeps the laws of spaces."""

from __future__ import annotations

from carbonnas.search_spaces.macro import Macro
from carbonnas.search_spaces.mobile import Mobile
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.nasnet import NASNet
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.search_spaces.transformer import Transformer
from carbonnas.testing.spaces import SearchSpaceConformance


class TestMacro(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return Macro(stages=(3, 2), channels=2, head=8)


class TestMobile(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return Mobile(stages=2, width=0.5, depths=(1, 2), kernels=(3, 5), expansions=(1, 2))


class TestNASBench201(SearchSpaceConformance):
    # As published: edges that lead nowhere have parameters.
    builds_what_is_unused = True

    def make_space(self) -> SearchSpace:
        return NASBench201(channels=4, cells=1)


class TestNASNetByTheRulesOfDARTS(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return NASNet(nodes=3, channels=3, cells=3)


class TestNASNetByItsOwnRules(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return NASNet(rules="nasnet", nodes=2, channels=3, cells=3)


class TestSmallConv(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return SmallConv()


class TestTransformer(SearchSpaceConformance):
    def make_space(self) -> SearchSpace:
        return Transformer(patches=(2, 3), depths=(1, 3), widths=(8, 12), heads=(1, 2, 3), mlp_ratios=(0.5, 2.0))
