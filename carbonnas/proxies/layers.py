"""What the gradient proxies look at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def weights_and_gradients(output: torch.Tensor, network: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the weight of each convolution and linear layer with its gradient of the scalar `output`.

    Biases and norms do not count; layers that do not reach the output are left out. In the order of the modules, detached.
    """
    weights = [module.weight for module in network.modules() if isinstance(module, _WEIGHTED)]
    gradients: Sequence[torch.Tensor | None] = torch.autograd.grad(output, weights, allow_unused=True)
    return [(w.detach(), g) for w, g in zip(weights, gradients, strict=True) if g is not None]
