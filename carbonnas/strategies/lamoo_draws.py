"""Uniform draws of a search space that lie in a learned region."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

import numpy as np

from carbonnas.architecture import Architecture
from carbonnas.strategies.lamoo_tree import Region

_FIRST_BATCH = 16
_MOST = 1008
"""Draws in which a region is looked for: 16, 32, 64 and so on, as far as they are needed."""


class RegionDraws:
    """A fixed sequence of uniform draws, looked through for those that every boundary of a region accepts.

    What is found depends on the arguments and on what was seen, not on how often it was asked for.

    Args:
        draw: Returns a uniform draw of the space, canonical.
        features: Returns the features of an architecture.
        region: Boundaries from the root of the tree down.
        seed: Decides the sequence.
    """

    def __init__(
        self,
        draw: Callable[[np.random.Generator], Architecture],
        features: Callable[[Architecture], np.ndarray],
        *,
        region: Region,
        seed: int,
    ) -> None:
        self._draw = draw
        self._features = features
        self._region = region
        self._rng = np.random.default_rng(seed)
        self._drawn: list[tuple[Architecture, int]] = []

    def first_new(self, seen: Container[Architecture]) -> Architecture | None:
        """Return the first draw in the region that was not seen yet, else the one that follows the way to it the furthest.

        Without any draw that was not seen it is `None`.
        """
        found, furthest = None, -1
        for architecture, steps in self._looked_through():
            if steps > furthest and architecture not in seen:
                found, furthest = architecture, steps
            if furthest == len(self._region):
                break
        return found

    def _looked_through(self) -> Iterator[tuple[Architecture, int]]:
        place = 0
        while place < _MOST:
            if place == len(self._drawn):
                batch = [self._draw(self._rng) for _ in range(place + _FIRST_BATCH)]
                self._drawn.extend(zip(batch, self._steps(batch), strict=True))
            yield self._drawn[place]
            place += 1

    def _steps(self, architectures: list[Architecture]) -> list[int]:
        """Return for each architecture how many boundaries from the root on accept it before one does not."""
        steps = np.zeros(len(architectures), dtype=np.int64)
        if self._region:
            features = np.array([self._features(architecture) for architecture in architectures])
            for depth, half in enumerate(self._region):
                steps += (steps == depth) & half.accepts(features)
        return [int(count) for count in steps]
