"""The interface of every search space."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

import numpy as np

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.errors import ArchitectureError

if TYPE_CHECKING:
    from torch import nn

_DRAWS: Final = 10_000
"""Draws that fail a constraint before it counts as one that can't be met by drawing."""
_CHANGES: Final = 200
"""Mutants or children that fail a constraint before the parents count as surrounded by invalid ones."""
_SHOWN: Final = 80
"""Characters of a text that an error quotes."""


Builder: TypeAlias = "Callable[[Architecture, TaskShape], nn.Module]"
"""Makes the network of an architecture, as `SearchSpace.build` does."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision of a space.

    Attributes:
        name: Unique within the space.
        options: What there is to choose from, in order.
        active_if: Whether the choice matters at all, told from the chosen options by name of the choices before it, where those
            that are not active have their first option; `None` if it always matters.
    """

    name: str
    options: tuple[str, ...]
    active_if: Callable[[Mapping[str, str]], bool] | None = field(default=None, compare=False)

    def is_active(self, chosen: Mapping[str, str]) -> bool:
        """Say whether the choice matters, given the options of those before it."""
        return self.active_if is None or self.active_if(chosen)


class TaskKind(Enum):
    """What is to be told of an input."""

    IMAGES = "images"
    """The class of an image."""
    TEXT = "text"
    """The next character at every place of a text, from the characters up to that place."""


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What a network takes and gives.

    Images are `batch x channels x height x width` of float32 and get `batch x classes` of logits.

    A text of `width` characters is an image of one row with a channel for each character of the vocabulary: one-hot, or any other
    float32 values, so that whatever works on images works on texts. Networks for texts take it as numbers of characters, too:
    `batch x width` of int64. Both get `batch x classes x width` of logits, the order that `torch.nn.functional.cross_entropy`
    expects.

    Attributes:
        channels: Channels of an input image; of a text its vocabulary.
        height: Rows of an input image; of a text 1.
        width: Columns of an input image; of a text its length in characters.
        classes: Number of classes; of a text its vocabulary.
        kind: Whether these are images or texts.
    """

    channels: int
    height: int
    width: int
    classes: int
    kind: TaskKind = TaskKind.IMAGES

    @classmethod
    def of_text(cls, vocabulary: int, length: int) -> TaskShape:
        """Return the shape of texts of `length` characters out of `vocabulary`."""
        return cls(vocabulary, 1, length, vocabulary, TaskKind.TEXT)


class SearchSpace(ABC):
    """An ordered list of choices and a way to build the network that they describe.

    Everything else is generic: an architecture is one option index for each choice. Options of a plug-in are keyword-only
    parameters of `__init__`. Only `build` may import torch, and only when it is called.

    A space says what it knows of its architectures in three places. `Choice.active_if` tells which choices matter; those that do not
    have their first option in the canonical form. `valid` tells which architectures there are. `canonical`, if other choices than
    inactive ones can make the same network, finds the one that stands for all of them. The laws are in
    `carbonnas.testing.spaces.SearchSpaceConformance`.

    Attributes:
        kinds: The tasks that networks of the space can do.
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.IMAGES})

    @property
    @abstractmethod
    def choices(self) -> tuple[Choice, ...]:
        """The choices, in a fixed order."""

    @abstractmethod
    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network, freshly initialised from torch's global generator; `TaskShape` says what it takes and gives.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """

    def narrowed(self, share: float) -> Builder:
        """Return what builds the networks of the same architectures with about a share of their channels, for trainings that only rank.

        Architectures that differ should have narrow networks that differ, too, as far as whole numbers of channels allow.

        Args:
            share: Above 0 and below 1.

        Raises:
            ValueError: If the space can't, which is so unless it says how.
        """
        raise ValueError(f"networks of {type(self).__name__} can't be made narrower, got a width of {share:g}")

    def valid(self, architecture: Architecture) -> bool:  # noqa: ARG002 # a space without constraint looks at nothing
        """Say whether an architecture whose indices are in range meets the constraint of the space; equal networks do alike."""
        return True

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the representative of all architectures that are the same network; inactive choices have their first option."""
        places = zip(self.active(architecture), architecture, strict=True)
        return as_architecture(index if matters else 0 for matters, index in places)

    @property
    def size(self) -> int:
        """Number of ways to choose, invalid ones and equal networks included."""
        return math.prod(len(choice.options) for choice in self.choices)

    def chosen(self, architecture: Architecture) -> dict[str, str]:
        """Return the option of each choice by its name; those that are not active have their first. Nothing is validated."""
        found: dict[str, str] = {}
        for choice, index in zip(self.choices, architecture, strict=True):
            found[choice.name] = choice.options[index if choice.is_active(found) else 0]
        return found

    def active(self, architecture: Architecture) -> tuple[bool, ...]:
        """Return for each choice whether it matters in this architecture."""
        chosen = self.chosen(architecture)
        return tuple(choice.is_active(chosen) for choice in self.choices)

    def key(self, architecture: Architecture) -> str:
        """Return the text of the canonical form: equal networks have equal keys."""
        return self.format(self.canonical(architecture))

    def features(self, architecture: Architecture) -> np.ndarray:
        """Return what can be known of an architecture without running it, for models that predict its worth.

        By default a one for the option of each active choice of the canonical form and zeros for all others. Equal networks have
        equal features.

        Returns:
            Finite float64 values, equally many for every architecture of the space.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        canonical = self.canonical(architecture)
        places = zip(self.choices, canonical, self.active(canonical), strict=True)
        return np.concatenate([np.eye(len(c.options))[index] * matters for c, index, matters in places])

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
            raise ArchitectureError(f"{quoted(text)} has {len(words)} choices, expected {len(self.choices)}")
        for word, choice in zip(words, self.choices, strict=True):
            if word not in choice.options:
                raise ArchitectureError(f"{quoted(word)} is no option of {choice.name}: {', '.join(choice.options)}")
        architecture = as_architecture(c.options.index(w) for w, c in zip(words, self.choices, strict=True))
        self.validate(architecture)
        return architecture

    def validate(self, architecture: Architecture) -> None:
        """Raise `ArchitectureError` unless each choice has a valid option index and the constraint of the space is met."""
        if len(architecture) != len(self.choices):
            raise ArchitectureError(f"{architecture} has {len(architecture)} choices, expected {len(self.choices)}")
        for index, choice in zip(architecture, self.choices, strict=True):
            if not 0 <= index < len(choice.options):
                raise ArchitectureError(f"{index} is no option of {choice.name}, which has {len(choice.options)}")
        if not self.valid(architecture):
            raise ArchitectureError(
                f"{SearchSpace.format(self, architecture)} breaks the constraint of {type(self).__name__}"
            )

    def require(self, task: TaskShape) -> None:
        """Raise `ValueError` unless networks of the space can do the task; evaluators ask before anything is spent."""
        if task.kind not in self.kinds:
            known = ", ".join(sorted(kind.value for kind in self.kinds))
            raise ValueError(f"networks of {type(self).__name__} are for {known}, the data set is of {task.kind.value}")

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Return a valid architecture; all ways to choose that are valid are equally likely.

        Raises:
            ArchitectureError: If hardly any way to choose is valid; such a space needs a `sample` of its own.
        """
        for _ in range(_DRAWS):
            drawn = as_architecture(int(rng.integers(len(choice.options))) for choice in self.choices)
            if self.valid(drawn):
                return drawn
        raise ArchitectureError(f"none of {_DRAWS} draws meets the constraint of {type(self).__name__}")

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a valid architecture in which one active choice takes another option, drawn uniformly.

        Choices that become active by it are drawn, too. Where hardly any change is valid the result is a neighbour, and where there is
        none a fresh sample.
        """
        active = self.active(architecture)
        movable = [i for i, choice in enumerate(self.choices) if active[i] and len(choice.options) > 1]
        for _ in range(_CHANGES if movable else 0):
            place = int(rng.choice(movable))
            step = int(rng.integers(1, len(self.choices[place].options)))
            option = (architecture[place] + step) % len(self.choices[place].options)
            mutant = self._completed(_replaced(architecture, place, option), active, rng)
            if self.valid(mutant):
                return mutant
        neighbours = self.neighbours(architecture)
        return neighbours[int(rng.integers(len(neighbours)))] if neighbours else self.sample(rng)

    def crossover(self, first: Architecture, second: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a valid architecture with each option from one of two parents, either equally likely; `first` if none is found."""
        for _ in range(_CHANGES):
            from_first = rng.random(len(self.choices)) < 0.5
            child = as_architecture(a if own else b for a, b, own in zip(first, second, from_first, strict=True))
            if self.valid(child):
                return child
        return first

    def neighbours(self, architecture: Architecture) -> tuple[Architecture, ...]:
        """Return the other networks that one changed option of the canonical form makes, in canonical form and a fixed order."""
        start = self.canonical(architecture)
        found = {start: None}
        for place, matters in enumerate(self.active(start)):
            for option in range(len(self.choices[place].options)) if matters else ():
                changed = _replaced(start, place, option)
                if self.valid(changed):
                    found.setdefault(self.canonical(changed))
        return tuple(found)[1:]

    def _completed(self, mutant: Architecture, before: tuple[bool, ...], rng: np.random.Generator) -> Architecture:
        """Return the mutant with what it made active drawn anew, one by one, since one may depend on the other."""
        for place, choice in enumerate(self.choices):
            if not before[place] and self.active(mutant)[place]:
                mutant = _replaced(mutant, place, int(rng.integers(len(choice.options))))
        return mutant


def fewer(channels: int, share: float, *, least: int = 1) -> int:
    """Return a share of the channels of a layer, at least `least`."""
    return max(least, round(share * channels))


def quoted(text: str) -> str:
    """Return a text as an error shows it: escaped, and cut if it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def _replaced(architecture: Architecture, place: int, option: int) -> Architecture:
    return (*architecture[:place], option, *architecture[place + 1 :])
