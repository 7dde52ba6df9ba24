from __future__ import annotations

import pytest
from torch import nn

from carbonnas.proxies.trunk import blocks_of
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.nasbench201_network import Cell, ResidualReduction
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch


class Residual(nn.Module):
    """A block with parts of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())


def test_chains_of_blocks_are_taken_apart_and_layers_left_out() -> None:
    first, second, third = Residual(), Residual(), Residual()
    stem = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    network = nn.Sequential(stem, nn.ReLU(), nn.Sequential(first, second), nn.ModuleList([third]), nn.Linear(1, 1))
    # `network` itself plays the whole network, so its children are what counts.
    assert blocks_of(network) == [stem, first, second, third]


def test_the_blocks_of_a_cell_network_are_its_cells_and_reductions() -> None:
    network = NASBench201(channels=2, cells=2).build((3,) * 6, TaskShape(3, 16, 16, 10))
    kinds = [type(block) for block in blocks_of(network)]
    assert kinds == [Cell, Cell, ResidualReduction, Cell, Cell, ResidualReduction, Cell, Cell]


def test_a_single_layer_has_no_blocks() -> None:
    assert blocks_of(nn.Linear(1, 1)) == []
