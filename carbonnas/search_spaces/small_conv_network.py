"""The networks of the `small_conv` space."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from carbonnas.search_spaces.small_conv_plan import SmallConvPlan
from carbonnas.search_spaces.space import TaskShape

_LARGE_SIDE = 16
_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid}


class SmallConvNetwork(nn.Module):
    """3x3 convolution, blocks, reduction to half the resolution and twice the channels, blocks, global average, linear layer.

    Each convolution is without bias and followed by batch norm and, except inside a separable block, the activation.
    """

    def __init__(self, plan: SmallConvPlan, task: TaskShape) -> None:
        super().__init__()
        first, second = plan.operators
        stride = 2 if min(task.height, task.width) > _LARGE_SIDE else 1
        self.features = nn.Sequential(
            _convolution(plan, task.channels, plan.width, kernel=3, stride=stride),
            *(_Block(plan, first, plan.width) for _ in range(plan.depth if first != "identity" else 0)),
            *_reduction(plan),
            *(_Block(plan, second, 2 * plan.width) for _ in range(plan.depth if second != "identity" else 0)),
        )
        self.classifier = nn.Linear(2 * plan.width, task.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, `batch x classes`, of images, `batch x channels x height x width`."""
        return cast("torch.Tensor", self.classifier(self.features(images).mean(dim=(2, 3))))


class _Block(nn.Module):
    def __init__(self, plan: SmallConvPlan, operator: str, channels: int) -> None:
        super().__init__()
        self._residual = plan.residual
        self.body = _body(plan, operator, channels)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        result = cast("torch.Tensor", self.body(maps))
        return maps + result if self._residual else result


def _body(plan: SmallConvPlan, operator: str, channels: int) -> nn.Module:
    if operator == "conv":
        return _convolution(plan, channels, channels, kernel=plan.kernel)
    if operator == "separable":
        depthwise = nn.Conv2d(channels, channels, plan.kernel, padding=plan.kernel // 2, groups=channels, bias=False)
        return nn.Sequential(depthwise, nn.BatchNorm2d(channels), _convolution(plan, channels, channels, kernel=1))
    narrow = channels // 2
    return nn.Sequential(
        _convolution(plan, channels, narrow, kernel=1),
        _convolution(plan, narrow, narrow, kernel=plan.kernel),
        _convolution(plan, narrow, channels, kernel=1),
    )


def _reduction(plan: SmallConvPlan) -> tuple[nn.Module, ...]:
    if plan.reduction == "stride":
        return (_convolution(plan, plan.width, 2 * plan.width, kernel=1, stride=2),)
    pooling = nn.MaxPool2d(2) if plan.reduction == "max" else nn.AvgPool2d(2)
    return pooling, _convolution(plan, plan.width, 2 * plan.width, kernel=1)


def _convolution(plan: SmallConvPlan, inputs: int, outputs: int, *, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        _ACTIVATIONS[plan.activation](),
    )
