"""The interface of every zero-cost proxy, and the looks at a network that several of them share."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import nn

from carbonnas.architecture import derive_seed

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ProxyBatch:
    """What a proxy may look at besides the network; the same batch for every architecture of a search.

    Attributes:
        inputs: `batch x channels x height x width`, float32; texts as `TaskShape` describes them.
        labels: `batch`, int64; of texts `batch x width`.
    """

    inputs: torch.Tensor
    labels: torch.Tensor


class ZeroCostProxy(ABC):
    """Scores an untrained network; a larger score promises a better network.

    Options are keyword-only parameters of `__init__`. `score` gets a network in its framework-default initialisation, in train
    mode, and may change it: each proxy gets its own copy. Scores are finite; the worst networks (disconnected ones, say) get the
    lowest finite score that the definition allows, as the proxy's docstring states.
    """

    @abstractmethod
    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:
        """Return the score of the network."""


class Subject:
    """An untrained network under examination, and what was seen of it.

    A look is a function of the subject, such as one forward pass. However many proxies want it, it is taken once. A look changes nothing
    that another one sees: whichever needs other weights or another mode builds a network of its own. What it draws comes from the
    generator of its own purpose, so no result depends on which looks were taken before.

    Args:
        build: Returns the network, always with the same initial weights, in train mode.
        batch: The batch of the search.
        seed: Seed of all that looks draw.
    """

    def __init__(self, build: Callable[[], nn.Module], batch: ProxyBatch, seed: int) -> None:
        self._build = build
        self.batch = batch
        self._seed = seed
        self._seen: dict[Callable[[Subject], Any], Any] = {}

    def build(self) -> nn.Module:
        """Return the network, built anew."""
        return self._build()

    def generator(self, purpose: str) -> torch.Generator:
        """Return a generator for one purpose; the same numbers each time."""
        return torch.Generator().manual_seed(derive_seed(self._seed, purpose))

    def look(self, at: Callable[[Subject], _T]) -> _T:
        """Return what the look sees; taken the first time, remembered from then on."""
        if at not in self._seen:
            self._seen[at] = at(self)
        return cast("_T", self._seen[at])


class SharedProxy(ZeroCostProxy):
    """A proxy that reads looks which it may share with others, so that one pass serves all.

    Its score is the same whether it is alone or not.
    """

    @abstractmethod
    def read(self, subject: Subject) -> float:
        """Return the score of the subject; see `ZeroCostProxy`."""

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:
        return self.read(Subject(lambda: copy.deepcopy(network), batch, generator.initial_seed()))
