"""A space of whole networks in the style of NAS-Bench-Macro: what each layer is, instead of what one repeated cell is."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape, fewer, quoted

if TYPE_CHECKING:
    from torch import nn

BLOCKS = ("identity", "mb3_k3", "mb6_k5")
_IDENTITY = BLOCKS.index("identity")


class Macro(SearchSpace):
    """Layers that are an identity or an inverted residual block, in stages at half the resolution of the one before.

    Su et al. 2021, "Prioritized architecture sampling with Monte-Carlo tree search", CVPR, who trained all of them on CIFAR-10:
    3^8 = 6,561, of which 3,969 are distinct. The first layer of a stage halves the resolution and doubles the channels; as an
    identity it is a 1x1 convolution. A later identity is nothing, so that only the order of the other blocks of its stage
    matters: in the canonical form identities come last.

    Texts are those of the benchmark: a digit for each layer, 0 for identity, 1 for expansion 3 and kernel 3, 2 for expansion 6 and
    kernel 5.

    Args:
        stages: Layers of each stage.
        channels: Channels of the stem.
        head: Channels of the last convolution.
    """

    def __init__(self, *, stages: tuple[int, ...] = (2, 3, 3), channels: int = 32, head: int = 1280) -> None:
        if not stages or min(*stages, channels, head) < 1:
            raise ValueError(f"stages, channels and head must be at least 1, got {stages}, {channels}, {head}")
        self._stages = stages
        self._channels = channels
        self._head = head
        self._choices = tuple(
            Choice(f"stage{stage}.layer{layer}", BLOCKS)
            for stage, layers in enumerate(stages, start=1)
            for layer in range(1, layers + 1)
        )

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture with the identities of each stage, but for its first layer, at the stage's end."""
        stages = self._by_stage(architecture)
        return as_architecture(
            option
            for first, *rest in stages
            for option in (first, *sorted(rest, key=lambda option: option == _IDENTITY))
        )

    def format(self, architecture: Architecture) -> str:
        return "".join(str(option) for option in architecture)

    def parse(self, text: str) -> Architecture:
        digits = "".join(str(option) for option in range(len(BLOCKS)))
        if len(text) != len(self._choices) or set(text) - set(digits):
            raise ArchitectureError(f"{quoted(text)} is none of {len(self._choices)} digits out of {digits}")
        return as_architecture(int(digit) for digit in text)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the published network; see `MacroNetwork`."""
        from carbonnas.search_spaces.macro_network import MacroNetwork

        self.validate(architecture)
        stages = [[BLOCKS[option] for option in stage] for stage in self._by_stage(architecture)]
        return MacroNetwork(stages, task, channels=self._channels, head=self._head)

    def narrowed(self, share: float) -> Builder:
        return Macro(stages=self._stages, channels=fewer(self._channels, share), head=fewer(self._head, share)).build

    def _by_stage(self, architecture: Architecture) -> list[Architecture]:
        ends = list(accumulate(self._stages))
        return [architecture[end - layers : end] for layers, end in zip(self._stages, ends, strict=True)]
