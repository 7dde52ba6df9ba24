"""What the learning forecasters learn from."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from carbon_sources.forecasting.gaps import Filled
from carbon_sources.forecasting.local import local_inputs
from carbon_sources.forecasting.samples import (
    LEARNT_H,
    WINDOW_H,
    issues_at,
    over_leads,
    samples_from,
    weekday,
)


@pytest.mark.parametrize("day", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, tzinfo=UTC)])
def test_weekdays_are_those_of_the_calendar(day: datetime) -> None:
    assert weekday(np.array([int(day.timestamp()) // 3600])) == day.weekday()


def test_targets_are_what_came_after_compared_with_the_usual() -> None:
    logs = np.random.default_rng(0).normal(size=WINDOW_H + LEARNT_H + 5)
    past = Filled(100, logs, np.ones(len(logs), dtype=np.bool_), 0)
    samples = samples_from(past, logs, np.array([WINDOW_H, WINDOW_H + 5]))
    usual = over_leads(samples.issues.usual)
    assert samples.targets[1] + usual[1] == pytest.approx(logs[WINDOW_H + 5 :])
    assert samples.issues.hour.tolist() == [100 + WINDOW_H, 100 + WINDOW_H + 5]


def test_nothing_is_learnt_from_hours_that_were_filled_in() -> None:
    logs = np.zeros(WINDOW_H + 2 * LEARNT_H)
    known = np.ones(len(logs), dtype=np.bool_)
    known[WINDOW_H + 40 : WINDOW_H + 140] = False
    at = np.array([WINDOW_H, WINDOW_H + LEARNT_H])  # a week with the hole, and a week after it
    assert len(samples_from(Filled(0, logs, known, 0), logs, at).fold) == 0


def test_a_course_that_repeats_itself_is_the_usual_one() -> None:
    logs = np.tile(np.sin(np.arange(24)), 28)
    assert issues_at(logs, 0, np.array([WINDOW_H])).usual[0] == pytest.approx(logs[:24])


def test_inputs_know_nothing_of_what_comes_after_the_issue() -> None:
    logs = np.random.default_rng(0).normal(size=WINDOW_H + 50)
    changed = logs.copy()
    changed[WINDOW_H:] = 99.0
    before, after = (issues_at(series, 0, np.array([WINDOW_H])) for series in (logs, changed))
    assert (before.inputs == after.inputs).all()
    assert (local_inputs(before) == local_inputs(after)).all()
