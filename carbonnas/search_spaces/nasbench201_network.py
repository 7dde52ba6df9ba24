"""The network around a NAS-Bench-201 cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from carbonnas.search_spaces.nasbench201_cell import EDGES
from carbonnas.search_spaces.space import TaskShape


class CellNetwork(nn.Module):
    """The skeleton of Dong & Yang (2020), section 2.1, figure 1.

    3x3 convolution; stages of equal cells; between two stages a residual block of stride 2 that doubles the channels; batch
    norm, ReLU, global average pooling and a linear layer. All convolutions are without bias, all batch norms affine and with
    running statistics, no ReLU is in place.

    Args:
        operations: Name of the operation on each edge, in the order of `EDGES`.
        task: Shape of the input and number of classes.
        channels: Channels of the first stage.
        cells: Cells per stage.
        stages: Number of stages.
    """

    def __init__(self, operations: Sequence[str], task: TaskShape, *, channels: int, cells: int, stages: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(task.channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        ]
        for stage in range(stages):
            if stage > 0:
                layers.append(ResidualReduction(channels))
                channels *= 2
            layers.extend(Cell(operations, channels) for _ in range(cells))
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, task.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, `batch x classes`, of images, `batch x channels x height x width`."""
        return cast("torch.Tensor", self.classifier(self.features(images).mean(dim=(2, 3))))


class Cell(nn.Module):
    """One cell: each node is the sum of its edges' outputs; the last node is the result.

    An edge without operation has no module. A node that nothing reaches is all zeros, cut off from the gradient.
    """

    def __init__(self, operations: Sequence[str], channels: int) -> None:
        super().__init__()
        self._sources = {str(place): EDGES[place] for place, operation in enumerate(operations) if operation != "none"}
        self.edges = nn.ModuleDict({place: _operation(operations[int(place)], channels) for place in self._sources})

    def forward(self, start: torch.Tensor) -> torch.Tensor:
        nodes: dict[int, torch.Tensor] = {0: start}
        for target in range(1, EDGES[-1][1] + 1):
            arriving = [
                self.edges[place](nodes[source]) for place, (source, end) in self._sources.items() if end == target
            ]
            nodes[target] = torch.stack(arriving).sum(0) if len(arriving) > 1 else _only(arriving, start)
        return nodes[EDGES[-1][1]]


class ResidualReduction(nn.Module):
    """The residual block between stages: half the resolution, rounded up, and twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *_relu_conv_norm(channels, 2 * channels, kernel=3, stride=2),
            *_relu_conv_norm(2 * channels, 2 * channels, kernel=3, stride=1),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.shortcut(maps) + self.block(maps))


def _operation(name: str, channels: int) -> nn.Module:
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return nn.Sequential(*_relu_conv_norm(channels, channels, kernel=1 if name == "nor_conv_1x1" else 3, stride=1))


def _relu_conv_norm(inputs: int, outputs: int, *, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    return (
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _only(arriving: Sequence[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    return arriving[0] if arriving else torch.zeros_like(like)
