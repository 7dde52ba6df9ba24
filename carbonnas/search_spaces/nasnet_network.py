"""The networks of the `nasnet` space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import torch
from torch import nn
from torch.nn import functional

from carbonnas.search_spaces.cell_genotype import INPUTS, Cell, Genotype
from carbonnas.search_spaces.space import TaskShape

_STEM_MULTIPLIER: Final = 3
_LARGE_SIDE: Final = 64


class CellStack(nn.Module):
    """Stem, cells, global average, linear layer, as DARTS trains what it has found.

    A third and two thirds of the way a reduction cell halves the resolution and doubles the channels. Images of more than 64 rows
    and columns get the stem of DARTS for ImageNet, which halves them three times. The auxiliary classifier and drop-path of the
    paper belong to its long training and are not part of the network.

    Args:
        genotype: The two cells.
        task: Shape of the input and number of classes.
        channels: Channels of the nodes of the first cell.
        cells: Number of cells.
    """

    def __init__(self, genotype: Genotype, task: TaskShape, *, channels: int, cells: int) -> None:
        super().__init__()
        large = min(task.height, task.width) > _LARGE_SIDE
        self.stem = _large_stem(task.channels, channels) if large else _small_stem(task.channels, channels)
        # What the stem's two outputs have for channels; the second is of half the resolution in the large one.
        before = last = channels if large else _STEM_MULTIPLIER * channels
        halved = large
        self.cells = nn.ModuleList()
        for index in range(cells):
            reduces = index in (cells // 3, 2 * cells // 3)
            channels *= 1 + reduces
            nodes, concat = (
                (genotype.reduce, genotype.reduce_concat) if reduces else (genotype.normal, genotype.normal_concat)
            )
            entries = _entry(before, channels, halved=halved), _relu_conv_norm(last, channels)
            self.cells.append(CellModule(nodes, concat, channels, entries, stride=1 + reduces))
            before, last, halved = last, len(concat) * channels, reduces
        self.classifier = nn.Linear(last, task.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, `batch x classes`, of images, `batch x channels x height x width`."""
        first = self.stem[0](images)
        before, last = first, self.stem[1](first)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return cast("torch.Tensor", self.classifier(last.mean(dim=(2, 3))))


class CellModule(nn.Module):
    """One cell: its inputs brought to its channels and resolution, its nodes, and those of them that go out side by side."""

    def __init__(
        self, nodes: Cell, concat: tuple[int, ...], channels: int, entries: tuple[nn.Module, nn.Module], *, stride: int
    ) -> None:
        super().__init__()
        self._sources = [(one, other) for (_, one), (_, other) in nodes]
        self._concat = concat
        self.entries = nn.ModuleList(entries)
        self.edges = nn.ModuleList(
            _operation(name, channels, stride if source < INPUTS else 1) for node in nodes for name, source in node
        )

    def forward(self, before: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        states = [self.entries[0](before), self.entries[1](last)]
        for node, (one, other) in enumerate(self._sources):
            states.append(self.edges[2 * node](states[one]) + self.edges[2 * node + 1](states[other]))
        return torch.cat([states[node] for node in self._concat], dim=1)


class FactorizedReduction(nn.Module):
    """Half the resolution, rounded up, by two 1x1 convolutions of stride 2, one of them shifted by a pixel.

    Each makes half of the channels, so that no pixel is left out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, stride=2, bias=False)
        self.relu = nn.ReLU()
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        active = self.relu(maps)
        shifted = functional.pad(active, (0, maps.shape[3] % 2, 0, maps.shape[2] % 2))[:, :, 1:, 1:]
        return cast("torch.Tensor", self.norm(torch.cat([self.even(active), self.odd(shifted)], dim=1)))


def _small_stem(inputs: int, channels: int) -> nn.ModuleList:
    wide = _STEM_MULTIPLIER * channels
    first = nn.Sequential(nn.Conv2d(inputs, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide))
    return nn.ModuleList([first, nn.Identity()])


def _large_stem(inputs: int, channels: int) -> nn.ModuleList:
    narrow = max(1, channels // 2)
    first = nn.Sequential(
        nn.Conv2d(inputs, narrow, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(narrow),
        nn.ReLU(),
        nn.Conv2d(narrow, channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    )
    second = nn.Sequential(
        nn.ReLU(), nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(channels)
    )
    return nn.ModuleList([first, second])


def _entry(inputs: int, channels: int, *, halved: bool) -> nn.Module:
    return FactorizedReduction(inputs, channels) if halved else _relu_conv_norm(inputs, channels)


def _operation(name: str, channels: int, stride: int) -> nn.Module:
    return _OPERATIONS[name](channels, stride)


def _relu_conv_norm(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


def _skip(channels: int, stride: int) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels)


def _separable(kernel: int) -> Callable[[int, int], nn.Module]:
    """Return what makes a depthwise-separable convolution applied twice, the stride in the first."""
    return lambda channels, stride: nn.Sequential(
        *_depthwise(channels, kernel, stride=stride, dilation=1), *_depthwise(channels, kernel, stride=1, dilation=1)
    )


def _dilated(kernel: int) -> Callable[[int, int], nn.Module]:
    return lambda channels, stride: nn.Sequential(*_depthwise(channels, kernel, stride=stride, dilation=2))


def _depthwise(channels: int, kernel: int, *, stride: int, dilation: int) -> tuple[nn.Module, ...]:
    padding = dilation * (kernel // 2)
    return (
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride=stride, padding=padding, dilation=dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )


def _crossed(channels: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 7), stride=(1, stride), padding=(0, 3), bias=False),
        nn.Conv2d(channels, channels, (7, 1), stride=(stride, 1), padding=(3, 0), bias=False),
        nn.BatchNorm2d(channels),
    )


_OPERATIONS: Final[dict[str, Callable[[int, int], nn.Module]]] = {
    "max_pool_3x3": lambda _, stride: nn.MaxPool2d(3, stride=stride, padding=1),
    "avg_pool_3x3": lambda _, stride: nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False),
    "skip_connect": _skip,
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "sep_conv_7x7": _separable(7),
    "dil_conv_3x3": _dilated(3),
    "dil_conv_5x5": _dilated(5),
    "conv_7x1_1x7": _crossed,
}
