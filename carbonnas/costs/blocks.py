"""The blocks of a network: its layers, and the operations between them, each with the shapes of what it takes."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.hooks import RemovableHandle

_CONTAINERS: Final = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_MOST_COPIES: Final = 64
_PLAIN: Final = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a tensor was, without its contents."""

    sizes: tuple[int, ...]
    kind: torch.dtype

    def fresh(self, device: torch.device) -> torch.Tensor:
        if self.kind.is_floating_point:
            return torch.randn(self.sizes, dtype=self.kind, device=device)
        return torch.zeros(self.sizes, dtype=self.kind, device=device)

    def __repr__(self) -> str:
        return f"{'x'.join(map(str, self.sizes)) or 'scalar'} {str(self.kind).removeprefix('torch.')}"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A layer, or an operation outside of any layer.

    Attributes:
        key: What it is and what it takes: equal blocks take equally long.
        call: The layer or the function.
        args: What it was called with, shapes in place of tensors.
        kwargs: As `args`, by name.
    """

    key: str
    call: Callable[..., object] = field(repr=False)
    args: Any = field(repr=False)
    kwargs: Mapping[str, Any] = field(repr=False)

    def ready(self, device: torch.device, network_bytes: int = 0) -> Callable[[], object]:
        """Return a call of the block with fresh contents on a device.

        Args:
            device: Where the block is.
            network_bytes: Weights of the whole network. Calls of a layer take turns with copies of it, as many as make up so many bytes:
                when a network comes to a layer again, all its other weights have been through the cache.
        """
        args, kwargs = tree_map_only(_Shape, lambda shape: shape.fresh(device), (self.args, dict(self.kwargs)))
        own = weight_bytes(self.call) if isinstance(self.call, nn.Module) else 0
        copies = min(_MOST_COPIES, math.ceil(network_bytes / own)) if own else 1
        turns = itertools.cycle([self.call, *(copy.deepcopy(self.call) for _ in range(copies - 1))])
        return lambda: next(turns)(*args, **kwargs)


def weight_bytes(network: nn.Module) -> int:
    """Return the bytes of all parameters and buffers."""
    return sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))


def blocks_of(network: nn.Module, inputs: torch.Tensor) -> list[Block]:
    """Return the blocks that an inference passes through, in their order; a block that is passed twice is there twice.

    A layer is a module of `torch.nn` that is no container, or any module without parts. What a network does between its layers by
    calling functions, such as sums of branches, are blocks of their own.
    """
    walk = _Walk()
    layers = [module for module in network.modules() if _is_layer(module)]
    handles: list[RemovableHandle] = []
    for layer in layers:
        handles += [
            layer.register_forward_pre_hook(walk.enter, with_kwargs=True),
            layer.register_forward_hook(walk.leave),
        ]
    try:
        with torch.no_grad(), walk:
            network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return walk.blocks


def _is_layer(module: nn.Module) -> bool:
    if isinstance(module, _CONTAINERS):
        return False
    return type(module).__module__.startswith("torch.nn.") or next(module.children(), None) is None


class _Walk(TorchFunctionMode):
    """Notes every layer, and every function that is called outside of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self._depth = 0

    def enter(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.blocks.append(_made(_layer_name(module), module, args, kwargs))

    def leave(self, module: nn.Module, args: object, result: object) -> None:  # noqa: ARG002 - the interface of hooks
        self._depth -= 1

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        # What an operation changes in place is noted as it was before.
        block = None if self._depth else _made(resolve_name(func) or repr(func), func, args, kwargs)
        result = func(*args, **kwargs)
        if block is not None and any(isinstance(leaf, torch.Tensor) for leaf in tree_leaves(result)):
            self.blocks.append(block)
        return result


def _made(name: str, call: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Block:
    shaped_args, shaped = tree_map_only(torch.Tensor, _shape, (tuple(args), dict(kwargs)))
    told = [repr(arg) for arg in shaped_args] + [f"{key}={value!r}" for key, value in sorted(shaped.items())]
    return Block(f"{name} <- {', '.join(told)}", call, shaped_args, shaped)


def _shape(tensor: torch.Tensor) -> _Shape:
    return _Shape(tuple(tensor.shape), tensor.dtype)


def _layer_name(module: nn.Module) -> str:
    """Return a layer's type with all that its work depends on besides its input."""
    if type(module).__module__.startswith("torch.nn."):
        return " ".join(repr(module).split())
    own = sorted((name, value) for name, value in vars(module).items() if _is_plain(name, value))
    weights = sorted((name, _shape(value)) for name, value in module.state_dict().items())
    return f"{type(module).__qualname__}({', '.join(f'{name}={value!r}' for name, value in (*own, *weights))})"


def _is_plain(name: str, value: object) -> bool:
    if name.startswith("_") or name == "training":
        return False
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(isinstance(part, _PLAIN) for part in value))
