"""How long a year of hourly decisions of each scheduler takes.

    python benchmarks/scheduler_speed.py [--repeat 5] [--json]

Of the repetitions the least counts: whatever else a machine does only ever adds to what processes take.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from carbon_sources.intensity import (
    Basis,
    Forecast,
    IntensityKind,
    IntensitySample,
    IntensitySeries,
    Provenance,
)
from carbon_sources.interval import Interval
from carbonnas.plugins import SCHEDULERS
from schedulers.budget import BudgetState, EmissionBudget, Window
from schedulers.decision import Progress, SchedulingContext
from schedulers.safety import SafetyLayer, SafetyLimits

START = datetime(2022, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
YEAR_H, PAST_H, AHEAD_H = 8760, 192, 96
OPTIONS: dict[str, dict[str, object]] = {"threshold": {"percentile": 40}}


def invented_grid() -> IntensitySeries:
    """Return hourly intensities with a day, weather of some days, and noise; made up, since only the time to decide is measured."""
    rng, weather, samples = random.Random(0), 0.0, []  # noqa: S311 - no secret
    for hour in range(YEAR_H + PAST_H + AHEAD_H):
        weather = 0.98 * weather + rng.gauss(0, 12)
        value = max(5.0, 300 + 120 * math.cos(math.tau * hour / 24) + weather + rng.gauss(0, 5))
        interval = Interval(START + hour * HOUR, START + (hour + 1) * HOUR)
        samples.append(
            IntensitySample(
                interval, value, "ZONE", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "invented"
            )
        )
    return IntensitySeries(tuple(samples))


def contexts(grid: IntensitySeries) -> Iterator[SchedulingContext]:
    """Yield a year of hours: 24 h of training left in 8 slots, two days to go, a new forecast each hour, a budget for each day."""
    budget = EmissionBudget(20_000.0, Window.DAY)
    for hour in range(PAST_H, PAST_H + YEAR_H):
        now = START + hour * HOUR
        progress = Progress(
            train_ready=20,
            score_ready=50,
            train_running=0,
            score_running=0,
            train_waiting_since=now,
            started_at=now - HOUR,
            deadline=now + 48 * HOUR,
            training_left=timedelta(hours=24 * 8),
            training_w=300.0,
            resting_w=50.0,
        )
        ahead = IntensitySeries(grid.samples[hour + 1 : hour + 1 + AHEAD_H])
        past = IntensitySeries(grid.samples[hour - PAST_H : hour])
        state = BudgetState(budget, 0.0, 0.0, budget.window_at(now))
        yield SchedulingContext(now, 8, grid.samples[hour], past, Forecast(now, ahead), (state,), progress, None)


def seconds_of_a_year(name: str, grid: IntensitySeries, year: list[SchedulingContext]) -> float:
    """Return the processor seconds of all decisions of a scheduler inside its safety layer."""
    services = {"actual": grid}
    scheduler = SafetyLayer(SCHEDULERS.create(name, OPTIONS.get(name, {}), services), SafetyLimits())
    scheduler.decide(year[0])
    began = time.process_time()
    for context in year:
        scheduler.decide(context)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a year of hourly decisions of each scheduler takes.")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--scheduler", action="append", help="only this one; may be given more than once")
    parser.add_argument("--repeat", type=int, default=1, help="how often each is measured")
    arguments = parser.parse_args()
    grid = invented_grid()
    year = list(contexts(grid))
    found = {
        name: min(seconds_of_a_year(name, grid, year) for _ in range(arguments.repeat))
        for name in arguments.scheduler or SCHEDULERS.names()
    }
    if arguments.json:
        print(json.dumps({"decisions": YEAR_H, "processor_s": {name: round(s, 3) for name, s in found.items()}}))
        return
    print(f"processor seconds of {YEAR_H} decisions")
    for name, seconds in found.items():
        print(f"{name:16} {seconds:8.2f}")


if __name__ == "__main__":
    main()
