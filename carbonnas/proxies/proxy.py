"""The interface of every zero-cost proxy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class ProxyBatch:
    """What a proxy may look at besides the network; the same batch for every architecture of a search.

    Attributes:
        inputs: `batch x channels x height x width`, float32.
        labels: `batch`, int64.
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
