from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
import torch

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.size import Macs, Params
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch

CIFAR = TaskShape(3, 32, 32, 10)
BATCH = ProxyBatch(torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.int64))


def size(architecture: tuple[int, ...]) -> tuple[float, float]:
    network = NASBench201().build(architecture, CIFAR)
    return Params().score(network, BATCH, torch.Generator()), Macs().score(network, BATCH, torch.Generator())


def test_the_empty_skeleton_has_the_size_that_its_layers_add_up_to() -> None:
    params, macs = size((0,) * 6)
    stem = 3 * 16 * 9
    first = 16 * 32 * 9 + 32 * 32 * 9 + 16 * 32
    second = 32 * 64 * 9 + 64 * 64 * 9 + 32 * 64
    norms = 2 * (16 + 32 + 32 + 64 + 64 + 64)
    assert params == stem + first + second + norms + 64 * 10 + 10 == 73_306
    assert macs == stem * 32 * 32 + first * 16 * 16 + second * 8 * 8 + 64 * 10 == 7_783_040


def test_unused_edges_count() -> None:
    # Five cells in each of three stages; a 3x3 convolution and the two vectors of its batch norm.
    edge = sum(5 * (9 * c * c + 2 * c) for c in (16, 32, 64))
    assert size((3, 0, 0, 0, 0, 0))[0] == 73_306 + edge == 316_346


@pytest.fixture
def published(nas_table: Path) -> list[dict[str, str]]:
    with gzip.open(nas_table, "rt", newline="") as lines:
        return [row for row in csv.DictReader(lines) if int(row["index"]) % 1_300 == 1]


def test_sizes_of_published_cells_are_the_published_ones(published: list[dict[str, str]]) -> None:
    space = NASBench201()
    assert len(published) == 13
    for row in published:
        cell = space.parse(row["arch_str"])
        convolutions, pools = sum(option in (2, 3) for option in cell), cell.count(4)
        params, macs = size(cell)
        assert params == int(row["params"])
        # The table also counts norms (2 per value), ReLUs (1) and pools (9) and, in the skeleton, 160,832 such operations.
        values = 5 * (16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8)
        assert macs + 160_832 + values * (3 * convolutions + 9 * pools) == int(row["macs"])


def test_a_cell_computes_the_sum_of_its_paths() -> None:
    network = NASBench201(channels=4, cells=1, stages=1).build((1, 1, 1, 1, 1, 1), TaskShape(1, 8, 8, 2))
    cell = network.get_submodule("features.2")
    maps = torch.arange(8.0).reshape(1, 2, 2, 2)
    # Node 1 is x, node 2 is x + x, node 3 is x + x + 2x.
    assert torch.equal(cell(maps), 4 * maps)


def test_a_cell_without_a_path_gives_zeros() -> None:
    network = NASBench201(channels=4, cells=1, stages=1).build((3, 3, 3, 0, 0, 0), TaskShape(1, 8, 8, 2))
    assert torch.equal(network.get_submodule("features.2")(torch.ones(2, 4, 8, 8)), torch.zeros(2, 4, 8, 8))


def test_maps_do_not_vanish_however_many_stages_are_asked_for() -> None:
    network = NASBench201(channels=2, cells=1, stages=9).build((3,) * 6, TaskShape(1, 8, 8, 10))
    # 8 -> 4 -> 2: three stages of 2, 4 and 8 channels.
    assert network.get_submodule("classifier").in_features == 8
    assert network(torch.ones(2, 1, 8, 8)).shape == (2, 10)


def test_odd_sides_are_rounded_up() -> None:
    network = NASBench201(channels=2, cells=1).build((3,) * 6, TaskShape(1, 9, 13, 10))
    assert network.get_submodule("features")(torch.ones(2, 1, 9, 13)).shape == (2, 8, 3, 4)
