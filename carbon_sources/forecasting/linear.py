"""Ridge regression of all leads at once, one for each hour of the day at which a forecast may be issued.

Hoerl and Kennard 1970, "Ridge Regression: Biased Estimation for Nonorthogonal Problems".
"""

from __future__ import annotations

import numpy as np

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.samples import SEASON_INPUTS, Issues, Samples


class LinearMember(Member):
    """Linear in the inputs.

    What it learns are sums over samples, so that later samples can be added without those that came before.

    Args:
        penalty: Weight of the squared coefficients against the squared errors for the first day, above zero; later days have more.
    """

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty
        self._seasons = True
        self._sums: list[tuple[Array, Array]] = []
        self._coefficients: list[Array] = []

    def fit(self, samples: Samples) -> Array:
        self._sums, self._coefficients, self._seasons = [], [], samples.know_seasons
        expected = np.zeros_like(samples.targets)
        inputs = _with_one(samples.issues.inputs)
        for hour in range(DAY_H):
            own = samples.of_hour(hour)
            fold = samples.fold[own]
            parts = {
                part: _sums(inputs[own[fold == part]], samples.targets[own[fold == part]])
                for part in set(fold.tolist())
            }
            total = _added(*parts.values()) if parts else _sums(inputs[:0], samples.targets[:0])
            for part, (squares, products) in parts.items():
                rows = own[fold == part]
                expected[rows] = inputs[rows] @ self._solved(total[0] - squares, total[1] - products)
            self._sums.append(total)
            self._coefficients.append(self._solved(*total))
        return expected

    def predict(self, issues: Issues, news: Samples) -> Array:
        hour = int(issues.hour_of_day[0])
        coefficients = self._coefficients[hour]
        if len(news.fold):
            coefficients = self._solved(*_added(self._sums[hour], _sums(_with_one(news.issues.inputs), news.targets)))
        result: Array = _with_one(issues.inputs) @ coefficients
        return result

    def _solved(self, squares: Array, products: Array) -> Array:
        """Return the coefficients, shape (1 + inputs, leads); the constant is hardly penalised, seasons may be forbidden."""
        solved = []
        for leads, penalty in ((products[:, :DAY_H], self._penalty), (products[:, DAY_H:], _LATER * self._penalty)):
            penalties = np.full(len(squares), penalty)
            penalties[0] = _CONSTANT_PENALTY
            if not self._seasons:
                penalties[1 : 1 + SEASON_INPUTS] = _FORBIDDING
            solved.append(np.linalg.solve(squares + np.diag(penalties), leads).astype(np.float64))
        return np.hstack(solved)


_LATER = 3.0
"""How many times more the coefficients of later days are penalised: there is less to be known of them."""
_CONSTANT_PENALTY = 1e-3
"""Not zero, so that hours without any sample have a solution, too."""
_FORBIDDING = 1e9


def _with_one(inputs: Array) -> Array:
    return np.hstack([np.ones((len(inputs), 1)), inputs])


def _sums(inputs: Array, targets: Array) -> tuple[Array, Array]:
    return inputs.T @ inputs, inputs.T @ targets


def _added(*sums: tuple[Array, Array]) -> tuple[Array, Array]:
    squares, products = zip(*sums, strict=True)
    return sum(squares[1:], start=squares[0]), sum(products[1:], start=products[0])
