"""What the proxies look at in a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import torch
from torch import nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
"""The layers whose weights count."""

ACTIVATIONS = (
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

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
"""The norms that behave differently in train mode."""

NORMS = (
    *BATCH_NORMS,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.GroupNorm,
    nn.LayerNorm,
)

_NARROW = 32

_MAP_DIMENSIONS = 3
"""Fewest dimensions of an output that has places: `batch x places x channels` of tokens, `batch x channels x rows x columns` of maps."""


def on_the_bench(network: nn.Module) -> nn.Module:
    """Make the network ready to be looked at and return it.

    Batch norm works in train mode, so with the statistics of the batch. All else is in evaluation mode, without dropout, so nothing
    is random. No activation overwrites its input, which may be looked at later.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, BATCH_NORMS):
            module.train()
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment] # an attribute, which is neither tensor nor module
    return network


def weights_and_gradients(output: torch.Tensor, network: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the weight of each convolution and linear layer with its gradient of the scalar `output`.

    Biases and norms do not count; layers that do not reach the output are left out. In the order of the modules, detached.
    """
    weights = [module.weight for module in network.modules() if isinstance(module, WEIGHTED)]
    gradients: Sequence[torch.Tensor | None] = torch.autograd.grad(output, weights, allow_unused=True)
    return [(w.detach(), g) for w, g in zip(weights, gradients, strict=True) if g is not None]


def weight_gradient(layer: nn.Module, inputs: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the weight of a convolution or linear layer from the gradient of the layer's output.

    Args:
        layer: One of `WEIGHTED`.
        inputs: What entered the layer; any part of the batch.
        gradient: The gradient of what left it, of the same part.
    """
    if isinstance(layer, nn.Linear):
        return gradient.flatten(0, -2).T @ inputs.flatten(0, -2)
    if _is_plain(layer):
        return _convolution_gradient(layer, inputs, gradient, parts=1)
    weight = layer.get_parameter("weight").detach().requires_grad_()
    with torch.enable_grad():
        output = torch.func.functional_call(layer, {"weight": weight}, (inputs,))
    return torch.autograd.grad(output, weight, gradient)[0]


def weight_gradients_of_images(layer: nn.Module, inputs: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return `weight_gradient` of each image alone, `batch x ...`."""
    count = len(inputs)
    if _is_plain(layer) and layer.in_channels <= _NARROW:
        # One call for all images, each a group of its own; in wide layers that takes longer.
        beside = _convolution_gradient(layer, inputs.flatten(0, 1)[None], gradient.flatten(0, 1)[None], parts=count)
        return beside.reshape(count, *layer.weight.shape)
    return torch.stack([weight_gradient(layer, inputs[i : i + 1], gradient[i : i + 1]) for i in range(count)])


def _is_plain(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    return isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _convolution_gradient(
    layer: nn.Conv2d, inputs: torch.Tensor, gradient: torch.Tensor, *, parts: int
) -> torch.Tensor:
    """Return the gradient of the weight of `parts` copies of a convolution side by side."""
    outputs, *rest = layer.weight.shape
    settings = layer.stride, layer.padding, layer.dilation, parts * layer.groups
    found: torch.Tensor = conv2d_weight(inputs, (parts * outputs, *rest), gradient, *settings)  # type: ignore[no-untyped-call]
    return found


def has_places(output: object) -> bool:
    """Say whether an output is a tensor with channels and places, as maps and rows of tokens are."""
    return isinstance(output, torch.Tensor) and output.ndim >= _MAP_DIMENSIONS


def places_of(output: torch.Tensor) -> int:
    """Return how many places of each image an output has, if it has places."""
    return output.shape[1] if output.ndim == _MAP_DIMENSIONS else output[0, 0].numel()


def by_channel(maps: torch.Tensor) -> torch.Tensor:
    """Return an output that has places as a matrix, `channels x (batch * places)`; tokens have their channels last, maps second."""
    if maps.ndim == _MAP_DIMENSIONS:
        return maps.flatten(0, 1).T
    return maps.transpose(0, 1).flatten(1)


def batch_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the batch."""
    return functional.cross_entropy(logits, labels)
