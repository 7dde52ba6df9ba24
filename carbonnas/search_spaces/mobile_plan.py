"""The meaning of an architecture of the mobile space."""

from __future__ import annotations

import math
from dataclasses import dataclass

DEPTH_GROWTH, WIDTH_GROWTH, RESOLUTION_GROWTH = 1.2, 1.1, 1.15
"""Alpha, beta and gamma of Tan and Le 2019, section 3.3: their joint growth doubles the work, since 1.2 x 1.1^2 x 1.15^2 is about 2."""

STEM, HEAD = 32, 1280
BASES = (16, 24, 40, 80, 112, 192, 320)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
"""Channels and strides of the seven stages of EfficientNet-B0."""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage: equal blocks, but that the first has the stride.

    Attributes:
        depth: Blocks.
        kernel: Side of the depthwise kernels.
        expansion: Expanded channels per input channel.
        channels: Channels of the outputs.
        stride: Stride of the first block in a network for large images.
        squeeze: Whether the blocks have squeeze-excite.
    """

    depth: int
    kernel: int
    expansion: int
    channels: int
    stride: int
    squeeze: bool


@dataclass(frozen=True, slots=True)
class MobilePlan:
    """What an architecture of the space means.

    Attributes:
        stem: Channels of the first convolution.
        stages: The stages in order.
        head: Channels of the last convolution.
        resolution: Side of the images inside the network over that of its input.
    """

    stem: int
    stages: tuple[StagePlan, ...]
    head: int
    resolution: float


def scaled_depth(depth: int, phi: float) -> int:
    """Return the number of blocks at a compound-scaling exponent, rounded up as published."""
    return math.ceil(depth * math.pow(DEPTH_GROWTH, phi))


def scaled_channels(channels: float, phi: float) -> int:
    """Return the number of channels at a compound-scaling exponent: a multiple of 8, and not a tenth less than asked for."""
    wanted = channels * math.pow(WIDTH_GROWTH, phi)
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8
