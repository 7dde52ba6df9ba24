"""Gradient norm: how strongly an untrained network is pulled by the loss."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from carbonnas.proxies.layers import weights_and_gradients
from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy


class GradNorm(ZeroCostProxy):
    """The sum over convolutions and linear layers of the Euclidean norm of the weight's gradient.

    Abdelfattah et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR: norms per layer, of weights only, for the mean
    cross-entropy of one batch, with batch norm in train mode. At least 0, and 0 for a disconnected network.
    """

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:  # noqa: ARG002 # interface
        network.train()
        loss = functional.cross_entropy(network(batch.inputs), batch.labels)
        return sum((float(gradient.norm()) for _, gradient in weights_and_gradients(loss, network)), 0.0)
