"""How much training finds room, compared with the linear program that plans it."""

from __future__ import annotations

import math
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.budget import EmissionBudget, Window
from schedulers.linear_plan import Allotment, Workload, plan_slots
from schedulers.outlook import Outlook
from schedulers.testing import NOW
from schedulers.training_room import TrainingLoad, TrainingRoom

HOUR = timedelta(hours=1)


def allotments(budget: EmissionBudget, hours: int) -> list[Allotment]:
    """Return a limit for each window of a budget in the hours to come."""
    found, at = [], NOW
    while at < NOW + hours * HOUR:
        window = budget.window_at(at)
        end = NOW + hours * HOUR if window is None else window.end
        found.append(Allotment((at - NOW).total_seconds(), (end - NOW).total_seconds(), budget.limit_g))
        at = end
    return found


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(0, 900), min_size=2, max_size=60),
    half_hours=st.integers(1, 60),
    limits=st.lists(
        st.tuples(st.integers(100, 6000), st.sampled_from((Window.SEARCH, Window.DAY, Window.WEEK))), max_size=3
    ),
)
def test_work_finds_room_where_the_linear_program_places_it_all(
    values: list[int], half_hours: int, limits: list[tuple[int, Window]]
) -> None:
    budgets = [EmissionBudget(float(limit_g), window) for limit_g, window in limits]
    ahead = Outlook((3600.0,) * len(values), tuple(map(float, values)))
    rows = [row for budget in budgets for row in allotments(budget, len(values))]
    wanted = Workload(needed_s=half_hours * 1800.0 * 2, width=2, running=0, watts=500.0, switch_s=0.0, min_run_s=0.0)
    missing_s = plan_slots(wanted, ahead.lengths_s, ahead.g_per_kwh, rows).missing_s

    def fits(share: float) -> bool:
        load = TrainingLoad(half_hours * HOUR * share, 2, 500.0)
        return TrainingRoom(load, ahead, NOW, budgets).fits([budget.limit_g for budget in budgets], math.inf)

    placed = 1 - missing_s / wanted.needed_s
    assert placed < 1e-4 or fits(placed * 0.9999)
    assert missing_s == 0.0 or not fits(placed * 1.0001)


def test_a_week_that_the_month_cuts_is_reckoned_in_favour_of_the_work() -> None:
    # The month ends on a Monday at midnight, so the week from 31 March has its limit twice here: never too strict.
    start = NOW.replace(month=3, day=31, hour=12)
    ahead = Outlook((3600.0,) * 24, (100.0,) * 24)
    budgets = [EmissionBudget(100.0, Window.WEEK), EmissionBudget(1000.0, Window.MONTH)]
    room = TrainingRoom(TrainingLoad(2 * HOUR, 1, 1000.0), ahead, start, budgets)
    assert room.fits([100.0, 1000.0], math.inf)
    assert not room.fits([90.0, 1000.0], math.inf)
