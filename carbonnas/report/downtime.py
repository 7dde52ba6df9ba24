"""When nobody worked on a search, read from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter

from carbon_sources.interval import Interval
from carbonnas.record import SearchRecord
from carbonnas.report.formatting import duration, instant

_LEAST = timedelta(minutes=1)
"""A process that works on a search reads its meter more often, and each reading begins where the one before ended."""


def downtimes(record: SearchRecord) -> tuple[Interval, ...]:
    """Return the stretches of a search's life in which no process worked on it, longer than a minute, in order of time.

    It was killed or paused, waited for slots, or its machine was off: nothing was metered. Its life ends with its last reading while
    nobody has ended it. A search in replayed or simulated time has none, because its clock stands still while nobody works on it.
    """
    if record.clock is not None:
        return ()
    reached = record.started_at
    found: list[Interval] = []
    for metered in sorted((sample.interval for sample in record.measured), key=attrgetter("start")):
        if metered.start - reached > _LEAST:
            found.append(Interval(reached, metered.start))
        reached = max(reached, metered.end)
    if record.ended_at is not None and record.ended_at - reached > _LEAST:
        found.append(Interval(reached, record.ended_at))
    return tuple(found)


def in_all(stretches: Sequence[Interval]) -> timedelta:
    """Return how long the stretches are together."""
    return sum((stretch.duration for stretch in stretches), timedelta())


def lasted(stretches: Sequence[Interval]) -> str:
    """Return in words how long the stretches are together, at least one of them."""
    start = stretches[0].start
    return duration(Interval(start, start + in_all(stretches)))


def told(stretches: Sequence[Interval]) -> str:
    """Return one sentence on the stretches, at least one of them."""
    longest = max(stretches, key=lambda stretch: stretch.duration)
    when = f"from {instant(longest.start)} to {instant(longest.end)}"
    if len(stretches) > 1:
        when = f"in {len(stretches)} stretches, the longest {when}"
    return f"Nobody worked on it for {lasted(stretches)} {when}; nothing was drawn or counted then."
