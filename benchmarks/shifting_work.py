"""Work that can be interrupted, done hour by hour as a policy decides, for `shifting.py`."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from benchmarks.shifting_forecasts import Issues
from carbon_sources.forecasting.backtest_setting import Recording
from carbon_sources.intensity import IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval
from schedulers.decision import Progress, SchedulingContext
from schedulers.scheduler import Scheduler

HISTORY_H = 168
"""How much of the past a policy is shown; a forecaster sees more."""

SHORTEST = timedelta(minutes=1)
"""Policies are asked no sooner again."""

NEGLIGIBLE = timedelta(seconds=1)
"""Work that is left by rounding."""

ZERO = timedelta(0)


class Present(enum.Enum):
    """What a policy is told of the hour that begins."""

    EXPECTED = "expected"
    """What its forecast expects: only hours that have ended are known."""
    MEASURED = "measured"
    """What will be measured, as where a trace is replayed; the forecast still comes from the hours before."""


@dataclass(frozen=True, slots=True)
class Work:
    """Hours of one slot, and hours until they are due."""

    hours: int
    due_h: int


@dataclass(frozen=True, slots=True)
class Done:
    """What became of the work of all starts, in g/kWh summed over its hours, and how often it was late."""

    g_per_kwh: float
    missed: int


class World:
    """A recorded grid by hours, and what is known of it at each.

    Args:
        recording: What was measured.
        present: What is told of the present hour.
    """

    def __init__(self, recording: Recording, present: Present) -> None:
        first = recording.series.samples[0]
        self.like = replace(first, source="recorded", provenance=Provenance.MEASURED)
        self.start = recording.hours.start
        self.values = recording.hours.values
        self._present = present
        self.actual = IntensitySeries(tuple(self._samples()))

    def _samples(self) -> Iterable[IntensitySample]:
        for hour, value in enumerate(self.values.tolist()):
            if math.isfinite(value):
                begin = self.start + hour * HOUR
                yield replace(self.like, interval=Interval(begin, begin + HOUR), g_per_kwh=value)

    def starts(self, span: Interval, work: Work) -> list[int]:
        """Return the midnights of a span from which every hour until the work is due is known, as indices of hours."""
        first, last = (span.start - self.start) // HOUR, (span.end - self.start) // HOUR
        midnights = [hour for hour in range(first, last - work.due_h + 1) if (self.start + hour * HOUR).hour == 0]
        return [hour for hour in midnights if np.isfinite(self.values[hour : hour + work.due_h]).all()]

    def scenes(self, issues: Issues | None) -> Callable[[int], SchedulingContext]:
        """Return a function that gives what is known at an hour, but for the progress; it remembers the last few days."""

        @lru_cache(maxsize=128)
        def scene(hour: int) -> SchedulingContext:
            now = self.start + hour * HOUR
            forecast = None if issues is None else issues.at(now, self.like)
            present = self.actual.at(now)
            if self._present is Present.EXPECTED and forecast is not None:
                present = forecast.series.samples[0]
            history = self.actual.between(now - HISTORY_H * HOUR, now)
            return SchedulingContext(
                now, 1, present, history, forecast, (), _progress(now, now, ZERO, ZERO, running=False), None
            )

        return scene


def _progress(started: datetime, deadline: datetime, left: timedelta, done: timedelta, *, running: bool) -> Progress:
    return Progress(
        train_ready=int(not running),
        score_ready=0,
        train_running=int(running),
        score_running=0,
        train_waiting_since=None,
        started_at=started,
        deadline=deadline,
        training_left=left,
        training_width=1,
        training_w=1000.0,
        resting_w=0.0,
        training_done=done,
        time_to_finish=left,
    )


def work_off(
    policy: Scheduler, world: World, work: Work, starts: list[int], scene: Callable[[int], SchedulingContext]
) -> Done:
    """Do the work of each start as a policy decides, asked anew when it wants to be and at each full hour.

    What is late counts as missed and not in the sum.
    """
    total, missed = 0.0, 0
    for start in starts:
        began, deadline = world.start + start * HOUR, world.start + (start + work.due_h) * HOUR
        now, left, previous = began, work.hours * HOUR, None
        while left and now < deadline:
            hour = (now - world.start) // HOUR
            running = previous is not None and previous.train_slots > 0
            progress = _progress(began, deadline, left, work.hours * HOUR - left, running=running)
            previous = policy.decide(replace(scene(hour), now=now, progress=progress, previous=previous))
            until = min(max(previous.review_at, now + SHORTEST), world.start + (hour + 1) * HOUR)
            if previous.train_slots:
                worked = min(left, until - now)
                total += float(world.values[hour]) * (worked / HOUR)
                left -= worked
            now = until
        missed += left > NEGLIGIBLE
    return Done(total, missed)


def bounds(world: World, work: Work, starts: list[int]) -> tuple[float, float]:
    """Return the sums, in g/kWh over all hours of work, of working at once and of the cleanest hours there were."""
    windows = np.array([world.values[start : start + work.due_h] for start in starts])
    cleanest = np.sort(windows, axis=1)[:, : work.hours]
    return float(windows[:, : work.hours].sum()), float(cleanest.sum())


def share(done: Done, at_once: float, cleanest: float) -> float | None:
    """Return what was saved in % of what a clairvoyant saves; `None` if work was late or there was nothing to save."""
    if done.missed or at_once <= cleanest:
        return None
    return 100 * (1 - (done.g_per_kwh - cleanest) / (at_once - cleanest))
