"""What a backtest asks: of which recording, at which instants, and how much of the past may be seen then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np

from carbon_sources.forecasting.hourly import LONGEST_HISTORY, Array, HourlyIntensity, hourly_means
from carbon_sources.forecasting.provider import ArchivedForecasts
from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import HOUR, full_hour

DAY = timedelta(days=1)


def first_hour(issue: datetime) -> datetime:
    """Return the begin of the first hour that begins at or after `issue`."""
    begin = full_hour(issue)
    return begin if begin == issue else begin + HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A series with its hourly means, which are reckoned once.

    Attributes:
        series: What is known, not empty.
        hours: The means of all hours that it touches.
    """

    series: IntensitySeries
    hours: HourlyIntensity

    @classmethod
    def of(cls, series: IntensitySeries) -> Recording:
        """Return a series, which must not be empty, with its hourly means."""
        start, end = series.samples[0].interval.start, series.samples[-1].interval.end
        return cls(series, hourly_means(series, full_hour(start), first_hour(end)))

    def until(self, now: datetime) -> HourlyIntensity:
        """Return the hourly means of the samples that had ended by `now`; nothing that is handed out leads to later ones."""
        start, known = self.hours.start, self.hours.until(now).values
        values = np.full(max(0, (full_hour(now) - start) // HOUR), np.nan)
        values[: len(known)] = known
        unfinished = self.series.at(now)
        if unfinished is not None and unfinished.interval.start < now:
            begin = max(start, full_hour(unfinished.interval.start))
            ended = self.series.between(begin, now).before(now)
            values[(begin - start) // HOUR :] = hourly_means(ended, begin, full_hour(now)).values
        return HourlyIntensity(start, values, now)


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What every forecaster of a backtest is asked.

    Attributes:
        recording: All that is known; what ends later than an issue is not shown to a forecaster.
        train_until: End of what forecasters learn from, UTC.
        issues: Instants of issue in their order, UTC.
        hours: Length of each forecast. Its first hour is the first that begins at or after the issue.
    """

    recording: Recording
    train_until: datetime
    issues: tuple[datetime, ...]
    hours: int

    def training(self) -> HourlyIntensity:
        """Return what had ended by the end of the training."""
        return self.recording.until(self.train_until)

    def seen_at(self, issue: datetime) -> HourlyIntensity:
        """Return what a forecaster is handed at an issue."""
        past = self.recording.until(issue)
        values = past.values[-(LONGEST_HISTORY // HOUR) :]
        return HourlyIntensity(past.end - len(values) * HOUR, values, issue)

    def actual(self) -> Array:
        """Return what came, shape (issues, hours), NaN where nothing is known."""
        hours = self.recording.hours
        begins = [(first_hour(issue) - hours.start) // HOUR for issue in self.issues]
        places = np.array(begins, dtype=np.intp)[:, None] + np.arange(self.hours)
        inside = (places >= 0) & (places < len(hours.values))
        picked: Array = np.where(inside, hours.values[np.where(inside, places, 0)], np.nan)
        return picked

    def yesterday(self) -> Array:
        """Return the values of the last 24 hours that had ended by the issue, again and again; shape (issues, hours)."""
        rows = np.full((len(self.issues), self.hours), np.nan)
        for row, issue in zip(rows, self.issues, strict=True):
            past = self.recording.until(issue)
            last = np.concatenate([np.full(24, np.nan), past.values])[-24:]
            begun = (first_hour(issue) - past.end) // HOUR
            row[:] = np.resize(np.roll(last, -begun), self.hours)
        return rows


def midnight(instant: datetime) -> datetime:
    """Return the first midnight UTC at or after `instant`."""
    begin = datetime.combine(instant, time.min, instant.tzinfo)
    return begin if begin == instant else begin + DAY


def regular_issues(start: datetime, end: datetime, every: timedelta) -> tuple[datetime, ...]:
    """Return the instants from the first midnight UTC at or after `start`, `every` apart, until before `end`."""
    first = midnight(start)
    return tuple(first + number * every for number in range(max(0, -(-(end - first) // every))))


def archived_issues(archive: ArchivedForecasts, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """Return the instants from `start` until before `end` at which the forecasts of an archive were issued, in order."""
    found: list[datetime] = []
    newest = archive(end - timedelta.resolution)
    while newest is not None and newest.issued_at >= start:
        found.append(newest.issued_at)
        newest = archive(newest.issued_at - timedelta.resolution)
    return tuple(reversed(found))
