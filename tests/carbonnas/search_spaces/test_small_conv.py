from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.nn import functional

from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.small_conv_plan import SmallConvPlan
from carbonnas.search_spaces.space import TaskShape

GOOD = "w8,conv,conv,k3,d1,residual,max,relu"
BAD = "w4,identity,identity,k1,d1,plain,max,sigmoid"
DIGITS = TaskShape(1, 8, 8, 10)


def test_there_are_several_thousand_architectures() -> None:
    space = SmallConv()
    sizes = [len(choice.options) for choice in space.choices]
    assert math.prod(sizes) == 4 * 4 * 4 * 3 * 3 * 2 * 3 * 3 == 10_368
    # Of the 4 x 3 x 3 networks without blocks each is written in 3 x 3 x 2 ways.
    everything = itertools.product(*(range(size) for size in sizes))
    assert len({space.canonical(architecture) for architecture in everything}) == 10_368 - 36 * (18 - 1)


def test_a_plan_says_what_the_indices_mean() -> None:
    space = SmallConv()
    assert space.plan(space.parse("w12,separable,bottleneck,k5,d3,residual,stride,silu")) == SmallConvPlan(
        width=12,
        operators=("separable", "bottleneck"),
        kernel=5,
        depth=3,
        residual=True,
        reduction="stride",
        activation="silu",
    )


def test_without_blocks_their_choices_do_not_matter() -> None:
    space = SmallConv()
    assert space.key(space.parse("w4,identity,identity,k5,d3,residual,stride,silu")) == (
        "w4,identity,identity,k1,d1,plain,stride,silu"
    )


def test_too_small_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 x 8, got 7 x 9"):
        SmallConv().build((0,) * 8, TaskShape(1, 7, 9, 10))


@pytest.mark.torch
def test_parameters_are_those_of_the_layers() -> None:
    space = SmallConv()
    network = space.build(space.parse(GOOD), DIGITS)
    # Each convolution has no bias and a batch norm of two vectors.
    stem, first, widening, second = 9 * 8 + 16, 9 * 64 + 16, 8 * 16 + 32, 9 * 256 + 32
    assert sum(p.numel() for p in network.parameters()) == stem + first + widening + second + 16 * 10 + 10


@pytest.mark.torch
@pytest.mark.parametrize(("side", "map_side"), [(8, 4), (16, 8), (28, 7), (32, 8)])
def test_large_images_are_halved_at_once(side: int, map_side: int) -> None:
    space = SmallConv()
    network = space.build(space.parse(GOOD), TaskShape(1, side, side, 10))
    assert network.get_submodule("features")(torch.ones(2, 1, side, side)).shape == (2, 16, map_side, map_side)


@pytest.mark.torch
def test_a_residual_block_adds_its_input() -> None:
    space = SmallConv()
    network = space.build(space.parse(GOOD), DIGITS)
    block = network.get_submodule("features.1")
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    maps = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(maps), maps)


@pytest.mark.torch
def test_good_and_bad_architectures_are_told_apart_within_a_few_steps() -> None:
    assert _loss_after_steps(GOOD) < 0.5 < 1.5 < _loss_after_steps(BAD)


def _loss_after_steps(text: str) -> float:
    """Train on 64 noisy copies of ten random patterns, one for each class; return the last loss."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(10, 1, 8, 8, generator=generator)
    labels = torch.arange(64) % 10
    images = patterns[labels] + 0.3 * torch.randn(64, 1, 8, 8, generator=generator)
    space = SmallConv()
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        network = space.build(space.parse(text), DIGITS)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(30):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without annotation
        optimizer.step()
    return float(loss.detach())
