"""The networks of the `macro` space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import nn

from carbonnas.search_spaces.inverted_residual import InvertedResidual, conv_norm
from carbonnas.search_spaces.space import TaskShape

_BLOCKS: Final = {"mb3_k3": (3, 3), "mb6_k5": (6, 5)}
"""Expansion and kernel by name."""


class MacroNetwork(nn.Module):
    """3x3 convolution, the stages, 1x1 convolution, global average, linear layer, as published with NAS-Bench-Macro.

    Each convolution is without bias and followed by batch norm and, except at the end of a block, ReLU.

    Args:
        stages: Names of the blocks of each stage.
        task: Shape of the input and number of classes.
        channels: Channels of the stem; each stage doubles them.
        head: Channels of the last convolution.
    """

    def __init__(self, stages: Sequence[Sequence[str]], task: TaskShape, *, channels: int, head: int) -> None:
        super().__init__()
        layers = [*conv_norm(task.channels, channels, kernel=3, activation=nn.ReLU)]
        for first, *rest in stages:
            layers.extend(_layer(first, channels, stride=2))
            channels *= 2
            for name in rest:
                layers.extend(_layer(name, channels, stride=1))
        self.features = nn.Sequential(*layers, *conv_norm(channels, head, kernel=1, activation=nn.ReLU))
        self.classifier = nn.Linear(head, task.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, `batch x classes`, of images, `batch x channels x height x width`."""
        return cast("torch.Tensor", self.classifier(self.features(images).mean(dim=(2, 3))))


def _layer(name: str, channels: int, *, stride: int) -> tuple[nn.Module, ...]:
    """Return one layer; with a stride it has twice as many outputs as inputs."""
    if name == "identity":
        return () if stride == 1 else conv_norm(channels, stride * channels, kernel=1, stride=stride)
    expansion, kernel = _BLOCKS[name]
    outputs = stride * channels
    block = InvertedResidual(channels, outputs, kernel=kernel, stride=stride, expansion=expansion, activation=nn.ReLU)
    return (block,)
