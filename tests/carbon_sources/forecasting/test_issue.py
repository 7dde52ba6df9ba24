"""A forecast knows what had ended by its issue, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.issue import issue
from carbon_sources.forecasting.provider import Provider
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

START = datetime(2021, 6, 1, tzinfo=UTC)


def sample(hour: int, value: float) -> IntensitySample:
    interval = Interval(START + hour * HOUR, START + (hour + 1) * HOUR)
    return IntensitySample(interval, value, "Z", IntensityKind.AVERAGE, Basis.DIRECT, Provenance.MEASURED, "fake")


def series(*values: float) -> IntensitySeries:
    return IntensitySeries(tuple(sample(hour, value) for hour, value in enumerate(values)))


class Recorder(Forecaster):
    """Expects 7 for ever, and notes what it was handed."""

    def __init__(self) -> None:
        self.seen: list[HourlyIntensity] = []

    def fit(self, history: HourlyIntensity) -> None:
        self.seen.append(history)

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        self.seen.append(history)
        return HourlyForecast(np.full(hours, 7.0), np.tile(np.arange(1.0, len(LEVELS) + 1), (hours, 1)))


def test_a_forecast_carries_zone_kind_and_basis_and_says_who_expects() -> None:
    made = issue(Recorder(), "recorder", series(*range(30)), START + 24 * HOUR, 2 * HOUR)
    assert made.issued_at == START + 24 * HOUR
    assert [s.interval.start for s in made.series] == [START + 24 * HOUR, START + 25 * HOUR]
    first = made.series.samples[0]
    assert (first.zone, first.kind, first.basis) == ("Z", IntensityKind.AVERAGE, Basis.DIRECT)
    assert (first.provenance, first.source, first.g_per_kwh) == (Provenance.ESTIMATED, "forecast: recorder", 7.0)
    assert made.levels == LEVELS
    assert made.upper(START + 24 * HOUR) == 7.0
    assert made.upper(START + 26 * HOUR) is None
    assert made.highest(START, START + 23 * HOUR) is None
    assert made.highest(START, START + 99 * HOUR) == 7.0


def test_the_hour_that_still_runs_is_expected_not_known() -> None:
    recorder = Recorder()
    made = issue(recorder, "recorder", series(*range(30)), START + 24.5 * HOUR, 2 * HOUR)
    assert recorder.seen[0].values.tolist() == [float(v) for v in range(24)]
    assert [s.interval.start for s in made.series] == [START + (24 + h) * HOUR for h in range(3)]
    assert made.issued_at == START + 24.5 * HOUR


def test_unknown_hours_at_the_end_are_handed_over_as_unknown() -> None:
    recorder = Recorder()
    issue(recorder, "recorder", series(1.0, 2.0), START + 5 * HOUR, HOUR)
    assert np.isnan(recorder.seen[0].values[2:]).all()
    assert recorder.seen[0].end == START + 5 * HOUR


def test_without_any_past_there_is_no_forecast() -> None:
    with pytest.raises(ForecastError, match="nothing is known"):
        issue(Recorder(), "recorder", series(*range(30)), START, HOUR)


def issued(at: int, *values: float) -> Forecast:
    samples = tuple(sample(at + hour, value) for hour, value in enumerate(values))
    return Forecast(START + at * HOUR, IntensitySeries(samples))


def test_the_provider_is_passed_on_as_of_the_issue() -> None:
    issues = {2: issued(2, 10.0, 20.0, 30.0), 4: issued(4, 1.0, 2.0)}
    newest = Provider(lambda now: max((f for f in issues.values() if f.issued_at <= now), key=lambda f: f.issued_at))
    made = issue(newest, "provider", series(*range(9)), START + 3 * HOUR, 2 * HOUR)
    assert [s.g_per_kwh for s in made.series] == [20.0, 30.0]
    assert made.upper(START + 3 * HOUR) == 20.0


def test_a_provider_whose_forecast_is_too_short_goes_on_with_its_last_day() -> None:
    day = [float(v) for v in range(100, 124)]
    made = issue(Provider(lambda _: issued(3, *day)), "provider", series(*range(9)), START + 3 * HOUR, 50 * HOUR)
    assert [s.g_per_kwh for s in made.series] == [*day, *day, 100.0, 101.0]


def test_a_provider_without_a_forecast_is_said_to_have_none() -> None:
    for nothing in (lambda _: None, lambda _: issued(-9, 1.0)):
        with pytest.raises(ForecastError, match="the provider has no forecast"):
            issue(Provider(nothing), "provider", series(*range(9)), START + 3 * HOUR, HOUR)


@pytest.mark.parametrize("within", [True, False])
def test_a_provider_may_begin_within_the_hour_under_way_or_at_its_end(*, within: bool) -> None:
    now = START + 3.7 * HOUR
    told = [replace(one, interval=Interval(now, START + 4 * HOUR)) for one in series(5.0)] if within else []
    forecast = Forecast(now, IntensitySeries((*told, sample(4, 10.0), sample(5, 20.0))))
    made = issue(Provider(lambda _: forecast), "provider", series(*range(3)), now, 2 * HOUR)
    assert [s.g_per_kwh for s in made.series] == [10.0, 10.0, 20.0]
    # An hour that nobody speaks of, and that has not begun, is no such case.
    with pytest.raises(ForecastError, match="the provider has no forecast"):
        issue(Provider(lambda _: forecast), "provider", series(*range(3)), START + 3 * HOUR, 2 * HOUR)


class Skewed(Recorder):
    """Expects 7 for ever, and 9 on average."""

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        return replace(super().predict(history, hours), average=np.full(hours, 9.0))


def test_a_forecast_carries_averages_where_they_are_told_apart() -> None:
    plain, skewed = (issue(made(), "fake", series(1.0), START + HOUR, 2 * HOUR) for made in (Recorder, Skewed))
    assert plain.averages == ()
    assert skewed.averages == (9.0, 9.0)
    assert skewed.series == plain.series


def test_averages_belong_to_samples() -> None:
    with pytest.raises(ValueError, match="1 samples can't have 2 averages"):
        Forecast(START, series(1.0), averages=(1.0, 2.0))


def test_quantiles_belong_to_samples_and_levels() -> None:
    one = series(1.0)
    with pytest.raises(ValueError, match="1 samples can't have 0 sets"):
        Forecast(START, one, (0.5,))
    with pytest.raises(ValueError, match="needs 1 quantiles"):
        Forecast(START, one, (0.5,), ((1.0, 2.0),))
    assert Forecast(START, one).upper(START) is None
    assert timedelta(hours=1) == HOUR
