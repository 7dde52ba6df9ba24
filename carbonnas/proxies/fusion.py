"""One ranking from many proxies."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence


def fuse(scores: Sequence[Mapping[str, float]], proxies: Sequence[str]) -> list[float]:
    """Return for each candidate the sum over the proxies of log(rank / m), larger for better candidates.

    The non-linear rank aggregation of Lee & Ham, 2024, "AZ-NAS: Assembling zero-cost proxies for network architecture search", CVPR:
    among m candidates the best has rank m and adds 0, the worst has rank 1 and adds -log m, so one bad rank weighs more than one good
    rank. The result depends on the population: fuse raw scores anew whenever candidates come or go, and never store it.

    Args:
        scores: Raw scores by proxy of each candidate, larger is better. Equal scores share the mean of their ranks; candidates
            without a score of a proxy share the lowest ranks.
        proxies: Names of the proxies to use.

    Raises:
        ValueError: If a score is not a number.
    """
    fused = [0.0] * len(scores)
    for proxy in proxies:
        for place, rank in enumerate(_ranks([candidate.get(proxy, -math.inf) for candidate in scores], proxy)):
            fused[place] += math.log(rank / len(scores))
    return fused


def _ranks(values: Sequence[float], proxy: str) -> list[float]:
    if any(math.isnan(value) for value in values):
        raise ValueError(f"a score of {proxy!r} is not a number; leave it out instead")
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + 1 + bisect_right(ordered, value)) / 2 for value in values]
