"""What full trainings of scored architectures are expected to give, as far as short and full ones tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbonnas.objectives.objective import Objective
from carbonnas.strategies.fidelity_link import FidelityLink
from carbonnas.strategies.gaussian_process import GaussianProcess
from carbonnas.strategies.strategy import Candidate
from carbonnas.trials import FidelityName

Array = NDArray[np.float64]

_ALL_RIGHT = 1.005
"""Just above the accuracy that can't be exceeded, so that its logarithmic error is finite."""
_OWN = 0.7
"""Weight of what a short training gave against what its neighbours let expect of it: trainings are noisy."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Values of full trainings, larger is better.

    Attributes:
        mean: Shape (candidates, objectives), on the scale on which they are learnt.
        doubt: Shape (candidates, objectives), standard deviation of what further short trainings could tell; 0 for what is known.
        spread: Shape (candidates, objectives), standard deviation of the full result, 0 for what is known.
        shares: Which objectives are learnt as logarithmic errors of a share, 0..1.
    """

    mean: Array
    doubt: Array
    spread: Array
    shares: tuple[bool, ...]

    def at(self, places: Sequence[int] | Array, doubts: float | Array = 0.0, spreads: float = 0.0) -> Array:
        """Return values in the objectives' units at some standard deviations from the mean: shape (places, objectives)."""
        rows = np.asarray(places, dtype=np.intp)
        values = self.mean[rows] + doubts * self.doubt[rows] + spreads * self.spread[rows]
        for column, share in enumerate(self.shares):
            if share:
                values[:, column] = _from_log_error(values[:, column])
        return values


def expected(candidates: Sequence[Candidate], objectives: Sequence[Objective], inputs: Array) -> Expected:
    """Return what is expected of every candidate.

    An objective that scorings give is known. Of any other, short trainings are smoothed and extended over the space by a Gaussian
    process, and a link leads from short to full ones; without short trainings the process learns from full ones.

    Args:
        candidates: What is known; at least one short or full training among them.
        objectives: What counts.
        inputs: Shape (candidates, features), of unit variance.
    """
    columns, shares = [], []
    for objective in objectives:
        if all(objective.metric in candidate.scores for candidate in candidates):
            exact = np.array([objective.value(candidate.scores) for candidate in candidates])
            columns.append((exact, np.zeros(len(exact)), np.zeros(len(exact))))
            shares.append(False)
            continue
        short, full = (_values(candidates, objective, name) for name in (FidelityName.SEARCH, FidelityName.FULL))
        share = bool(np.nanmin([short, full]) >= 0.0 and np.nanmax([short, full]) <= 1.0)
        if share:
            short, full = _to_log_error(short), _to_log_error(full)
        columns.append(_learnt(short, full, inputs))
        shares.append(share)
    mean, doubt, spread = (np.column_stack(part) for part in zip(*columns, strict=True))
    return Expected(mean, doubt, spread, tuple(shares))


def _learnt(short: Array, full: Array, inputs: Array) -> tuple[Array, Array, Array]:
    """Return mean, doubt and spread of the full values; `short` and `full` are NaN where there was no training."""
    tried, done = np.isfinite(short), np.isfinite(full)
    told = short if tried.any() else full
    known = np.isfinite(told)
    process = GaussianProcess.fit(inputs[known], told[known])
    mean, doubt = process.predict(inputs)
    mean[known] = _OWN * told[known] + (1.0 - _OWN) * mean[known]
    doubt[known] = 0.0
    spread = doubt
    if tried.any():
        link = FidelityLink.fit(mean[tried], mean[done], inputs[done], full[done])
        mean, spread = link.predict(mean, inputs)
        spread = np.hypot(spread, doubt)
    mean[done], doubt[done] = full[done], 0.0
    spread[done] = 0.0
    return mean, doubt, spread


def _values(candidates: Sequence[Candidate], objective: Objective, name: FidelityName) -> Array:
    results = [candidate.results.get(name) for candidate in candidates]
    return np.array([np.nan if result is None else objective.value(result) for result in results])


def _to_log_error(share: Array) -> Array:
    return np.asarray(-np.log(_ALL_RIGHT - share))


def _from_log_error(value: Array) -> Array:
    return np.asarray(np.clip(_ALL_RIGHT - np.exp(-value), 0.0, 1.0))
