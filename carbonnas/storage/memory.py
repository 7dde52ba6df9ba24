"""A store that ends with the process: for simulations, which nobody goes on with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from carbon_sources.archive import MemoryArchive
from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import HOUR, Interval, full_hour
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import EnergySample
from carbonnas.errors import SearchNotFoundError
from carbonnas.record import DecisionRecord, Override
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.trials import Trial


@dataclass(slots=True)
class _Kept:
    """One search.

    Attributes:
        entries: The ledger entries that count, by id.
        by_hour: The ids of those that overlap an hour, by its begin.
    """

    header: SearchHeader
    progress: SearchProgress
    trials: dict[int, Trial] = field(default_factory=dict)
    decisions: list[DecisionRecord] = field(default_factory=list)
    measured: list[EnergySample] = field(default_factory=list)
    entries: dict[str, EmissionEntry] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    slot_seconds: dict[int, float] = field(default_factory=dict)
    intensities: list[IntensitySample] = field(default_factory=list)
    by_hour: dict[datetime, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def enter(self, entry: EmissionEntry) -> None:
        """Add an entry; the one that it supersedes counts no more."""
        if entry.supersedes is not None and (former := self.entries.pop(entry.supersedes, None)) is not None:
            for hour in _hours(former.priced.sample.interval):
                del self.by_hour[hour][former.entry_id]
        self.entries[entry.entry_id] = entry
        for hour in _hours(entry.priced.sample.interval):
            self.by_hour[hour][entry.entry_id] = None

    def overlapping(self, within: Interval) -> list[EmissionEntry]:
        """Return the entries that overlap an interval."""
        ids = dict.fromkeys(entry_id for hour in _hours(within) for entry_id in self.by_hour.get(hour, ()))
        return [
            entry for entry in map(self.entries.__getitem__, ids) if entry.priced.sample.interval.intersection(within)
        ]


class MemoryStore:
    """Searches in memory, with the answers that the store in a file gives."""

    def __init__(self) -> None:
        self.archive = MemoryArchive()
        self._kept: dict[str, _Kept] = {}

    def create(self, header: SearchHeader, progress: SearchProgress) -> None:
        """Enter a new search."""
        self._kept[header.search_id] = _Kept(header, progress)

    def commit(self, search_id: str, progress: SearchProgress, step: Step) -> None:
        """Write one step."""
        kept = self._of(search_id)
        kept.progress = progress
        kept.trials |= step.trials
        kept.decisions += step.decisions
        for reading in step.readings:
            kept.measured += reading.measured
        kept.marks |= step.usage_marks
        kept.slot_seconds |= step.slot_seconds
        kept.intensities += step.intensities
        for entry in step.entries:
            kept.enter(entry)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Nobody else writes: everything stems from one instant."""
        yield

    def ids(self) -> list[str]:
        """Return the ids of all searches, oldest first."""
        return list(self._kept)

    def by_fingerprint(self, fingerprint: str) -> list[str]:
        """Return the ids of the searches with this configuration, oldest first."""
        return [search_id for search_id, kept in self._kept.items() if kept.header.fingerprint == fingerprint]

    def header(self, search_id: str) -> SearchHeader:
        """Return what is fixed about a search."""
        return self._of(search_id).header

    def progress(self, search_id: str) -> SearchProgress:
        """Return what changes about a search, as of its last step."""
        return self._of(search_id).progress

    def trials(self, search_id: str, *, open_only: bool = False) -> list[Trial]:
        """Return the trials of a search by number; with `open_only` those that have not ended."""
        trials = self._of(search_id).trials
        return [trials[number] for number in sorted(trials) if not (open_only and trials[number].state.final)]

    def decisions(self, search_id: str) -> list[DecisionRecord]:
        """Return the decisions of a search in order of time."""
        return list(self._of(search_id).decisions)

    def measured(self, search_id: str) -> list[EnergySample]:
        """Return what the meter measured, in order of time."""
        return sorted(self._of(search_id).measured, key=lambda sample: sample.interval)

    def entries(self, search_id: str, within: Interval | None = None) -> list[EmissionEntry]:
        """Return the ledger entries that count, those that overlap `within` if it is given."""
        kept = self._of(search_id)
        found = kept.entries.values() if within is None else kept.overlapping(within)
        return sorted(found, key=lambda entry: entry.priced.sample.interval.start)

    def overrides(self, search_id: str) -> list[Override]:
        """Return none: no daemon keeps its searches in memory."""
        self._of(search_id)
        return []

    def usage_marks(self, search_id: str) -> dict[str, int]:
        """Return, for each stream of usage, the number up to which it is accounted for."""
        return dict(self._of(search_id).marks)

    def slot_seconds(self, search_id: str) -> dict[int, float]:
        """Return the seconds that trials have had a slot, by number, of those for which they were counted."""
        return dict(self._of(search_id).slot_seconds)

    def intensities(self, like: IntensitySample, within: Interval) -> IntensitySeries:
        """Return the intensities of the source, zone, kind and basis of `like` that overlap `within`; the newest value wins."""
        said = (like.source, like.zone, like.kind, like.basis)
        own = [
            sample
            for kept in self._kept.values()
            for sample in kept.intensities
            if (sample.source, sample.zone, sample.kind, sample.basis) == said
        ]
        return IntensitySeries.newest_wins(own).between(within.start, within.end)

    def _of(self, search_id: str) -> _Kept:
        if search_id not in self._kept:
            raise SearchNotFoundError(f"there is no search {search_id!r}")
        return self._kept[search_id]


def _hours(interval: Interval) -> Iterator[datetime]:
    """Yield the begins of the hours that an interval overlaps."""
    hour = full_hour(interval.start)
    while hour < interval.end:
        yield hour
        hour += HOUR
