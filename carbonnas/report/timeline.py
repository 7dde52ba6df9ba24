"""The span of a search and the intensity over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.record import SearchRecord


def span(record: SearchRecord) -> Interval | None:
    """Return the time from the start of a search to its end, or to the last thing known of it while it runs.

    `None` while nothing is known of it beyond its start.
    """
    lines = [entry.priced.sample.interval for entry in record.entries]
    start = min([record.started_at, *(line.start for line in lines)])
    ends = [record.ended_at or record.started_at, *(line.end for line in lines), *(d.time for d in record.decisions)]
    return Interval(start, max(ends)) if max(ends) > start else None


@dataclass(frozen=True, slots=True)
class Profile:
    """Intensity over a span without gaps.

    Attributes:
        seconds: Lengths of the stretches of constant intensity, above zero, shape `n`.
        g_per_kwh: Their intensities, shape `n`.
    """

    seconds: NDArray[np.float64]
    g_per_kwh: NDArray[np.float64]

    def integral(self, at_s: NDArray[np.float64], *, parallel: int = 1) -> NDArray[np.float64]:
        """Return the integral of the intensity from the beginning to each of `at_s`, in g/kWh times seconds.

        With `parallel` above 1 each stretch counts as that many times as long: the slots laid end to end.
        """
        borders = np.concatenate(([0.0], np.cumsum(self.seconds * parallel)))
        values = np.concatenate(([0.0], np.cumsum(self.seconds * parallel * self.g_per_kwh)))
        return np.interp(at_s, borders, values)

    def cleanest_first(self) -> Profile:
        """Return the same stretches in ascending order of intensity."""
        order = np.argsort(self.g_per_kwh, kind="stable")
        return Profile(self.seconds[order], self.g_per_kwh[order])


def profile(series: IntensitySeries, start: datetime, end: datetime) -> Profile | None:
    """Return the intensity from `start` to `end`, or `None` if it is not known all the way."""
    cuts = [
        (max(sample.interval.start, start), min(sample.interval.end, end), sample.g_per_kwh)
        for sample in series.between(start, end)
    ]
    reached = start
    for begin, until, _ in cuts:
        if begin > reached:
            return None
        reached = until
    if reached < end or not cuts:
        return None
    seconds = np.array([(until - begin).total_seconds() for begin, until, _ in cuts])
    return Profile(seconds, np.array([value for _, _, value in cuts]))
