"""When each trial held a slot and what it drew there, read from the ledger.

The ledger's lines are cut at every reading of the meter and at every change of the intensity, and lines of trials that ran side by
side overlap. `stays` glues a trial's lines together again; `pieces` cuts all of them at common borders.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry


@dataclass(frozen=True, slots=True)
class Stay:
    """An unbroken time of one attempt at a trial in a slot."""

    trial: int
    attempt: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a trial's time in a slot, taken to have constant power.

    Attributes:
        trial: Number of the trial.
        slot_s: Seconds that it held a slot, above zero.
        joules: Energy drawn in them, power usage effectiveness included.
    """

    trial: int
    slot_s: float
    joules: float

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.slot_s


def stays(entries: Iterable[EmissionEntry]) -> tuple[Stay, ...]:
    """Merge the trials' lines that touch or overlap; the result is in order of start, then of trial and attempt."""
    intervals: dict[tuple[int, int], list[Interval]] = defaultdict(list)
    for entry in entries:
        if entry.owner.trial is not None and entry.owner.attempt is not None:
            intervals[entry.owner.trial, entry.owner.attempt].append(entry.priced.sample.interval)
    found = [Stay(*key, interval) for key, values in intervals.items() for interval in _union(values)]
    return tuple(sorted(found, key=lambda stay: (stay.interval.start, stay.trial, stay.attempt)))


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def pieces(entries: Sequence[EmissionEntry], slots: int) -> tuple[Piece, ...]:
    """Cut the trials' lines at all their borders; the result is in order of time, then of trial.

    Where trials took turns within one reading of the meter, more of them than slots may bear the same interval. They share the
    slots' time there in equal parts, so that slot time never exceeds `slots` times real time; energy is untouched.
    """
    lines = [entry for entry in entries if entry.owner.trial is not None]
    borders = sorted({instant for line in lines for instant in _ends(line)})
    cells: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for line in lines:
        start, end = _ends(line)
        watts = line.priced.sample.joules * line.pue / (end - start).total_seconds()
        for cell in range(bisect.bisect_left(borders, start), bisect.bisect_left(borders, end)):
            cells[cell][line.owner.trial or 0] += watts
    return tuple(
        Piece(trial, seconds * min(1.0, slots / len(cells[cell])), watts * seconds)
        for cell in sorted(cells)
        for seconds in [(borders[cell + 1] - borders[cell]).total_seconds()]
        for trial, watts in sorted(cells[cell].items())
    )


def _ends(line: EmissionEntry) -> tuple[datetime, datetime]:
    return line.priced.sample.interval.start, line.priced.sample.interval.end
