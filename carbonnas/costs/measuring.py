"""Building a latency table on this machine, and checking what it is worth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from carbonnas.architecture import Architecture
from carbonnas.costs.blocks import Block, blocks_of, weight_bytes
from carbonnas.costs.network import built, one_input
from carbonnas.costs.table import LatencyTable
from carbonnas.costs.timing import Clocked, Timing, UnstableError, timed
from carbonnas.search_spaces.space import SearchSpace, TaskShape

PATIENCE = 100
"""Networks in a row without a new block after which the blocks of a space count as known."""
_BLOCK_ATTEMPTS = 10
_SECOND_LOOKS = 3
_BLOCK_UNSTABLE_ABOVE = 0.2
"""Blocks are short, so that the grain of the clock and neighbours show more; what single ones are off evens out in a sum."""


@dataclass(slots=True)
class Found:
    """The blocks that networks of a space were found to have.

    Attributes:
        first: The blocks by the network in which they were first met, in the order in which networks were looked at.
        networks: Networks that were looked at.
    """

    first: dict[Architecture, list[str]] = field(default_factory=dict)
    networks: int = 0

    @property
    def keys(self) -> list[str]:
        """All blocks."""
        return [key for keys in self.first.values() for key in keys]


@dataclass(slots=True)
class Measured:
    """The blocks that were measured so far.

    Attributes:
        timings: What each takes.
        unstable: Those that could not be told, and a network that has them.
    """

    timings: dict[str, Timing] = field(default_factory=dict)
    unstable: dict[str, Architecture] = field(default_factory=dict)

    def table(self, device: str, about: Mapping[str, object]) -> LatencyTable:
        """Return them as a table."""
        medians = {key: timing.median_ms for key, timing in sorted(self.timings.items())}
        spreads = {key: timing.spread for key, timing in sorted(self.timings.items())}
        return LatencyTable(device, medians, {}, about, spreads, tuple(sorted(self.unstable)))


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and for what latencies are measured.

    Attributes:
        space: Makes the networks.
        task: What they are built for.
        device: Where they run.
        blocks: Times blocks.
        networks: Times whole networks.
        unstable_above: Spread from which the latency of a network is rejected, as a share of its median.
    """

    space: SearchSpace
    task: TaskShape
    device: torch.device
    blocks: Clocked
    networks: Clocked
    unstable_above: float

    def keys(self, architecture: Architecture) -> list[str]:
        """Return the blocks of a network, without running it."""
        return [block.key for block in blocks_of(built(self.space, architecture, self.task), one_input(self.task))]

    def measure(
        self, architecture: Architecture, wanted: Collection[str], known: Measured, told: Callable[[Measured], None]
    ) -> None:
        """Measure those blocks of a network that are wanted, and tell of each."""
        network = built(self.space, architecture, self.task, self.device)
        size = weight_bytes(network)
        blocks: dict[str, Block] = {}
        for block in blocks_of(network, one_input(self.task, self.device)):
            blocks.setdefault(block.key, block)
        for key, block in blocks.items():
            if key not in wanted:
                continue
            try:
                known.timings[key] = timed(
                    block.ready(self.device, size),
                    self.blocks,
                    unstable_above=_BLOCK_UNSTABLE_ABOVE,
                    attempts=_BLOCK_ATTEMPTS,
                    what="the block",
                )
            except UnstableError:
                known.unstable[key] = architecture
            else:
                known.unstable.pop(key, None)
            told(known)

    def latency(self, architecture: Architecture) -> Timing:
        """Return what one inference of a network takes. Raises `UnstableError` if that can't be told."""
        network = built(self.space, architecture, self.task, self.device)
        inputs = one_input(self.task, self.device)
        return timed(
            lambda: network(inputs), self.networks, unstable_above=self.unstable_above, what="the network's latency"
        )


def candidates(space: SearchSpace, rng: np.random.Generator) -> Iterator[Architecture]:
    """Yield networks that show the blocks of a space soon: one, all that differ from it in one choice, and then random ones for ever."""
    first = space.canonical(space.sample(rng))
    yield first
    yield from space.neighbours(first)
    while True:
        yield space.canonical(space.sample(rng))


def find_blocks(bench: Bench, rng: np.random.Generator, *, at_most: int, told: Callable[[Found], None]) -> Found:
    """Look at networks without running them, until `PATIENCE` of them in a row have no block that is new.

    Args:
        bench: Where; the same blocks are found on every machine.
        rng: Draws the networks.
        at_most: Networks to look at.
        told: Called after each of them.
    """
    found, seen, quiet = Found(), set[str](), 0
    for architecture in itertools.islice(candidates(bench.space, rng), at_most):
        found.networks += 1
        fresh = [key for key in dict.fromkeys(bench.keys(architecture)) if key not in seen]
        if fresh:
            found.first[architecture] = fresh
            seen.update(fresh)
        quiet = 0 if fresh else quiet + 1
        told(found)
        if quiet == PATIENCE:
            break
    return found


def measure_blocks(bench: Bench, found: Found, known: Measured, told: Callable[[Measured], None]) -> None:
    """Measure what is not known yet of the blocks that were found; what was unstable is looked at again in the end.

    Args:
        bench: Where.
        found: The blocks.
        known: What was measured before; grows.
        told: Called after each block. What it raises ends the measurement, with all that was measured in `known`.
    """
    for architecture, keys in found.first.items():
        wanted = {key for key in keys if key not in known.timings}
        if wanted:
            bench.measure(architecture, wanted, known, told)
    for _ in range(_SECOND_LOOKS):
        for architecture in dict.fromkeys(known.unstable.values()):
            bench.measure(architecture, {*known.unstable}, known, told)


@dataclass(frozen=True, slots=True)
class Check:
    """What a table is worth: the sums of blocks beside the latencies of whole networks.

    Attributes:
        networks: Networks that were drawn.
        predicted: Those of them whose blocks are all in the table.
        measured: Those of the predicted whose latency was stable.
        rank_correlation: Spearman's, over these; `None` for fewer than three.
        ratio: Median of the measured latency over the sum of the blocks; `None` without any.
    """

    networks: int
    predicted: int
    measured: int
    rank_correlation: float | None
    ratio: float | None


def check_table(
    bench: Bench, table: LatencyTable, architectures: Sequence[Architecture], told: Callable[[int], None]
) -> Check:
    """Compare what a table says of networks with what they take on the same machine; `told` hears how many were looked at, and may end it by raising."""
    sums, taken, predicted = [], [], 0
    for place, architecture in enumerate(architectures):
        told(place)
        try:
            said = table.sum_of(bench.keys(architecture))
        except KeyError:
            continue
        predicted += 1
        try:
            taken.append(bench.latency(architecture).median_ms)
        except UnstableError:
            continue
        sums.append(said)
    return Check(
        networks=len(architectures),
        predicted=predicted,
        measured=len(sums),
        rank_correlation=rank_correlation(sums, taken) if len(sums) > 2 else None,
        ratio=float(np.median(np.divide(taken, sums))) if sums else None,
    )


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, -1..1; ties share their mean rank; `None` if all values of one side are the same."""
    ranks = [_ranks(np.asarray(values)) for values in (first, second)]
    if any(np.ptp(one) == 0 for one in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])
