"""Kernel ridge regression of all leads at once, one for each hour of the day at which a forecast may be issued.

It lets like situations of the past have their say, the more the more they are like the present one: what a linear model can't
tell, such as that a sunny week weighs on the evening otherwise than a windy one. Saunders, Gammerman and Vovk 1998, "Ridge
Regression Learning Algorithm in Dual Variables".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.samples import LEARNT_H, Issues, Samples

_MOST = 600
"""Samples of an hour of the day that are kept, the newest ones."""


@dataclass(frozen=True, slots=True, eq=False)
class _Memory:
    """Samples of one hour of the day.

    Attributes:
        inputs: Shape (samples, inputs).
        targets: Shape (samples, leads).
    """

    inputs: Array
    targets: Array


class KernelMember(Member):
    """A Gaussian kernel with a little of a linear one, which carries it beyond what has been seen.

    Args:
        width: Distance of inputs at which likeness fades, above zero.
        linear: Weight of the linear kernel, at least zero.
        penalty: Variance of the noise against that of the Gaussian process, above zero.
    """

    def __init__(self, width: float, linear: float, penalty: float) -> None:
        self._width = width
        self._linear = linear
        self._penalty = penalty
        self._memory: list[_Memory] = []
        self._weights: list[Array] = []

    def fit(self, samples: Samples) -> Array:
        self._memory, self._weights = [], []
        expected = np.zeros_like(samples.targets)
        for hour in range(DAY_H):
            own = samples.of_hour(hour)[-_MOST:]
            memory = _Memory(samples.issues.inputs[own], samples.targets[own])
            kernel = self._kernel(memory.inputs, memory.inputs)
            for part in np.unique(samples.fold[own]):
                rest, held = np.flatnonzero(samples.fold[own] != part), np.flatnonzero(samples.fold[own] == part)
                weights = self._solved(kernel[np.ix_(rest, rest)], memory.targets[rest])
                expected[own[held]] = _applied(kernel[np.ix_(held, rest)], weights, memory.targets[rest])
            self._memory.append(memory)
            self._weights.append(self._solved(kernel, memory.targets))
        return expected

    def predict(self, issues: Issues, news: Samples) -> Array:
        hour = int(issues.hour_of_day[0])
        memory, weights = self._memory[hour], self._weights[hour]
        if len(news.fold):
            inputs = np.vstack([memory.inputs, news.issues.inputs])[-_MOST:]
            memory = _Memory(inputs, np.vstack([memory.targets, news.targets])[-_MOST:])
            weights = self._solved(self._kernel(inputs, inputs), memory.targets)
        return _applied(self._kernel(issues.inputs, memory.inputs), weights, memory.targets)

    def _kernel(self, left: Array, right: Array) -> Array:
        products = left @ right.T
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * products
        kernel: Array = self._linear * products + np.exp(-squares / (2 * self._width**2))
        return kernel

    def _solved(self, kernel: Array, targets: Array) -> Array:
        if not len(targets):
            return np.zeros((0, LEARNT_H))
        return np.linalg.solve(kernel + self._penalty * np.eye(len(kernel)), targets - targets.mean(axis=0))


def _applied(kernel: Array, weights: Array, targets: Array) -> Array:
    mean = targets.mean(axis=0) if len(targets) else np.zeros(LEARNT_H)
    result: Array = kernel @ weights + mean
    return result
