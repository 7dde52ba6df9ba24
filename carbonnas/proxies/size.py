"""Size as a proxy: the baseline that others must beat."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable scalars."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


class Params(ZeroCostProxy):
    """Number of trainable scalars, those of unused branches included, as the tabular benchmarks count."""

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:  # noqa: ARG002 # interface
        return float(count_parameters(network))


class Macs(ZeroCostProxy):
    """Multiply-accumulate operations of one forward pass of one image.

    Counted by torch's `FlopCounterMode` in convolutions, matrix products and attention, at two operations each; biases, norms,
    activations, sums and pooling are not counted.
    """

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:  # noqa: ARG002 # interface
        # Batch norm in train mode refuses a single image whose map has shrunk to one pixel.
        network.eval()
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            network(batch.inputs[:1])
        return counter.get_total_flops() / 2
