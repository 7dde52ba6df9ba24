"""The blocks of a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from carbonnas.costs.blocks import blocks_of, weight_bytes
from carbonnas.costs.network import built, one_input
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


class Own(nn.Module):
    """A layer that torch does not have."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.weight * self.factor


class Net(nn.Module):
    """A layer, an own layer and functions between them."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.own = Own(0.5)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        assert inputs.shape[1] == 4
        hidden = functional.relu(self.own(self.linear(inputs)))
        return torch.cat([hidden, inputs], dim=1)


def keys(network: nn.Module, inputs: torch.Tensor) -> list[str]:
    return [block.key for block in blocks_of(network, inputs)]


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())  # noqa: SLF001


def test_layers_and_what_is_called_between_them_are_blocks() -> None:
    assert keys(Net(), torch.zeros(2, 4)) == [
        "Linear(in_features=4, out_features=4, bias=True) <- 2x4 float32",
        "Own(factor=0.5, weight=4 float32) <- 2x4 float32",
        "torch.nn.functional.relu <- 2x4 float32, inplace=False",
        "torch.cat <- [2x4 float32, 2x4 float32], dim=1",
    ]


def test_other_shapes_and_other_settings_are_other_blocks() -> None:
    batch_of_two, batch_of_three = (set(keys(Net(), torch.zeros(size, 4))) for size in (2, 3))
    assert len(batch_of_two) == 4
    assert not batch_of_two & batch_of_three
    assert keys(Own(0.5), torch.zeros(1, 4)) != keys(Own(0.25), torch.zeros(1, 4))


def test_a_block_can_be_called_by_itself() -> None:
    shapes = []
    for block in blocks_of(Net(), torch.zeros(2, 4)):
        result = block.ready(CPU)()
        assert isinstance(result, torch.Tensor)
        shapes.append(tuple(result.shape))
    assert shapes == [(2, 4), (2, 4), (2, 4), (2, 8)]


def test_calls_of_a_layer_take_turns_with_copies_of_it() -> None:
    (block,) = blocks_of(nn.Linear(4, 4, bias=False), torch.zeros(1, 4))
    network = 2.5 * weight_bytes(nn.Linear(4, 4, bias=False))
    alone, in_turn = block.ready(CPU), block.ready(CPU, int(network))
    assert isinstance(block.call, nn.Linear)
    expected = [alone(), alone(), alone(), alone()]
    with torch.no_grad():
        block.call.weight.zero_()
    zeros = [bool((torch.as_tensor(call()) == 0).all()) for call in (alone, in_turn, in_turn, in_turn, in_turn)]
    assert not any(bool((torch.as_tensor(result) == 0).all()) for result in expected)
    assert zeros == [True, True, False, False, True]


def test_looking_leaves_no_hooks_behind() -> None:
    network = Net()
    keys(network, torch.zeros(1, 4))
    assert hooks(network) == 0


def test_a_network_that_fails_leaves_no_hooks_behind() -> None:
    network = Net()
    with pytest.raises(RuntimeError):
        keys(network, torch.zeros(4, 4, 3))
    assert hooks(network) == 0


@pytest.mark.parametrize("name", ["small_conv", "macro", "nasbench201", "transformer"])
def test_blocks_have_the_same_keys_wherever_the_network_is(name: str) -> None:
    space, task = SEARCH_SPACES.create(name, {}, {}), TaskShape(1, 8, 8, 10)
    architecture = space.canonical(space.sample(np.random.default_rng(1)))
    there = keys(built(space, architecture, task, CPU), one_input(task, CPU))
    assert keys(built(space, architecture, task), one_input(task)) == there


def test_a_text_is_walked_through_as_numbers_of_characters() -> None:
    space, task = SEARCH_SPACES.create("transformer", {}, {}), TaskShape.of_text(20, 16)
    architecture = space.sample(np.random.default_rng(0))
    blocks = blocks_of(built(space, architecture, task, CPU), one_input(task, CPU))
    assert any("1x16 int64" in block.key for block in blocks)
    assert all(block.ready(CPU)() is not None for block in blocks)
