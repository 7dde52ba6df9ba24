"""Sentences and shares: unknown is told as such, and what is drawn never leaves its frame."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Forecast, IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.daemon.control import BudgetView, EndedWindow
from carbonnas.record import SearchState, StopReason
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web import pages_words as words
from carbonnas.web.pages_charts import version_of
from carbonnas.web.pages_grids import grid_card
from carbonnas.web.pages_model import bars, budget_row, emitted, energy
from carbonnas.web.pages_now import headline, troubles
from schedulers.budget import BudgetState, EmissionBudget, Window
from schedulers.decision import Decision, Reason, ReasonCode
from tests.carbonnas.web.sketch import SketchControl, World

_NOW = datetime(2024, 5, 1, tzinfo=UTC)
_GRAMS = st.floats(0, 1e9)


@given(_GRAMS, _GRAMS, _GRAMS, st.floats(0.001, 1e9))
def test_a_budget_bar_never_leaves_its_frame(spent: float, reserved: float, doubt: float, limit: float) -> None:
    state = BudgetState(EmissionBudget(limit), spent, reserved, doubt_g=doubt)
    row = budget_row(BudgetView("daemon/any", None, None, state, None))
    assert 0 <= row.spent_share <= 100
    assert 0 <= row.reserved_share <= 100 - row.spent_share
    assert row.over == (limit - spent - doubt - reserved < 0)


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=20, seconds=40), "20 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=26, minutes=5), "1 d 2 h"),
        (timedelta(days=2, minutes=5), "2 d"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(span: timedelta, told: str) -> None:
    assert words.lasting(span) == told


@pytest.mark.parametrize(
    ("train", "score", "told"),
    [
        (0, 0, "Rests"),
        (2, 0, "Trains on up to 2 slots"),
        (0, 1, "Scores on up to 1 slot"),
        (1, 3, "Trains on up to 1 slot and scores on up to 3 slots"),
    ],
)
def test_a_decision_is_told_by_what_the_slots_may_do(train: int, score: int, told: str) -> None:
    assert words.action(Decision(train, score, Reason(ReasonCode.CLEAN, "clean"), _NOW)) == told


@given(st.text())
def test_a_sentence_keeps_its_words_and_ends(text: str) -> None:
    said = words.sentence(text)
    assert said == "" or said[-1] in ".!?"
    assert said.lower().rstrip(".").endswith(text.strip()[1:].lower().rstrip("."))


@pytest.mark.parametrize("reason", [None, *StopReason])
def test_every_end_has_words(reason: StopReason | None) -> None:
    assert words.ended(SearchState.STOPPED, reason).startswith("Stopped")


def test_emissions_are_unknown_where_no_energy_has_a_price() -> None:
    assert emitted(3.6e6, 0.0, 3.6e6) == "unknown"
    assert emitted(3.6e6, 12.0, 1.8e6) == "12.0 g CO₂e"
    assert emitted(0.0, 0.0, 0.0) == "0 g CO₂e"  # nothing was drawn: that is known
    assert energy(3.6e6, 1.8e6) == "1.00 kWh, 500 Wh of it not priced yet"  # 3.6 MJ are 1 kWh


def test_a_bar_counts_failures_as_done_and_is_never_longer_than_its_plan() -> None:
    counts = {(TrialKind.TRAIN, TrialState.COMPLETED): 7, (TrialKind.TRAIN, TrialState.FAILED): 2}
    scored, trained = bars(counts, {TrialKind.TRAIN: 8, TrialKind.SCORE: 4})
    assert trained.text == "9 of 9, 2 failed"  # more were done than were planned
    assert scored.text == "0 of 4"


def test_charts_are_drawn_anew_when_a_trial_ends_and_not_for_each_joule(world: World) -> None:
    status = world.status
    assert version_of(status) == version_of(replace(status, now=status.now + timedelta(seconds=5)))
    more = {**status.counts, (TrialKind.TRAIN, TrialState.FAILED): 9}
    assert version_of(status) != version_of(replace(status, counts=more))
    assert version_of(None) != version_of(status)


@pytest.mark.parametrize(
    ("spent_g", "unpriced_g", "at_end_g", "told"),
    [
        (120.0, 0.0, 90.0, "Prices came later: when it ended, 90.0 g counted."),
        (120.0, 0.0, 99.99, "Prices came later: when it ended, 99.9 g counted."),
        (120.0, 0.0, 120.0, "It was over when it ended."),
        (120.0, 0.0, 130.0, "It was over when it ended."),
        (120.0, 0.0, 110.0, "It was over when it ended, with 110 g, and prices that came later added to that."),
        (120.0, 30.0, 120.0, "It was over when it ended. Up to 30.0 g of it are for energy that has no price yet."),
    ],
)
def test_the_reason_why_a_window_is_over_is_what_is_known_of_it(
    spent_g: float, unpriced_g: float, at_end_g: float, told: str
) -> None:
    state = BudgetState(EmissionBudget(100.0, Window.DAY), spent_g, 0.0, None, unpriced_g)
    assert words.why_over(EndedWindow(state, at_end_g)) == told


def test_a_forecast_without_ups_and_downs_has_no_cleanest_stretch(control: SketchControl) -> None:
    grid = control.view().grids[0]
    observation, hour = grid.observation, timedelta(hours=1)
    samples = [
        replace(
            observation.series.samples[-1],
            interval=Interval(observation.now + n * hour, observation.now + (n + 1) * hour),
            g_per_kwh=value,
        )
        for n, value in enumerate((300.2, 299.9, 300.4))
    ]

    def told(**quantiles: Any) -> str:
        forecast = Forecast(observation.now, IntensitySeries(tuple(samples)), **quantiles)
        return words.expectation(replace(grid, observation=replace(observation, forecast=forecast)))

    assert told() == "Expected in the next 24 h: 300 g/kWh, the same at all hours."
    wide = told(levels=(0.05, 0.95), quantiles=((250.0, 350.0),) * 3)
    assert wide == "Expected in the next 24 h: 250 to 350 g/kWh, the same at all hours."


def test_a_grid_that_always_comes_late_is_expected_not_known(control: SketchControl) -> None:
    grid = control.view().grids[0]
    late = replace(grid, health=replace(grid.health, age=None), observation=replace(grid.observation, current=None))
    card = grid_card(late)
    assert (card.value, card.age) == ("unknown", "There is no value yet.")
    assert card.detail == "What is expected of the present: unknown."


def test_the_daemons_own_trouble_comes_first(control: SketchControl) -> None:
    view = control.view()
    slept = (view.now, timedelta(hours=2))
    told = [text for text, _ in troubles(replace(view, ready=False, trouble="it does not tick", stalled=slept))]
    assert told[0] == "it does not tick"
    assert "stood still for 2 h" in told[1]
    assert troubles(replace(view, ready=False))[0][0] == "the daemon is not ready yet"
    assert troubles(replace(view, stopping=True))[0][0] == "the daemon is stopping"


def test_a_standstill_is_told_for_a_day_after_its_end(control: SketchControl) -> None:
    view, day, lasted = control.view(), timedelta(days=1), timedelta(days=3)

    def told(ended_ago: timedelta) -> bool:
        stalled = (view.now - ended_ago - lasted, lasted)
        return any("stood still for 3 d" in text for text, _ in troubles(replace(view, stalled=stalled)))

    assert [told(timedelta(0)), told(day - timedelta(seconds=1)), told(day)] == [True, True, False]


def test_the_headline_counts_phases_and_tells_the_intensity(control: SketchControl) -> None:
    view = control.view()
    assert headline(view).startswith("1 running; the grid's intensity is ")
    assert headline(replace(view, searches=(), grids=())) == "no search is under way."
