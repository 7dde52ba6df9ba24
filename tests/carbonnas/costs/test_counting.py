"""What is counted of networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from carbonnas.costs.counting import count_macs, peak_memory
from carbonnas.costs.network import NOWHERE, built, one_input, spread_input
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch

TASK = TaskShape(1, 8, 8, 10)
FLOAT = 4
"""Bytes of a float32."""


class Branches(nn.Module):
    """Keeps its input alive beside two layers, and then lets go of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(10, 100, bias=False)
        self.second = nn.Linear(100, 10, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden = self.first(inputs).view(100)
        output: torch.Tensor = inputs + self.second(hidden)
        return output


def test_memory_is_weights_and_what_is_alive_at_the_worst_moment() -> None:
    weights, inputs, hidden, output = 10 * 100 + 100 * 10, 10, 100, 10
    # Once the sum is made there are input, hidden values, the second layer's output and the sum.
    assert peak_memory(Branches(), torch.zeros(1, 10)) == FLOAT * (weights + inputs + hidden + 2 * output)


def test_what_is_freed_does_not_count_any_more() -> None:
    chain = nn.Sequential(*(nn.ReLU() for _ in range(50)))
    assert peak_memory(chain, torch.zeros(1, 1000)) == FLOAT * 3 * 1000  # input, a value and the next one


def test_changes_in_place_take_no_memory() -> None:
    assert peak_memory(nn.Sequential(nn.ReLU(inplace=True)), torch.zeros(1, 1000)) == FLOAT * 1000


def test_multiplications_of_layers_are_counted() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4 * 4, 5))
    assert count_macs(network, torch.zeros(1, 3, 4, 4)) == 4 * 4 * 8 * 3 * 3 * 3 + 8 * 4 * 4 * 5


def test_counting_leaves_the_random_numbers_as_they_were() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    built(SmallConv(), SmallConv().sample(np.random.default_rng(0)), TASK, torch.device("cpu"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", ["small_conv", "macro", "nasbench201", "transformer"])
def test_a_network_nowhere_counts_as_one_that_is_there(name: str) -> None:
    space = SEARCH_SPACES.create(name, {}, {})
    architecture = space.canonical(space.sample(np.random.default_rng(1)))
    nowhere, there = built(space, architecture, TASK), built(space, architecture, TASK, torch.device("cpu"))
    assert all(parameter.device == NOWHERE for parameter in nowhere.parameters())
    inputs = torch.randn(1, 1, 8, 8)
    assert count_macs(nowhere, spread_input(TASK)) == count_macs(there, inputs)
    # On a processor some operations keep less of what they computed by the way.
    assert peak_memory(nowhere, one_input(TASK)) == pytest.approx(peak_memory(there, inputs), rel=0.01)
