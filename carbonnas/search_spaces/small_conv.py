"""A small space of convolutional networks that train on 8 x 8 images in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.small_conv_plan import SmallConvPlan
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape, fewer

if TYPE_CHECKING:
    from torch import nn

SMALLEST_SIDE = 8

_LEAST_WIDTH = 2
"""Of narrower networks: a bottleneck has half of the channels."""

_OPERATORS = ("identity", "conv", "separable", "bottleneck")


def _has_blocks(chosen: Mapping[str, str]) -> bool:
    return not chosen["operator1"] == chosen["operator2"] == "identity"


_CHOICES = (
    Choice("width", ("w4", "w8", "w12", "w16")),
    Choice("operator1", _OPERATORS),
    Choice("operator2", _OPERATORS),
    Choice("kernel", ("k1", "k3", "k5"), _has_blocks),
    Choice("depth", ("d1", "d2", "d3"), _has_blocks),
    Choice("connection", ("plain", "residual"), _has_blocks),
    Choice("reduction", ("max", "average", "stride")),
    Choice("activation", ("relu", "silu", "sigmoid")),
)


class SmallConv(SearchSpace):
    """Two stages of convolutional blocks: 10,368 architectures with good, middling and bad ones.

    Made for 8 x 8 images, where one training takes seconds on one core, and good for any larger ones: images of more than 16
    rows and columns are halved at once by the first convolution. If both stages are `identity`, then `kernel`, `depth` and
    `connection` change nothing.
    """

    @property
    def choices(self) -> tuple[Choice, ...]:
        return _CHOICES

    def plan(self, architecture: Architecture) -> SmallConvPlan:
        """Return what the architecture means.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        chosen = self.chosen(architecture)
        return SmallConvPlan(
            width=int(chosen["width"][1:]),
            operators=(chosen["operator1"], chosen["operator2"]),
            kernel=int(chosen["kernel"][1:]),
            depth=int(chosen["depth"][1:]),
            residual=chosen["connection"] == "residual",
            reduction=chosen["reduction"],
            activation=chosen["activation"],
        )

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network; see `SmallConvNetwork`.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
            ValueError: If the images have fewer than 8 rows or columns.
        """
        return _built(self.plan(architecture), task)

    def narrowed(self, share: float) -> Builder:
        def build(architecture: Architecture, task: TaskShape) -> nn.Module:
            plan = self.plan(architecture)
            return _built(replace(plan, width=fewer(plan.width, share, least=_LEAST_WIDTH)), task)

        return build


def _built(plan: SmallConvPlan, task: TaskShape) -> nn.Module:
    from carbonnas.search_spaces.small_conv_network import SmallConvNetwork

    if min(task.height, task.width) < SMALLEST_SIDE:
        raise ValueError(f"small_conv needs images of at least 8 x 8, got {task.height} x {task.width}; pad them")
    return SmallConvNetwork(plan, task)
