"""How long each trial has had a slot.

The lines of the ledger can't say it. What a worker's probe measured of a trial and the trial's share of the memory are two lines for one stay, and
a line of a meter that sees the whole node is as long as its reading, however short the trial's part of it was. Usage says it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Usage


class SlotSeconds:
    """Sums of the seconds that trials of a search have had a slot, in the clock of the search. Each usage counts once."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._counted: dict[str, int] = {}

    def restore(self, kept: Mapping[int, float], marks: Mapping[str, int], entries: Iterable[EmissionEntry]) -> None:
        """Take over what an earlier process counted.

        Args:
            kept: The sums that it kept, by number of the trial.
            marks: The number up to which it counted each stream of usage.
            entries: The ledger's lines that count. Of a trial without a sum, from a store that kept none yet, the time that lies under its
                lines is taken: the nearest to the truth that they hold.
        """
        self._seconds = {**_covered_s(entry for entry in entries if entry.owner.trial not in kept), **kept}
        self._counted = dict(marks)

    def count(self, usages: Iterable[Usage]) -> dict[int, float]:
        """Count usage, and return the sums of all trials whose usage was new."""
        fresh = {usage.usage_id: usage for usage in usages if usage.number > self._counted.get(usage.stream, -1)}
        changed: dict[int, float] = {}
        for usage in fresh.values():
            self._counted[usage.stream] = max(usage.number, self._counted.get(usage.stream, -1))
            if usage.owner.trial is not None:
                changed[usage.owner.trial] = self.of(usage.owner.trial) + usage.interval.seconds
                self._seconds[usage.owner.trial] = changed[usage.owner.trial]
        return changed

    def of(self, trial: int) -> float:
        """Return the seconds of a trial by its number; 0 before it had a slot."""
        return self._seconds.get(trial, 0.0)


def _covered_s(entries: Iterable[EmissionEntry]) -> dict[int, float]:
    """Return the seconds under the lines of each trial, those under several lines once."""
    lines: dict[int, list[Interval]] = defaultdict(list)
    for entry in entries:
        if entry.owner.trial is not None:
            lines[entry.owner.trial].append(entry.priced.sample.interval)
    return {trial: _union_s(intervals) for trial, intervals in lines.items()}


def _union_s(intervals: Iterable[Interval]) -> float:
    covered, reached = timedelta(0), datetime.min.replace(tzinfo=UTC)
    for interval in sorted(intervals):
        covered += max(timedelta(0), interval.end - max(interval.start, reached))
        reached = max(reached, interval.end)
    return covered.total_seconds()
