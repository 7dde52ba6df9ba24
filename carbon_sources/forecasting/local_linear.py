"""Ridge regression of every lead for itself, one for each hour of the day at which a forecast may be issued.

With a few inputs that belong to the lead there is less to learn than with a whole month for all leads at once.
"""

from __future__ import annotations

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.local import COUNTED, SEASON, local_inputs
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.samples import Issues, Samples


class LocalMember(Member):
    """Linear in the inputs of each lead.

    Args:
        penalty: Weight of the squared coefficients against the squared errors, above zero.
    """

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty
        self._seasons = True
        self._sums: list[tuple[Array, Array]] = []
        self._coefficients: list[Array] = []

    def fit(self, samples: Samples) -> Array:
        self._sums, self._coefficients, self._seasons = [], [], samples.know_seasons
        expected = np.zeros_like(samples.targets)
        for hour in range(DAY_H):
            own = samples.of_hour(hour)
            inputs, targets, fold = _inputs(samples.issues.part(own)), samples.targets[own], samples.fold[own]
            total = _sums(inputs, targets)
            for part in np.unique(fold):
                rows = np.flatnonzero(fold == part)
                squares, products = _sums(inputs[:, rows], targets[rows])
                expected[own[rows]] = _applied(inputs[:, rows], self._solved(total[0] - squares, total[1] - products))
            self._sums.append(total)
            self._coefficients.append(self._solved(*total))
        return expected

    def predict(self, issues: Issues, news: Samples) -> Array:
        hour = int(issues.hour_of_day[0])
        coefficients = self._coefficients[hour]
        if len(news.fold):
            squares, products = _sums(_inputs(news.issues), news.targets)
            coefficients = self._solved(self._sums[hour][0] + squares, self._sums[hour][1] + products)
        return _applied(_inputs(issues), coefficients)

    def _solved(self, squares: Array, products: Array) -> Array:
        """Return the coefficients, shape (leads, inputs, 1)."""
        penalty = np.full(squares.shape[-1], self._penalty)
        penalty[0] = _CONSTANT_PENALTY
        if not self._seasons:
            penalty[1 : 1 + SEASON] = _FORBIDDING
        coefficients: Array = np.linalg.solve(squares + np.diag(penalty), products).astype(np.float64)
        return coefficients


_CONSTANT_PENALTY = 1e-3
"""Not zero, so that hours without any sample have a solution, too."""
_FORBIDDING = 1e9


def _inputs(issues: Issues) -> Array:
    """Return a one and the inputs: shape (leads, issues, 1 + inputs)."""
    inputs = local_inputs(issues)[..., COUNTED - 1 :].transpose(1, 0, 2).copy()
    inputs[..., 0] = 1.0
    return inputs


def _sums(inputs: Array, targets: Array) -> tuple[Array, Array]:
    across = inputs.transpose(0, 2, 1)
    return across @ inputs, across @ targets.T[..., None]


def _applied(inputs: Array, coefficients: Array) -> Array:
    result: Array = (inputs @ coefficients)[..., 0].T
    return result
