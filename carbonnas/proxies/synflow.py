"""Synaptic flow: how much signal the weights let through."""

from __future__ import annotations

import math
import sys

import torch
from torch import nn

from carbonnas.proxies.layers import weights_and_gradients
from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy

FLOOR = math.log(sys.float_info.min)
"""About -708.4: the logarithm of the smallest normal float64."""
CEILING = math.log(sys.float_info.max)
"""About 709.8: the logarithm of the largest float64."""

_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.GroupNorm,
    nn.LayerNorm,
)


class Synflow(ZeroCostProxy):
    """The logarithm of the sum over the weights of |w dR/dw|, where R is the sum of the outputs for an image of ones.

    Tanaka et al., 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow", NeurIPS, as a score
    of networks in Abdelfattah et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR. All parameters are replaced by their
    absolute values, norms by identities, dropout is off; w runs over the weights of convolutions and linear layers. Computed in
    float64, since the sum spans tens of orders of magnitude; the logarithm keeps the order and makes it storable. It needs no data.

    A disconnected network lets nothing through and scores `FLOOR`; a sum beyond float64 scores `CEILING`.
    """

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:  # noqa: ARG002 # interface
        linear = _without_norms(network).double().eval()
        with torch.no_grad():
            for parameter in linear.parameters():
                parameter.abs_()
        flow = linear(torch.ones_like(batch.inputs[:1], dtype=torch.float64)).sum()
        total = sum(float((weight * gradient).abs().sum()) for weight, gradient in weights_and_gradients(flow, linear))
        return _bounded_log(total)


def _without_norms(network: nn.Module) -> nn.Module:
    """Replace each norm inside the network by an identity; return the network."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, _NORMS):
                setattr(module, name, nn.Identity())
    return network


def _bounded_log(total: float) -> float:
    # An overflow inside the network shows as infinity or, multiplied by zero, as not-a-number.
    if not math.isfinite(total):
        return CEILING
    return max(FLOOR, math.log(total)) if total > 0 else FLOOR
