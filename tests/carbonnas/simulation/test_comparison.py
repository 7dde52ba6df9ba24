"""What is said of schedulers over seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.plugins import PluginChoice
from carbonnas.record import StopReason
from carbonnas.report.simulation_model import CurvePoint, SimulatedRun
from carbonnas.simulation.comparison import compare, split_saving, spread
from carbonnas.simulation.setting import Competitor


def run(
    seed: int, kg: float, kwh: float, *curve: tuple[float, float, float, float], unpriced: float = 0.0
) -> SimulatedRun:
    points = tuple(CurvePoint(*point) for point in curve)
    return SimulatedRun(
        seed=seed,
        stop_reason=StopReason.PLAN_DONE,
        finish_h=10.0,
        emissions_kg=kg,
        energy_kwh=kwh,
        unpriced_kwh=unpriced,
        scorings=0,
        search_trainings=0,
        full_trainings=0,
        share=points[-1].share if points else 0.0,
        curve=points,
        suspensions=0,
        longest_wait_h=0.0,
        budget_violations=0,
        overshoot_g=0.0,
        training_slots=(1.0,),
    )


def competitor(name: str) -> Competitor:
    return Competitor(name, PluginChoice(name), uses_forecast=False)


def test_a_spread_has_the_usual_quantiles() -> None:
    found = spread([4.0, 1.0, 3.0, 2.0, 5.0])
    assert (found.low, found.q25, found.median, found.q75, found.high, found.known) == (1.0, 2.0, 3.0, 4.0, 5.0, 5)


def test_a_seed_without_the_figure_counts_as_larger_than_all_others() -> None:
    found = spread([1.0, None, 2.0, None])
    # Between 2 and a seed that never came there is no median, but there is a quartile between 1 and 2.
    assert (found.low, found.q25, found.median, found.high, found.known) == (1.0, 1.75, None, None, 2)


def test_nothing_at_all_has_no_spread() -> None:
    assert spread([]).median is None


AMOUNTS = st.floats(0.01, 1000.0)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_fewer_and_cleaner_joules_make_up_the_whole_saving(
    kg: float, kwh: float, blind_kg: float, blind_kwh: float
) -> None:
    split = split_saving(run(1, kg, kwh), run(1, blind_kg, blind_kwh))
    assert split is not None
    assert sum(split) == pytest.approx(blind_kg - kg, abs=1e-9 * (kg + blind_kg))


def test_the_same_energy_in_cleaner_hours_saves_by_cleaner_joules_alone() -> None:
    assert split_saving(run(1, 3.0, 10.0), run(1, 5.0, 10.0)) == pytest.approx((0.0, 2.0))


def test_less_energy_at_the_same_intensity_saves_by_fewer_joules_alone() -> None:
    assert split_saving(run(1, 3.0, 6.0), run(1, 5.0, 10.0)) == pytest.approx((2.0, 0.0))


def test_what_has_no_price_is_not_compared() -> None:
    assert split_saving(run(1, 3.0, 6.0, unpriced=0.1), run(1, 5.0, 10.0)) is None


def test_schedulers_are_compared_seed_by_seed() -> None:
    blind = (run(1, 10.0, 20.0, (1.0, 4.0, 8.0, 0.99)), run(2, 8.0, 20.0, (1.0, 4.0, 8.0, 0.5)))
    mine = (run(1, 7.0, 20.0, (2.0, 1.0, 4.0, 0.99)), run(2, 6.0, 20.0, (2.0, 1.0, 4.0, 0.99)))
    best = (run(1, 6.0, 20.0), run(2, 4.0, 20.0))
    rivals = [(competitor("carbon_blind"), blind), (competitor("mine"), mine), (competitor("oracle"), best)]
    first, second, last = compare(rivals, [0.98])
    # 3 of 4 kg and 2 of 4 kg that could have been saved: the median of 0.75 and 0.5.
    assert second.saving.clairvoyant_share.median == pytest.approx(0.625)
    assert second.saving.share.median == pytest.approx((0.3 + 0.25) / 2)
    assert last.saving.clairvoyant_share.median == 1.0
    assert first.saving.kg.median == 0.0
    (line,) = second.qualities
    assert line.kg.median == 1.0
    # Only the first seed of the blind search reached 0.98: four times the emissions, twice the energy.
    assert (line.times_less.low, line.fewer_joules.low, line.cleaner_joules.low) == (4.0, 2.0, 2.0)
    assert line.times_less.known == 1


def test_seeds_that_did_the_same_work_are_counted() -> None:
    blind = (run(1, 10.0, 20.0), run(2, 8.0, 20.0))
    mine = (blind[0], replace(blind[1], full_trainings=1))
    rivals = [(competitor("carbon_blind"), blind), (competitor("mine"), mine), (competitor("oracle"), blind)]
    assert [result.saving.same_work for result in compare(rivals, [])] == [2, 1, 2]


def test_an_oracle_that_saves_nothing_gives_no_share() -> None:
    same = (run(1, 5.0, 10.0),)
    rivals = [(competitor("carbon_blind"), same), (competitor("oracle"), same)]
    assert compare(rivals, [])[1].saving.clairvoyant_share.median is None


def test_curves_keep_what_was_reached_after_their_end() -> None:
    one = (run(1, 4.0, 8.0, (1.0, 1.0, 2.0, 0.5), (2.0, 2.0, 4.0, 0.8)),)
    grown = compare([(competitor("carbon_blind"), one), (competitor("oracle"), one)], [])[0].by_kg
    assert grown.at[0] == 0.0
    assert math.isclose(grown.at[-1], 4.0)
    assert (grown.median[0], grown.median[-1]) == (0.0, 0.8)
    assert list(grown.median) == sorted(grown.median)
