"""How new an answer is and how far its forecast reaches: what is worth a remark, in the same words for every provider."""

from __future__ import annotations

from datetime import datetime, timedelta

from carbon_sources.answers.reading import Parsed
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import clock_text

SKEW = timedelta(minutes=1)
"""Two clocks that are further apart are worth a remark."""

LARGEST_SKEW = timedelta(minutes=15)
"""Two clocks are never further apart: what is stamped later than that belongs to a later time."""

_TOLERANCE = timedelta(hours=1)


def newest_remarks(newest: IntensitySample | None, now: datetime, stale: timedelta) -> tuple[str, ...]:
    """Return what is odd about how new the newest value is.

    Args:
        newest: The newest value that has begun, if there is any.
        now: The present.
        stale: How long after the end of its interval it is worth a remark that nothing newer is there.
    """
    if newest is None:
        return ("there is no recent value",)
    if now - newest.interval.end <= stale:
        return ()
    return (f"the newest value is old: it ended at {clock_text(newest.interval.end)}",)


def clock_remarks(made_at: datetime, now: datetime) -> tuple[str, ...]:
    """Return a remark if an answer was made later than `now` by the provider's clock."""
    if made_at - now <= SKEW:
        return ()
    minutes = (made_at - now) / timedelta(minutes=1)
    return (f"its answer was made {minutes:.0f} minutes after now: its clock is ahead, or now lies in the past",)


def forecast_at(
    expected: Parsed, made_at: datetime, now: datetime, *, horizon: timedelta, stale: timedelta
) -> tuple[Forecast | None, tuple[str, ...]]:
    """Return the newest forecast as one of the instant `now`, and what is odd about it.

    One that was made up to `LARGEST_SKEW` after `now` counts as issued `now`, because the two clocks differ; a later one is none of
    that instant.

    Args:
        expected: Its values.
        made_at: When the provider made it, by its own clock.
        now: The instant that is asked about.
        horizon: How far it was to reach.
        stale: From which age on it is worth a remark.
    """
    if made_at > now + LARGEST_SKEW:
        return None, (f"no forecast is to be had that was made by {clock_text(now)}",)
    issued_at = min(made_at, now)
    ahead = tuple(sample for sample in expected.samples if sample.interval.end > issued_at)
    remarks = [*clock_remarks(made_at, now)]
    if len(ahead) < len(expected.samples):
        remarks.append("the forecast begins before it was made; those values were left out")
    if now - made_at >= stale:
        remarks.append(f"the forecast is old: it was made at {clock_text(made_at)}")
    if not ahead:
        return None, (*remarks, "the forecast is empty")
    if ahead[-1].interval.end - issued_at < horizon - _TOLERANCE:
        remarks.append(f"the forecast is shorter than asked for: it ends at {clock_text(ahead[-1].interval.end)}")
    return Forecast(issued_at, IntensitySeries(ahead)), tuple(remarks)
