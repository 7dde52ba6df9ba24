"""Kernel ridge regression of all leads at once, one for each hour of the day at which a forecast may be issued.

The mean of a Gaussian process (Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", equation 2.25): linear, and bent where
issues of the past that were alike went on alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.samples import SEASON_INPUTS, Issues, Samples

_CONSTANT = 1.0
"""How much the outcomes of any two issues have in common, against what like ones have besides."""
_TINY = 1e-9
"""Shortest distance and length that inputs are divided by."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hour:
    """What was learnt from the issues at one hour of the day.

    Attributes:
        inputs: Shape (issues, inputs).
        apart: Median squared distance of two issues, above zero.
        long: Median squared length of the inputs, above zero.
        inverse: Shape (issues, issues): of the kernel with the penalty on its diagonal.
        weights: Shape (issues, `LEARNT_H`): `inverse` times the targets.
    """

    inputs: Array
    apart: float
    long: float
    inverse: Array
    weights: Array

    @classmethod
    def of(cls, inputs: Array, targets: Array, penalty: float) -> _Hour:
        squares = (inputs**2).sum(axis=1)
        apart = float(np.median(_squared_distances(inputs, inputs))) if len(inputs) else 1.0
        long = float(np.median(squares)) if len(inputs) else 1.0
        empty = cls(inputs, max(apart, _TINY), max(long, _TINY), np.zeros((0, 0)), targets[:0])
        inverse: Array = np.linalg.inv(empty.kernel(inputs, inputs) + penalty * np.eye(len(inputs))).astype(np.float64)
        return cls(inputs, empty.apart, empty.long, inverse, inverse @ targets)

    def kernel(self, one: Array, other: Array) -> Array:
        """Return how much the outcome of one issue says of another's: shape (issues of one, issues of the other)."""
        near: Array = np.exp(-_squared_distances(one, other) / (2 * self.apart))
        return near + one @ other.T / self.long + _CONSTANT

    def without_fold(self, targets: Array, fold: NDArray[np.int64]) -> Array:
        """Return what would have been expected of each issue without those of its fold, shape (issues, `LEARNT_H`)."""
        expected = np.empty_like(targets)
        for part in np.unique(fold):
            rows = np.flatnonzero(fold == part)
            expected[rows] = targets[rows] - np.linalg.solve(self.inverse[np.ix_(rows, rows)], self.weights[rows])
        return expected


class KernelMember(Member):
    """Linear in the inputs, plus what issues with similar inputs have in common.

    Args:
        penalty: Variance of the noise against that of each part of what is learnt, above zero.
    """

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty
        self._first = 0
        self._hours: list[_Hour] = []

    def fit(self, samples: Samples) -> Array:
        self._hours, self._first = [], 0 if samples.know_seasons else SEASON_INPUTS
        expected = np.zeros_like(samples.targets)
        for hour in range(DAY_H):
            own = samples.of_hour(hour)
            targets = samples.targets[own]
            learnt = _Hour.of(self._seen(samples.issues.part(own)), targets, self._penalty)
            expected[own] = learnt.without_fold(targets, samples.fold[own])
            self._hours.append(learnt)
        return expected

    def predict(self, issues: Issues, news: Samples) -> Array:
        learnt, now = self._hours[int(issues.hour_of_day[0])], self._seen(issues)
        known = learnt.kernel(now, learnt.inputs)
        expected: Array = known @ learnt.weights
        if not len(news.fold):
            return expected
        later = self._seen(news.issues)
        across = learnt.kernel(later, learnt.inputs)
        explained = across @ learnt.inverse
        spread = learnt.kernel(later, later) + self._penalty * np.eye(len(later)) - explained @ across.T
        surprise = np.linalg.solve(spread, news.targets - across @ learnt.weights)
        result: Array = expected + (learnt.kernel(now, later) - known @ explained.T) @ surprise
        return result

    def _seen(self, issues: Issues) -> Array:
        seen: Array = issues.inputs[:, self._first :]
        return seen


def _squared_distances(one: Array, other: Array) -> Array:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    distances: Array = np.maximum(squares, 0.0)
    return distances
