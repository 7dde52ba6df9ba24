"""Trees on top of a linear model: they learn from its errors what is not linear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.boosting import Growth, Trees, grown
from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.local import WEEKDAYS, local_inputs
from carbon_sources.forecasting.member import Member
from carbon_sources.forecasting.samples import LEARNT_H, Issues, Samples

_ROWS_PER_LEAD = 15
"""Leads drawn from every third issue, which there is one of every hour: rows of neighbouring hours say much the same."""
_EVERY = 3


class BoostedMember(Member):
    """A linear member, whose errors out of sample trees have been grown on, each measured by what is common at its lead.

    Each set of trees grows from fortnights of its own, as far as there are any, and the mean of all sets predicts. What `fit` returns is without the
    trees, which know those samples: intervals are rather too wide than too narrow.

    Args:
        base: The member beneath, not shared with anything else.
        growth: How trees are grown.
        seed: Decides which rows and inputs each tree sees.
    """

    def __init__(self, base: Member, growth: Growth, seed: int = 0) -> None:
        self._base = base
        self._growth = growth
        self._seed = seed
        self._sets: list[Trees] = []
        self._common = np.ones(LEARNT_H)

    def fit(self, samples: Samples) -> Array:
        expected = self._base.fit(samples)
        errors = samples.targets - expected
        self._common = np.maximum(errors.std(axis=0), _TINY)
        part = samples.fold % _SETS
        rng = np.random.default_rng(self._seed)
        rows, leads = _drawn(len(samples.fold), rng)
        inputs = self._rows(samples, expected, rows, leads)
        targets = errors[rows, leads] / self._common[leads]
        self._sets = [
            grown(inputs[part[rows] == own], targets[part[rows] == own], self._growth, self._seed + own)
            for own in np.unique(part[rows]).tolist()
        ]
        return expected

    def _rows(
        self, samples: Samples, expected: Array, rows: NDArray[np.intp], leads: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Return the trees' inputs of pairs of an issue and a lead."""
        pieces = []
        for first in range(0, len(rows), _PIECE):
            issue, inverse = np.unique(rows[first : first + _PIECE], return_inverse=True)
            inputs = _tree_inputs(samples.issues.part(issue), expected[issue])
            pieces.append(inputs[inverse, leads[first : first + _PIECE]])
        return np.concatenate(pieces)

    def predict(self, issues: Issues, news: Samples) -> Array:
        expected = self._base.predict(issues, news)
        inputs = _tree_inputs(issues, expected)
        rows = inputs.reshape(-1, inputs.shape[-1])
        correction = np.mean([trees.predict(rows) for trees in self._sets], axis=0).reshape(expected.shape)
        result: Array = expected + correction * self._common
        return result


_SETS = 2
_TINY = 1e-9
_PIECE = 6000


def _drawn(issues: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of an issue and a lead, in the order of the issues; near leads are drawn more often."""
    near, far = _ROWS_PER_LEAD // 2, _ROWS_PER_LEAD - _ROWS_PER_LEAD // 2
    some = np.arange(0, issues, _EVERY)
    leads = np.hstack([rng.integers(0, DAY_H, (len(some), near)), rng.integers(DAY_H, LEARNT_H, (len(some), far))])
    return np.repeat(some, _ROWS_PER_LEAD), leads.ravel()


def _tree_inputs(issues: Issues, expected: Array) -> NDArray[np.float32]:
    inputs = local_inputs(issues)[..., :-WEEKDAYS]
    return np.concatenate([inputs, expected[..., None]], axis=2).astype(np.float32)
