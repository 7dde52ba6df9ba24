"""Grids, sources, forecasters and evaluators that do everything that they should not, drawn by lot and repeatable."""

from __future__ import annotations

import bisect
import enum
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from carbon_sources.errors import ForecastError, SourceAnswerError, SourceUnavailableError
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval
from carbon_sources.source import CarbonSource
from carbonnas.evaluation.evaluator import (
    Evaluation,
    EvaluationFailedError,
    EvaluationRequest,
    Evaluator,
    Session,
    SuspendedError,
)
from carbonnas.execution.workbench import Workbench
from carbonnas.trials import TrialKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """A value as it was published at an instant."""

    at: datetime
    sample: IntensitySample


@dataclass(frozen=True, slots=True)
class Told:
    """A value that a source told at an instant: that of the interval with a number, in its newest version."""

    at: datetime
    place: int
    g_per_kwh: float


@dataclass(frozen=True, slots=True)
class Grid:
    """What a grid is like, and when who says so.

    Attributes:
        start: Begin of the first interval.
        step: Length of each interval.
        versions: What is ever published of each interval, in order of time; nothing for a gap.
        outages: When a source of this grid fails.
    """

    start: datetime
    step: timedelta
    versions: tuple[tuple[Version, ...], ...]
    outages: tuple[Interval, ...]

    @property
    def end(self) -> datetime:
        return self.start + len(self.versions) * self.step

    @property
    def actual(self) -> IntensitySeries:
        """The last word on every interval."""
        return IntensitySeries(tuple(each[-1].sample for each in self.versions if each))

    @property
    def faults(self) -> int:
        """Outages, gaps, revisions and values that come after their interval has ended."""
        gaps = sum(not each for each in self.versions)
        revisions = sum(max(0, len(each) - 1) for each in self.versions)
        late = sum(bool(each) and each[0].at > each[0].sample.interval.end for each in self.versions)
        return len(self.outages) + gaps + revisions + late


class UnreliableSource(CarbonSource):
    """Tells of a grid what was published by then, unless it fails; remembers what it told."""

    zone = "LOT"
    kind = IntensityKind.AVERAGE
    basis = Basis.LIFECYCLE

    def __init__(self, grid: Grid) -> None:
        self.told: list[Told] = []
        self._grid = grid
        self._last_told: dict[int, Version] = {}

    def latest(self, now: datetime) -> IntensitySample | None:
        self._fail(now)
        for place in range(min(self._place(now), len(self._grid.versions) - 1), -1, -1):
            version = self._known(place, now)
            if version is not None:
                self._tell(place, version, now)
                return version.sample
        return None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        self._fail(end)
        found = self._between(start, end)
        for place, version in found:
            self._tell(place, version, end)
        return IntensitySeries(tuple(version.sample for _, version in found))

    def lesson(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return the history for a forecaster to learn from, of which nobody else hears."""
        self._fail(end)
        return IntensitySeries(tuple(version.sample for _, version in self._between(start, end)))

    def _between(self, start: datetime, end: datetime) -> list[tuple[int, Version]]:
        first, after = (
            max(0, self._place(start)),
            min(len(self._grid.versions), -(-(end - self._grid.start) // self._grid.step)),
        )
        known = ((place, self._known(place, end)) for place in range(first, after))
        return [(place, version) for place, version in known if version is not None]

    def _place(self, instant: datetime) -> int:
        return (instant - self._grid.start) // self._grid.step

    def _known(self, place: int, now: datetime) -> Version | None:
        return next((version for version in reversed(self._grid.versions[place]) if version.at <= now), None)

    def _tell(self, place: int, version: Version, now: datetime) -> None:
        if self._last_told.get(place) is not version:
            self._last_told[place] = version
            self.told.append(Told(now, place, version.sample.g_per_kwh))

    def _fail(self, now: datetime) -> None:
        number = bisect.bisect_right(self._grid.outages, now, key=lambda outage: outage.start) - 1
        if number >= 0 and self._grid.outages[number].contains(now):
            error = SourceUnavailableError if number % 2 else SourceAnswerError
            raise error("the lot has fallen on this source")


def draw_grid(rng: random.Random, start: datetime, end: datetime, step: timedelta) -> Grid:
    """Return a grid over a time with a course of the day, noise, jumps, zeros, wild values, gaps, late and revised values, and outages."""
    count = -(-(end - start) // step)
    values = _values(rng, count, step)
    late = _lateness(rng, step)
    gap_share, revised_share = rng.choice((0.0, 0.0, 0.02, 0.1)), rng.choice((0.0, 0.0, 0.05, 0.5))
    missing = _stretches(rng, count, gap_share, most=rng.randint(1, 40))
    versions = []
    for place, value in enumerate(values):
        interval = Interval(start + place * step, start + (place + 1) * step)
        told = () if place in missing else _versions(rng, interval, value, late=late, revised_share=revised_share)
        versions.append(told)
    return Grid(start, step, tuple(versions), _outages(rng, start, end))


def _values(rng: random.Random, count: int, step: timedelta) -> list[float]:
    level, swing, noise = rng.uniform(0, 800), rng.uniform(0, 1.2), rng.choice((0.0, 0.05, 0.3))
    phase, factor, values = rng.uniform(0, 24), 1.0, []
    for place in range(count):
        if rng.random() < 0.01:
            factor = rng.choice((0.1, 0.5, 1.0, 1.0, 2.0, 4.0))
        wave = 1 + swing * math.cos(math.tau * (place * step / HOUR + phase) / 24)
        value = max(0.0, level * factor * wave * (1 + rng.gauss(0, noise)))
        lot = rng.random()
        if lot < 0.01:
            value = 0.0 if lot < 0.005 else rng.uniform(0, 3000)
        values.append(round(value, 3))
    return values


def _lateness(rng: random.Random, step: timedelta) -> tuple[timedelta, timedelta]:
    """Return how long after the begin of an interval its value comes at least, and how much that varies."""
    usual = rng.choice((timedelta(0), timedelta(0), step, step + HOUR, step + rng.uniform(0, 12) * HOUR))
    return usual, rng.choice((0.0, 0.0, 1.0, 6.0)) * HOUR


def _versions(
    rng: random.Random, interval: Interval, value: float, *, late: tuple[timedelta, timedelta], revised_share: float
) -> tuple[Version, ...]:
    usual, spread = late
    at = interval.start + usual + rng.random() * spread
    versions = [Version(at, _sample(interval, value, Provenance.MEASURED))]
    if rng.random() < revised_share:
        changed = round(value * rng.choice((0.3, 0.8, 1.2, 3.0)), 3)
        versions.append(Version(at + rng.uniform(0.1, 40) * HOUR, _sample(interval, changed, Provenance.MEASURED)))
    return tuple(versions)


def _sample(interval: Interval, value: float, provenance: Provenance) -> IntensitySample:
    return IntensitySample(
        interval, value, UnreliableSource.zone, UnreliableSource.kind, UnreliableSource.basis, provenance, "lot"
    )


def _stretches(rng: random.Random, count: int, share: float, *, most: int) -> set[int]:
    """Return places in stretches of up to `most` that together make about a share of all."""
    found: set[int] = set()
    while len(found) < share * count:
        first = rng.randrange(count)
        found.update(range(first, min(count, first + rng.randint(1, most))))
    return found


def _outages(rng: random.Random, start: datetime, end: datetime) -> tuple[Interval, ...]:
    every = rng.choice((None, None, 48.0, 6.0))
    found: list[Interval] = []
    now = start
    while every is not None:
        begin = now + rng.expovariate(1 / every) * HOUR
        if begin >= end:
            break
        now = begin + max(0.01, rng.expovariate(1 / rng.choice((0.2, 3.0, 20.0)))) * HOUR
        found.append(Interval(begin, now))
    return tuple(found)


class Error(enum.Enum):
    """How a forecaster is wrong."""

    LOW = "low"
    HIGH = "high"
    MIRRORED = "mirrored"
    """What was dirty is expected to be clean."""
    RANDOM = "random"
    SILENT = "silent"
    """It never expects anything."""
    NONE = "none"
    """As it was the day before."""


class WrongForecaster(Forecaster):
    """Expects the day before, spoilt, and is sure of it: its quantiles lie within a few per cent."""

    def __init__(self, error: Error, seed: int) -> None:
        self._error = error
        self._seed = seed

    def fit(self, history: HourlyIntensity) -> None:
        """Learn nothing."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        known = history.values[~np.isnan(history.values)]
        if not len(known) or self._error is Error.SILENT:
            raise ForecastError("nothing can be expected")
        day = np.resize(known[-24:], hours)
        if self._error is Error.LOW:
            mean = 0.1 * day
        elif self._error is Error.HIGH:
            mean = 6.0 * day
        elif self._error is Error.MIRRORED:
            mean = day.max() + day.min() - day
        elif self._error is Error.RANDOM:
            hour = (history.end - EPOCH) // HOUR
            mean = np.random.default_rng([self._seed, hour]).uniform(0, 2 * known.mean() + 1, hours)
        else:
            mean = day
        return HourlyForecast(mean, mean[:, None] * np.linspace(0.95, 1.05, len(LEVELS)))


@dataclass(frozen=True, slots=True)
class Work:
    """How long the work takes.

    Attributes:
        seed: Decides everything.
        training_s: Seconds of a middling training of `epochs`.
        spread: How many times as long the longest takes, and the shortest this part of it; at least 1.
        epochs: Epochs of that training.
        scoring_s: Seconds of a scoring.
        failing: Share of the work that fails.
        interrupted: Share of the work that is interrupted when it is first tried.
    """

    seed: int
    training_s: float
    spread: float
    epochs: int
    scoring_s: float
    failing: float
    interrupted: float

    @property
    def longest_s(self) -> float:
        """Seconds of the longest training of `epochs`."""
        return self.training_s * self.spread


@dataclass(slots=True)
class DrawnEvaluator(Evaluator):
    """Results and times by lot, the same for the same architecture."""

    work: Work
    _tried: set[tuple[object, ...]] = field(default_factory=set, init=False)

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        del session
        key = (self.work.seed, request.kind.value, request.fidelity.epochs, *request.architecture)
        rng = random.Random(str(key))  # noqa: S311 -- repeatable
        if rng.random() < self.work.interrupted and key not in self._tried:
            self._tried.add(key)
            raise SuspendedError
        if rng.random() < self.work.failing:
            if rng.random() < 0.5:
                return Evaluation({"val_accuracy": math.nan}, 1.0)
            raise EvaluationFailedError("the lot has fallen on this evaluation")
        metrics = {"params": float(rng.randrange(1, 1000)), "val_accuracy": rng.random(), "test_accuracy": rng.random()}
        if request.kind is TrialKind.SCORE:
            return Evaluation(metrics, self.work.scoring_s * rng.uniform(0.5, 1.5))
        spread = self.work.spread ** rng.uniform(-1, 1)
        return Evaluation(metrics, self.work.training_s * spread * request.fidelity.epochs / self.work.epochs)


@dataclass(frozen=True, slots=True)
class DrawnWorkbench(Workbench):
    """Makes drawn evaluators."""

    work: Work

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        return dict.fromkeys(TrialKind, DrawnEvaluator(self.work))


def one_of(rng: random.Random, *choices: Sequence[float]) -> float:
    """Return a number between the two of one of the choices."""
    low, high = rng.choice(choices)
    return rng.uniform(low, high)
