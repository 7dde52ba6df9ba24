"""How finely an untrained network divides its input space."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from carbonnas.proxies.layers import ACTIVATIONS, on_the_bench
from carbonnas.proxies.proxy import SharedProxy, Subject

_IMAGES = 1000
_DRAWS = 3
_SIDE = 3


class LinearRegions(SharedProxy):
    """The number of activation patterns among 3,000 random images of 3 x 3.

    Chen et al., 2021, "Neural architecture search on ImageNet in four GPU hours: A theoretically inspired perspective" (TE-NAS), ICLR,
    section 3.2, after Xiong et al., 2020, "On the number of linear regions of convolutional neural networks", ICML. In a wide network every
    image has a pattern of its own, so the authors count in a copy with one channel; here all channels but the first of each convolution
    are silenced, which makes the same of any network, at its full depth. From 1 to 3,000.

    A network that takes images of its own size only, as transformers do, has no such count and is refused: among 3,000 of its own images
    each would have a pattern of its own.
    """

    def read(self, subject: Subject) -> float:
        network, generator = _thinned(on_the_bench(subject.build())), subject.generator("linear regions")
        codes: list[torch.Tensor] = []

        def remember(_: object, arguments: tuple[torch.Tensor, ...], __: object) -> None:
            codes.append((arguments[0][:, :1] > 0).flatten(1))

        for module in network.modules():
            if isinstance(module, ACTIVATIONS):
                module.register_forward_hook(remember)
        patterns = []
        for _ in range(_DRAWS):
            codes.clear()
            images = torch.randn(_IMAGES, subject.batch.inputs.shape[1], _SIDE, _SIDE, generator=generator)
            _pass(network, images)
            patterns.append(np.packbits(torch.cat(codes, dim=1), axis=1) if codes else np.zeros((1, 1), np.uint8))
        return float(len(np.unique(np.concatenate(patterns), axis=0)))


def _pass(network: nn.Module, images: torch.Tensor) -> None:
    try:
        with torch.inference_mode():
            network(images)
    except (RuntimeError, ValueError) as error:
        raise RuntimeError(
            f"regions are counted among images of {_SIDE} x {_SIDE}, and the network takes its own size only: {error}"
        ) from error


def _thinned(network: nn.Module) -> nn.Module:
    """Silence all channels but the first of each convolution; return the network."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
                module.weight[1:] = 0
                if module.bias is not None:
                    module.bias[1:] = 0
    return network
