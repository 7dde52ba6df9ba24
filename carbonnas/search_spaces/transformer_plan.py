"""The meaning of an architecture of the transformer space."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One block.

    Attributes:
        heads: Heads of its attention; they divide the width.
        hidden: Hidden units of its perceptron.
    """

    heads: int
    hidden: int


@dataclass(frozen=True, slots=True)
class TransformerPlan:
    """What an architecture of the space means.

    Attributes:
        patch: Side of a patch in pixels; characters of a token of text.
        width: Channels of a token.
        blocks: The blocks in order.
    """

    patch: int
    width: int
    blocks: tuple[BlockPlan, ...]
