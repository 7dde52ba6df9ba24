"""Backtests: what a forecaster is shown, when it is asked, and what becomes of its answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.errors import ForecastError, PluginError
from carbon_sources.forecasting.backtest import archived_expectations, expectations
from carbon_sources.forecasting.backtest_setting import (
    DAY,
    Recording,
    Setting,
    archived_issues,
    first_hour,
    regular_issues,
)
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.issue import issue
from carbon_sources.forecasting.provider import ArchivedForecasts
from carbon_sources.forecasting.scores import score
from carbon_sources.intensity import (
    Basis,
    Forecast,
    IntensityKind,
    IntensitySample,
    IntensitySeries,
    Provenance,
)
from carbon_sources.interval import HOUR, Interval

START = datetime(2021, 1, 1, tzinfo=UTC)
NAN = float("nan")


def series(values: Sequence[float], step: timedelta = HOUR, start: datetime = START) -> IntensitySeries:
    """Return samples of one length; NaN leaves a gap."""
    return IntensitySeries(
        tuple(
            IntensitySample(
                Interval(start + place * step, start + (place + 1) * step),
                value,
                "ZZ",
                IntensityKind.AVERAGE,
                Basis.LIFECYCLE,
                Provenance.MEASURED,
                "made up",
            )
            for place, value in enumerate(values)
            if value == value
        )
    )


def setting(values: Sequence[float], *issues: datetime, hours: int = 24, step: timedelta = HOUR) -> Setting:
    return Setting(Recording.of(series(values, step)), issues[0], issues, hours)


def certain(mean: Array) -> HourlyForecast:
    return HourlyForecast(mean, np.repeat(mean[:, None], len(LEVELS), axis=1))


class LastValue(Forecaster):
    """Expects the last hour for ever; keeps what it was shown."""

    def __init__(self) -> None:
        self.learnt: HourlyIntensity | None = None
        self.shown: list[HourlyIntensity] = []

    def fit(self, history: HourlyIntensity) -> None:
        self.learnt = history

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        self.shown.append(history)
        if not len(history.values) or np.isnan(history.values[-1]):
            raise ForecastError("the last hour is unknown")
        return certain(np.full(hours, history.values[-1]))


class Faulty(LastValue):
    """Answers what it is told to."""

    def __init__(self, answer: Callable[[int], HourlyForecast]) -> None:
        super().__init__()
        self._answer = answer

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return self._answer(hours)


class Stopwatch:
    """A clock that shows what it is told to, one reading after the other."""

    def __init__(self, *readings: float) -> None:
        self._readings = iter(readings)

    def __call__(self) -> float:
        return next(self._readings)


def test_a_forecaster_learns_what_ended_before_the_cut_and_is_shown_what_ended_before_each_issue() -> None:
    forecaster, first, second = LastValue(), START + 2 * DAY, START + 3 * DAY
    asked = setting([float(hour) for hour in range(120)], first, second)
    answers = expectations(forecaster, asked)
    assert forecaster.learnt is not None
    assert (forecaster.learnt.end, forecaster.learnt.values.tolist()) == (first, list(range(48)))
    assert [(shown.end, shown.now, len(shown.values)) for shown in forecaster.shown] == [
        (first, first, 48),
        (second, second, 72),
    ]
    assert answers.mean.tolist() == [[47.0] * 24, [71.0] * 24]
    assert asked.actual().tolist() == [list(range(48, 72)), list(range(72, 96))]


def test_yesterday_is_the_last_day_that_had_ended_again_and_again() -> None:
    asked = setting([float(hour) for hour in range(96)], START + 2 * DAY, hours=30)
    assert asked.yesterday().tolist() == [[*range(24, 48), *range(24, 30)]]


def test_yesterday_of_an_issue_within_an_hour_keeps_to_the_hours_of_the_day() -> None:
    asked = setting([float(hour) for hour in range(96)], START + 2 * DAY + timedelta(minutes=30), hours=24)
    # the first hour after 00:30 is that from 01:00, and the hour from 00:00 of yesterday is the last
    assert asked.yesterday().tolist() == [[*range(25, 48), 24]]
    assert asked.actual().tolist() == [list(range(49, 73))]


def test_an_issue_within_an_hour_is_answered_from_the_next_full_hour() -> None:
    forecaster = LastValue()
    asked = setting([float(hour) for hour in range(96)], START + 2 * DAY + timedelta(minutes=30), hours=3)
    answers = expectations(forecaster, asked)
    assert forecaster.shown[0].end == START + 2 * DAY
    assert answers.mean.shape == (1, 3)


def test_a_recording_that_began_today_has_no_yesterday_for_the_hours_before() -> None:
    asked = setting([float(hour) for hour in range(96)], START + timedelta(hours=2), hours=24)
    expected = [NAN] * 22 + [0.0, 1.0]
    np.testing.assert_array_equal(asked.yesterday(), [expected])


@pytest.mark.parametrize("minutes", [15, 30, 60, 180])
def test_rows_of_any_length_are_means_of_hours(minutes: int) -> None:
    rows = [float(100 + place % 7) for place in range(5 * 24 * 60 // minutes)]
    asked = setting(rows, START + 3 * DAY, step=timedelta(minutes=minutes))
    by_minute = np.repeat(rows, minutes)
    np.testing.assert_allclose(asked.actual()[0], by_minute.reshape(-1, 60).mean(axis=1)[72:96])


def test_gaps_stay_gaps_and_what_follows_the_recording_is_one() -> None:
    values = [float(hour) for hour in range(60)]
    values[50] = NAN
    actual = setting(values, START + 2 * DAY).actual()[0]
    np.testing.assert_array_equal(actual, [48, 49, NAN, *range(51, 60), *[NAN] * 12])


def test_a_row_that_had_not_ended_shows_in_no_hour_of_the_past() -> None:
    # rows of 3 h: at 04:00 that from 03:00 to 06:00 has not ended, although its first hour has
    recording = Recording.of(series([1.0, 2.0, 3.0], 3 * HOUR))
    past = recording.until(START + 4 * HOUR)
    np.testing.assert_array_equal(past.values, [1.0, 1.0, 1.0, NAN])


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from([15, 30, 60, 90, 180]), min_size=20, max_size=60),
    st.integers(min_value=1, max_value=30 * 60),
)
def test_what_is_shown_is_what_issuing_from_the_series_would_show(lengths: list[int], minute: int) -> None:
    samples: list[IntensitySample] = []
    at = START + timedelta(minutes=15)
    for place, length in enumerate(lengths):
        samples += series([100.0 + place], timedelta(minutes=length), at).samples
        at += timedelta(minutes=length)
    whole, now = IntensitySeries(tuple(samples)), START + timedelta(minutes=minute)
    searching, testing = LastValue(), LastValue()
    recording = Recording.of(whole)
    with contextlib.suppress(ForecastError):
        issue(searching, "last", whole, now, DAY)
    with contextlib.suppress(ForecastError):
        expectations(testing, Setting(recording, now, (now,), 24))
    if searching.shown:
        np.testing.assert_array_equal(testing.shown[0].values, searching.shown[0].values)
        assert testing.shown[0].now == searching.shown[0].now


def test_nothing_that_is_handed_out_leads_to_the_future() -> None:
    asked = setting([float(hour) for hour in range(96)], START + 2 * DAY)
    for shown in (asked.training(), asked.seen_at(asked.issues[0])):
        base = shown.values.base
        assert base is None or len(base) <= 48


def test_a_forecaster_that_writes_into_its_history_spoils_nobody_elses() -> None:
    class Vandal(LastValue):
        def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
            history.values[:] = 0.0
            return certain(np.zeros(hours))

    asked = setting([7.0] * 96, START + 2 * DAY)
    expectations(Vandal(), asked)
    assert expectations(LastValue(), asked).mean.tolist() == [[7.0] * 24]


def test_an_issue_with_nothing_to_go_by_is_counted_and_not_scored() -> None:
    values = [5.0] * 120
    values[47] = NAN
    asked = setting(values, START + 2 * DAY, START + 3 * DAY)
    answers = expectations(LastValue(), asked)
    assert answers.refusals == 1
    scores = score(asked.actual(), answers.mean, answers.quantiles, asked.yesterday())
    assert (scores.hours, scores.mae) == ((24,), (0.0,))


def test_a_forecaster_with_nothing_to_go_by_at_any_issue_fails() -> None:
    with pytest.raises(ForecastError, match="the last hour is unknown"):
        expectations(LastValue(), setting([*[1.0] * 40, *[NAN] * 32, *[1.0] * 24], START + 2 * DAY))


def test_a_crash_becomes_a_sentence_that_names_the_issue() -> None:
    def crash(_: int) -> HourlyForecast:
        raise ZeroDivisionError("no wind")

    with pytest.raises(PluginError, match=r"failed at the issue of 2021-01-03 00:00 UTC: ZeroDivisionError: no wind"):
        expectations(Faulty(crash), setting([1.0] * 96, START + 2 * DAY))


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda hours: certain(np.ones(hours - 1)), "24 hours were asked for"),
        (lambda hours: HourlyForecast(np.ones(hours), np.ones((hours, 3))), "24 hours were asked for"),
        (lambda hours: certain(np.full(hours, NAN)), "must be finite"),
        (lambda hours: certain(np.full(hours, -1.0)), "at least zero"),
        (lambda hours: HourlyForecast(np.ones(hours), np.tile(np.arange(7.0)[::-1], (hours, 1))), "decrease"),
    ],
    ids=["too short", "other levels", "not a number", "below zero", "crossing quantiles"],
)
def test_an_answer_that_is_no_forecast_is_refused(answer: Callable[[int], HourlyForecast], complaint: str) -> None:
    with pytest.raises(PluginError, match=complaint):
        expectations(Faulty(answer), setting([1.0] * 96, START + 2 * DAY))


def test_learning_is_timed_once_and_forecasting_by_the_median_issue() -> None:
    days = [START + day * DAY for day in (2, 3, 4)]
    # learning takes 5 s, the forecasts 1, 9 and 2 s
    clock = Stopwatch(0, 5, 10, 11, 20, 29, 30, 32)
    answers = expectations(LastValue(), setting([1.0] * 144, *days), monotonic=clock)
    assert (answers.fit_s, answers.predict_s) == (5, 2)


def test_progress_is_told_after_each_issue() -> None:
    told: list[int] = []
    expectations(LastValue(), setting([1.0] * 144, START + 2 * DAY, START + 3 * DAY), told=told.append)
    assert told == [1, 2]


def test_regular_issues_begin_at_the_first_midnight_and_end_before_the_end() -> None:
    start = datetime(2021, 7, 1, 6, tzinfo=UTC)
    days = regular_issues(start, datetime(2021, 7, 4, tzinfo=UTC), DAY)
    assert days == (datetime(2021, 7, 2, tzinfo=UTC), datetime(2021, 7, 3, tzinfo=UTC))
    assert regular_issues(days[0], days[1], 6 * HOUR) == tuple(days[0] + hours * HOUR for hours in (0, 6, 12, 18))
    assert regular_issues(start, start + HOUR, DAY) == ()


def archive(*issued: tuple[datetime, IntensitySeries]) -> ArchivedForecasts:
    forecasts = [Forecast(at, expected) for at, expected in issued]

    def newest(now: datetime) -> Forecast | None:
        return next((forecast for forecast in reversed(forecasts) if forecast.issued_at <= now), None)

    return newest


def test_archived_issues_are_those_from_the_start_until_before_the_end() -> None:
    days = [START + day * DAY for day in range(5)]
    issues = archive(*((day, series([1.0], start=day)) for day in days))
    assert archived_issues(issues, days[1], days[4]) == tuple(days[1:4])


def test_archived_forecasts_are_scored_as_they_stand_and_only_where_they_say_something() -> None:
    first, second = START + 2 * DAY, START + 3 * DAY + timedelta(minutes=30)
    # the second forecast begins an hour late, has a gap, and is shorter than what is asked for
    issues = archive(
        (first, series([110.0] * 24, start=first)),
        (second, series([NAN, 120.0, NAN, 120.0], start=first_hour(second))),
    )
    asked = setting([100.0] * 144, first, second)
    answers = archived_expectations(issues, asked)
    assert answers.quantiles is None
    np.testing.assert_array_equal(answers.mean[1], [NAN, 120.0, NAN, 120.0, *[NAN] * 20])
    scores = score(asked.actual(), answers.mean, None, asked.yesterday())
    assert scores.hours == (26,)
    assert scores.mape == pytest.approx(((24 * 10 + 2 * 20) / 26,))


def test_an_issue_before_the_archive_begins_has_no_forecast() -> None:
    asked = setting([100.0] * 144, START + 2 * DAY, START + 3 * DAY)
    late = archive((asked.issues[1], series([110.0] * 24, start=asked.issues[1])))
    assert archived_expectations(late, asked).refusals == 1
    with pytest.raises(ForecastError, match="no archived forecast"):
        archived_expectations(archive(), asked)
