"""What a search had drawn and emitted by any instant, read from its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from carbon_sources.units import J_PER_KWH
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Account
from carbonnas.trials import Trial, TrialKind

_HOUR_S = 3600.0
_Array = NDArray[np.float64]


class Drawn:
    """Sums over the entries of a ledger up to an instant; within an entry's interval the power is constant.

    Args:
        entries: The entries that count.
        start: The instant that hours are counted from.
    """

    def __init__(self, entries: Sequence[EmissionEntry], start: datetime) -> None:
        self._start = start
        spans = [entry.priced.sample.interval for entry in entries]
        begins = np.array([(span.start - start).total_seconds() for span in spans])
        ends = np.array([(span.end - start).total_seconds() for span in spans])
        joules = np.array([entry.priced.sample.joules for entry in entries])
        grams = np.array([entry.emissions_g or 0.0 for entry in entries])
        self._kwh = _Ramp(begins, ends, joules / J_PER_KWH)
        self._kg = _Ramp(begins, ends, grams / 1000.0)

    def kwh(self, instant: datetime) -> float:
        """Return the energy drawn by an instant."""
        return self._kwh.at((instant - self._start).total_seconds())

    def kg(self, instant: datetime) -> float:
        """Return the emissions by an instant."""
        return self._kg.at((instant - self._start).total_seconds())


class _Ramp:
    """A sum of amounts, each of which comes evenly between two instants.

    Args:
        begins: Shape (amounts,), seconds.
        ends: Shape (amounts,), seconds, each above its begin.
        amounts: Shape (amounts,).
    """

    def __init__(self, begins: _Array, ends: _Array, amounts: _Array) -> None:
        rates = amounts / (ends - begins) if len(amounts) else amounts
        knots, places = np.unique(np.concatenate((begins, ends)), return_inverse=True)
        steps = np.zeros(len(knots))
        np.add.at(steps, places[: len(begins)], rates)
        np.add.at(steps, places[len(begins) :], -rates)
        slopes = np.cumsum(steps)
        self._knots = knots
        self._sums = np.concatenate(([0.0], np.cumsum(slopes[:-1] * np.diff(knots)))) if len(knots) else knots

    def at(self, second: float) -> float:
        return float(self.along(np.array([second]))[0])

    def along(self, seconds: _Array) -> _Array:
        return np.interp(seconds, self._knots, self._sums, left=0.0) if len(self._knots) else np.zeros(len(seconds))


def training_slots(
    entries: Iterable[EmissionEntry], trials: Sequence[Trial], start: datetime, end: datetime
) -> tuple[float, ...]:
    """Return how many slots trained on average in each hour from `start` to `end`, the last one begun."""
    training = {trial.number for trial in trials if trial.kind is TrialKind.TRAIN}
    owned = (e for e in entries if e.owner.account is Account.TRIAL and e.owner.trial in training)
    spans = [entry.priced.sample.interval for entry in owned]
    begins = np.array([(span.start - start).total_seconds() for span in spans])
    ends = np.array([(span.end - start).total_seconds() for span in spans])
    marks_s = _HOUR_S * np.arange(1 - (start - end) // timedelta(hours=1), dtype=np.float64)
    busy_s = np.diff(_Ramp(begins, ends, ends - begins).along(marks_s))
    return tuple(round(float(value), 6) for value in busy_s / _HOUR_S)
