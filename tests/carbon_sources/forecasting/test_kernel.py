"""Kernel ridge regression."""

from __future__ import annotations

import numpy as np
import pytest

from carbon_sources.forecasting.gaps import DAY_H, Filled
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.kernel import KernelMember
from carbon_sources.forecasting.linear import LinearMember
from carbon_sources.forecasting.samples import LEARNT_H, WINDOW_H, Samples, samples_from

DAYS = 120


def bent(days: int) -> Array:
    """Return a grid on which tomorrow is like today if today was clean, and the other way round if it was dirty."""
    rng, level = np.random.default_rng(3), [0.5]
    for _ in range(days - 1):
        level.append(1 - 2 * abs(level[-1]) + rng.normal(0, 0.03))
    result: Array = np.repeat(np.clip(level, -1, 1), DAY_H) + rng.normal(0, 0.01, days * DAY_H)
    return result


def samples(values: Array, first: int, last: int) -> Samples:
    past = Filled(0, values, np.ones(len(values), dtype=np.bool_), 0)
    return samples_from(past, values, np.arange(WINDOW_H + first, min(WINDOW_H + last, len(values) - LEARNT_H + 1)))


def at_midnight(some: Samples) -> Samples:
    rows = some.of_hour(0)
    return Samples(some.issues.part(rows), some.targets[rows], some.fold[rows])


def error(expected: Array, some: Samples) -> float:
    return float(np.abs(expected - some.targets)[:, :DAY_H].mean())


def test_it_learns_what_is_not_linear() -> None:
    values = bent(DAYS)
    learnt, later = samples(values, 0, 70 * DAY_H), at_midnight(samples(values, 80 * DAY_H, DAYS * DAY_H))
    found = {}
    for member in (KernelMember(0.1), LinearMember(10.0)):
        member.fit(learnt)
        found[type(member)] = error(member.predict(later.issues, samples(values, 0, 0)), later)
    assert found[KernelMember] < 0.9 * found[LinearMember]


def test_news_count_as_if_they_had_been_learnt_from_at_once() -> None:
    values = bent(DAYS)
    some, news = samples(values, 0, 40 * DAY_H), at_midnight(samples(values, 40 * DAY_H, 50 * DAY_H))
    now = at_midnight(samples(values, 60 * DAY_H, 61 * DAY_H)).issues
    stepwise, once = KernelMember(0.3), KernelMember(0.3)
    stepwise.fit(some)
    once.fit(samples(values, 0, 50 * DAY_H))
    nothing = samples(values, 0, 0)
    updated = stepwise.predict(now, news)
    # The typical distance of two issues, which is learnt as well, differs a little.
    assert updated == pytest.approx(once.predict(now, nothing), abs=0.02)
    assert np.abs(updated - stepwise.predict(now, nothing)).max() > 0.05


def test_what_is_expected_out_of_sample_knows_nothing_of_its_fold() -> None:
    values = bent(DAYS)
    some = samples(values, 0, 60 * DAY_H)
    part = some.fold == some.fold[0]
    changed = Samples(some.issues, np.where(part[:, None], some.targets + 9.0, some.targets), some.fold)
    before, after = (KernelMember(0.3).fit(learnt) for learnt in (some, changed))
    assert after[part] == pytest.approx(before[part], abs=1e-6)
    assert np.abs(after[~part] - before[~part]).max() > 0.1
