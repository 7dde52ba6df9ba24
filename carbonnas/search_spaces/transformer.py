"""The transformer space: encoders of images and decoders of text."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskKind, TaskShape, fewer
from carbonnas.search_spaces.transformer_plan import BlockPlan, TransformerPlan

if TYPE_CHECKING:
    from torch import nn


class Transformer(SearchSpace):
    """Patch or token size, depth and width, and for each block its heads and the width of its perceptron.

    Images are cut into patches and read by a vision transformer (Dosovitskiy et al. 2021, "An image is worth 16 x 16 words",
    ICLR), texts into tokens of one or more characters and read by a causal one, which tells the next character at every place
    (Radford et al. 2019, "Language models are unsupervised multitask learners"). What varies by block is that of Chen et al.
    2021, "AutoFormer", ICCV. Blocks beyond the depth do not matter, and the width must be divisible by the heads of each block.

    Args:
        patches: Sides of the patches of an image in pixels, characters of a token of text.
        depths: Numbers of blocks.
        widths: Channels of a token.
        heads: Heads of a block.
        mlp_ratios: Hidden units of a block's perceptron over the width; together they must be whole numbers.
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)

    def __init__(
        self,
        *,
        patches: tuple[int, ...] = (2, 4, 8),
        depths: tuple[int, ...] = (2, 3, 4, 6),
        widths: tuple[int, ...] = (64, 96, 128, 192),
        heads: tuple[int, ...] = (2, 3, 4),
        mlp_ratios: tuple[float, ...] = (1.0, 2.0, 4.0),
    ) -> None:
        blocks = range(1, max(depths, default=0) + 1)
        self._choices = (
            Choice("patch", _options(patches)),
            Choice("depth", _options(depths)),
            Choice("width", _options(widths)),
            *(
                Choice(f"block{block}.{name}", _options(values), functools.partial(_has_block, block))
                for block in blocks
                for name, values in (("heads", heads), ("mlp", mlp_ratios))
            ),
        )
        if not any(width % count == 0 for width in widths for count in heads):
            raise ValueError(f"none of the widths {widths} is divisible by one of the heads {heads}")
        if any(width * ratio % 1 for width in widths for ratio in mlp_ratios):
            raise ValueError(f"the widths {widths} times the mlp_ratios {mlp_ratios} must be whole numbers")

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    def valid(self, architecture: Architecture) -> bool:
        plan = self._plan(architecture)
        return all(plan.width % block.heads == 0 for block in plan.blocks)

    def plan(self, architecture: Architecture) -> TransformerPlan:
        """Return what the architecture means.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        return self._plan(architecture)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network; see `TransformerNetwork`."""
        from carbonnas.search_spaces.transformer_network import TransformerNetwork

        return TransformerNetwork(self.plan(architecture), task)

    def narrowed(self, share: float) -> Builder:
        """Blocks keep their heads, so the width stays a multiple of all of them, and no less than that."""

        def build(architecture: Architecture, task: TaskShape) -> nn.Module:
            from carbonnas.search_spaces.transformer_network import TransformerNetwork

            return TransformerNetwork(_narrow(self.plan(architecture), share), task)

        return build

    def _plan(self, architecture: Architecture) -> TransformerPlan:
        chosen = self.chosen(architecture)
        width = int(chosen["width"])
        return TransformerPlan(
            patch=int(chosen["patch"]),
            width=width,
            blocks=tuple(
                BlockPlan(int(chosen[f"block{block}.heads"]), round(float(chosen[f"block{block}.mlp"]) * width))
                for block in range(1, int(chosen["depth"]) + 1)
            ),
        )


def _narrow(plan: TransformerPlan, share: float) -> TransformerPlan:
    step = math.lcm(*(block.heads for block in plan.blocks))
    width = step * fewer(plan.width // step, share)
    blocks = tuple(replace(block, hidden=fewer(block.hidden, width / plan.width)) for block in plan.blocks)
    return replace(plan, width=width, blocks=blocks)


def _has_block(block: int, chosen: Mapping[str, str]) -> bool:
    return block <= int(chosen["depth"])


def _options(values: Sequence[float]) -> tuple[str, ...]:
    options = tuple(f"{value:g}" for value in values)
    if not options or len(set(options)) < len(options) or not min(values) > 0:
        raise ValueError(f"a choice needs different options above 0, got {tuple(values)}")
    return options
