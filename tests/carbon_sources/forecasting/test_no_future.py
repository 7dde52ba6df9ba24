"""No forecaster's answer depends on what came after its issue, whichever way the future is changed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from carbon_sources.forecasting.backtest import Expectations, archived_expectations, expectations
from carbon_sources.forecasting.backtest_setting import Recording, Setting
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.issue import issue
from carbon_sources.forecasting.provider import ArchivedForecasts, Provider
from carbon_sources.groups import FORECASTERS
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

START = datetime(2021, 2, 1, tzinfo=UTC)
CUT = START + timedelta(days=70)
"""Enough to learn from, for all that learn."""
ISSUE = START + timedelta(days=72)
DAYS, HORIZON_H = 76, 48

SMALL: dict[str, dict[str, object]] = {
    "transformer": {"lookback_days": 3, "width": 4, "layers": 1, "members": 2, "steps": 10}
}
"""Options that make learning quick."""

MARKS = {"transformer": (pytest.mark.torch, pytest.mark.slow), "ensemble": (pytest.mark.slow,)}
NAMES = [pytest.param(name, marks=MARKS.get(name, ())) for name in FORECASTERS.names()]

Future = Callable[[Sequence[IntensitySample]], Sequence[IntensitySample]]


def sample(hour: int, value: float) -> IntensitySample:
    return IntensitySample(
        Interval(START + hour * HOUR, START + (hour + 1) * HOUR),
        value,
        "ZZ",
        IntensityKind.AVERAGE,
        Basis.LIFECYCLE,
        Provenance.MEASURED,
        "made up",
    )


@functools.cache
def recorded() -> tuple[IntensitySample, ...]:
    """Return days and nights with weather, and a few gaps."""
    noise = np.random.default_rng(7).normal(0, 25, 24 * DAYS).cumsum() * 0.2
    return tuple(
        sample(hour, max(5.0, 300 + 90 * math.sin(hour * math.tau / 24) + noise[hour]))
        for hour in range(24 * DAYS)
        if hour % 211 != 100
    )


def shuffled(future: Sequence[IntensitySample]) -> Sequence[IntensitySample]:
    order = np.random.default_rng(1).permutation(len(future))
    return [replace(one, g_per_kwh=future[other].g_per_kwh) for one, other in zip(future, order, strict=True)]


def garbage(future: Sequence[IntensitySample]) -> Sequence[IntensitySample]:
    return [replace(one, g_per_kwh=1e9 if place % 2 else 0.0) for place, one in enumerate(future)]


def shifted(future: Sequence[IntensitySample]) -> Sequence[IntensitySample]:
    return [replace(one, g_per_kwh=one.g_per_kwh + 500.0) for one in future]


def full_of_holes(future: Sequence[IntensitySample]) -> Sequence[IntensitySample]:
    return future[::5]


def missing(future: Sequence[IntensitySample]) -> Sequence[IntensitySample]:
    return future[:0]


FUTURES = [shuffled, garbage, shifted, full_of_holes, missing]


@functools.cache
def with_future(change: Future, now: datetime) -> IntensitySeries:
    """Return the recording with another continuation of what had not ended at `now`."""
    past = [one for one in recorded() if one.interval.end <= now]
    return IntensitySeries((*past, *change([one for one in recorded() if one.interval.end > now])))


@functools.cache
def archive(change: Future | None, known_until: datetime) -> ArchivedForecasts:
    """Return daily forecasts that are right but for 10 g/kWh; those issued later than `known_until` have another content."""
    forecasts = []
    for day in range(DAYS - 2):
        issued_at = START + timedelta(days=day)
        expected = [sample(24 * day + lead, 310.0 + lead + day) for lead in range(HORIZON_H)]
        if change is not None and issued_at > known_until:
            expected = list(change(expected))
        forecasts.append(Forecast(issued_at, IntensitySeries(tuple(expected))))

    def newest(now: datetime) -> Forecast | None:
        return next((forecast for forecast in reversed(forecasts) if forecast.issued_at <= now), None)

    return newest


def made(name: str, issues: ArchivedForecasts) -> Forecaster:
    return FORECASTERS.create(name, SMALL.get(name, {}), {"issues": issues})


def backtested(name: str, series: IntensitySeries, issues: ArchivedForecasts) -> Expectations:
    setting = Setting(Recording.of(series), CUT, (ISSUE, ISSUE + timedelta(hours=6.5)), HORIZON_H)
    if issubclass(FORECASTERS.load(name), Provider):
        return archived_expectations(issues, setting)
    return expectations(made(name, issues), setting)


@pytest.fixture(autouse=True)
def _same_bits(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("torch"):
        request.getfixturevalue("one_thread")


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_does_not_depend_on_what_had_not_ended_by_its_issue(name: str) -> None:
    truth = IntensitySeries(recorded())
    learnt = Recording.of(truth).until(CUT)
    forecaster = made(name, archive(None, ISSUE))
    forecaster.fit(learnt)
    for now in (ISSUE, ISSUE + timedelta(hours=6.5)):
        expected = issue(forecaster, name, truth, now, timedelta(hours=HORIZON_H))
        for change in FUTURES:
            other = made(name, archive(change, now)) if name == "provider" else forecaster
            assert issue(other, name, with_future(change, now), now, timedelta(hours=HORIZON_H)) == expected, change


@pytest.mark.parametrize("name", NAMES)
def test_a_backtest_shows_no_forecaster_what_had_not_ended_by_the_issue(name: str) -> None:
    expected = backtested(name, IntensitySeries(recorded()), archive(None, ISSUE))
    assert np.isfinite(expected.mean).all() or name == "provider"
    for place, now, changes in ((0, ISSUE, [garbage]), (1, ISSUE + timedelta(hours=6.5), [shuffled, missing])):
        for change in changes:
            other = backtested(name, with_future(change, now), archive(change, now))
            assert other.mean[: place + 1].tobytes() == expected.mean[: place + 1].tobytes(), change
            if expected.quantiles is not None and other.quantiles is not None:
                assert other.quantiles[: place + 1].tobytes() == expected.quantiles[: place + 1].tobytes(), change


@pytest.mark.parametrize("name", NAMES)
def test_what_was_learnt_does_not_depend_on_what_had_not_ended_by_the_cut(name: str) -> None:
    shown = Recording.of(IntensitySeries(recorded())).until(ISSUE)
    answers = []
    for series in (IntensitySeries(recorded()), *(with_future(change, CUT) for change in (shuffled, garbage))):
        forecaster = made(name, archive(None, ISSUE))
        forecaster.fit(Setting(Recording.of(series), CUT, (ISSUE,), HORIZON_H).training())
        answer = forecaster.predict(shown, HORIZON_H)
        answers.append(answer.mean.tobytes() + answer.quantiles.tobytes() + answer.counted.tobytes())
    assert len(set(answers)) == 1


@pytest.mark.parametrize("name", [name for name in NAMES if name.values[0] in {"ridge", "ensemble", "transformer"}])
def test_what_was_learnt_depends_on_what_had_ended_by_the_cut(name: str) -> None:
    shown = Recording.of(IntensitySeries(recorded())).until(ISSUE)
    answers = []
    for series in (IntensitySeries(recorded()), with_future(shuffled, START + timedelta(days=5))):
        forecaster = made(name, archive(None, ISSUE))
        forecaster.fit(Recording.of(series).until(CUT))
        answers.append(forecaster.predict(shown, HORIZON_H).mean.tobytes())
    assert len(set(answers)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_backtest_expects_what_a_search_would_have_expected(name: str) -> None:
    truth, issues = IntensitySeries(recorded()), archive(None, ISSUE)
    forecaster = made(name, issues)
    forecaster.fit(Recording.of(truth).until(CUT))
    tested = backtested(name, truth, issues)
    for place, now in enumerate((ISSUE, ISSUE + timedelta(hours=6.5))):
        searching = issue(forecaster, name, truth, now, timedelta(hours=HORIZON_H))
        begun = [one for one in searching.series if one.interval.start >= now]
        testing = tested.mean[place]
        compared = min(len(begun), len(testing), HORIZON_H - 7)
        assert [one.g_per_kwh for one in begun[:compared]] == testing[:compared].tolist()
