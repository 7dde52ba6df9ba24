"""One search on the virtual clock: what is charged, and that nothing but the scheduler makes the difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from carbonnas.record import StopReason
from carbonnas.report.simulation_model import SimulatedRun
from carbonnas.simulation.simulator import Simulator
from tests.carbonnas.simulation.conftest import MakePlan


def run(make: MakePlan, scheduler: str = "carbon_blind", seed: int = 1, **options: object) -> SimulatedRun:
    tournament = make(scheduler, **options).tournament
    (chosen,) = [one for one in tournament.competitors if one.name == scheduler]
    return Simulator(tournament.setting).run(chosen, seed)


def test_the_same_search_twice_is_the_same_to_the_bit(make: MakePlan) -> None:
    assert run(make, "threshold") == run(make, "threshold")


def test_the_same_seed_finds_the_same_with_every_scheduler(make: MakePlan) -> None:
    blind, threshold = run(make), run(make, "threshold")
    assert [point.share for point in blind.curve] == [point.share for point in threshold.curve]
    assert blind.emissions_kg > threshold.emissions_kg
    assert blind.suspensions == 0


def test_rest_scorings_and_trainings_are_all_charged(make: MakePlan) -> None:
    found = run(make)
    slot_h = sum(found.training_slots)
    # 300 W in each slot that trains, 100 W for a minute of each of ten scorings, 50 W all the time.
    expected = 0.3 * slot_h + 0.1 * 10 / 60 + 0.05 * found.finish_h
    assert found.scorings == 10
    assert found.energy_kwh == pytest.approx(expected, rel=1e-6)


def test_ce_nas_charges_a_kilowatt_for_each_slot_that_trains_and_nothing_else(make: MakePlan) -> None:
    found = run(make, ce_nas=True)
    assert found.energy_kwh == pytest.approx(sum(found.training_slots), rel=1e-6)


def test_switching_costs_time_and_energy(make: MakePlan) -> None:
    def costs(cost: str) -> SimulatedRun:
        executor = {"use": "simulated", "suspend_cost": cost, "resume_cost": cost}
        return run(make, "threshold:percentile=10", executor=executor, safety={"max_wait": "4 h"})

    free, dear = costs("0 s"), costs("10 min")
    assert free.suspensions > 0
    assert sum(dear.training_slots) > sum(free.training_slots)


def test_a_deadline_that_comes_before_the_plan_is_done_is_missed(make: MakePlan) -> None:
    found = run(make, hours=2.0)
    assert (found.stop_reason, found.finish_h, found.deadline_missed) == (StopReason.DEADLINE, 2.0, True)


def test_a_search_that_waits_tells_for_how_long_at_most(make: MakePlan) -> None:
    found = run(make, "threshold:percentile=30", safety={"max_wait": "3 h"})
    assert 0 < found.longest_wait_h <= 3


def test_a_budget_is_kept_and_told(make: MakePlan) -> None:
    found = run(make, budgets=[{"limit": "500 g"}])
    assert found.stop_reason is StopReason.BUDGET_EXHAUSTED
    assert found.emissions_kg <= 0.5 + found.overshoot_g / 1000
    assert (found.budget_violations > 0) == (found.overshoot_g > 0)


def test_forecasts_that_were_learnt_elsewhere_change_nothing(make: MakePlan) -> None:
    tournament = make("suspend_resume", hours=30.0, forecaster="seasonal").tournament
    chosen = tournament.competitors[1]
    assert chosen.uses_forecast
    there, here = Simulator(tournament.setting), Simulator(tournament.setting)
    assert tournament.ends_at is not None
    numbers = tournament.setting.lessons_until(tournament.ends_at)
    # Learnt at the start and once a day: two lessons for thirty hours.
    assert list(numbers) == [0, 1]
    for number in reversed(numbers):
        here.forecasts.add(number, there.forecasts.learn(number))
    assert here.run(chosen, 1) == there.run(chosen, 1)


def test_a_lesson_holds_a_forecast_for_each_hour_until_the_next(make: MakePlan) -> None:
    setting = make("carbon_blind", forecaster="seasonal").tournament.setting
    lesson = Simulator(setting).forecasts.learn(1)
    first = setting.start + timedelta(days=1)
    assert list(lesson) == [first + hour * timedelta(hours=1) for hour in range(24)]
    assert {len(forecast.mean) for forecast in lesson.values()} == {97}


def test_nothing_of_the_future_is_in_a_forecast(make: MakePlan) -> None:
    setting = make("carbon_blind", forecaster="seasonal").tournament.setting
    known = setting.source.series.before(setting.start + timedelta(hours=5))

    class Short(type(setting.source)):  # type: ignore[misc] # the same source, that ends early
        def __init__(self) -> None:
            self.__dict__.update(setting.source.__dict__)
            self._trace = replace(setting.source._trace, series=known)  # noqa: SLF001

    lesson, early = (
        Simulator(replace(setting, source=source)).forecasts.learn(0) for source in (setting.source, Short())
    )
    for hour in range(6):
        at = setting.start + timedelta(hours=hour)
        assert early[at].mean.tolist() == lesson[at].mean.tolist()
