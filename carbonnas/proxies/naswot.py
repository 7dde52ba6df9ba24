"""NASWOT: how differently an untrained network treats different images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy

_ACTIVATIONS = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Tanh,
    nn.Sigmoid,
)


class Naswot(ZeroCostProxy):
    """The logarithm of the determinant of the kernel of activation codes, larger when images are told apart.

    Mellor et al., 2021, "Neural architecture search without training", ICML: the code of an image holds for each unit whether its
    input is positive, and K_ij counts the units in which the codes of images i and j agree. Batch norm in train mode, as the authors
    recommend. Units are the inputs of activation modules (smooth ones too: the sign of what enters them counts) from which a gradient
    reaches the output; activations called as plain functions are not seen. Scores grow with the size of the batch: compare
    only those of one batch.

    K is a matrix of whole numbers, so a determinant that is not zero is at least 1: scores are at least 0, and a singular K, as of
    a network that treats two images alike, scores 0.
    """

    def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:  # noqa: ARG002 # interface
        network.train()
        return log_determinant(activation_codes(network, batch.inputs))


def activation_codes(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Return the codes of the images, `batch x units` of zeros and ones in float64; may be without units."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def remember(_: nn.Module, arguments: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        # An activation that works in place has overwritten its input by now, but each of those keeps the sign.
        if output.requires_grad:
            seen.append((output, (arguments[0].detach() > 0).flatten(1)))

    handles = [m.register_forward_hook(remember) for m in network.modules() if isinstance(m, _ACTIVATIONS)]
    # A copy that is no leaf may be changed in place and still makes every activation part of the graph.
    logits = network(inputs.clone().requires_grad_().clone())
    for handle in handles:
        handle.remove()
    empty = torch.zeros(len(inputs), 0, dtype=torch.bool, device=inputs.device)
    if not seen:
        return empty.double()
    reached: Sequence[torch.Tensor | None] = torch.autograd.grad(logits.sum(), [x for x, _ in seen], allow_unused=True)
    codes = [code for (_, code), gradient in zip(seen, reached, strict=True) if gradient is not None]
    return torch.cat([empty, *codes], dim=1).double()


def log_determinant(codes: torch.Tensor) -> float:
    """Return the score of the codes, `batch x units` of zeros and ones in float64."""
    kernel = codes @ codes.T + (1 - codes) @ (1 - codes).T
    if int(torch.linalg.matrix_rank(kernel, hermitian=True)) < len(kernel):
        return 0.0
    return max(0.0, float(torch.linalg.slogdet(kernel).logabsdet))
