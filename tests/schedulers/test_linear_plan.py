"""Plans by the linear program."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.linear_plan import Allotment, Workload, plan_slots

HOURS = [3600.0] * 4


def work(hours: float, **changes: float) -> Workload:
    values = {"width": 2, "running": 0, "watts": 1000.0, "switch_s": 0.0, "min_run_s": 0.0}
    return Workload(needed_s=hours * 3600, **{**values, **changes})  # type: ignore[arg-type]


def test_the_cleanest_hours_are_filled_and_of_equal_ones_the_earlier() -> None:
    plan = plan_slots(work(3.0), HOURS, [300.0, 100.0, 200.0, 200.0])
    assert plan.slots == pytest.approx((0.0, 2.0, 1.0, 0.0))
    assert plan.missing_s == 0


def test_a_start_that_costs_more_than_it_saves_is_spared() -> None:
    # Four slot hours from two running slots on. Both may pause in the hour at 130 and start again, or one of them runs through and
    # the other stops: 200 + 130 + 100 g, against 200 + 200 g and two starts, of half an hour at 130 g/kWh each.
    intensities = [100.0, 130.0, 100.0, 400.0]
    dear = plan_slots(work(4.0, running=2, switch_s=1800.0), HOURS, intensities)
    assert dear.slots == pytest.approx((2, 1, 1, 0))
    assert dear.starts == pytest.approx(0)
    assert plan_slots(work(4.0, running=2), HOURS, intensities).slots == pytest.approx((2, 0, 2, 0))


def test_the_time_that_starts_cost_is_worked_as_well() -> None:
    plan = plan_slots(work(1.0, width=1, switch_s=900.0), HOURS, [100.0, 200.0, 300.0, 400.0])
    assert plan.slots == pytest.approx((1.0, 0.25, 0.0, 0.0))
    assert plan.starts == pytest.approx(1.0)


def test_a_slot_that_starts_goes_on_for_its_shortest_run() -> None:
    # Of two hours in a row the last two are the cleanest; alone the first would be taken.
    intensities = [100.0, 900.0, 200.0, 200.0]
    plan = plan_slots(work(2.0, width=1, min_run_s=7200.0), HOURS, intensities)
    assert plan.slots == pytest.approx((0.0, 0.0, 1.0, 1.0))


def test_no_window_emits_more_than_its_budget() -> None:
    # 1 kW a slot: 150 g in the first two hours are 1.5 slot hours at 100 g/kWh.
    limits = (Allotment(0.0, 7200.0, 150.0), Allotment(7200.0, 14400.0, 1000.0))
    plan = plan_slots(work(3.0), HOURS, [100.0, 100.0, 300.0, 400.0], limits)
    assert plan.slots[0] + plan.slots[1] == pytest.approx(1.5)
    assert plan.slots[2:] == pytest.approx((1.5, 0.0))
    late = plan_slots(work(6.0), HOURS, [100.0, 100.0, 100.0, 900.0], (Allotment(7200.0, 14400.0, 50.0),))
    assert late.slots[:2] == pytest.approx((2.0, 2.0))
    assert late.missing_s == pytest.approx(1.5 * 3600)
    half = plan_slots(work(9.0), HOURS, [100.0] * 4, (Allotment(0.0, 5400.0, 100.0),))
    # In the first hour and half of the second at most one slot hour: 2 * 2 h of the others, and what of the second lies beyond.
    assert half.slots[0] + half.slots[1] / 2 == pytest.approx(1.0)


def test_work_that_finds_no_place_is_told_and_the_rest_is_done() -> None:
    plan = plan_slots(work(10.0), HOURS, [300.0, 100.0, 200.0, 0.0])
    assert plan.slots == (2.0, 2.0, 2.0, 2.0)
    assert plan.missing_s == pytest.approx(2 * 3600)
    nothing = plan_slots(work(1.0), HOURS, [1.0] * 4, (Allotment(0.0, 14400.0, -5.0),))
    assert nothing.slots == (0.0, 0.0, 0.0, 0.0)
    assert nothing.missing_s == pytest.approx(3600)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.integers(0, 900), min_size=1, max_size=8),
    hours=st.floats(0.5, 20),
    width=st.integers(1, 3),
    running=st.integers(0, 3),
    switch_s=st.sampled_from((0.0, 60.0, 1200.0)),
    min_run_s=st.sampled_from((0.0, 900.0, 9000.0)),
    grams=st.none() | st.floats(0, 3000),
)
def test_plans_keep_their_limits(
    values: list[int],
    hours: float,
    width: int,
    running: int,
    switch_s: float,
    min_run_s: float,
    grams: float | None,
) -> None:
    lengths = [3600.0] * len(values)
    task = Workload(hours * 3600, width, running, 1000.0, switch_s, min_run_s)
    limits = () if grams is None else (Allotment(0.0, sum(lengths), grams),)
    plan = plan_slots(task, lengths, [float(value) for value in values], limits)
    assert all(0 <= slots <= width for slots in plan.slots)
    done = 3600 * sum(plan.slots) - switch_s * plan.starts
    assert done + plan.missing_s >= hours * 3600 * (1 - 1e-4)
    emitted = sum(slots * value for slots, value in zip(plan.slots, values, strict=True))
    assert grams is None or emitted <= grams + 0.01


@pytest.mark.parametrize("g_per_kwh", [0.0, 0.001, 20.0, 900.0])
def test_of_equal_hours_the_earlier_are_taken_and_no_more_than_are_needed_on_any_grid(g_per_kwh: float) -> None:
    work = Workload(needed_s=2.5 * 3600, width=1, running=0, watts=300.0, switch_s=0.0, min_run_s=0.0)
    plan = plan_slots(work, [3600.0] * 48, [g_per_kwh] * 48)
    assert plan.slots == pytest.approx([1.0, 1.0, 0.5, *[0.0] * 45])
