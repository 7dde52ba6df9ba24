"""What can be counted of a network without running it: each on a network and an input that are nowhere or somewhere."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


def count_macs(network: nn.Module, inputs: torch.Tensor) -> float:
    """Return the multiply-accumulate operations of one inference.

    Counted by torch's `FlopCounterMode` in convolutions, matrix products and attention, at two operations each; biases, norms,
    activations, sums and pooling are not counted.
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(inputs)
    return counter.get_total_flops() / 2


def peak_memory(network: nn.Module, inputs: torch.Tensor) -> float:
    """Return the bytes of weights, buffers, input and of all activations that are alive together at the worst moment of an inference.

    Every tensor counts from the operation that makes it until nothing refers to it any more, as torch frees them when it runs without
    gradients; views count with what they are views of. What kernels allocate for themselves is not counted, nor is what an allocator
    rounds up to.
    """
    with torch.no_grad(), _Living() as living:
        for tensor in (*network.parameters(), *network.buffers(), inputs):
            living.hold(tensor)
        network(inputs)
    return float(living.most)


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's own gap
    """Bytes of the tensors that are alive, by what stores them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch's own gap
        self.most = 0
        self._now = 0
        self._held: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.hold(leaf)
        return result

    def hold(self, tensor: torch.Tensor) -> None:
        """Count what stores the tensor until it is freed."""
        storage = tensor.untyped_storage()
        place, size = storage._cdata, storage.nbytes()  # noqa: SLF001 - the only thing that is the same for all views
        if place in self._held:
            return
        self._held.add(place)
        self._now += size
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._free, place, size)

    def _free(self, place: int, size: int) -> None:
        self._held.discard(place)
        self._now -= size
