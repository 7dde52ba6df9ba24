"""One ranking from many proxies."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ENSEMBLES: Mapping[str, tuple[str, ...]] = {
    "az_nas": ("az_expressivity", "az_progressivity", "az_trainability", "macs"),
    "te_nas": ("ntk", "linear_regions"),
}
"""Names that stand for several proxies: what a paper ranks by is the fusion of the ranks of these, not a score of a single network.

az_nas: Lee & Ham, 2024, "AZ-NAS: Assembling zero-cost proxies for network architecture search", CVPR. te_nas: Chen et al., 2021, "Neural
architecture search on ImageNet in four GPU hours: A theoretically inspired perspective", ICLR, who add plain ranks.
"""

DEFAULT = ("az_nas", "naswot", "meco", "jacov")
"""What candidates are ranked by where nothing else is asked for: what becomes of signal and gradient from block to block, and how
differently units, channels and images are treated. It needs no labels, and one forward and one backward pass."""

_PULL = 8.0
"""How many results weigh as much as the belief that all proxies are equally good."""
_SWEEPS = 200


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Return the proxies with an ensemble replaced by its parts, each once, in order of first mention."""
    return tuple(dict.fromkeys(part for name in names for part in ENSEMBLES.get(name, (name,))))


def fuse(
    scores: Sequence[Mapping[str, float]], proxies: Sequence[str], weights: Mapping[str, float] | None = None
) -> list[float]:
    """Return for each candidate the sum over the proxies of log(rank / m), larger for better candidates.

    The non-linear rank aggregation of Lee & Ham, 2024, "AZ-NAS: Assembling zero-cost proxies for network architecture search", CVPR:
    among m candidates the best has rank m and adds 0, the worst has rank 1 and adds -log m, so one bad rank weighs more than one good
    rank. The result depends on the population: fuse raw scores anew whenever candidates come or go, and never store it.

    Args:
        scores: Raw scores by proxy of each candidate, larger is better. Equal scores share the mean of their ranks; candidates
            without a score of a proxy share the lowest ranks.
        proxies: Names of the proxies and ensembles to use.
        weights: What the logarithms of a proxy are multiplied by, such as `learn_weights` returns; 1 where it is not named.

    Raises:
        ValueError: If a score is not a number.
    """
    columns = {proxy: _log_ranks(scores, proxy) for proxy in expand(proxies)}
    factors = {} if weights is None else weights
    return [
        math.fsum(factors.get(proxy, 1.0) * column[place] for proxy, column in columns.items())
        for place in range(len(scores))
    ]


def learn_weights(
    scores: Sequence[Mapping[str, float]], results: Mapping[int, float], proxies: Sequence[str]
) -> dict[str, float]:
    """Return the weights with which the fused ranks come closest to the order of what was trained.

    Least squares with weights of at least 0, drawn towards equal ones as if eight more results said that all proxies are equally
    good; so few results change little. In the manner of He et al., 2024, "Robustifying and boosting training-free neural architecture
    search" (RoBoT), ICLR, where the weights of an ensemble are what a search learns.

    Args:
        scores: Raw scores by proxy of all candidates, trained or not: ranks are those among all.
        results: What is known of trained candidates by their place in `scores`, larger is better.
        proxies: Names of the proxies and ensembles to weigh.

    Returns:
        A weight for each proxy; they sum to the number of proxies, so that equal weights are ones.

    Raises:
        ValueError: If a score or a result is not a number.
    """
    names = expand(proxies)
    trained = sorted(results)
    if len(trained) < 2 or not names:
        return dict.fromkeys(names, 1.0)
    features = np.array([[column[place] for place in trained] for column in (_log_ranks(scores, n) for n in names)]).T
    ranked = _log_ranks([{"result": results[place]} for place in trained], "result")
    weights = _non_negative(_standard(features), _standard(np.array(ranked)[:, None])[:, 0])
    total = float(weights.sum())
    scale = len(names) / total if total > 0 else 0.0
    return {n: float(weight * scale) if total > 0 else 1.0 for n, weight in zip(names, weights, strict=True)}


def _standard(columns: Array) -> Array:
    """Return the columns with mean 0 and deviation 1; a constant one becomes zeros."""
    centred = columns - columns.mean(axis=0)
    deviation = centred.std(axis=0)
    scaled: Array = centred / np.where(deviation > 0, deviation, 1.0)
    return scaled


def _non_negative(features: Array, wanted: Array) -> Array:
    """Return weights of at least 0 of least squares that are drawn to equal ones, by coordinate descent."""
    count = features.shape[1]
    equal = np.full(count, 1.0 / count)
    weights = equal.copy()
    squares = (features**2).sum(axis=0) + _PULL
    for _ in range(_SWEEPS):
        for place in range(count):
            rest = wanted - features @ weights + features[:, place] * weights[place]
            weights[place] = max(0.0, (features[:, place] @ rest + _PULL * equal[place]) / squares[place])
    return weights


def _log_ranks(scores: Sequence[Mapping[str, float]], proxy: str) -> list[float]:
    values = [candidate.get(proxy, -math.inf) for candidate in scores]
    if any(math.isnan(value) for value in values):
        raise ValueError(f"a score of {proxy!r} is not a number; leave it out instead")
    ordered = sorted(values)
    return [
        math.log((bisect_left(ordered, value) + 1 + bisect_right(ordered, value)) / 2 / len(scores)) for value in values
    ]
