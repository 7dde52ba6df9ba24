"""Size as a proxy: the baseline that others must beat."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from carbonnas.proxies.layers import WEIGHTED
from carbonnas.proxies.proxy import SharedProxy, Subject


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable scalars."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


class Params(SharedProxy):
    """Number of trainable scalars, those of unused branches included, as the tabular benchmarks count."""

    def read(self, subject: Subject) -> float:
        return float(count_parameters(subject.look(untouched)))


class Macs(SharedProxy):
    """Multiply-accumulate operations of one forward pass of one image.

    Counted by torch's `FlopCounterMode` in convolutions, matrix products and attention, at two operations each; biases, norms,
    activations, sums and pooling are not counted.
    """

    def read(self, subject: Subject) -> float:
        # Batch norm in train mode refuses a single image whose map has shrunk to one pixel.
        network = subject.look(untouched).eval()
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            network(subject.batch.inputs[:1])
        return counter.get_total_flops() / 2


class L2Norm(SharedProxy):
    """The sum over convolutions and linear layers of the Euclidean norm of the weight.

    Abdelfattah et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR; unused layers included.
    """

    def read(self, subject: Subject) -> float:
        layers = (module for module in subject.look(untouched).modules() if isinstance(module, WEIGHTED))
        return sum((float(layer.weight.detach().norm()) for layer in layers), 0.0)


def untouched(subject: Subject) -> nn.Module:
    """Look at the network itself; nobody may change its weights."""
    return subject.build()
