"""The mobile space: inverted residual blocks in stages, as in MnasNet, EfficientNet and Once-for-All."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.mobile_plan import (
    BASES,
    HEAD,
    RESOLUTION_GROWTH,
    STEM,
    STRIDES,
    MobilePlan,
    StagePlan,
    scaled_channels,
    scaled_depth,
)
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape, fewer

if TYPE_CHECKING:
    from torch import nn


class Mobile(SearchSpace):
    """For each stage depth, kernel, expansion, width and squeeze-excite; for the whole network resolution and compound scaling.

    The backbone is EfficientNet-B0 (Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural
    networks", ICML), which is one of the architectures: `phi0,r1` and, from the first stage to the last, blocks of expansion 1
    and then 6, kernels of 3, 3, 5, 3, 5, 5, 3 and depths of 1, 2, 2, 3, 3, 4, 1, all with squeeze-excite and width 1. What
    varies by stage is that of Tan et al. 2019, "MnasNet", CVPR, and of Cai et al. 2020, "Once-for-all", ICLR. The exponent phi
    multiplies depths by 1.2^phi, widths by 1.1^phi and the resolution by 1.15^phi.

    Widths that come out alike once they are multiples of 8 are the same network; the canonical form has the first of them.

    Args:
        stages: How many stages of the backbone there are, 1 to 7.
        width: What all channels are multiplied with, above 0.
        depths: Blocks of a stage.
        kernels: Sides of the depthwise kernels, odd.
        expansions: Expanded channels per input channel.
        widths: Channels of a stage over those of the backbone.
        squeeze: Whether squeeze-excite may be chosen; otherwise no block has it.
        resolutions: Sides of the images inside the network over those of its input.
        phis: Compound-scaling exponents.
    """

    def __init__(  # noqa: PLR0913 # each keyword is an option that users set
        self,
        *,
        stages: int = 7,
        width: float = 1.0,
        depths: tuple[int, ...] = (1, 2, 3, 4),
        kernels: tuple[int, ...] = (3, 5, 7),
        expansions: tuple[int, ...] = (1, 3, 4, 6),
        widths: tuple[float, ...] = (0.75, 1.0, 1.25),
        squeeze: bool = True,
        resolutions: tuple[float, ...] = (0.75, 1.0, 1.25),
        phis: tuple[float, ...] = (0.0, 1.0, 2.0),
    ) -> None:
        if not 1 <= stages <= len(BASES):
            raise ValueError(f"stages must be 1 to {len(BASES)}, got {stages}")
        if not width > 0:
            raise ValueError(f"width must be above 0, got {width}")
        if any(kernel % 2 == 0 for kernel in kernels):
            raise ValueError(f"kernels must be odd, got {kernels}")
        self._width = width
        self._stages = range(stages)
        self._choices = (
            Choice("phi", _options("phi", phis, least=0)),
            Choice("resolution", _options("r", resolutions)),
            *(
                Choice(f"stage{stage}.{name}", options)
                for stage in range(1, stages + 1)
                for name, options in (
                    ("depth", _options("d", depths, least=1)),
                    ("kernel", _options("k", kernels, least=1)),
                    ("expansion", _options("e", expansions, least=1)),
                    ("width", _options("w", widths)),
                    ("squeeze", ("plain", "se") if squeeze else ("plain",)),
                )
            ),
        )

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture with the first of the widths that give each stage its channels."""
        chosen = self.chosen(architecture)
        result = list(architecture)
        for place, choice in enumerate(self._choices):
            if choice.name.endswith(".width"):
                base = BASES[int(choice.name[len("stage") : -len(".width")]) - 1]
                channels = [self._channels(base, option, chosen) for option in choice.options]
                result[place] = channels.index(channels[architecture[place]])
        return tuple(result)

    def plan(self, architecture: Architecture) -> MobilePlan:
        """Return what the architecture means.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        chosen = self.chosen(architecture)
        phi = _number(chosen["phi"])
        return MobilePlan(
            stem=scaled_channels(STEM * self._width, phi),
            stages=tuple(self._stage(index, chosen) for index in self._stages),
            head=scaled_channels(HEAD * self._width, phi),
            resolution=_number(chosen["resolution"]) * RESOLUTION_GROWTH**phi,
        )

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network; see `MobileNetwork`."""
        from carbonnas.search_spaces.mobile_network import MobileNetwork

        return MobileNetwork(self.plan(architecture), task)

    def narrowed(self, share: float) -> Builder:
        """Channels are whole numbers and no multiples of 8, so that widths of a stage do not come out alike."""

        def build(architecture: Architecture, task: TaskShape) -> nn.Module:
            from carbonnas.search_spaces.mobile_network import MobileNetwork

            plan = self.plan(architecture)
            stages = tuple(replace(stage, channels=fewer(stage.channels, share)) for stage in plan.stages)
            narrow = replace(plan, stem=fewer(plan.stem, share), stages=stages, head=fewer(plan.head, share))
            return MobileNetwork(narrow, task)

        return build

    def _stage(self, index: int, chosen: Mapping[str, str]) -> StagePlan:
        name = f"stage{index + 1}"
        return StagePlan(
            depth=scaled_depth(int(_number(chosen[f"{name}.depth"])), _number(chosen["phi"])),
            kernel=int(_number(chosen[f"{name}.kernel"])),
            expansion=int(_number(chosen[f"{name}.expansion"])),
            channels=self._channels(BASES[index], chosen[f"{name}.width"], chosen),
            stride=STRIDES[index],
            squeeze=chosen[f"{name}.squeeze"] == "se",
        )

    def _channels(self, base: int, width: str, chosen: Mapping[str, str]) -> int:
        return scaled_channels(base * self._width * _number(width), _number(chosen["phi"]))


def _options(prefix: str, values: Sequence[float], least: float | None = None) -> tuple[str, ...]:
    options = tuple(f"{prefix}{value:g}" for value in values)
    if not options or len(set(options)) < len(options):
        raise ValueError(f"a choice needs different options, got {options}")
    if min(values) < least if least is not None else not min(values) > 0:
        raise ValueError(
            f"options must be {'above 0' if least is None else f'at least {least:g}'}, got {tuple(values)}"
        )
    return options


def _number(option: str) -> float:
    """Return the number after the letters of an option."""
    return float(option.lstrip("abcdefghijklmnopqrstuvwxyz"))
