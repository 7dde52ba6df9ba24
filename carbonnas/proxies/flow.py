"""The flow through a network made linear: absolute weights, no norms, an image of ones."""

from __future__ import annotations

import math
import sys

import torch
from torch import nn

from carbonnas.proxies.layers import NORMS, weights_and_gradients
from carbonnas.proxies.proxy import Subject

FLOOR = math.log(sys.float_info.min)
"""About -708.4: the logarithm of the smallest normal float64."""
CEILING = math.log(sys.float_info.max)
"""About 709.8: the logarithm of the largest float64."""


def flow(subject: Subject) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Look at the absolute weights of convolutions and linear layers with their gradients of the sum of the outputs, in float64.

    Tanaka et al., 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow", NeurIPS: all parameters
    are replaced by their absolute values, norms by identities, and dropout is off. Float64, since the flow spans tens of orders of
    magnitude.
    """
    linear = _without_norms(subject.build()).double().eval()
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.abs_()
    outputs = linear(torch.ones_like(subject.batch.inputs[:1], dtype=torch.float64))
    return weights_and_gradients(outputs.sum(), linear)


def bounded_log(total: float) -> float:
    """Return the logarithm of a flow, from `FLOOR` for none to `CEILING` for one beyond float64."""
    # An overflow inside the network shows as infinity or, multiplied by zero, as not-a-number.
    if not math.isfinite(total):
        return CEILING
    return max(FLOOR, math.log(total)) if total > 0 else FLOOR


def _without_norms(network: nn.Module) -> nn.Module:
    """Replace each norm inside the network by an identity; return the network."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, NORMS):
                setattr(module, name, nn.Identity())
    return network
