"""The condition number of the neural tangent kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from carbonnas.proxies.layers import WEIGHTED, on_the_bench
from carbonnas.proxies.proxy import SharedProxy, Subject

_IMAGES = 16
_LARGEST = 1e12
"""Condition beyond which the smallest eigenvalue is rounding."""


class Ntk(SharedProxy):
    """Minus the logarithm of the condition number of the neural tangent kernel: larger where all images are learnt equally fast.

    Chen et al., 2021, "Neural architecture search on ImageNet in four GPU hours: A theoretically inspired perspective" (TE-NAS), ICLR,
    section 3.1: the kernel of two images is the product of the gradients of their summed logits by the weights, with batch norm in train
    mode, over 16 images of the batch. One initialisation; it varies strongly from one to the next. At most 0. A singular kernel, as
    of a disconnected network, scores -log 1e12, about -28.
    """

    def read(self, subject: Subject) -> float:
        network = on_the_bench(subject.build())
        weights = [module.weight for module in network.modules() if isinstance(module, WEIGHTED)]
        logits = network(subject.batch.inputs[:_IMAGES])
        rows = [_gradient(image.sum(), weights) for image in logits]
        return -_log_condition(torch.linalg.eigvalsh(_kernel(rows)))


def _gradient(output: torch.Tensor, weights: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    found: Sequence[torch.Tensor | None] = torch.autograd.grad(output, weights, retain_graph=True, allow_unused=True)
    return [g.flatten() for g in found if g is not None]


def _kernel(rows: Sequence[Sequence[torch.Tensor]]) -> torch.Tensor:
    kernel = torch.zeros(len(rows), len(rows), dtype=torch.float64)
    for layer in zip(*rows, strict=True):
        # Gradients have seven digits, but their products must not lose what tells the smallest eigenvalue from zero.
        gradients = torch.stack(layer).double()
        kernel += gradients @ gradients.T
    return kernel


def _log_condition(values: torch.Tensor) -> float:
    smallest, largest = float(values[0]), float(values[-1])
    return math.log(min(_LARGEST, largest / smallest)) if smallest > 0 else math.log(_LARGEST)
