"""Synaptic flow: how much signal the weights let through."""

from __future__ import annotations

import torch

from carbonnas.proxies.flow import bounded_log, flow
from carbonnas.proxies.proxy import SharedProxy, Subject


class Synflow(SharedProxy):
    """The logarithm of the sum over the weights of |w dR/dw|, where R is the sum of the outputs for an image of ones.

    Tanaka et al., 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow", NeurIPS, as a score
    of networks in Abdelfattah et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR; see `flow` for how the network is made
    linear. w runs over the weights of convolutions and linear layers. The sum spans tens of orders of magnitude; its logarithm, which
    the papers do not take, keeps the order and can be stored. It needs no data.

    A disconnected network lets nothing through and scores `flow.FLOOR`; a sum beyond float64 scores `flow.CEILING`.
    """

    def read(self, subject: Subject) -> float:
        return bounded_log(sum(float((weight * gradient).abs().sum()) for weight, gradient in subject.look(flow)))


class LogSynflow(SharedProxy):
    """The sum over the weights of |w| log(1 + |dR/dw|), with the flow R of `Synflow`.

    Cavagnero et al., 2023, "FreeREA: Training-free evolution-based architecture search", WACV: the logarithm inside the sum keeps a few
    huge gradients from deciding everything. They write dR/dw, which is never negative where only sums, means and rectifiers follow
    the weights; behind a softmax, as in attention, it may be, and counts by its size as in `Synflow`. At least 0, and 0 for a
    disconnected network. A gradient beyond float64 counts as the largest float64.
    """

    def read(self, subject: Subject) -> float:
        return sum(float((w * _bounded(gradient).log1p()).sum()) for w, gradient in subject.look(flow))


def _bounded(gradient: torch.Tensor) -> torch.Tensor:
    largest = torch.finfo(torch.float64).max
    return gradient.abs().nan_to_num(nan=largest, posinf=largest)
