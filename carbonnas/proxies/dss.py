"""DSS: diversity and saliency of the weights of a transformer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from carbonnas.proxies.flow import CEILING, bounded_log
from carbonnas.proxies.layers import WEIGHTED
from carbonnas.proxies.proxy import SharedProxy, Subject


class Dss(SharedProxy):
    """The logarithm of the synaptic diversity of attention plus the synaptic saliency of all other layers.

    Zhou et al., 2022, "Training-free transformer architecture search" (TF-TAS), CVPR, equations 5 to 7: all parameters are replaced
    by their absolute values, and R is the sum of the outputs for an image of ones. A weight matrix W of attention adds the product of
    the nuclear norms of W and dR/dW, which falls when heads repeat each other; any other linear layer or convolution adds the sum of
    |w dR/dw|. Norms stay, without them attention would look at one token only. Matrices of attention are those of
    `MultiheadAttention` and of linear layers inside a module whose class has `Attention` in its name; a network without any is scored
    by the rest. The sum spans orders of magnitude, hence the logarithm. At least `flow.FLOOR`.
    """

    def read(self, subject: Subject) -> float:
        network = subject.build().double().eval()
        with torch.no_grad():
            for each in network.parameters():
                each.abs_()
        layers = list(_weights(network))
        outputs = network(torch.ones_like(subject.batch.inputs[:1], dtype=torch.float64))
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(
            outputs.sum(), [weight for weight, _ in layers], allow_unused=True
        )
        total = 0.0
        for (parameter, in_attention), gradient in zip(layers, found, strict=True):
            if gradient is None:
                continue
            if not bool(gradient.isfinite().all()):
                return CEILING
            weight = parameter.detach()
            total += _diversity(weight, gradient) if in_attention else float((weight * gradient).abs().sum())
        return bounded_log(total)


def _diversity(weight: torch.Tensor, gradient: torch.Tensor) -> float:
    return float(torch.linalg.matrix_norm(weight, "nuc") * torch.linalg.matrix_norm(gradient, "nuc"))


def _weights(network: nn.Module) -> Iterator[tuple[torch.Tensor, bool]]:
    """Yield the weights of layers, each with whether it belongs to attention."""
    inside = {part for module in network.modules() if "Attention" in type(module).__name__ for part in module.modules()}
    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            names = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
            yield from ((weight, True) for name in names if (weight := getattr(module, name)) is not None)
        elif isinstance(module, WEIGHTED):
            yield module.weight, module in inside and isinstance(module, nn.Linear)
