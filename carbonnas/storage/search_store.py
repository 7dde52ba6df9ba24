"""What a search needs of the place where it is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from carbon_sources.archive import IntensityArchive
from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import EnergySample
from carbonnas.record import DecisionRecord, Override
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.trials import Trial


class SearchStore(Protocol):
    """Keeps searches: `Store` in a file, `MemoryStore` for as long as the process lives."""

    @property
    def archive(self) -> IntensityArchive:
        """What is known of grids."""

    def create(self, header: SearchHeader, progress: SearchProgress) -> None:
        """Enter a new search."""

    def commit(self, search_id: str, progress: SearchProgress, step: Step) -> None:
        """Write one step, all of it or nothing."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let everything that is read inside stem from one instant."""

    def ids(self) -> list[str]:
        """Return the ids of all searches, oldest first."""

    def by_fingerprint(self, fingerprint: str) -> list[str]:
        """Return the ids of the searches with this configuration, oldest first."""

    def header(self, search_id: str) -> SearchHeader:
        """Return what is fixed about a search."""

    def progress(self, search_id: str) -> SearchProgress:
        """Return what changes about a search, as of its last step."""

    def trials(self, search_id: str, *, open_only: bool = False) -> list[Trial]:
        """Return the trials of a search by number; with `open_only` those that have not ended."""

    def decisions(self, search_id: str) -> list[DecisionRecord]:
        """Return the decisions of a search in order of time."""

    def measured(self, search_id: str) -> list[EnergySample]:
        """Return what the meter measured, in order of time."""

    def entries(self, search_id: str, within: Interval | None = None) -> list[EmissionEntry]:
        """Return the ledger entries that count, those that overlap `within` if it is given."""

    def overrides(self, search_id: str) -> list[Override]:
        """Return what operators ever added to budgets, oldest first; none for a search that was not submitted to the daemon."""

    def usage_marks(self, search_id: str) -> dict[str, int]:
        """Return, for each stream of usage, the number up to which it is accounted for."""

    def slot_seconds(self, search_id: str) -> dict[int, float]:
        """Return the seconds that trials have had a slot, by number, of those for which they were counted."""

    def intensities(self, like: IntensitySample, within: Interval) -> IntensitySeries:
        """Return the intensities of the source, zone, kind and basis of `like` that overlap `within`."""
