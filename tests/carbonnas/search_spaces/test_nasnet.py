from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.cell_genotype import Cell, read_genotype, unused, write_genotype
from carbonnas.search_spaces.nasnet import NASNet
from carbonnas.search_spaces.space import TaskShape

CIFAR = TaskShape(3, 32, 32, 10)
IMAGENET = TaskShape(3, 224, 224, 1000)

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)
P_DARTS = """Genotype(
    normal=[("skip_connect", 0), ("dil_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 1),
            ("sep_conv_3x3", 1), ("sep_conv_3x3", 3), ("sep_conv_3x3", 0), ("dil_conv_5x5", 4)],
    normal_concat=[2, 3, 4, 5],
    reduce=[("avg_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_3x3", 0), ("dil_conv_5x5", 2),
            ("max_pool_3x3", 0), ("dil_conv_3x3", 1), ("dil_conv_3x3", 1), ("dil_conv_5x5", 3)],
    reduce_concat=[2, 3, 4, 5],
)"""
AMOEBANET = """Genotype(
    normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0),
            ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)],
    normal_concat=[4, 5, 6],
    reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0),
            ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)],
    reduce_concat=[3, 4, 6],
)"""
NASNET_A = """Genotype(
    normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1),
            ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)],
    normal_concat=[2, 3, 4, 5, 6],
    reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1),
            ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)],
    reduce_concat=[4, 5, 6],
)"""


def parameters(space: NASNet, text: str, task: TaskShape) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text), task).parameters())


@pytest.mark.torch
def test_published_genotypes_have_their_published_size() -> None:
    # Without auxiliary classifier; the papers round to 3.3, 3.4 and 4.7 million, and users of P-DARTS' program count the same.
    assert parameters(NASNet(), DARTS_V2, CIFAR) == 3_349_342
    assert parameters(NASNet(), P_DARTS, CIFAR) == 3_433_798
    assert parameters(NASNet(channels=48, cells=14), DARTS_V2, IMAGENET) == 4_718_752


@pytest.mark.torch
def test_darts_on_imagenet_does_as_many_operations_as_others_count() -> None:
    space, counter = NASNet(channels=48, cells=14), FlopCounterMode(display=False)
    with torch.device("meta"), torch.no_grad(), counter:
        space.build(space.parse(DARTS_V2), IMAGENET).eval()(torch.zeros(1, 3, 224, 224))
    # 523 million by one counter of convolutions and linear layers, 545 by one that counts norms as well; the paper says 574.
    assert counter.get_total_flops() / 2 == pytest.approx(530e6, rel=0.01)


def test_a_genotype_is_written_as_darts_prints_it() -> None:
    space = NASNet()
    # By the source of its edges: the printed order of two edges means nothing.
    ordered = DARTS_V2.replace("('sep_conv_3x3', 1), ('skip_connect', 0)", "('skip_connect', 0), ('sep_conv_3x3', 1)")
    ordered = ordered.replace("('skip_connect', 2), ('max_pool_3x3', 1)", "('max_pool_3x3', 1), ('skip_connect', 2)")
    assert space.format(space.parse(DARTS_V2)) == ordered


@pytest.mark.parametrize("text", [AMOEBANET, NASNET_A], ids=["amoebanet", "nasnet"])
def test_genotypes_of_the_older_papers_keep_the_older_rules(text: str) -> None:
    space = NASNet(rules="nasnet", nodes=5)
    architecture = space.parse(text)
    assert space.parse(space.format(architecture)) == architecture
    genotype = space.genotype(architecture)
    assert (genotype.normal_concat, genotype.reduce_concat) == (unused(genotype.normal), unused(genotype.reduce))
    with pytest.raises(ArchitectureError):
        NASNet(nodes=5).parse(text)


def renamed(cell: Cell, order: tuple[int, ...]) -> Cell:
    """Return the cell with its nodes in another order, each edge pointing to where its source went."""
    place = {0: 0, 1: 1, **{node + 2: new + 2 for new, node in enumerate(order)}}
    nodes = [tuple((name, place[source]) for name, source in reversed(cell[node])) for node in order]
    return tuple((first, second) for first, second in nodes)


def rewritings(space: NASNet, architecture: Architecture) -> Iterator[Architecture]:
    """Yield the architecture with the nodes of its normal cell in every order that can be built."""
    genotype = space.genotype(architecture)
    for order in itertools.permutations(range(len(genotype.normal))):
        cell = renamed(genotype.normal, order)
        if all(source < number for number, node in enumerate(cell, start=2) for _, source in node):
            concat = unused(cell) if genotype.normal_concat == unused(genotype.normal) else genotype.normal_concat
            yield space.parse(write_genotype(type(genotype)(cell, genotype.reduce, concat, genotype.reduce_concat)))


@pytest.mark.parametrize("space", [NASNet(), NASNet(rules="nasnet")], ids=["darts", "nasnet"])
def test_genotypes_that_differ_in_order_only_are_one_network(space: NASNet) -> None:
    rng = np.random.default_rng(0)
    most = 0
    for _ in range(10):
        architecture = space.sample(rng)
        written = {*rewritings(space, architecture)}
        assert {space.key(other) for other in written} == {space.key(architecture)}
        assert space.canonical(architecture) <= min(written)
        most = max(most, len(written))
    assert most > 4


def test_cells_that_are_not_the_same_have_different_keys() -> None:
    space = NASNet(nodes=2, channels=2, cells=3)
    cells = itertools.product(*(range(len(choice.options)) for choice in space.choices[:6]))
    few = [cell for cell in cells if set(cell[1:3] + cell[4:]) <= {0, 6}]
    keys = {space.key((*cell, 0, 0, 0, 0, 0, 0)) for cell in few}
    # First node: 2 x 2 operations. Second node on the inputs: as many; the two are a pair in any order, 10. Or it reads the
    # first node and an input: 4 x 2 x 4.
    assert len(keys) == 10 + 32


@pytest.mark.torch
@pytest.mark.parametrize("rules", ["darts", "nasnet"])
def test_networks_of_one_key_compute_the_same_with_the_same_weights(rules: Literal["darts", "nasnet"]) -> None:
    space, rng = NASNet(rules=rules, nodes=3, channels=2, cells=3), np.random.default_rng(0)
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    compared = 0
    for _ in range(3):
        results = []
        for architecture in rewritings(space, space.sample(rng)):
            network = space.build(architecture, TaskShape(1, 8, 8, 3))
            for parameter in network.parameters():
                # Weights that are all alike do not depend on the order in which they are made.
                torch.nn.init.constant_(parameter, 0.1)
            results.append(network(images))
        compared += len(results) - 1
        assert all(torch.allclose(result, results[0], atol=1e-5) for result in results)
    assert compared > 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Genotype(normal=[])", "is no genotype"),
        (DARTS_V2.replace("('skip_connect', 2)", "('skip_connect', 5)"), "does not come before it"),
        (DARTS_V2.replace("skip_connect", "none"), "'none' is no operation"),
        (DARTS_V2.replace(", ('skip_connect', 2), ('max_pool_3x3', 1)]", "]"), "the cell has 3 nodes, expected 4"),
        (DARTS_V2.replace("('max_pool_3x3', 0), ('max_pool_3x3', 1)", "('max_pool_3x3', 0)"), "has 7 edges"),
        (
            DARTS_V2.replace("('sep_conv_3x3', 0), ('sep_conv_3x3', 1)", "('sep_conv_3x3', 0), ('sep_conv_3x3', 0)"),
            "twice",
        ),
        (DARTS_V2.replace("normal_concat=range(2, 6)", "normal_concat=[5]"), "the output is of nodes"),
        (DARTS_V2.replace("range(2, 6)", "range(2, 99)"), "the output is of nodes"),
        (DARTS_V2 * 20, "is no genotype"),
    ],
)
def test_what_is_no_genotype_of_the_space_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(ArchitectureError, match=told):
        NASNet().parse(text)


def test_nothing_of_a_text_is_run() -> None:
    with pytest.raises(ArchitectureError):
        read_genotype(DARTS_V2.replace("range(2, 6)", "[__import__('os').getpid()]"))


@pytest.mark.torch
def test_reductions_round_up_odd_sides() -> None:
    space = NASNet(nodes=2, channels=2, cells=3)
    network = space.build(space.sample(np.random.default_rng(0)), TaskShape(1, 9, 14, 3))
    maps: list[torch.Tensor] = []
    network.get_submodule("cells.2").register_forward_hook(lambda _, __, output: maps.append(output))
    network(torch.ones(2, 1, 9, 14))
    # 9 x 14, 5 x 7, 3 x 4; two nodes of 2 x 2 x 2 channels.
    assert maps[0].shape == (2, 16, 3, 4)


@pytest.mark.parametrize("wrong", [{"nodes": 0}, {"nodes": 7}, {"channels": 0}, {"cells": 2}])
def test_options_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NASNet(**wrong)  # type: ignore[arg-type] # on purpose
