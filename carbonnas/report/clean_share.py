"""How much of the energy was drawn while the grid was clean."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import HOUR, Interval, full_hour
from carbonnas.record import SearchRecord
from carbonnas.report.downtime import downtimes, lasted
from carbonnas.report.timeline import span


@dataclass(frozen=True, slots=True)
class CleanShare:
    """Share of the energy drawn in the cleanest half of the hours.

    Attributes:
        share: 0..1, or `None` if it can't be known; constant power gives 0.5.
        how: How it was computed, or why there is none.
    """

    share: float | None
    how: str


@dataclass(frozen=True, slots=True)
class _Hour:
    seconds: float
    g_per_kwh: float
    joules: float


def clean_share(record: SearchRecord) -> CleanShare:
    """Return the share of all energy (trials, overhead and idle) that was drawn in the cleanest half of the search's hours."""
    known = span(record)
    drawn = _joules_by_hour(record)
    if known is None or not math.fsum(drawn.values()) > 0:
        return CleanShare(None, "Not known: no energy has been accounted for yet.")
    hours = []
    for hour in _hours(known):
        mean = _mean_intensity(record, hour)
        if mean is None:
            return CleanShare(None, f"Not known: the intensity of the hour from {hour.start:%F %R} UTC is unknown.")
        hours.append(_Hour(hour.seconds, mean, drawn[full_hour(hour.start)]))
    how = (
        "Hours of the search in UTC, the first and last as far as they belong to it, in order of their mean intensity; the energy of "
        "those that make up the cleaner half of the time, an hour on the border (and hours of equal intensity) in proportion."
    )
    stretches = downtimes(record)
    if stretches:
        how += f" The {lasted(stretches)} in which nobody worked on it count as time without energy."
    return CleanShare(_cleaner_half_j(hours) / math.fsum(hour.joules for hour in hours), how)


def _hours(within: Interval) -> list[Interval]:
    """Cut `within` at full hours."""
    hours = []
    start = within.start
    while start < within.end:
        end = min(full_hour(start) + HOUR, within.end)
        hours.append(Interval(start, end))
        start = end
    return hours


def _joules_by_hour(record: SearchRecord) -> dict[datetime, float]:
    """Spread each ledger line evenly over its interval."""
    joules: dict[datetime, float] = defaultdict(float)
    for entry in record.entries:
        sample = entry.priced.sample
        hour = full_hour(sample.interval.start)
        if sample.interval.end <= hour + HOUR:  # nearly every line
            joules[hour] += sample.joules
            continue
        for part in _hours(sample.interval):
            joules[full_hour(part.start)] += sample.joules * part.seconds / sample.interval.seconds
    return joules


def _mean_intensity(record: SearchRecord, hour: Interval) -> float | None:
    """Return the mean over the time in which the intensity is known, or `None` if it is known at no time."""
    weighted = [
        (common.seconds, sample.g_per_kwh)
        for sample in record.intensities.between(hour.start, hour.end)
        if (common := sample.interval.intersection(hour)) is not None
    ]
    if not weighted:
        return None
    return math.fsum(seconds * value for seconds, value in weighted) / math.fsum(seconds for seconds, _ in weighted)


def _cleaner_half_j(hours: list[_Hour]) -> float:
    left_s = math.fsum(hour.seconds for hour in hours) / 2
    joules = 0.0
    ordered = sorted(hours, key=lambda hour: hour.g_per_kwh)
    for _, equal in itertools.groupby(ordered, key=lambda hour: hour.g_per_kwh):
        group = list(equal)
        group_s = math.fsum(hour.seconds for hour in group)
        part = min(1.0, left_s / group_s)
        joules += part * math.fsum(hour.joules for hour in group)
        left_s -= part * group_s
    return joules
