"""The gradients of the loss of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from carbonnas.proxies.layers import batch_loss, weight_gradients_of_images
from carbonnas.proxies.proxy import Subject
from carbonnas.proxies.signal import LayerCall, signal


@dataclass(frozen=True, slots=True)
class CallGradient:
    """The gradient of the loss at the output of one call of a layer, `batch x ...`."""

    call: LayerCall
    gradient: torch.Tensor


@dataclass(frozen=True, slots=True)
class WeightGradient:
    """The gradient of the loss by the weight of one layer.

    Attributes:
        weight: The weight.
        halves: What the first and the second half of the images contribute; with an odd batch the second half is larger by one. They
            sum to the gradient.
        agreement: The sum over the weights of how many more images pull one way than the other.
    """

    weight: torch.Tensor
    halves: tuple[torch.Tensor, torch.Tensor]
    agreement: float

    @property
    def whole(self) -> torch.Tensor:
        """The gradient of the mean cross-entropy of the whole batch."""
        return self.halves[0] + self.halves[1]


def output_gradients(subject: Subject) -> tuple[CallGradient, ...]:
    """Look at the outputs of convolutions and linear layers while the loss is propagated back; calls that do not reach it are left out."""
    seen = subject.look(signal)
    loss = batch_loss(seen.logits, subject.batch.labels)
    outputs = [call.output for call in seen.calls]
    found: Sequence[torch.Tensor | None] = torch.autograd.grad(loss, outputs, retain_graph=True, allow_unused=True)
    return tuple(CallGradient(call, g) for call, g in zip(seen.calls, found, strict=True) if g is not None)


def weight_gradients(subject: Subject) -> tuple[WeightGradient, ...]:
    """Look at the gradients of the weights of convolutions and linear layers, those that the loss depends on."""
    calls: dict[nn.Module, list[CallGradient]] = {}
    for found in subject.look(output_gradients):
        calls.setdefault(found.call.layer, []).append(found)
    return tuple(_weight_gradient(layer, of_layer) for layer, of_layer in calls.items())


def _weight_gradient(layer: nn.Module, calls: Sequence[CallGradient]) -> WeightGradient:
    parts = [weight_gradients_of_images(layer, c.call.inputs.detach(), c.gradient) for c in calls]
    images = torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]
    half = len(images) // 2
    return WeightGradient(
        layer.get_parameter("weight").detach(),
        (images[:half].sum(0), images[half:].sum(0)),
        float(images.sign().sum(0).abs().sum()),
    )
