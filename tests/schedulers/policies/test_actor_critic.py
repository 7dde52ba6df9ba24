"""The trained allocator: what it decides, and that it answers to the intensity on a zone that it never saw."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import Forecast, IntensitySeries
from carbon_sources.traces.columns import TraceOptions
from carbon_sources.traces.reader import read_trace
from schedulers.decision import Progress, ReasonCode, SchedulingContext
from schedulers.policies.actor_critic import ActorCritic
from schedulers.policies.actor_critic_network import CHECKPOINT
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import BLIND
from schedulers.testing import NOW, SchedulerConformance, contexts, hourly, sample

HOUR = timedelta(hours=1)
SLOTS = 10
POLICY = ActorCritic()
BUSY = Progress(
    train_ready=99,
    score_ready=99,
    train_running=0,
    score_running=0,
    train_waiting_since=NOW,
    started_at=NOW - 24 * HOUR,
    deadline=NOW + 48 * HOUR,
    training_left=24 * SLOTS * HOUR,
    share_done=0.5,
)
"""Half of the slot time until the deadline is needed."""
WAVE = [300.0 + 100.0 * np.sin(2 * np.pi * hour / 24) for hour in range(240)]


def context(g_per_kwh: float | None = 300.0, **changes: Any) -> SchedulingContext:
    values: dict[str, Any] = {
        "now": NOW,
        "slots": SLOTS,
        "intensity": None if g_per_kwh is None else sample(NOW, HOUR, g_per_kwh),
        "history": hourly(NOW - 168 * HOUR, WAVE[:168]),
        "forecast": Forecast(NOW, hourly(NOW, WAVE[168:240])),
        "budgets": (),
        "progress": BUSY,
        "previous": None,
    }
    return SchedulingContext(**(values | changes))


def trained(**changes: Any) -> list[int]:
    """Return the slots that train at 150, 200 .. 450 g/kWh."""
    return [POLICY.decide(context(float(g), **changes)).train_slots for g in range(150, 451, 50)]


class TestActorCritic(SchedulerConformance):
    def make(self) -> Scheduler:
        return ActorCritic()


def test_the_cleanest_hour_of_the_week_takes_nearly_all_slots_and_the_dirtiest_nearly_none() -> None:
    slots = trained()
    assert slots[0] >= 9
    assert slots[-1] <= 1
    decision = POLICY.decide(context(200.0))
    assert decision.reason.code is ReasonCode.LEARNED
    assert decision.train_slots + decision.score_slots == SLOTS
    assert decision.review_at == NOW + HOUR


@settings(max_examples=50, deadline=None)
@given(drawn=contexts(), levels=st.lists(st.integers(0, 900), min_size=2, max_size=6))
def test_a_dirtier_hour_never_gets_more_slots_when_all_else_is_equal(
    drawn: SchedulingContext, levels: list[int]
) -> None:
    known = replace(drawn, budgets=(), progress=BUSY)
    slots = [
        POLICY.decide(replace(known, intensity=sample(drawn.now, HOUR, float(level)))).train_slots
        for level in sorted(levels)
    ]
    assert slots == sorted(slots, reverse=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"forecast": None},
        {"progress": replace(BUSY, training_left=None)},
        {"progress": replace(BUSY, deadline=None)},
        {"progress": replace(BUSY, deadline=None, training_left=None)},
        {"progress": replace(BUSY, share_done=0.0)},
        {"history": hourly(NOW - 48 * HOUR, WAVE[120:168])},
        {"slots": 1, "progress": replace(BUSY, training_left=24 * HOUR)},
    ],
    ids=["no forecast", "unknown work", "no deadline", "neither", "at the begin", "two days of past", "one slot"],
)
def test_it_answers_to_the_intensity_whatever_else_is_missing(changes: dict[str, Any]) -> None:
    slots = trained(**changes)
    assert slots[0] - slots[-1] >= changes.get("slots", SLOTS) / 2


def test_work_that_needs_every_hour_until_the_deadline_gets_nearly_all_slots_on_a_dirty_grid() -> None:
    urgent = replace(BUSY, training_left=48 * SLOTS * HOUR)
    assert POLICY.decide(context(450.0, progress=urgent)).train_slots >= 8


def test_a_longer_stretch_waits_for_cleaner_hours() -> None:
    open_ended = context(progress=replace(BUSY, deadline=None))
    slots = [ActorCritic(stretch=stretch).decide(open_ended).train_slots for stretch in (1.0, 1.5, 2.0, 4.0, 8.0)]
    assert slots == sorted(slots, reverse=True)
    assert slots[0] - slots[-1] >= SLOTS / 2


def test_slots_that_can_not_train_at_the_same_time_are_not_shared() -> None:
    narrow = replace(BUSY, training_width=2, training_left=48 * HOUR)
    assert POLICY.decide(context(150.0, progress=narrow)).train_slots == 2


def test_nothing_is_trained_while_the_intensity_is_unknown() -> None:
    assert POLICY.decide(context(None)).reason.text.startswith(BLIND.text)
    assert POLICY.decide(context(None)).train_slots == 0


@pytest.mark.parametrize("hours", [0, 23])
def test_training_is_not_held_back_while_less_than_a_day_is_known(hours: int) -> None:
    decision = POLICY.decide(context(900.0, history=hourly(NOW - hours * HOUR, WAVE[:hours])))
    assert (decision.train_slots, decision.reason.code) == (SLOTS, ReasonCode.NO_HISTORY)


def test_samples_count_by_how_long_they_hold() -> None:
    halves = [sample(NOW - HOUR * (168 - i / 2), HOUR / 2, WAVE[i // 2]) for i in range(100)]
    mixed = IntensitySeries((*halves, *(hourly(NOW - 118 * HOUR, WAVE[50:168]))))
    for level in (200.0, 260.0, 330.0):
        assert POLICY.decide(context(level, history=mixed)) == POLICY.decide(context(level))


@pytest.mark.parametrize("options", [{"stretch": 0.9}, {"stretch": 1001.0}, {"review": timedelta(0)}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        ActorCritic(**options)


def test_what_is_shipped_is_small_and_the_file_that_the_note_tells_of() -> None:
    content = CHECKPOINT.read_bytes()
    assert len(content) < 100_000
    note = CHECKPOINT.with_name("PROVENANCE.md").read_text(encoding="utf-8")
    assert hashlib.sha256(content).hexdigest() in note


ELSEWHERE = Path(__file__).parents[4] / "shared" / "data" / "carbon"
ZONES = [
    "DK",
    *(
        pytest.param(
            zone,
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not ELSEWHERE.is_dir(), reason="needs the traces in ../shared/data/carbon"),
            ],
        )
        for zone in ("US-CAL-CISO", "DE-LU", "GB")
    ),
]


@cache
def trace(zone: str) -> IntensitySeries:
    if zone == "DK":
        return read_trace("bundled:DK_2019", TraceOptions()).series
    path = ELSEWHERE / f"{zone}_2021_2022_electricity_maps.csv.gz"
    return read_trace(path, TraceOptions(column="ci_lca_g_per_kwh")).series


def seen_at(zone: str, hour: int, left: int = 24 * SLOTS, hours_left: int = 48) -> SchedulingContext:
    """Return what is known at an hour of the trace: a week of the past, and a forecast that repeats the last day."""
    samples = trace(zone).samples
    past, present = samples[hour - 168 : hour], samples[hour]
    coming = (replace(samples[hour - 24 + lead % 24], interval=samples[hour + lead].interval) for lead in range(49))
    now = present.interval.start
    progress = replace(BUSY, training_left=left * HOUR, started_at=now, train_waiting_since=now)
    return SchedulingContext(
        now=now,
        slots=SLOTS,
        intensity=present,
        history=IntensitySeries(past),
        forecast=Forecast(now, IntensitySeries(tuple(coming))),
        budgets=(),
        progress=replace(progress, deadline=now + hours_left * HOUR),
        previous=None,
    )


def at_level(seen: SchedulingContext, g_per_kwh: float) -> SchedulingContext:
    assert seen.intensity is not None
    return replace(seen, intensity=replace(seen.intensity, g_per_kwh=g_per_kwh))


@pytest.mark.parametrize("zone", ZONES)
def test_on_traces_never_seen_training_falls_from_clean_to_dirty_by_more_than_half_of_the_slots(zone: str) -> None:
    slots = []
    for hour in range(200, len(trace(zone)) - 60, 171):
        seen = seen_at(zone, hour)
        ranked = sorted(past.g_per_kwh for past in seen.history)
        slots.append([POLICY.decide(at_level(seen, ranked[place])).train_slots for place in range(0, 168, 16)])
    means = np.mean(slots, axis=0)
    assert (np.diff(means) <= 0).all()
    assert means[0] - means[-1] >= SLOTS / 2


@pytest.mark.parametrize("zone", ZONES)
def test_at_equal_progress_the_cleaner_hours_of_those_traces_get_more_slots(zone: str) -> None:
    slots, places = [], []
    for hour in range(200, len(trace(zone)) - 60, 29):
        seen = seen_at(zone, hour)
        slots.append(POLICY.decide(seen).train_slots)
        places.append(np.mean([past.g_per_kwh < trace(zone).samples[hour].g_per_kwh for past in seen.history]))
    fifth = np.minimum(np.array(places) // 0.2, 4)
    means = [np.array(slots)[fifth == number].mean() for number in range(5)]
    assert means == sorted(means, reverse=True)
    assert means[0] - means[-1] >= SLOTS / 2


def spent_and_done(zone: str, begin: int, choose: Callable[[SchedulingContext], int]) -> list[tuple[float, int]]:
    """Return grams (at 1 kW a slot) and slot hours after each hour of 24 h of work on all slots due in 48 h, forced in time."""
    grams, left, line = 0.0, 24 * SLOTS, [(0.0, 0)]
    for hours_left in range(48, 0, -1):
        seen = seen_at(zone, begin + 48 - hours_left, left, hours_left)
        assert seen.intensity is not None
        forced = left - SLOTS * (hours_left - 1)
        done = min(left, max(choose(seen) if left else 0, forced))
        left, grams = left - done, grams + done * seen.intensity.g_per_kwh
        line.append((grams, 24 * SLOTS - left))
    return line


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_at_equal_carbon_it_does_more_than_slots_drawn_at_random(zone: str) -> None:
    """The released CE-NAS draws one of 1, 1, 2 .. 9 of ten slots in effect, whatever the grid is like."""
    rng = np.random.default_rng(7)
    ours_done: list[Any] = []
    random_done: list[Any] = []
    for begin in range(200, len(trace(zone)) - 150, 700):
        ours = spent_and_done(zone, begin, lambda seen: POLICY.decide(seen).train_slots)
        blind = spent_and_done(zone, begin, lambda _: max(1, int(rng.integers(0, 10))))
        limits = [blind[-1][0] * share for share in (0.25, 0.5, 0.75)]
        for line, results in ((ours, ours_done), (blind, random_done)):
            grams, done = zip(*line, strict=True)
            results.append(np.interp(limits, grams, done))
    assert (np.mean(ours_done, axis=0) > 1.02 * np.mean(random_done, axis=0)).all()
