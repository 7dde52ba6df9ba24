"""Genotypes: normal and reduction cell in the notation of DARTS, and which of them are the same."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import quoted

INPUTS = 2
"""A cell reads the outputs of the two cells before it, nodes 0 and 1; its own nodes follow."""

Edge = tuple[str, int]
"""Operation and the node that it is applied to."""
Node = tuple[Edge, Edge]
"""A node is the sum of two edges."""
Cell = tuple[Node, ...]

_EDGE = r"\( ?'[a-z0-9_]{1,40}' ?, ?[0-9]{1,2} ?\)"
_EDGES = rf"\[ ?(?:{_EDGE}(?: ?, ?{_EDGE})*)? ?,? ?\]"
_CONCAT = r"(?:range\( ?[0-9]{1,2} ?, ?[0-9]{1,2} ?\)|\[ ?(?:[0-9]{1,2}(?: ?, ?[0-9]{1,2})*)? ?,? ?\])"
_GENOTYPE = re.compile(
    rf"Genotype\( ?normal ?= ?({_EDGES}) ?, ?normal_concat ?= ?({_CONCAT}) ?, ?"
    rf"reduce ?= ?({_EDGES}) ?, ?reduce_concat ?= ?({_CONCAT}) ?,? ?\)"
)
_LONGEST = 10_000
"""Characters; a genotype of ten nodes has some 1,200."""


@dataclass(frozen=True, slots=True)
class Genotype:
    """Both cells of a network.

    Attributes:
        normal: Nodes of the cell that keeps the resolution.
        reduce: Nodes of the cell that halves it.
        normal_concat: Nodes whose outputs, side by side, are the output of the normal cell.
        reduce_concat: The same of the reduction cell.
    """

    normal: Cell
    reduce: Cell
    normal_concat: tuple[int, ...]
    reduce_concat: tuple[int, ...]


def unused(cell: Cell) -> tuple[int, ...]:
    """Return the nodes of a cell that no other reads."""
    read = {source for node in cell for _, source in node}
    return tuple(number for number in range(INPUTS, INPUTS + len(cell)) if number not in read)


def write_genotype(genotype: Genotype) -> str:
    """Return the text that DARTS prints."""
    normal, reduce = (_written(cell) for cell in (genotype.normal, genotype.reduce))
    normal_concat, reduce_concat = (_concat(nodes) for nodes in (genotype.normal_concat, genotype.reduce_concat))
    return f"Genotype(normal={normal}, normal_concat={normal_concat}, reduce={reduce}, reduce_concat={reduce_concat})"


def read_genotype(text: str) -> Genotype:
    """Return the genotype of a text as DARTS prints it or as it stands in programs, over several lines and with either quotes.

    Raises:
        ArchitectureError: If the text is none, or a node reads itself or one after it.
    """
    found = _GENOTYPE.fullmatch(" ".join(text.replace('"', "'").split())) if len(text) <= _LONGEST else None
    if found is None:
        raise ArchitectureError(
            f"{quoted(text)} is no genotype; expected Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), "
            "reduce=[...], reduce_concat=range(2, 6))"
        )
    normal, normal_concat, reduce, reduce_concat = found.groups()
    return Genotype(_read_cell(normal), _read_cell(reduce), _read_concat(normal_concat), _read_concat(reduce_concat))


@functools.lru_cache(maxsize=1024)
def same_cells(cell: Cell) -> frozenset[Cell]:
    """Return all cells that differ only in the order of their nodes, with the edges of each by source and then by operation.

    They are the same network up to the order of channels at the output, which the 1x1 convolution that reads it makes good.
    """
    return frozenset(_reordered(cell))


def _reordered(cell: Cell) -> Iterator[Cell]:
    own = range(INPUTS, INPUTS + len(cell))
    for order in itertools.permutations(own):
        place = {**{i: i for i in range(INPUTS)}, **{node: new for new, node in zip(own, order, strict=True)}}
        nodes = [tuple((operation, place[source]) for operation, source in cell[node - INPUTS]) for node in order]
        if all(source < number for number, node in zip(own, nodes, strict=True) for _, source in node):
            yield tuple(_ordered(first, second) for first, second in nodes)


def _ordered(*edges: Edge) -> Node:
    first, second = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    return first, second


def _written(cell: Cell) -> str:
    return "[" + ", ".join(f"('{operation}', {source})" for node in cell for operation, source in node) + "]"


def _concat(nodes: tuple[int, ...]) -> str:
    if nodes and nodes == tuple(range(nodes[0], nodes[-1] + 1)):
        return f"range({nodes[0]}, {nodes[-1] + 1})"
    return str(list(nodes))


def _read_cell(text: str) -> Cell:
    edges = [(operation, int(source)) for operation, source in re.findall(r"'([a-z0-9_]+)' ?, ?([0-9]+)", text)]
    if len(edges) % 2:
        raise ArchitectureError(f"{quoted(text)} has {len(edges)} edges; each node of a genotype has two")
    cell = tuple((first, second) for first, second in zip(edges[::2], edges[1::2], strict=True))
    for number, node in enumerate(cell, start=INPUTS):
        if any(source >= number for _, source in node):
            raise ArchitectureError(f"node {number} of {quoted(text)} reads a node that does not come before it")
    return cell


def _read_concat(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in re.findall(r"[0-9]+", text))
    return tuple(range(*numbers)) if text.startswith("range") else numbers
