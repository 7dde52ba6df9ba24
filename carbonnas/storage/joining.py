"""Lines of the ledger and readings of the meter that stand as one.

An open search is metered every few seconds. What one owner drew in a few minutes at one intensity without a break says all that anybody asks
for later: budgets go by quarter hours, prices by intensities. So such lines become one, whose energy is theirs and which names the same
intensity; where they had taken the place of others, those become one as well, and the one takes the place of the other.

No line grows beyond a step of time. That is five minutes at first, the finest step of any source: a value that is revised to finer steps
later, such as one of a source that stood in for a better one, then cuts no line, and each price still finds the energy that was drawn at it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import EnergySample

T = TypeVar("T")

FIVE_MINUTES = timedelta(minutes=5)
"""The finest step in which a source tells values."""


def begin_of(step: timedelta, instant: datetime) -> datetime:
    """Return the begin of the step that `instant` lies in; steps divide an hour, whose first one begins with it."""
    hour = instant.replace(minute=0, second=0, microsecond=0)
    return instant - (instant - hour) % step


class Runs(Generic[T]):
    """Puts together what is alike, lies in one step, and follows without a break, or was at the same time, as parts of a reading are.

    Args:
        step: The length of a step; it divides an hour.

    Attributes:
        found: What belongs together, in the order in which each begins.
    """

    def __init__(self, step: timedelta) -> None:
        self.found: list[list[T]] = []
        self._step = step
        self._ending: dict[tuple[Hashable, datetime], int] = {}
        self._at: dict[tuple[Hashable, datetime, datetime], int] = {}

    def add(self, one: T, within: Interval, like: Hashable | None) -> int:
        """Add something in order of its start, and return the place of what it belongs to.

        Args:
            one: What is added.
            within: When it was.
            like: Equal for what is alike; `None` for what stands alone.
        """
        start, end = within.start, within.end
        begin = begin_of(self._step, start)
        if like is None or end > begin + self._step:
            self.found.append([one])
            return len(self.found) - 1
        place = self._at.get((like, start, end))
        if place is None and start > begin:
            place = self._ending.pop((like, start), None)
        if place is None:
            place = len(self.found)
            self.found.append([])
        self.found[place].append(one)
        self._at[like, start, end] = self._ending[like, end] = place
        return place


class _Numbers:
    """Gives equal values the same number, and looks at each object only once: entries share what they have in common."""

    def __init__(self) -> None:
        self._equal: dict[Hashable, int] = {}
        self._same: dict[int, int] = {}

    def of(self, value: Hashable) -> int:
        """Return the number of a value that lives longer than this."""
        number = self._same.get(id(value))
        if number is None:
            number = self._same[id(value)] = self._equal.setdefault(value, len(self._equal))
        return number


@dataclass(frozen=True, slots=True)
class Replacement:
    """Entries of the ledger, and those that stand for them, in an order in which each comes after the one that it supersedes."""

    gone: tuple[EmissionEntry, ...]
    come: tuple[EmissionEntry, ...]


def joined(entries: Iterable[EmissionEntry], step: timedelta) -> tuple[EmissionEntry, ...]:
    """Return entries that count, in order of time, with those of a step in one that may be; what waits for a price stays as it is."""
    runs, numbers = Runs[EmissionEntry](step), _Numbers()
    for entry in entries:
        runs.add(entry, entry.priced.sample.interval, _likeness(entry, numbers, counts=True))
    return tuple(_one(run) for run in runs.found)


def replacement(entries: Sequence[EmissionEntry], superseded: Collection[str], step: timedelta) -> Replacement:
    """Return what is to be changed in the ledger so that entries are one that may be.

    Args:
        entries: All entries of some whole steps, in order of start, and of entry where several start at once; whether they count or not.
        superseded: Ids of entries that count no more.
        step: The length of a step, beyond which no entry is to grow.
    """
    runs, numbers, places = Runs[EmissionEntry](step), _Numbers(), dict[str, int]()
    for entry in entries:
        former = places.get(entry.supersedes or "", entry.supersedes)
        alike = _likeness(entry, numbers, counts=entry.entry_id not in superseded)
        like = None if alike is None else (*alike, former)
        places[entry.entry_id] = runs.add(entry, entry.priced.sample.interval, like)
    names = {entry.entry_id: run[0].entry_id for run in runs.found for entry in run}
    gone: list[EmissionEntry] = []
    come: list[EmissionEntry] = []
    for run in runs.found:
        one = _renamed(_one(run), names)
        if len(run) > 1 or one != run[0]:
            gone += run
            come.append(one)
    return Replacement(tuple(gone), tuple(come))


def joined_samples(samples: Iterable[EnergySample], step: timedelta) -> tuple[EnergySample, ...]:
    """Return what was measured, in order of time, with those samples of a step in one that may be."""
    runs = Runs[EnergySample](step)
    for sample in samples:
        runs.add(sample, sample.interval, like=True)
    return tuple(joined_energy(run) for run in runs.found)


def joined_energy(samples: Sequence[EnergySample]) -> EnergySample:
    """Return samples of one of the `Runs` as one."""
    if len(samples) == 1:
        return samples[0]
    return EnergySample(
        Interval(samples[0].interval.start, samples[-1].interval.end),
        cpu_j=math.fsum(sample.cpu_j for sample in samples),
        gpu_j=math.fsum(sample.gpu_j for sample in samples),
        ram_j=math.fsum(sample.ram_j for sample in samples),
    )


def _likeness(entry: EmissionEntry, numbers: _Numbers, *, counts: bool) -> tuple[Hashable, ...] | None:
    """Return what entries have to have in common; `None` for one whose price is to come, which may be another every few minutes."""
    if counts and entry.priced.intensity is None:
        return None
    return numbers.of(entry.owner), numbers.of(entry.priced.intensity), entry.pue, counts


def _one(run: Sequence[EmissionEntry]) -> EmissionEntry:
    first = run[0]
    if len(run) == 1:
        return first
    sample = joined_energy([entry.priced.sample for entry in run])
    return replace(first, priced=PricedEnergy(sample, first.priced.intensity))


def _renamed(entry: EmissionEntry, names: Mapping[str, str]) -> EmissionEntry:
    if entry.supersedes is None or entry.supersedes not in names:
        return entry
    return replace(entry, supersedes=names[entry.supersedes])
