"""How well a source serves: what a person should know about it, in sentences."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.intensity import IntensitySample, IntensitySeries, Provenance

_STUCK = timedelta(hours=3)
"""So long a measured intensity never keeps the same value on a grid that moves."""

_TWO_HOURS_MIN = 120
_ZEROS = timedelta(hours=2)
_FAR_FROM_ZERO_G_PER_KWH = 50.0


class HealthState(enum.Enum):
    """How much can be relied upon."""

    OK = "ok"
    DEGRADED = "degraded"
    """Something is wrong or odd, but the present intensity is known."""
    BLIND = "blind"
    """The present intensity is unknown, and not just because the source always comes that late."""


@dataclass(frozen=True, slots=True)
class Health:
    """State of a source at an instant.

    Attributes:
        state: How much can be relied upon.
        sentences: What is wrong, odd or worth knowing, for a person.
        newest_end: End of the newest value's interval; `None` if there is no value at all.
        age: How long ago that was, at least zero; `None` likewise.
        failures: Questions without an answer since the last one that was answered.
        failing_since: When the first of those was asked.
        active_source: Who gave the newest value.
    """

    state: HealthState
    sentences: tuple[str, ...]
    newest_end: datetime | None
    age: timedelta | None
    failures: int
    failing_since: datetime | None
    active_source: str | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A run of questions without an answer.

    Attributes:
        since: When the first was asked, UTC.
        failures: How many there were.
        problem: Why the last one failed, in one sentence.
    """

    since: datetime
    failures: int
    problem: str


def assess(
    series: IntensitySeries, now: datetime, usual_delay: timedelta, *, outage: Outage | None, remarks: Sequence[str]
) -> Health:
    """Return the state of a source.

    Args:
        series: What is known.
        now: The present instant, UTC.
        usual_delay: How long after its interval a value usually is there.
        outage: What has failed since the last answer, if anything.
        remarks: What the source itself finds odd.
    """
    newest = series.samples[-1] if len(series) else None
    current = series.at(now)
    troubles = [*_failure(outage), *_lateness(newest, now, usual_delay), *_sameness(series), *remarks]
    notes = [] if current is None else _standing(current)
    state = HealthState.DEGRADED if troubles else HealthState.OK
    if current is None and outage is None and newest is not None and _is_usual(newest, now, usual_delay):
        notes.append(
            f"the newest value ended {_ago(newest, now)} ago, as is usual for this source: the present is expected, not known"
        )
    elif current is None:
        state = HealthState.BLIND
        troubles.insert(0, _blindness(newest, now))
    return Health(
        state=state,
        sentences=(*troubles, *notes),
        newest_end=None if newest is None else newest.interval.end,
        age=None if newest is None else max(timedelta(0), now - newest.interval.end),
        failures=0 if outage is None else outage.failures,
        failing_since=None if outage is None else outage.since,
        active_source=None if newest is None else newest.source,
    )


def _failure(outage: Outage | None) -> list[str]:
    if outage is None:
        return []
    times = "once" if outage.failures == 1 else f"{outage.failures} times"
    return [f"the source failed {times} since {outage.since:%Y-%m-%d %H:%M} UTC: {outage.problem}"]


def _blindness(newest: IntensitySample | None, now: datetime) -> str:
    if newest is None:
        return "the present intensity is unknown: the source has told no value yet"
    if newest.interval.end > now:
        return "the present intensity is unknown: there is a gap in what the source tells"
    return f"the present intensity is unknown: the newest value ended at {newest.interval.end:%Y-%m-%d %H:%M} UTC"


def _is_usual(newest: IntensitySample, now: datetime, usual_delay: timedelta) -> bool:
    """Say whether the next value need not be there yet."""
    return newest.interval.end <= now <= newest.interval.end + usual_delay + newest.interval.duration


def _ago(newest: IntensitySample, now: datetime) -> str:
    minutes = (now - newest.interval.end) / timedelta(minutes=1)
    return f"{minutes:.0f} min" if minutes < _TWO_HOURS_MIN else f"{minutes / 60:.1f} h"


def _lateness(newest: IntensitySample | None, now: datetime, usual_delay: timedelta) -> list[str]:
    if newest is None or now <= newest.interval.end or _is_usual(newest, now, usual_delay):
        return []
    late = now - newest.interval.end - usual_delay - newest.interval.duration
    return [f"the newest value is {late / timedelta(hours=1):.1f} h later than usual; the source may be stuck"]


def _sameness(series: IntensitySeries) -> list[str]:
    """Find values that stopped moving, and zeros after values that were far from it."""
    samples = series.samples
    if not samples or samples[-1].provenance is Provenance.ASSUMED:
        return []
    last = samples[-1]
    first = next((i for i in reversed(range(len(samples))) if samples[i].g_per_kwh != last.g_per_kwh), None)
    if first is None:
        return []
    lasting = last.interval.end - samples[first + 1].interval.start
    if last.g_per_kwh == 0 and samples[first].g_per_kwh >= _FAR_FROM_ZERO_G_PER_KWH and lasting >= _ZEROS:
        known = f"{samples[first].g_per_kwh:.0f} g/kWh"
        return [
            f"zero for {lasting / timedelta(hours=1):.1f} h after {known}: zeros may stand where values are missing"
        ]
    if lasting >= max(_STUCK, 3 * last.interval.duration):
        return [f"the source has told the same {last.g_per_kwh:g} g/kWh for {lasting / timedelta(hours=1):.1f} h"]
    return []


def _standing(current: IntensitySample) -> list[str]:
    if current.provenance is Provenance.ESTIMATED:
        return ["the present value is an estimate and may be revised"]
    if current.provenance is Provenance.ASSUMED:
        return ["the present value is assumed, not live"]
    return []
