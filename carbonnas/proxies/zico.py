"""ZiCo: how alike the gradients of different images are."""

from __future__ import annotations

import math

import torch

from carbonnas.proxies.gradients import weight_gradients
from carbonnas.proxies.proxy import SharedProxy, Subject

_FLOOR = math.log(1e-30)


class Zico(SharedProxy):
    """The sum over the layers of the logarithm of the sum of mean / deviation of the weights' gradients between two halves of the batch.

    Li et al., 2023, "ZiCo: Zero-shot NAS via inverse coefficient of variation on gradients", ICLR, equation 12 with two mini-batches:
    with the gradients g and h of a weight the mean is of their absolute values and the population deviation of those with their sign, so
    the quotient is (|g| + |h|) / |g - h|. The two mini-batches are the halves of the batch, which pass through the network together:
    each gives what its images contribute to the gradient. Weights whose gradients do not differ are skipped, and a layer without
    others adds nothing. A network without gradients scores log 1e-30, about -69.
    """

    def read(self, subject: Subject) -> float:
        layers = [total for found in subject.look(weight_gradients) if (total := _inverse_variation(*found.halves)) > 0]
        return sum(map(math.log, layers)) if layers else _FLOOR


def _inverse_variation(first: torch.Tensor, second: torch.Tensor) -> float:
    difference = (first - second).abs()
    ratio = (first.abs() + second.abs()) / difference
    return float(ratio[difference > 0].double().sum())
