"""The meaning of an architecture of the small convolutional space."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmallConvPlan:
    """What an architecture of the space means.

    Attributes:
        width: Channels of the first stage; the second has twice as many.
        operators: Kind of the blocks of each stage.
        kernel: Side of the blocks' kernels.
        depth: Blocks per stage.
        residual: Whether each block's input is added to its output.
        reduction: How the resolution is halved between the stages.
        activation: Name of the non-linear function used everywhere.
    """

    width: int
    operators: tuple[str, str]
    kernel: int
    depth: int
    residual: bool
    reduction: str
    activation: str
