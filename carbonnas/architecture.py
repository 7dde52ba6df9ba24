"""Architectures: points of a search space."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Architecture = tuple[int, ...]
"""One option index for each choice of the space, in the order of `SearchSpace.choices`."""


def stable_hash(*parts: object) -> int:
    """Return a 63-bit hash of the parts' texts that is the same in every process and on every machine."""
    digest = hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def derive_seed(seed: int, *parts: object) -> int:
    """Return a seed for one purpose, such as training one architecture, that depends on nothing else."""
    return stable_hash(seed, *parts)


def as_architecture(values: Iterable[int]) -> Architecture:
    """Return the values as an architecture: plain ints in a tuple, so that it can be hashed and stored."""
    return tuple(int(value) for value in values)
