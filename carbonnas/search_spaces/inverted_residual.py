"""The inverted residual block of MobileNetV2, which the mobile spaces are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import nn


class InvertedResidual(nn.Module):
    """1x1 convolution to `expansion` times the channels, depthwise convolution, 1x1 convolution without activation.

    Each convolution is without bias and followed by batch norm; at expansion 1 the first is left out. The input is added where
    shapes allow. Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", CVPR; squeeze-excite as in
    EfficientNet, whose bottleneck is a share of the block's inputs and not of its expanded channels.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        kernel: Side of the depthwise kernel, odd.
        stride: Stride of the depthwise convolution.
        expansion: Expanded channels per input channel, at least 1.
        activation: What makes an activation module.
        squeezed: Channels of the squeeze-excite bottleneck; 0 for a block without.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int,
        expansion: int,
        activation: Callable[[], nn.Module],
        squeezed: int = 0,
    ) -> None:
        super().__init__()
        self._residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        expand = conv_norm(inputs, hidden, kernel=1, activation=activation) if expansion > 1 else ()
        self.body = nn.Sequential(
            *expand,
            *conv_norm(hidden, hidden, kernel=kernel, stride=stride, groups=hidden, activation=activation),
            *((SqueezeExcite(hidden, squeezed, activation),) if squeezed else ()),
            *conv_norm(hidden, outputs, kernel=1),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        result = cast("torch.Tensor", self.body(maps))
        return maps + result if self._residual else result


class SqueezeExcite(nn.Module):
    """Weighs each channel by what the means of all channels say. Hu et al. 2018, "Squeeze-and-excitation networks", CVPR."""

    def __init__(self, channels: int, squeezed: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1), activation(), nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", maps * self.weigh(maps.mean(dim=(2, 3), keepdim=True)))


def conv_norm(
    inputs: int,
    outputs: int,
    *,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: Callable[[], nn.Module] | None = None,
) -> tuple[nn.Module, ...]:
    """Return a convolution without bias that keeps the size of its input over its stride, batch norm, and an activation if any."""
    layers = (
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )
    return layers if activation is None else (*layers, activation())
