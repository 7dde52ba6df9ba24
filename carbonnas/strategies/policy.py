"""The interface of the policies that are learnt, and the simplest of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.search_spaces.space import Choice


class Policy(nn.Module, ABC):
    """A distribution over architectures that decides one choice after the other.

    Implementations fill their parameters from a generator that they are given; torch's global generator is left alone.

    Args:
        choices: The choices of the space, in their order.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.options = tuple(len(choice.options) for choice in choices)

    @abstractmethod
    def logits(self, decided: Tensor) -> list[Tensor]:
        """Return the logits of the first choices, each given the decisions before it.

        Args:
            decided: `batch x k` of int64, decisions of the first k choices.

        Returns:
            Tensors of `batch x options`, one for each decided choice and one for the next, if there is one.
        """

    def steps(self, count: int) -> Generator[Tensor, Tensor | None, None]:
        """Decide step by step: yield the logits of each choice, `count x options`, and be sent its decisions, `count` of int64."""
        decided = torch.empty(count, 0, dtype=torch.int64)
        for _ in self.options:
            chosen = yield self.logits(decided)[-1]
            assert chosen is not None  # noqa: S101 - only the first step begins with nothing
            decided = torch.cat([decided, chosen[:, None]], dim=1)

    @property
    @abstractmethod
    def labels(self) -> Mapping[str, Sequence[str]]:
        """What the rows of a parameter stand for, by its name; parameters that are not named mean the same in every space."""

    @torch.no_grad()
    def draw(self, count: int, rng: np.random.Generator) -> list[Architecture]:
        """Draw architectures; nobody asks here whether they are valid."""
        steps, chosen = self.steps(count), None
        decided: list[Tensor] = []
        for _ in self.options:
            bounds = steps.send(chosen).double().softmax(1).cumsum(1).numpy()
            # Above the last bound there is nothing to choose; it may lie below 1 by rounding.
            above = (bounds <= rng.random((count, 1))).sum(1)
            chosen = torch.from_numpy(np.minimum(above, bounds.shape[1] - 1))
            decided.append(chosen)
        return [as_architecture(row) for row in torch.stack(decided, dim=1).tolist()]

    def forward(self, architectures: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy along given decisions, each summed over the choices that matter.

        Args:
            architectures: `batch x choices` of int64.
            active: `batch x choices` of bool, which choices matter.

        Returns:
            Two tensors of `batch`, in nats.
        """
        places = []
        for place, logits in enumerate(self.logits(architectures)):
            logs = logits.log_softmax(1)
            chosen = logs.gather(1, architectures[:, place : place + 1])[:, 0]
            places.append((chosen, -(logs.exp() * logs).sum(1)))
        log_probability, entropy = (torch.stack(column, dim=1) for column in zip(*places, strict=True))
        return (log_probability * active).sum(1), (entropy * active).sum(1)

    def uniform_entropy(self, active: Tensor) -> Tensor:
        """Return what `forward` would give as the entropy of uniform draws, a tensor of `batch`."""
        return (torch.tensor([math.log(count) for count in self.options]) * active).sum(1)


class IndependentPolicy(Policy):
    """Logits for each choice by itself, uniform to begin with: the policy of NAS-Bench-201 and of TuNAS.

    Args:
        choices: The choices of the space.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__(choices)
        self.weights = nn.ParameterList(nn.Parameter(torch.zeros(count)) for count in self.options)
        self._labels = {
            f"weights.{place}": [f"{choice.name}={option}" for option in choice.options]
            for place, choice in enumerate(choices)
        }

    def logits(self, decided: Tensor) -> list[Tensor]:
        reached = list(self.weights)[: decided.shape[1] + 1]
        return [weights.expand(len(decided), -1) for weights in reached]

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        return self._labels
