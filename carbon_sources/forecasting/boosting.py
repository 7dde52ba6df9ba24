"""Gradient boosting of symmetric trees: every level of a tree asks one question of all rows.

Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine"; symmetric trees as in Prokhorenkova et al. 2018,
"CatBoost: unbiased boosting with categorical features". Such trees are arrays, so that thousands of rows are answered at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.hourly import Array

_BINS = 32
Bins = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown.

    Attributes:
        trees: How many.
        depth: Questions per tree, at most 8.
        rate: Share of each tree's answer that is taken.
        damping: Rows of no effect that each leaf is thought to hold besides its own.
        inputs: Share of the inputs that each level chooses from.
        rows: Share of the rows that each tree is grown from.
    """

    trees: int
    depth: int
    rate: float
    damping: float
    inputs: float
    rows: float


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Grown trees.

    Attributes:
        inputs: Shape (depth, trees): which input each level asks for.
        thresholds: Shape (depth, trees): above which the answer is yes.
        leaves: Shape (trees, 2 ** depth): what is added, by the answers as binary digits, the first level's last.
    """

    inputs: NDArray[np.intp]
    thresholds: NDArray[np.float32]
    leaves: Array

    def predict(self, inputs: NDArray[np.float32]) -> Array:
        """Return what is expected of rows, shape (rows, inputs) to (rows,)."""
        columns = np.ascontiguousarray(inputs.T)
        result = np.zeros(len(inputs))
        for chosen, thresholds, leaves in zip(self.inputs.T, self.thresholds.T, self.leaves, strict=True):
            leaf = np.zeros(len(inputs), dtype=np.uint8)
            for level, (column, threshold) in enumerate(zip(chosen, thresholds, strict=True)):
                leaf += (columns[column] > threshold).view(np.uint8) << np.uint8(level)
            result += leaves[leaf]
        return result


def grown(inputs: NDArray[np.float32], targets: Array, growth: Growth, seed: int) -> Trees:
    """Return trees that lower the squared error step by step.

    Args:
        inputs: Shape (rows, inputs).
        targets: Shape (rows,).
        growth: How trees are grown.
        seed: Decides which rows and inputs each tree sees.
    """
    rng = np.random.default_rng(seed)
    edges = np.quantile(inputs, np.linspace(0, 1, _BINS + 1)[1:-1], axis=0).astype(np.float32)
    bins = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges.T, inputs.T, strict=True)]).astype(
        np.uint8
    )
    chosen = np.zeros((growth.depth, growth.trees), dtype=np.intp)
    cuts = np.zeros((growth.depth, growth.trees), dtype=np.intp)
    leaves = np.zeros((growth.trees, 2**growth.depth))
    rest = targets.astype(np.float64)
    for tree in range(growth.trees):
        rows = np.flatnonzero(rng.random(len(rest)) < growth.rows)
        part, errors = bins[:, rows], rest[rows]
        leaf = np.zeros(len(rows), dtype=np.intp)
        for level in range(growth.depth):
            candidates = np.flatnonzero(rng.random(len(bins)) < growth.inputs)
            chosen[level, tree], cuts[level, tree] = _best(part, errors, leaf, candidates, growth.damping)
            leaf += (part[chosen[level, tree]] > cuts[level, tree]).astype(np.intp) << level
        size = 2**growth.depth
        sums, counts = np.bincount(leaf, errors, size), np.bincount(leaf, minlength=size)
        leaves[tree] = growth.rate * sums / (counts + growth.damping)
        everywhere = sum(
            (bins[chosen[level, tree]] > cuts[level, tree]).astype(np.intp) << level for level in range(growth.depth)
        )
        rest -= leaves[tree][everywhere]
    return Trees(chosen, edges[cuts, chosen], leaves)


def _best(
    bins: Bins, errors: Array, leaf: NDArray[np.intp], candidates: NDArray[np.intp], damping: float
) -> tuple[int, int]:
    """Return the input and the bin whose question, asked in every leaf, explains most."""
    if not len(candidates):
        return 0, 0
    leaves = int(leaf.max()) + 1 if len(leaf) else 1
    shape = (len(candidates), leaves, _BINS)
    cells = ((np.arange(len(candidates))[:, None] * leaves + leaf) * _BINS + bins[candidates]).ravel()
    sums = np.bincount(cells, np.tile(errors, len(candidates)), math.prod(shape)).reshape(shape).cumsum(axis=2)
    counts = np.bincount(cells, minlength=math.prod(shape)).reshape(shape).cumsum(axis=2)
    above, rows_above = sums[..., -1:] - sums, counts[..., -1:] - counts
    gain = (sums**2 / (counts + damping) + above**2 / (rows_above + damping)).sum(axis=1)[:, :-1]
    candidate, cut = divmod(int(gain.argmax()), _BINS - 1)
    return int(candidates[candidate]), cut
