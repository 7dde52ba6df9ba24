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
        links: Of each objective what short trainings tell of full ones; `None` where nothing is to be learnt or there are no short ones.
        shares: Which objectives are learnt as logarithmic errors of a share, 0..1.
    """

    mean: Array
    doubt: Array
    links: tuple[Linked | None, ...]
    shares: tuple[bool, ...]

    def at(self, places: Sequence[int] | NDArray[np.intp], doubts: float = 0.0) -> Array:
        """Return values in the objectives' units at some doubts from the mean: shape (places, objectives)."""
        rows = np.asarray(places, dtype=np.intp)
        return self._in_units(self.mean[rows] + doubts * self.doubt[rows])

    def draws(self, places: Sequence[int], count: int, rng: np.random.Generator) -> Array:
        """Return draws of what full trainings of candidates that have none would give together, shape (count, places, objectives).

        What is unknown of all of them alike, such as how much a full training gains at all, is the same for all in one draw.

        Args:
            places: Which candidates.
            count: How many draws, an even number: every second one mirrors the one before, so that their mean is exact.
            rng: Decides.
        """
        rows = np.asarray(places, dtype=np.intp)
        normal = np.repeat(rng.standard_normal((count // 2, *self.mean[rows].shape)), 2, axis=0)
        normal[1::2] *= -1.0
        away = normal * self.doubt[rows]
        for column, link in enumerate(self.links):
            if link is not None:
                factor = np.linalg.cholesky(link.covariance(rows) + np.diag(np.square(self.doubt[rows, column])))
                away[:, :, column] = normal[:, :, column] @ factor.T
        return np.array([self._in_units(self.mean[rows] + one) for one in away])

    def _in_units(self, values: Array) -> Array:
        for column, share in enumerate(self.shares):
            if share:
                values[:, column] = _from_log_error(values[:, column])
        return values


@dataclass(frozen=True, slots=True)
class Linked:
    """The short results of all candidates, known or expected, with what they tell of full ones.

    Attributes:
        link: What was learnt.
        short: Shape (candidates,).
        inputs: Shape (candidates, features).
    """

    link: FidelityLink
    short: Array
    inputs: Array

    def covariance(self, rows: NDArray[np.intp]) -> Array:
        """Return the covariance of the full results of some candidates, shape (rows, rows)."""
        return self.link.covariance(self.short[rows], self.inputs[rows])


def expected(candidates: Sequence[Candidate], objectives: Sequence[Objective], inputs: Array) -> Expected:
    """Return what is expected of every candidate.

    An objective that scorings give is known. Of any other, short trainings are smoothed and extended over the space by a Gaussian
    process, and a link leads from short to full ones; without short trainings the process learns from full ones.

    Args:
        candidates: What is known; at least one short or full training among them.
        objectives: What counts.
        inputs: Shape (candidates, features), of unit variance.
    """
    columns: list[tuple[Array, Array, Linked | None]] = []
    shares = []
    for objective in objectives:
        if all(objective.metric in candidate.scores for candidate in candidates):
            exact = np.array([objective.value(candidate.scores) for candidate in candidates])
            columns.append((exact, np.zeros(len(exact)), None))
            shares.append(False)
            continue
        short, full = (_values(candidates, objective, name) for name in (FidelityName.SEARCH, FidelityName.FULL))
        share = bool(np.nanmin([short, full]) >= 0.0 and np.nanmax([short, full]) <= 1.0)
        if share:
            short, full = _to_log_error(short), _to_log_error(full)
        columns.append(_learnt(short, full, inputs))
        shares.append(share)
    means, doubts, links = zip(*columns, strict=True)
    return Expected(np.column_stack(means), np.column_stack(doubts), links, tuple(shares))


def _learnt(short: Array, full: Array, inputs: Array) -> tuple[Array, Array, Linked | None]:
    """Return mean and doubt of the full values, and the link to them; `short` and `full` are NaN where there was no training."""
    tried, done = np.isfinite(short), np.isfinite(full)
    told = short if tried.any() else full
    known = np.isfinite(told)
    process = GaussianProcess.fit(inputs[known], told[known])
    mean, doubt = process.predict(inputs)
    mean[known] = _OWN * told[known] + (1.0 - _OWN) * mean[known]
    doubt[known] = 0.0
    linked = None
    if tried.any():
        link = FidelityLink.fit(mean[tried], mean[done], inputs[done], full[done])
        linked = Linked(link, mean, inputs)
        mean = link.mean(mean, inputs)
    mean[done], doubt[done] = full[done], 0.0
    return mean, doubt, linked


def _values(candidates: Sequence[Candidate], objective: Objective, name: FidelityName) -> Array:
    results = [candidate.results.get(name) for candidate in candidates]
    return np.array([np.nan if result is None else objective.value(result) for result in results])


def _to_log_error(share: Array) -> Array:
    return np.asarray(-np.log(_ALL_RIGHT - share))


def _from_log_error(value: Array) -> Array:
    return np.asarray(np.clip(_ALL_RIGHT - np.exp(-value), 0.0, 1.0))
