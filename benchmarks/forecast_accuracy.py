"""The default forecaster against a ridge regression on the last 168 hours, side by side on recorded grids.

    python benchmarks/forecast_accuracy.py TRACE[:TRAIN_UNTIL[:UNTIL]] ...

A trace is any file that `carbonnas backtest` reads. All learn what lies before TRAIN_UNTIL (a date) and forecast 96 hours at each
midnight UTC until UNTIL; by default the second half of the trace. The reference is what a textbook gives: a linear model for
each lead, the last 168 hourly values as inputs, every hour of the training as an issue.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from carbon_sources.forecasting.backtest import expectations
from carbon_sources.forecasting.backtest_setting import Recording, Setting, regular_issues
from carbon_sources.forecasting.ensemble import Ensemble
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import filled
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.scores import score
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.providers.trace import TraceSource

HORIZON_H = 96
INPUTS_H = 168
PENALTY = 10.0


class TextbookRidge(Forecaster):
    """One standardised linear model for each lead."""

    def fit(self, history: HourlyIntensity) -> None:
        values = filled(history).values
        windows = np.lib.stride_tricks.sliding_window_view(values, INPUTS_H + HORIZON_H)
        self.mean, self.spread = values.mean(), values.std()
        scaled = (windows - self.mean) / self.spread
        inputs, targets = scaled[:, :INPUTS_H], scaled[:, INPUTS_H:]
        gram = inputs.T @ inputs + PENALTY * np.eye(INPUTS_H)
        self.weights: Array = np.linalg.solve(gram, inputs.T @ targets)

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        window = (filled(history).values[-INPUTS_H:] - self.mean) / self.spread
        mean = np.maximum(0.0, (window @ self.weights)[:hours] * self.spread + self.mean)
        return HourlyForecast(mean, np.repeat(mean[:, None], len(LEVELS), axis=1))


def setting(argument: str) -> Setting:
    path, *dates = argument.split(":")
    series = TraceSource(path=Path(path)).series
    start, end = series.samples[0].interval.start, series.samples[-1].interval.end
    train_until, until = start + (end - start) / 2, end
    for place, date in enumerate(dates):
        instant = datetime.fromisoformat(date).replace(tzinfo=UTC)
        train_until, until = (instant, until) if place == 0 else (train_until, instant)
    recording = Recording.of(series.before(until))
    return Setting(recording, train_until, regular_issues(train_until, until, timedelta(days=1)), HORIZON_H)


def report(argument: str) -> None:
    asked = setting(argument)
    print(f"{argument}: {len(asked.issues)} forecasts from {asked.issues[0]:%Y-%m-%d}")
    mape: dict[str, Array] = {}
    for name, forecaster in (("yesterday", Seasonal()), ("textbook ridge", TextbookRidge()), ("default", Ensemble())):
        expected = expectations(forecaster, asked)
        found = score(asked.actual(), expected.mean, None, asked.yesterday())
        mape[name] = np.array(found.mape, dtype=np.float64)
        days = "  ".join(f"{value:6.2f}" for value in mape[name])
        print(
            f"  {name:15} MAPE by day {days} %   fit {expected.fit_s:5.1f} s, predict {expected.predict_s or 0:.3f} s"
        )
    better = "  ".join(f"{value:6.1f}" for value in 100 * (1 - mape["default"] / mape["textbook ridge"]))
    print(f"  {'better by':15}             {better} %")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        report(given)
