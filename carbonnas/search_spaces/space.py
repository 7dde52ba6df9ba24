"""The interface of every search space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.errors import ArchitectureError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision of a space: a name and its options, in order."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What a network takes and gives.

    Attributes:
        channels: Channels of an input image.
        height: Rows of an input image.
        width: Columns of an input image.
        classes: Number of classes, the length of the output.
    """

    channels: int
    height: int
    width: int
    classes: int


class SearchSpace(ABC):
    """An ordered list of choices and a way to build the network that they describe.

    Everything else is generic: an architecture is one option index for each choice. Options of a plug-in are keyword-only
    parameters of `__init__`. Only `build` may import torch, and only when it is called.
    """

    @property
    @abstractmethod
    def choices(self) -> tuple[Choice, ...]:
        """The choices, in a fixed order."""

    @abstractmethod
    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network, freshly initialised from torch's global generator.

        Input is `batch x channels x height x width` of float32, output `batch x classes` of logits.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the representative of all architectures that are the same network."""
        return architecture

    def key(self, architecture: Architecture) -> str:
        """Return the text of the canonical form: equal networks have equal keys."""
        return self.format(self.canonical(architecture))

    def features(self, architecture: Architecture) -> np.ndarray:
        """Return what can be known of an architecture without running it, for models that predict its worth.

        By default a one for the option of each choice of the canonical form and zeros for all others. Equal networks have equal
        features.

        Returns:
            Finite float64 values, equally many for every architecture of the space.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        canonical = self.canonical(architecture)
        return np.concatenate([np.eye(len(c.options))[i] for c, i in zip(self.choices, canonical, strict=True)])

    def format(self, architecture: Architecture) -> str:
        """Return the architecture as text, readable by `parse`."""
        return ",".join(c.options[i] for c, i in zip(self.choices, architecture, strict=True))

    def parse(self, text: str) -> Architecture:
        """Return the architecture that `format` wrote.

        Raises:
            ArchitectureError: If the text is not an architecture of this space.
        """
        words = text.split(",")
        if len(words) != len(self.choices):
            raise ArchitectureError(f"{text!r} has {len(words)} choices, expected {len(self.choices)}")
        for word, choice in zip(words, self.choices, strict=True):
            if word not in choice.options:
                raise ArchitectureError(f"{word!r} is no option of {choice.name}: {', '.join(choice.options)}")
        return as_architecture(c.options.index(w) for w, c in zip(words, self.choices, strict=True))

    def validate(self, architecture: Architecture) -> None:
        """Raise `ArchitectureError` unless each choice has a valid option index."""
        if len(architecture) != len(self.choices):
            raise ArchitectureError(f"{architecture} has {len(architecture)} choices, expected {len(self.choices)}")
        for index, choice in zip(architecture, self.choices, strict=True):
            if not 0 <= index < len(choice.options):
                raise ArchitectureError(f"{index} is no option of {choice.name}, which has {len(choice.options)}")

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Return an architecture drawn uniformly."""
        return as_architecture(int(rng.integers(len(choice.options))) for choice in self.choices)

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a copy in which one choice that has an alternative takes another option, drawn uniformly."""
        open_choices = [i for i, choice in enumerate(self.choices) if len(choice.options) > 1]
        place = int(rng.choice(open_choices))
        step = int(rng.integers(1, len(self.choices[place].options)))
        changed = (architecture[place] + step) % len(self.choices[place].options)
        return (*architecture[:place], changed, *architecture[place + 1 :])
