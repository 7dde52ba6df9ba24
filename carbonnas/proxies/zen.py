"""Zen score: how strongly the features of a network with Gaussian weights answer to a small change of the image."""

from __future__ import annotations

import math

import torch
from torch import nn

from carbonnas.proxies.layers import BATCH_NORMS, WEIGHTED, has_places, on_the_bench, places_of
from carbonnas.proxies.proxy import SharedProxy, Subject

_IMAGES = 16
_CHANGE = 0.01
_FLOOR = math.log(1e-30)


class Zen(SharedProxy):
    """The logarithm of the mean change of the last maps when Gaussian images change by a hundredth, and what batch norms took away.

    Lin et al., 2021, "Zen-NAS: A zero-shot NAS for high-performance image recognition", ICCV, algorithm 1: weights from N(0, 1),
    16 Gaussian images, the sum of absolute differences of the last maps before they are pooled, and for each batch norm the
    logarithm of the mean deviation of its inputs. One draw instead of the mean over 32. The authors' program takes deviations from
    running statistics, which after one batch are one tenth of the way there; here it is the batch's own, with the norm's epsilon.

    A network without maps, and one whose maps do not change, scores log 1e-30 in place of the change.
    """

    def read(self, subject: Subject) -> float:
        network = on_the_bench(subject.build())
        generator = subject.generator("zen")
        shape = (_IMAGES, *subject.batch.inputs.shape[1:])
        images, change = (torch.randn(shape, generator=generator) for _ in range(2))
        _draw_weights(network, generator)
        with torch.no_grad():
            plain, changed = (_last_maps(network, x) for x in (images, images + _CHANGE * change))
        distance = 0.0 if plain is None or changed is None else float((plain - changed).abs().sum()) / _IMAGES
        norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
        taken = sum(math.log(float(n.running_var.mean()) + n.eps) / 2 for n in norms if n.running_var is not None)
        return (math.log(distance) if distance > 0 else _FLOOR) + taken


def _draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of layers from N(0, 1), set their biases to 0, and let batch norms remember the last batch alone."""
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            nn.init.normal_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, BATCH_NORMS):
            module.momentum = 1.0


def _last_maps(network: nn.Module, images: torch.Tensor) -> torch.Tensor | None:
    """Return the last output of a module that has more than one place."""
    seen: list[torch.Tensor] = []

    def remember(_: nn.Module, __: object, output: object) -> None:
        if has_places(output) and isinstance(output, torch.Tensor) and places_of(output) > 1:
            seen[:] = [output]

    handles = [module.register_forward_hook(remember) for module in network.modules()]
    network(images)
    for handle in handles:
        handle.remove()
    return seen[0] if seen else None
