"""One forward pass of the batch, with all that leaves a trace on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from carbonnas.proxies.layers import ACTIVATIONS, WEIGHTED, has_places, on_the_bench
from carbonnas.proxies.proxy import Subject
from carbonnas.proxies.trunk import blocks_of

_PIXELS = 4096
"""Pixels of the images whose maps are kept: those of one image of 64 x 64."""


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A call of a convolution or a linear layer: what entered and what left, `batch x ...`, within the graph."""

    layer: nn.Module
    inputs: torch.Tensor
    output: torch.Tensor


@dataclass(frozen=True, slots=True)
class Signal:
    """What one forward pass left behind; tensors are within the graph of the logits unless it is said otherwise.

    Attributes:
        inputs: The batch, a leaf that requires a gradient.
        logits: `batch x classes`.
        calls: The calls of convolutions and linear layers.
        codes: For each activation that the logits depend on, `batch x units` of booleans: whether the unit's input is positive.
        features: What entered the first block of the trunk, unless that is the batch itself, and what left each block, if it has
            places; see `blocks_of`.
        maps: Of the first images of the batch, as many as make 4,096 pixels and at least one: what left each module without parts, if
            it has places. Detached.
    """

    inputs: torch.Tensor
    logits: torch.Tensor
    calls: tuple[LayerCall, ...]
    codes: tuple[torch.Tensor, ...]
    features: tuple[torch.Tensor, ...]
    maps: tuple[torch.Tensor, ...]


def signal(subject: Subject) -> Signal:
    """Look at the network while the batch passes through it."""
    network = on_the_bench(subject.build())
    inputs = subject.batch.inputs.clone().requires_grad_()
    # A copy that is no leaf may be changed in place by a network's own functions.
    images = inputs.clone()
    trace = _Trace(images, max(1, _PIXELS // images[0, 0].numel()))
    handles = trace.attach(network)
    logits = network(images)
    for handle in handles:
        handle.remove()
    return Signal(
        inputs,
        logits,
        tuple(trace.calls),
        tuple(_reaching(logits, trace.activations)),
        tuple(trace.features),
        tuple(trace.maps),
    )


def codes_of_all(codes: Iterable[torch.Tensor], batch: int) -> torch.Tensor:
    """Return the codes of all activations beside each other, `batch x units` of booleans; may be without units."""
    return torch.cat([torch.zeros(batch, 0, dtype=torch.bool), *codes], dim=1)


@dataclass(slots=True)
class _Trace:
    """What the hooks write down."""

    batch: torch.Tensor
    kept: int
    calls: list[LayerCall] = field(default_factory=list)
    activations: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    features: list[torch.Tensor] = field(default_factory=list)
    maps: list[torch.Tensor] = field(default_factory=list)

    def attach(self, network: nn.Module) -> list[RemovableHandle]:
        handles = [block.register_forward_hook(self._see_block) for block in blocks_of(network)]
        for module in network.modules():
            if isinstance(module, WEIGHTED):
                handles.append(module.register_forward_hook(self._see_layer))
            if isinstance(module, ACTIVATIONS):
                handles.append(module.register_forward_hook(self._see_activation))
            if next(module.children(), None) is None:
                handles.append(module.register_forward_hook(self._see_map))
        return handles

    def _see_layer(self, layer: nn.Module, arguments: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.calls.append(LayerCall(layer, arguments[0], output))

    def _see_activation(self, _: nn.Module, arguments: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.activations.append((output, (arguments[0].detach() > 0).flatten(1)))

    def _see_map(self, _: nn.Module, __: object, output: object) -> None:
        if has_places(output) and isinstance(output, torch.Tensor):
            self.maps.append(output[: self.kept].detach().clone())

    def _see_block(self, _: nn.Module, arguments: tuple[object, ...], output: object) -> None:
        entered = arguments[:1] if not self.features else ()
        for seen in (*entered, output):
            if seen is not self.batch and has_places(seen) and isinstance(seen, torch.Tensor):
                self.features.append(seen)


def _reaching(logits: torch.Tensor, activations: list[tuple[torch.Tensor, torch.Tensor]]) -> list[torch.Tensor]:
    """Return the codes of the activations whose outputs the logits depend on, found by walking the graph back."""
    open_nodes, seen = [logits.grad_fn], set()
    while open_nodes:
        node = open_nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        open_nodes.extend(before for before, _ in node.next_functions)
    return [code for output, code in activations if output.grad_fn in seen]
