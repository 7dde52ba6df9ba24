"""The cell space of NASNet, AmoebaNet and DARTS: a normal and a reduction cell."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Literal

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.cell_genotype import (
    INPUTS,
    Cell,
    Edge,
    Genotype,
    Node,
    read_genotype,
    same_cells,
    unused,
    write_genotype,
)
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape, fewer

if TYPE_CHECKING:
    from torch import nn

# In alphabetical order, so that the first way to write a node is the one that `same_cells` gives.
_DARTS: Final = (
    "avg_pool_3x3",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "max_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "skip_connect",
)
_OPERATIONS: Final = {"darts": _DARTS, "nasnet": tuple(sorted((*_DARTS, "conv_7x1_1x7", "sep_conv_7x7")))}
_LEAST_CHANNELS: Final = 2
"""Of narrower networks: what halves the resolution makes two maps, each with half of the channels."""
_MOST_NODES: Final = 6
"""Beyond it the orders in which the nodes of a cell can be written, up to n!, take too long to compare."""


class NASNet(SearchSpace):
    """Networks of two kinds of cells, each node of which is the sum of two operations on earlier nodes.

    Under the rules of DARTS (Liu, Simonyan and Yang 2019, "DARTS: differentiable architecture search", ICLR) the two operations of
    a node read different nodes, and the output of a cell is all its nodes side by side. Under those of NASNet (Zoph et al. 2018,
    "Learning transferable architectures for scalable image recognition", CVPR) and AmoebaNet (Real et al. 2019, AAAI) they may
    read the same one, and the output is those nodes that no other reads; there are the operations of both papers for which DARTS
    has a name.

    Texts are genotypes as DARTS prints them, so `parse` imports published ones and `format` exports. Genotypes that differ only
    in the order of nodes and edges are one network; the canonical form is the first of them in the order of the option indices.

    Args:
        rules: `darts` or `nasnet`.
        nodes: Nodes of a cell besides its two inputs, 1 to 6; the papers have 4 and 5.
        channels: Channels of the nodes of the first cell; reduction cells double them.
        cells: Cells of the network, at least 3; two of them, a third and two thirds of the way, are reduction cells.
    """

    def __init__(
        self, *, rules: Literal["darts", "nasnet"] = "darts", nodes: int = 4, channels: int = 36, cells: int = 20
    ) -> None:
        if not 1 <= nodes <= _MOST_NODES:
            raise ValueError(f"nodes must be 1 to {_MOST_NODES}, got {nodes}")
        if channels < 1 or cells < INPUTS + 1:
            raise ValueError(f"channels must be at least 1 and cells at least 3, got {channels} and {cells}")
        self._all_out = rules == "darts"
        self._operations = _OPERATIONS[rules]
        self._nodes = nodes
        self._channels = channels
        self._cells = cells
        pairs = itertools.combinations if rules == "darts" else itertools.combinations_with_replacement
        self._pairs = [list(pairs(range(INPUTS + node), 2)) for node in range(nodes)]
        self._choices = tuple(
            choice
            for cell in ("normal", "reduce")
            for node, sources in enumerate(self._pairs, start=INPUTS)
            for choice in (
                Choice(f"{cell}{node}.inputs", tuple(f"{first}+{second}" for first, second in sources)),
                Choice(f"{cell}{node}.first", self._operations),
                Choice(f"{cell}{node}.second", self._operations),
            )
        )

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the first architecture, in the order of the option indices, that is the same network."""
        genotype = self.genotype(architecture)
        cells = (genotype.normal, genotype.reduce)
        return sum((min(self._encoded(same) for same in same_cells(cell)) for cell in cells), ())

    def genotype(self, architecture: Architecture) -> Genotype:
        """Return the cells.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        self.validate(architecture)
        half = len(architecture) // 2
        normal, reduce = self._cell(architecture[:half]), self._cell(architecture[half:])
        return Genotype(normal, reduce, self._concat(normal), self._concat(reduce))

    def format(self, architecture: Architecture) -> str:
        """Return the genotype, such as `Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), ...)`."""
        return write_genotype(self.genotype(architecture))

    def parse(self, text: str) -> Architecture:
        """Return the architecture of a genotype; the two edges of a node may come in either order.

        Raises:
            ArchitectureError: If the text is none, or the genotype is not of this space.
        """
        genotype = read_genotype(text)
        for cell, concat in ((genotype.normal, genotype.normal_concat), (genotype.reduce, genotype.reduce_concat)):
            self._check(cell, concat)
        return self._encoded(genotype.normal) + self._encoded(genotype.reduce)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the network; see `CellStack`."""
        from carbonnas.search_spaces.nasnet_network import CellStack

        return CellStack(self.genotype(architecture), task, channels=self._channels, cells=self._cells)

    def narrowed(self, share: float) -> Builder:
        channels = fewer(self._channels, share, least=_LEAST_CHANNELS)
        rules: Literal["darts", "nasnet"] = "darts" if self._all_out else "nasnet"
        return NASNet(rules=rules, nodes=self._nodes, channels=channels, cells=self._cells).build

    def _cell(self, options: Architecture) -> Cell:
        return tuple(
            self._node(*options[3 * node : 3 * node + 3], sources=self._pairs[node]) for node in range(self._nodes)
        )

    def _node(self, pair: int, first: int, second: int, *, sources: list[tuple[int, int]]) -> Node:
        one, other = sources[pair]
        return (self._operations[first], one), (self._operations[second], other)

    def _encoded(self, cell: Cell) -> Architecture:
        options: list[int] = []
        for node, sources in zip(cell, self._pairs, strict=True):
            (first, one), (second, other) = sorted(node, key=_source)
            options += [sources.index((one, other)), self._operations.index(first), self._operations.index(second)]
        return as_architecture(options)

    def _concat(self, cell: Cell) -> tuple[int, ...]:
        return tuple(range(INPUTS, INPUTS + len(cell))) if self._all_out else unused(cell)

    def _check(self, cell: Cell, concat: tuple[int, ...]) -> None:
        """Raise `ArchitectureError` unless the cell keeps the rules of the space."""
        if len(cell) != self._nodes:
            raise ArchitectureError(f"the cell has {len(cell)} nodes, expected {self._nodes}")
        for number, (node, sources) in enumerate(zip(cell, self._pairs, strict=True), start=INPUTS):
            (first, one), (second, other) = sorted(node, key=_source)
            for operation in (first, second):
                if operation not in self._operations:
                    raise ArchitectureError(f"{operation!r} is no operation; there are: {', '.join(self._operations)}")
            if (one, other) not in sources:
                raise ArchitectureError(f"node {number} reads node {one} twice, which the rules of DARTS exclude")
        if set(concat) != set(self._concat(cell)):
            raise ArchitectureError(f"the output is of nodes {list(concat)}, the rules give {list(self._concat(cell))}")


def _source(edge: Edge) -> int:
    return edge[1]
