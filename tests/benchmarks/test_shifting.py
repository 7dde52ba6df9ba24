from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shifting_forecasts import Issues, Plan, issued_every_hour, kept
from benchmarks.shifting_work import Present, Work, World, bounds, share, work_off
from carbon_sources.forecasting.backtest_setting import Recording
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.interval import HOUR, Interval
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.policies.carbon_blind import CarbonBlind
from schedulers.policies.oracle import Oracle
from schedulers.policies.suspend_resume import SuspendResume
from schedulers.scheduler import Scheduler
from schedulers.testing import hourly

START = datetime(2022, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SIX_IN_A_DAY = Work(6, 24)


def _recording(days: int) -> Recording:
    """Return the same course of each day, clean in the afternoon, on a level that differs from day to day."""
    shape = [300 + 100 * math.cos(2 * math.pi * hour / 24) + 7 * (hour // 24 % 5) for hour in range(24 * days)]
    return Recording.of(hourly(START, shape))


def _issues(recording: Recording, span: Interval) -> Issues:
    return issued_every_hour(Plan("yesterday", Seasonal, None), recording, span, lambda _: None)


def test_the_clairvoyant_saves_everything_and_who_works_at_once_nothing() -> None:
    world = World(_recording(6), Present.MEASURED)
    starts = world.starts(Interval(START, START + 6 * DAY), SIX_IN_A_DAY)
    at_once, cleanest = bounds(world, SIX_IN_A_DAY, starts)
    shares = [
        share(work_off(policy, world, SIX_IN_A_DAY, starts, world.scenes(None)), at_once, cleanest)
        for policy in (Oracle(world.actual), CarbonBlind())
    ]
    assert len(starts) == 6
    assert shares == pytest.approx([100.0, 0.0])


def test_a_forecast_that_knows_the_course_of_the_day_saves_everything_where_all_days_are_alike() -> None:
    recording = _recording(9)
    span = Interval(START + 5 * DAY, START + 9 * DAY)
    for present in Present:
        world = World(recording, present)
        starts = world.starts(span, SIX_IN_A_DAY)
        done = work_off(SuspendResume(), world, SIX_IN_A_DAY, starts, world.scenes(_issues(recording, span)))
        found = share(done, *bounds(world, SIX_IN_A_DAY, starts))
        assert found is not None
        # The level of the day before is another one, so that single hours at the edge may be mistaken.
        assert found > 90.0


def test_forecasts_know_nothing_of_what_comes_after_their_issue() -> None:
    recording, span = _recording(8), Interval(START + 4 * DAY, START + 5 * DAY)
    before = _issues(recording, span)
    changed = recording.hours.values.copy()
    changed[24 * 4 + 12 :] = 999.0
    after = _issues(Recording.of(hourly(START, changed.tolist())), span)
    assert np.array_equal(before.mean[:13], after.mean[:13])
    assert not np.array_equal(before.mean[13], after.mean[13])


class HalfHours(Scheduler):
    """Works in the first half of each hour."""

    def decide(self, context: SchedulingContext) -> Decision:
        first = context.now.minute == 0
        return Decision(int(first), 0, Reason(ReasonCode.PLAN, ""), context.now + HOUR / 2)


def test_a_policy_may_work_for_a_part_of_an_hour() -> None:
    world = World(_recording(1), Present.MEASURED)
    done = work_off(HalfHours(), world, SIX_IN_A_DAY, [0], world.scenes(None))
    assert done.missed == 0
    assert done.g_per_kwh == pytest.approx(world.values[:12].sum() / 2)  # 12 halves are 6 h
    late = work_off(HalfHours(), world, Work(13, 24), [0], world.scenes(None))
    assert late.missed == 1


def test_starts_with_an_unknown_hour_before_the_work_is_due_are_left_out() -> None:
    recording = _recording(4)
    recording.hours.values[30] = np.nan
    world = World(recording, Present.MEASURED)
    span = Interval(START, START + 4 * DAY)
    assert world.starts(span, SIX_IN_A_DAY) == [0, 48, 72]
    assert world.starts(span, Work(24, 48)) == [48]


def test_kept_forecasts_are_read_again(tmp_path: Path) -> None:
    recording, span = _recording(4), Interval(START + 2 * DAY, START + 2 * DAY + 3 * HOUR)
    path = tmp_path / "kept" / "issues.npz"
    made = kept(path, lambda: _issues(recording, span))
    read = kept(path, lambda: pytest.fail("made again"))
    assert (read.name, read.first) == (made.name, made.first)
    assert np.array_equal(read.mean, made.mean)
    assert np.array_equal(read.quantiles, made.quantiles)


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_the_figures(tmp_path: Path) -> None:
    trace, figures = tmp_path / "zone.csv", tmp_path / "figures.json"
    samples = _recording(16).series
    with trace.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["datetime", "carbon_intensity"])
        rows.writerows([sample.interval.start.isoformat(), sample.g_per_kwh] for sample in samples)
    command = [sys.executable, "-m", "benchmarks.shifting", f"{trace}:2022-01-14", "--forecaster", "persistence"]
    command += ["--policies", "suspend_resume", "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    assert "6 h in 24 h, 3 starts" in done.stdout
    work = json.loads(figures.read_text())["traces"][0]["work"]
    assert [(each["hours"], each["due_h"], each["starts"]) for each in work] == [(24, 48, 2), (6, 24, 3)]
    assert work[0]["share_of_clairvoyant_saving_pct"]["oracle"] == pytest.approx(100.0)
