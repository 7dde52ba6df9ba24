"""What budgets leave to trainings in the time to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from carbon_sources.intensity import IntensitySeries
from schedulers.budget import BudgetState, EmissionBudget, Window
from schedulers.budgets_ahead import limits_ahead
from schedulers.decision import Progress, SchedulingContext
from schedulers.linear_plan import Allotment
from schedulers.outlook import Outlook
from schedulers.testing import NOW

HOUR = timedelta(hours=1)
AHEAD = Outlook((3600.0,) * 24, (200.0,) * 24)
"""From noon to noon."""


def context(*budgets: EmissionBudget, spent_g: float = 0.0) -> SchedulingContext:
    states = tuple(BudgetState(budget, spent_g, 0.0, budget.window_at(NOW)) for budget in budgets)
    progress = Progress(1, 0, 0, 0, None, NOW, training_w=1000.0, resting_w=100.0)
    return SchedulingContext(NOW, 4, None, IntensitySeries(()), None, states, progress, None)


def span(limit: Allotment) -> tuple[float, float]:
    """Return begin and end in hours from now."""
    return limit.from_s / 3600, limit.until_s / 3600


def test_each_window_has_its_own_limit_and_the_present_one_what_is_left_of_it() -> None:
    # 100 W at 200 g/kWh for 12 h are 240 g.
    today, tomorrow = limits_ahead(
        context(EmissionBudget(1000.0, Window.DAY), spent_g=300.0), NOW + 24 * HOUR, AHEAD, 1.0
    )
    assert span(today) == (0, 12)
    assert today.grams == pytest.approx(700 - 240)
    assert span(tomorrow) == (12, 24)
    assert tomorrow.grams == pytest.approx(1000 - 240)


def test_a_budget_of_the_search_belongs_to_the_hours_that_are_known_as_far_as_the_work_does() -> None:
    (limit,) = limits_ahead(context(EmissionBudget(3000.0)), NOW + 48 * HOUR, AHEAD, 0.5)
    assert span(limit) == (0, 24)
    assert limit.grams == pytest.approx(1500 - 480)


def test_where_resting_is_unknown_nothing_is_set_aside() -> None:
    asked = context(EmissionBudget(3000.0))
    (limit,) = limits_ahead(
        replace(asked, progress=replace(asked.progress, resting_w=None)), NOW + 24 * HOUR, AHEAD, 1.0
    )
    assert limit.grams == 3000.0


def test_without_budgets_there_are_no_limits() -> None:
    assert limits_ahead(context(), NOW + 24 * HOUR, AHEAD, 1.0) == ()
