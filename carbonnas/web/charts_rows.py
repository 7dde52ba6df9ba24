"""The numbers behind the chart of a grid."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.intensity import Forecast
from carbon_sources.monitor import Observation

_BEHIND = timedelta(days=1)
_AHEAD = timedelta(days=2)
_PRESENT_EVERY = timedelta(minutes=15)
"""So often the present moves on in the chart, so that it is not drawn at each step."""

Known = tuple[int, int, float]
Expected = tuple[int, int, float, float, float]


@dataclass(frozen=True, slots=True)
class GridRows:
    """What the chart of one grid shows; times in milliseconds since 1970, intensities in g/kWh.

    Attributes:
        known: Start, end and intensity of each interval that is known.
        expected: Start, end and expected intensity of each interval of the forecast, with the lowest and highest quantile; those are the
            expected value itself where no quantiles are told.
        now: The present.
    """

    known: tuple[Known, ...]
    expected: tuple[Expected, ...]
    now: int

    @property
    def version(self) -> str:
        """A short text that changes with the rows."""
        return hashlib.sha256(repr((self.known, self.expected, self.now)).encode()).hexdigest()[:12]


def grid_rows(observation: Observation) -> GridRows:
    """Return the last day and the two to come of what is known of a grid."""
    step = _PRESENT_EVERY.total_seconds()
    now = datetime.fromtimestamp(observation.now.timestamp() // step * step, tz=observation.now.tzinfo)
    past = observation.series.between(now - _BEHIND, observation.now)
    known = [(_ms(each.interval.start), _ms(each.interval.end), each.g_per_kwh) for each in past]
    return GridRows(tuple(_joined(known)), tuple(_expected(observation.forecast, now)), _ms(now))


def _joined(known: Sequence[Known]) -> list[Known]:
    """Put neighbours of the same intensity together: a constant grid is one line."""
    joined: list[Known] = []
    for start, end, value in known:
        if joined and joined[-1][1] == start and joined[-1][2] == value:
            joined[-1] = (joined[-1][0], end, value)
        else:
            joined.append((start, end, value))
    return joined


def _expected(forecast: Forecast | None, now: datetime) -> list[Expected]:
    if forecast is None:
        return []
    ranges: Sequence[Sequence[float]] = forecast.quantiles or list(itertools.repeat((), len(forecast.series)))
    return [
        (_ms(each.interval.start), _ms(each.interval.end), each.g_per_kwh, *_ends(values, each.g_per_kwh))
        for each, values in zip(forecast.series, ranges, strict=True)
        if each.interval.end > now and each.interval.start < now + _AHEAD
    ]


def _ends(quantiles: Sequence[float], mean: float) -> tuple[float, float]:
    return (quantiles[0], quantiles[-1]) if quantiles else (mean, mean)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
