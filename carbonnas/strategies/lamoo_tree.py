"""Learned partitions of a search space: a tree of support vector machines, and its most promising leaf."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from carbonnas.objectives.hypervolume import hypervolume

_DEGREE = 4
_CONSTANT = 1.0
"""Standardised features lie around zero, where an even power without a constant can't tell a point from its mirror image."""

_EXPLORATION_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Boundary:
    """A support vector machine with a polynomial kernel over standardised features, as plain numbers.

    It decides by the sign of `(gamma <x, v> + 1)^4 @ weights + intercept` over its support vectors v.

    Attributes:
        centre: What is subtracted from the features.
        spread: What they are divided by then.
        vectors: Standardised support vectors, one a row.
        weights: Dual coefficient of each support vector.
        gamma: Factor of the inner products, above 0.
        intercept: Added at the end.
    """

    centre: np.ndarray
    spread: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    gamma: float
    intercept: float

    def good(self, features: np.ndarray) -> np.ndarray:
        """Say of each row of features whether it lies on the good side."""
        # Written out: a prediction by the library takes half a millisecond however few the rows.
        standardised = (features - self.centre) / self.spread
        powers = (self.gamma * (standardised @ self.vectors.T) + _CONSTANT) ** _DEGREE
        return np.asarray(powers @ self.weights + self.intercept > 0)


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a boundary."""

    boundary: Boundary
    good: bool

    def accepts(self, features: np.ndarray) -> np.ndarray:
        """Say of each row of features whether it lies on this side."""
        return np.asarray(self.boundary.good(features) == self.good)


Region = tuple[Half, ...]
"""Sides to be on, from the root of the tree down; without any it is the whole space."""


@dataclass(frozen=True, slots=True)
class TreeShape:
    """How far the space is divided and how a leaf is chosen.

    Attributes:
        leaf: Most samples that are not divided any more, at least 1.
        height: Most boundaries between the root and a leaf, at least 0.
        exploration: Weight of leaves that were sampled little, as a share of the hypervolume of all samples, at least 0.
    """

    leaf: int
    height: int
    exploration: float


@dataclass(frozen=True, slots=True)
class _Node:
    members: np.ndarray
    parent_members: int
    region: Region


def best_region(features: np.ndarray, values: np.ndarray, reference: np.ndarray, shape: TreeShape) -> Region:
    """Return the leaf with the highest upper confidence bound; of equal ones that of the better sides.

    Args:
        features: One row per sample.
        values: One row per sample, one column per objective, larger is better.
        reference: Reference point of the hypervolume, one value per objective.
        shape: Options of the tree.
    """
    root = _Node(np.arange(len(values)), len(values), ())
    constant = shape.exploration * hypervolume(values.tolist(), reference.tolist())

    def bound(node: _Node) -> float:
        own = hypervolume(values[node.members].tolist(), reference.tolist())
        rarity = math.sqrt(2.0 * math.log(node.parent_members) / len(node.members))
        return own + _EXPLORATION_WEIGHT * constant * rarity

    return max(_leaves(root, features, values, shape), key=bound).region


def dominance_numbers(values: np.ndarray) -> np.ndarray:
    """Return for each row how many others dominate it: at least as good in every column, and better in one."""
    at_least = (values[:, None, :] >= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] > values[None, :, :]).any(axis=2)
    return np.asarray((at_least & better).sum(axis=0))


def better_half(values: np.ndarray) -> np.ndarray | None:
    """Return which rows belong to the half with the lowest dominance numbers; `None` if all have the same number.

    Rows of the same number stay together, so that the half is the nearest to one that can be cut.
    """
    numbers = dominance_numbers(values)
    cuts = np.unique(numbers)[:-1]
    if not len(cuts):
        return None
    sizes = (numbers[None, :] <= cuts[:, None]).sum(axis=1)
    return np.asarray(numbers <= cuts[np.abs(2 * sizes - len(numbers)).argmin()])


def _leaves(node: _Node, features: np.ndarray, values: np.ndarray, shape: TreeShape) -> Iterator[_Node]:
    boundary, good = None, None
    if len(node.members) > shape.leaf and len(node.region) < shape.height:
        good = better_half(values[node.members])
    if good is not None:
        boundary = separate(features[node.members], good)
    if good is None or boundary is None:
        yield node
        return
    for side in (True, False):
        members = node.members[good == side]
        child = _Node(members, len(node.members), (*node.region, Half(boundary, side)))
        yield from _leaves(child, features, values, shape)


def separate(features: np.ndarray, good: np.ndarray) -> Boundary | None:
    """Return a boundary between the rows of features that are good and the others; `None` if none tells them apart at all.

    Args:
        features: One row per sample.
        good: Which rows are good, at least one and not all.
    """
    from sklearn.svm import SVC

    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    standardised = (features - centre) / spread
    gamma = 1.0 / (features.shape[1] * (standardised.var() or 1.0))
    # The seed decides nothing here, but without one the library draws it from the global generator.
    machine = SVC(kernel="poly", degree=_DEGREE, gamma=gamma, coef0=_CONSTANT, random_state=0).fit(standardised, good)
    boundary = Boundary(
        centre, spread, machine.support_vectors_, machine.dual_coef_[0], gamma, float(machine.intercept_[0])
    )
    found = boundary.good(features)
    return None if found.all() or not found.any() else boundary
