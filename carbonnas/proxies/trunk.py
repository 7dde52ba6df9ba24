"""The blocks of a network."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

_CHAINS = (nn.Sequential, nn.ModuleList)


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """Return the parts that a network is a chain of, in the order of definition.

    A block is what has parts of its own, such as a cell, a residual block or a convolution with its norm; chains (`Sequential`,
    `ModuleList`) of such parts are taken apart. Single layers between blocks belong to no block.
    """
    return [block for child in network.children() for block in _blocks(child)]


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    parts = list(module.children())
    if isinstance(module, _CHAINS) and any(next(part.children(), None) is not None for part in parts):
        for part in parts:
            yield from _blocks(part)
    elif parts:
        yield module
