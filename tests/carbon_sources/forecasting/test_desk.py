"""Forecasts on demand: nothing before it is wanted, never blocked by learning."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from carbon_sources.errors import SourceUnavailableError
from carbon_sources.forecasting.desk import ForecastDesk, ForecastTimes, at_once, in_background
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

START = datetime(2021, 6, 1, tzinfo=UTC)


def series(first: int, last: int) -> IntensitySeries:
    return IntensitySeries(
        tuple(
            IntensitySample(
                Interval(START + hour * HOUR, START + (hour + 1) * HOUR),
                300.0 + hour,
                "Z",
                IntensityKind.AVERAGE,
                Basis.LIFECYCLE,
                Provenance.MEASURED,
                "fake",
            )
            for hour in range(first, last)
        )
    )


class Counting(Forecaster):
    """Expects how many hours it has learnt from, and notes what it was handed."""

    predictions: list[HourlyIntensity]

    def __init__(self) -> None:
        self.learnt = 0
        self.predictions = []

    def fit(self, history: HourlyIntensity) -> None:
        self.learnt = len(history.values)

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        self.predictions.append(history)
        return HourlyForecast(np.full(hours, float(self.learnt)), np.full((hours, len(LEVELS)), float(self.learnt)))


class Office:
    """A desk, the forecasters that it made and the spans that it asked for."""

    def __init__(self, run: Callable[[Callable[[], None]], None] = at_once) -> None:
        self.made: list[Counting] = []
        self.asked: list[tuple[datetime, datetime]] = []
        self.failure: Exception | None = None
        self.desk = ForecastDesk(
            self._make, "counting", self._past, ForecastTimes(5 * HOUR, 100 * HOUR, 24 * HOUR), run
        )

    def _make(self) -> Counting:
        self.made.append(Counting())
        return self.made[-1]

    def _past(self, start: datetime, end: datetime) -> IntensitySeries:
        self.asked.append((start, end))
        if self.failure:
            raise self.failure
        return series(-200, 200).between(start, end)

    def expects(self, hour: float) -> float | None:
        now = START + hour * HOUR
        forecast = self.desk.forecast(now, series(-10, int(hour) + 1))
        return None if forecast is None else forecast.series.samples[0].g_per_kwh


def test_nothing_is_learnt_before_a_forecast_is_wanted() -> None:
    office = Office()
    assert office.asked == []
    assert office.expects(0) == 100.0
    assert office.asked == [(START - 100 * HOUR, START)]


def test_a_forecast_is_issued_again_with_each_new_hour_and_not_in_between() -> None:
    office = Office()
    office.expects(0)
    office.expects(0.5)
    assert len(office.made[-1].predictions) == 1
    office.expects(1)
    assert len(office.made[-1].predictions) == 2


def test_the_forecaster_sees_all_that_was_learnt_from_and_what_came_since() -> None:
    office = Office()
    office.expects(0)
    office.expects(12)
    seen = office.made[-1].predictions[-1]
    assert seen.start == START - 100 * HOUR
    assert seen.values.tolist() == [300.0 + hour for hour in range(-100, 12)]


def test_it_learns_anew_once_a_day() -> None:
    office = Office()
    for hour in range(50):
        office.expects(hour)
    assert [asked[1] - START for asked in office.asked] == [0 * HOUR, 24 * HOUR, 48 * HOUR]


def test_a_decision_never_waits_for_learning() -> None:
    waiting: list[Callable[[], None]] = []
    office = Office(waiting.append)
    assert office.expects(0) == 0.0, "an unfitted forecaster does what it can"
    office.expects(1)
    assert len(waiting) == 1, "it learns once at a time"
    waiting.pop()()
    assert office.expects(1) == 100.0
    assert office.expects(30) == 100.0, "the one before goes on while the next one learns"


def test_learning_in_the_background_ends_in_a_better_forecast() -> None:
    done = threading.Event()

    def run(work: Callable[[], None]) -> None:
        def told() -> None:
            work()
            done.set()

        in_background(told)

    office = Office(run)
    office.expects(0)
    assert done.wait(120)
    assert office.expects(0) == 100.0


def test_a_past_that_can_t_be_had_is_told_and_asked_for_again_within_the_hour() -> None:
    office = Office()
    office.failure = SourceUnavailableError("down")
    forecast = office.desk.forecast(START, IntensitySeries(()))
    assert forecast is None
    assert office.desk.problem is not None
    office.failure = None
    assert office.expects(0.5) == 0.0
    assert office.expects(1) == 100.0
    assert office.desk.problem is None
    assert timedelta(hours=1) == HOUR


@pytest.mark.parametrize("failure", [SourceUnavailableError("down"), RuntimeError("a bug")], ids=["outage", "bug"])
def test_that_it_could_not_learn_is_told_while_forecasts_go_on(failure: Exception) -> None:
    office = Office()
    assert office.expects(0) == 100.0
    office.failure = failure
    for hour in (24, 24.5, 25):
        assert office.expects(hour) == 100.0, "what was learnt before goes on"
        assert str(failure) in str(office.desk.problem)
    office.failure = None
    assert office.expects(26) == 100.0
    assert office.desk.problem is None


def test_a_failure_in_the_background_is_told_and_tried_again() -> None:
    ended: list[threading.Thread] = []

    def run(work: Callable[[], None]) -> None:
        ended.append(threading.Thread(target=work))
        ended[-1].start()
        ended[-1].join()

    office = Office(run)
    office.failure = RuntimeError("a bug")
    assert office.expects(0) == 0.0
    assert office.desk.problem == "the forecaster could not learn: failed while learning: RuntimeError: a bug"
    office.failure = None
    assert office.expects(1) == 100.0


class Broken(Counting):
    """Learns, and answers what is no forecast."""

    def __init__(self, answer: Callable[[int], HourlyForecast]) -> None:
        super().__init__()
        self._answer = answer

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return self._answer(hours)


def _raising(hours: int) -> HourlyForecast:
    raise KeyError(hours)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (_raising, "KeyError: 5"),
        (lambda hours: HourlyForecast(np.full(hours, np.nan), np.zeros((hours, len(LEVELS)))), "must be finite"),
        (lambda hours: HourlyForecast(np.full(hours, -1.0), np.zeros((hours, len(LEVELS)))), "at least zero"),
        (lambda hours: HourlyForecast(np.zeros(1), np.zeros((1, len(LEVELS)))), "5 hours were asked for"),
    ],
)
def test_a_broken_forecaster_is_told_and_stops_nothing(answer: Callable[[int], HourlyForecast], complaint: str) -> None:
    times = ForecastTimes(5 * HOUR, 100 * HOUR, 24 * HOUR)
    desk = ForecastDesk(lambda: Broken(answer), "broken", lambda *_: series(-50, 0), times, at_once)
    assert desk.forecast(START, series(-10, 0)) is None
    assert complaint in str(desk.problem)


ENDING = """
import threading
from carbon_sources.forecasting.desk import in_background

begun = threading.Event()

def learn():
    try:
        {work}
    finally:
        print("stopped")

in_background(learn)
begun.wait(240)
print("ending")
"""


def ended(work: str) -> subprocess.CompletedProcess[str]:
    code = ENDING.format(work=work)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)


def test_learning_is_stopped_when_the_process_ends() -> None:
    answer = ended("begun.set()\n        while True: pass")
    assert (answer.returncode, answer.stdout.split(), answer.stderr) == (0, ["ending", "stopped"], "")


@pytest.mark.torch
@pytest.mark.slow
def test_a_process_ends_well_within_the_training_of_a_network() -> None:
    work = """import torch
        network = torch.nn.Linear(500, 500)
        while True:
            network(torch.ones(500, 500)).sum().backward()
            begun.set()"""
    answer = ended(work)
    assert (answer.returncode, answer.stderr) == (0, "")
