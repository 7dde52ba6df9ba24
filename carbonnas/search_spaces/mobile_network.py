"""The networks of the `mobile` space."""

from __future__ import annotations

from typing import Final, cast

import torch
from torch import nn
from torch.nn import functional

from carbonnas.search_spaces.inverted_residual import InvertedResidual, conv_norm
from carbonnas.search_spaces.mobile_plan import MobilePlan, StagePlan
from carbonnas.search_spaces.space import TaskShape

SQUEEZE_SHARE: Final = 0.25
_SMALLEST_MAP: Final = 4


class MobileNetwork(nn.Module):
    """3x3 convolution, the stages, 1x1 convolution, global average, linear layer, all with SiLU, as EfficientNet.

    Images of 128 rows and columns and more are halved five times, as published: by the stem and by four stages. For smaller ones
    the earliest halvings are left out, so that a map of at least 4 x 4 is left at resolution 1. Dropout and stochastic depth belong
    to the long training of the paper and are not part of the network; batch norms have torch's default momentum, since the
    published one averages over more steps than a short training has.
    """

    def __init__(self, plan: MobilePlan, task: TaskShape) -> None:
        super().__init__()
        strides = _kept((2, *(stage.stride for stage in plan.stages)), min(task.height, task.width))
        layers = [*conv_norm(task.channels, plan.stem, kernel=3, stride=strides[0], activation=nn.SiLU)]
        channels = plan.stem
        for stage, stride in zip(plan.stages, strides[1:], strict=True):
            layers.extend(_blocks(stage, channels, stride))
            channels = stage.channels
        resize = () if plan.resolution == 1 else (Resize(plan.resolution),)
        head = conv_norm(channels, plan.head, kernel=1, activation=nn.SiLU)
        self.features = nn.Sequential(*resize, *layers, *head)
        self.classifier = nn.Linear(plan.head, task.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, `batch x classes`, of images, `batch x channels x height x width`."""
        return cast("torch.Tensor", self.classifier(self.features(images).mean(dim=(2, 3))))


class Resize(nn.Module):
    """Bilinear interpolation to another resolution, at least one pixel."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        size = [max(1, round(side * self._share)) for side in images.shape[2:]]
        return functional.interpolate(images, size=size, mode="bilinear", align_corners=False)


def _kept(strides: tuple[int, ...], side: int) -> tuple[int, ...]:
    """Return the strides with those set to 1, from the first on, for which images of this side are too small."""
    affordable = max(0, (side // _SMALLEST_MAP).bit_length() - 1)
    surplus = max(0, sum(stride > 1 for stride in strides) - affordable)
    kept = list(strides)
    for place in [place for place, stride in enumerate(strides) if stride > 1][:surplus]:
        kept[place] = 1
    return tuple(kept)


def _blocks(stage: StagePlan, inputs: int, stride: int) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for index in range(stage.depth):
        block_inputs = inputs if index == 0 else stage.channels
        blocks.append(
            InvertedResidual(
                block_inputs,
                stage.channels,
                kernel=stage.kernel,
                stride=stride if index == 0 else 1,
                expansion=stage.expansion,
                activation=nn.SiLU,
                squeezed=max(1, int(block_inputs * SQUEEZE_SHARE)) if stage.squeeze else 0,
            )
        )
    return blocks
