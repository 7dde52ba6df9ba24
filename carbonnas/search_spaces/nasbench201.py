"""The NAS-Bench-201 space: cells of four nodes with one operation on each of six edges."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from carbonnas.architecture import Architecture, as_architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.nasbench201_cell import EDGES, OPERATIONS, PATHS
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape, fewer, quoted

if TYPE_CHECKING:
    from torch import nn

_INPUT, _NOTHING = "0", "#"
_NODE = re.compile(r"\|(?:[a-z0-9_]+~[0-9]\|)+")
_CHOICES = tuple(Choice(f"{source}->{target}", OPERATIONS) for source, target in EDGES)


class NASBench201(SearchSpace):
    """Cells of NAS-Bench-201 (Dong & Yang, 2020, "NAS-Bench-201", ICLR): 5^6 = 15,625, of which 6,466 are distinct.

    Two cells are the same network under the rule published with the paper: a node is named by the sorted texts of what reaches it,
    a skip connection hands its input's text on, and whatever is done to nothing is nothing. The rule merges only equal networks but
    not all of them, since it does not drop nothing from a sum and compares nested sums as texts; pure algebra would leave 4,930.
    The published count is kept because other programs report it.

    Args:
        channels: Channels of the first stage; each further stage has twice as many.
        cells: Cells per stage.
        stages: Stages, each at half the resolution of the one before; small images get as many as leave a map of at least
            2 x 2.
    """

    def __init__(self, *, channels: int = 16, cells: int = 5, stages: int = 3) -> None:
        if min(channels, cells, stages) < 1:
            raise ValueError(f"channels, cells and stages must be at least 1, got {channels}, {cells}, {stages}")
        self._channels = channels
        self._cells = cells
        self._stages = stages

    @property
    def choices(self) -> tuple[Choice, ...]:
        return _CHOICES

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the first cell, in the order of the option indices, that is the same network."""
        self.validate(architecture)
        return _representatives()[_signature(architecture)]

    def features(self, architecture: Architecture) -> np.ndarray:
        """Return the options of the canonical cell one by one, how often each operation stands in it, and what its paths are like.

        A path from input to output is live if none of its operations is `none`. Of the live ones: how many there are, the most 3 x 3
        convolutions on one of them, the most and the fewest convolutions of any size, and whether one has skip connections only;
        zeros if none is live. After the path encoding of White et al. 2021, "BANANAS", AAAI.
        """
        options = super().features(architecture)
        operations = [OPERATIONS[option] for option in self.canonical(architecture)]
        counts = [operations.count(operation) for operation in OPERATIONS]
        return np.concatenate([options, np.array([*counts, *_path_features(operations)], dtype=np.float64)])

    def format(self, architecture: Architecture) -> str:
        """Return the published string, such as `|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|`."""
        nodes: dict[int, str] = {}
        for (source, target), option in zip(EDGES, architecture, strict=True):
            nodes[target] = f"{nodes.get(target, '|')}{OPERATIONS[option]}~{source}|"
        return "+".join(nodes.values())

    def parse(self, text: str) -> Architecture:
        nodes = text.split("+")
        if len(nodes) != EDGES[-1][1] or not all(_NODE.fullmatch(node) for node in nodes):
            raise ArchitectureError(f"{quoted(text)} is no cell; expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2|")
        written = [
            (tuple(edge.split("~")), target)
            for target, node in enumerate(nodes, start=1)
            for edge in node.strip("|").split("|")
        ]
        if tuple((int(source), target) for (_, source), target in written) != EDGES:
            raise ArchitectureError(f"{quoted(text)} does not have one operation for each earlier node, in order")
        unknown = [operation for (operation, _), _ in written if operation not in OPERATIONS]
        if unknown:
            raise ArchitectureError(f"{quoted(unknown[0])} is no operation; there are: {', '.join(OPERATIONS)}")
        return as_architecture(OPERATIONS.index(operation) for (operation, _), _ in written)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        """Return the published skeleton with this cell; see `CellNetwork`."""
        from carbonnas.search_spaces.nasbench201_network import CellNetwork

        self.validate(architecture)
        stages = min(self._stages, max(1, min(task.height, task.width).bit_length() - 1))
        operations = tuple(OPERATIONS[option] for option in architecture)
        return CellNetwork(operations, task, channels=self._channels, cells=self._cells, stages=stages)

    def narrowed(self, share: float) -> Builder:
        return NASBench201(channels=fewer(self._channels, share), cells=self._cells, stages=self._stages).build


def _path_features(operations: Sequence[str]) -> tuple[int, ...]:
    on_edge = dict(zip(EDGES, operations, strict=True))
    paths = [[on_edge[edge] for edge in path] for path in PATHS]
    live = [path for path in paths if "none" not in path]
    if not live:
        return (0,) * 5
    large = [path.count("nor_conv_3x3") for path in live]
    any_size = [path.count("nor_conv_1x1") + path.count("nor_conv_3x3") for path in live]
    skips_only = any(set(path) == {"skip_connect"} for path in live)
    return len(live), max(large), max(any_size), min(any_size), int(skips_only)


def _signature(architecture: Architecture) -> str:
    """Return a text that two cells share exactly if they are the same network."""
    terms: dict[int, list[str]] = {}
    reached = {0: _INPUT}
    for (source, target), option in zip(EDGES, architecture, strict=True):
        arriving = terms.setdefault(target, [])
        arriving.append(_applied(OPERATIONS[option], reached[source]))
        if source == target - 1:
            reached[target] = "+".join(sorted(arriving))
    return reached[EDGES[-1][1]]


def _applied(operation: str, value: str) -> str:
    if operation == "none" or value == _NOTHING:
        return _NOTHING
    # Which nested sums come out alike depends on how the texts sort: the published count needs the operation last.
    return value if operation == "skip_connect" else f"({value})@{operation}"


@functools.cache
def _representatives() -> dict[str, Architecture]:
    """Return the first cell of each signature; about 0.2 s once per process."""
    first: dict[str, Architecture] = {}
    for architecture in itertools.product(range(len(OPERATIONS)), repeat=len(EDGES)):
        first.setdefault(_signature(architecture), architecture)
    return first
