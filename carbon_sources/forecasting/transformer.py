"""A small transformer as forecaster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.gaps import DAY_H, Filled, filled
from carbon_sources.forecasting.hourly import HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.forecasting.spread import extended, forecast_around
from carbon_sources.forecasting.transformer_checkpoint import read_members, write_members
from carbon_sources.forecasting.transformer_members import Members
from carbon_sources.forecasting.transformer_network import NetworkShape
from carbon_sources.forecasting.transformer_training import TrainingSettings, learn
from carbon_sources.forecasting.transformer_windows import MAX_LAG_H, Windows

_DAYS_AHEAD = 4
_HEADS = 4
_DROPOUT = 0.3
_BATCH = 128
_LEARNING_RATE = 1e-3


class Transformer(Forecaster):
    """Expects what a few small transformers, each trained on other weeks of a year or so, expect on average.

    Four days are learnt, at any hour of issue; beyond them the last one is repeated. Where the networks have nothing to go by
    (less than about eight weeks to learn from, a history shorter than they look back or half unknown, values more than two
    days late) the forecast is that of `Seasonal`: a day like yesterday.

    The mean is trained on absolute errors: where errors are skewed it lies near the median. The width of the quantiles is set
    by the weeks that a network did not see.

    Args:
        lookback_days: Days that the networks look back, at least 3.
        width: Numbers per token, a multiple of 4.
        layers: Encoder layers, at least 1.
        members: Networks to average, at least 2.
        steps: Optimiser steps per network, at least 10.
        seed: Decides the weights, together with the history.
        checkpoint: A safetensors file of one zone: if it holds weights of the same settings, `fit` takes them and learns
            nothing; if not, `fit` learns and puts the weights there. Remove it to learn from newer hours. None keeps nothing.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        *,
        lookback_days: Annotated[int, Field(ge=3, le=60)] = 8,
        width: Annotated[int, Field(ge=4, le=256, multiple_of=_HEADS)] = 32,
        layers: Annotated[int, Field(ge=1, le=8)] = 2,
        members: Annotated[int, Field(ge=2, le=20)] = 4,
        steps: Annotated[int, Field(ge=10)] = 300,
        seed: Annotated[int, Field(ge=0)] = 0,
        checkpoint: Path | None = None,
    ) -> None:
        at_least = [(lookback_days, 3), (width, _HEADS), (layers, 1), (members, 2), (steps, 10), (seed, 0)]
        if any(number < least for number, least in at_least) or width % _HEADS:
            raise ValueError(
                "a transformer needs lookback_days >= 3, a multiple of 4 as width, layers >= 1, members >= 2, steps >= 10 and "
                f"seed >= 0, got {lookback_days}, {width}, {layers}, {members}, {steps} and {seed}"
            )
        shape = NetworkShape(lookback_days, _DAYS_AHEAD, width, layers, _HEADS, _DROPOUT)
        self._settings = TrainingSettings(shape, members, steps, _BATCH, _LEARNING_RATE, seed)
        self._checkpoint = checkpoint
        self._members: Members | None = None
        self._simple = Seasonal()

    def fit(self, history: HourlyIntensity) -> None:
        self._simple.fit(history)
        self._members = None if self._checkpoint is None else read_members(self._checkpoint, self._settings)
        if self._members is None:
            self._members = self._learn(history)

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        past = filled(history)
        if self._members is None or not self._enough(past):
            return self._simple.predict(history, hours)
        mean, quantiles = self._members.forecast(past, self._settings.shape)
        return forecast_around(extended(mean, hours), extended(quantiles, hours))

    def _learn(self, history: HourlyIntensity) -> Members | None:
        if not np.isfinite(history.values).any():
            return None
        past = filled(history)
        usual = float(past.values[past.known].mean())
        members = learn(Windows.of(past, self._settings.shape, usual), self._settings)
        if members is not None and self._checkpoint is not None:
            write_members(self._checkpoint, members, self._settings, history)
        return members

    def _enough(self, past: Filled) -> bool:
        back = self._settings.shape.days_back * DAY_H
        return past.lag <= MAX_LAG_H and len(past.values) >= back and 2 * int(past.known[-back:].sum()) >= back
