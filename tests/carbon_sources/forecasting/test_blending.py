"""The provider's forecast counts as much as it has deserved of late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.forecasting.blending import PastIssues, blended
from carbon_sources.forecasting.ensemble import Ensemble
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

NOW = datetime(2021, 6, 1, tzinfo=UTC)
DAYS = 14


def issued(at: datetime, values: Array) -> Forecast:
    samples = tuple(
        IntensitySample(
            Interval(at + h * HOUR, at + (h + 1) * HOUR),
            max(0.0, float(value)),
            "Z",
            IntensityKind.AVERAGE,
            Basis.DIRECT,
            Provenance.ESTIMATED,
            "provider",
        )
        for h, value in enumerate(values)
        if np.isfinite(value)
    )
    return Forecast(at, IntensitySeries(samples))


class World:
    """A grid with a provider and a forecaster whose errors are ours to choose.

    Args:
        ours: Standard deviation of the forecaster's errors, g/kWh.
        theirs: That of the provider's.
        known_days: Days before now for which the provider's forecasts were kept.
    """

    def __init__(self, ours: float, theirs: float, known_days: int = DAYS, told_hours: int = 48) -> None:
        rng = np.random.default_rng(5)
        self.truth = 300 + 100 * np.sin(np.arange(24 * (DAYS + 4)) * 2 * np.pi / 24)
        self.kept: dict[datetime, Forecast] = {}
        ends = [NOW - (back + 1) * timedelta(days=1) for back in range(DAYS)]
        expected, actual = np.full((2, DAYS, 48), np.nan)
        for row, at in enumerate(ends):
            after = self._after(at)
            actual[row] = np.where(np.arange(48) < (NOW - at) // HOUR, after, np.nan)
            expected[row] = after + rng.normal(0, ours, 48)
            if row < known_days:
                self.kept[at] = issued(at, (after + rng.normal(0, theirs, 48))[:told_hours])
        self.past = PastIssues(ends, expected, actual)
        told = self._after(NOW) + rng.normal(0, theirs, 48)
        self.kept[NOW] = issued(NOW, told[:told_hours])
        mean = self._after(NOW) + rng.normal(0, ours, 48)
        self.own = HourlyForecast(mean, mean[:, None] + np.linspace(-50, 50, len(LEVELS)))

    def _after(self, at: datetime) -> Array:
        first = (at - NOW) // HOUR + 24 * DAYS
        after: Array = self.truth[first : first + 48]
        return after

    def issues(self, now: datetime) -> Forecast | None:
        return max((f for f in self.kept.values() if f.issued_at <= now), key=lambda f: f.issued_at, default=None)

    def blend(self) -> HourlyForecast:
        return blended(self.own, self.past, self.issues, NOW)

    def error(self, forecast: HourlyForecast) -> float:
        return float(np.abs(forecast.mean - self._after(NOW)).mean())


def test_a_provider_that_knows_better_is_followed_and_one_that_does_not_is_left_out() -> None:
    better, worse = World(ours=60.0, theirs=2.0), World(ours=2.0, theirs=60.0)
    assert better.error(better.blend()) < 4
    assert worse.error(worse.blend()) < 4
    assert np.allclose(worse.blend().mean, worse.own.mean, atol=3)


def test_two_that_err_alike_and_independently_are_better_together() -> None:
    at = World(ours=40.0, theirs=40.0)
    share = (at.blend().mean - at.kept[NOW].series.samples[0].g_per_kwh)[0] / (
        at.own.mean[0] - at.kept[NOW].series.samples[0].g_per_kwh
    )
    # Equal and independent errors: half of each, within what two weeks can tell.
    assert share == pytest.approx(0.5, abs=0.1)
    assert at.error(at.blend()) < at.error(at.own)


def test_the_band_is_narrowed_as_the_errors_were() -> None:
    at = World(ours=60.0, theirs=6.0)
    width = at.blend().quantiles[0, -1] - at.blend().quantiles[0, 0]
    assert 5 < width < 30, "of 100 g/kWh about a tenth"


def test_the_average_is_mixed_as_what_is_expected_is() -> None:
    at = World(ours=60.0, theirs=6.0)
    without = at.blend()
    at.own = replace(at.own, average=at.own.mean + 20.0)
    shares = (at.blend().counted - without.mean) / 20.0
    assert without.average is None
    assert (shares >= 0).all()
    assert shares.mean() < 0.1, "ours, of ten times the error, hardly counts"


def test_without_a_day_of_comparison_the_provider_does_not_count() -> None:
    at = World(ours=60.0, theirs=1.0, known_days=0)
    assert at.blend().mean.tolist() == at.own.mean.tolist()
    one = World(ours=60.0, theirs=1.0, known_days=1)
    # The first day could be compared once; the second day of that issue has not passed yet.
    assert one.blend().mean[24:].tolist() == one.own.mean[24:].tolist()
    assert np.abs(one.blend().mean - one.own.mean)[:24].max() > 1


def test_beyond_the_end_of_the_providers_forecast_ours_stands() -> None:
    at = World(ours=60.0, theirs=1.0, told_hours=30)
    made = at.blend()
    assert made.mean[30:].tolist() == at.own.mean[30:].tolist()
    assert made.quantiles[30:].tolist() == at.own.quantiles[30:].tolist()
    assert np.abs(made.mean - at.own.mean)[:24].max() > 1


def test_a_provider_without_a_present_forecast_changes_nothing() -> None:
    at = World(ours=60.0, theirs=1.0)
    del at.kept[NOW]
    # The newest that is left was issued a day ago and still speaks of today, but not of tomorrow.
    made = at.blend()
    assert made.mean[24:].tolist() == at.own.mean[24:].tolist()
    assert blended(at.own, at.past, lambda _: None, NOW) is at.own


@given(st.floats(0, 200), st.floats(0, 200), st.integers(0, DAYS))
def test_a_blend_keeps_what_every_forecast_promises(ours: float, theirs: float, known_days: int) -> None:
    made = World(ours, theirs, known_days).blend()
    assert np.isfinite(made.mean).all()
    assert (made.mean >= 0).all()
    assert (np.diff(made.quantiles, axis=1) >= 0).all()


def test_the_ensemble_mixes_in_what_the_provider_says() -> None:
    rng = np.random.default_rng(1)
    hours = np.arange(24 * 85)
    values = 500 + 100 * np.sin(hours * 2 * np.pi / 24) + 80 * np.repeat(rng.normal(0, 1, 85), 24)
    history = HourlyIntensity(NOW - 75 * timedelta(days=1), values[: 24 * 75])
    told: list[datetime] = []

    def seer(now: datetime) -> Forecast | None:
        first = (now - history.start) // HOUR
        return issued(now, values[first : first + 72]) if told else None

    ensemble = Ensemble(seer)
    ensemble.fit(history)
    alone = ensemble.predict(history, 48)
    told.append(NOW)
    together = ensemble.predict(history, 48)
    errors = [np.abs(forecast.mean - values[24 * 75 : 24 * 77]).mean() for forecast in (alone, together)]
    assert errors[1] < 0.1 * errors[0]
