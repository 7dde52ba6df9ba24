"""What has to be true of every store, whatever happened to the processes that wrote it: nothing is lost, nothing counts twice."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Account, Owner
from carbonnas.execution.spool import Spool
from carbonnas.record import SearchRecord, SearchState
from carbonnas.storage.paths import search_folder, store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.trials import Trial, TrialState

_REL = 1e-9
_JITTER = timedelta(seconds=0.02)
"""What the anchors of two processes may differ in their reading of one wall clock."""


def records(state: Path) -> list[SearchRecord]:
    """Return all that a state folder knows of its searches, oldest first."""
    store = Store(store_path(state))
    try:
        return [load_record(store, search_id) for search_id in store.ids()]
    finally:
        store.close()


def open_trials(state: Path, search_ids: Iterable[str]) -> list[Trial]:
    """Return those trials of some searches that have not ended."""
    store = Store(store_path(state))
    try:
        return [trial for each in search_ids for trial in store.trials(each) if not trial.state.final]
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Written:
    """What a worker had written down of a trial when its daemon was killed, and whether that had read it and entered it."""

    search_id: str
    owner: Owner
    interval: Interval
    entered: bool


def written(state: Path) -> list[Written]:
    """Return what the workers of a daemon that is dead have written down of trials and nobody has deleted."""
    store = Store(store_path(state))
    try:
        marks = {search_id: store.usage_marks(search_id) for search_id in store.ids()}
    finally:
        store.close()
    return [
        Written(search_id, usage.owner, usage.interval, usage.number <= of_search.get(usage.stream, -1))
        for search_id, of_search in marks.items()
        for usage in Spool(search_folder(state, search_id) / "spool").recover()
        if usage.owner.account is Account.TRIAL
    ]


def forgotten(searches: Sequence[SearchRecord], usages: Iterable[Written]) -> list[str]:
    """Return one sentence for each usage that was written down and that no ledger holds."""
    held: dict[tuple[str, Owner], list[Interval]] = defaultdict(list)
    for record in searches:
        for entry in record.entries:
            held[record.search_id, entry.owner].append(entry.priced.sample.interval)
    return [
        f"{usage.search_id}: its ledger does not hold {usage.interval} of trial {usage.owner.trial}"
        for usage in usages
        if usage.interval.duration - _common(usage.interval, held[usage.search_id, usage.owner]) > 2 * _JITTER
    ]


def _common(interval: Interval, others: Iterable[Interval]) -> timedelta:
    """Return how much of an interval others cover that don't overlap each other."""
    pieces = (interval.intersection(other) for other in others)
    return sum((piece.duration for piece in pieces if piece is not None), timedelta())


def work(record: SearchRecord) -> list[tuple[object, ...]]:
    """Return what a search did and found, without when and in how many attempts."""
    return [(t.number, t.kind, t.fidelity, t.key, t.state, tuple(sorted(t.metrics.items()))) for t in record.trials]


def violations(searches: Sequence[SearchRecord], *, ended: bool = True) -> list[str]:
    """Return one sentence for each rule of exactly-once that searches of one store break; none if all is well.

    Args:
        searches: What is known of them.
        ended: Whether they should have ended.
    """
    found = [f"{record.search_id}: {each}" for record in searches for each in _of_one(record, ended=ended)]
    entered_j = math.fsum(_entered_j(record) for record in searches)
    measured_j = math.fsum(_measured_j(record) for record in searches)
    if not math.isclose(entered_j, measured_j, rel_tol=_REL, abs_tol=_REL):
        found.append(f"all ledgers together hold {entered_j!r} J, the meter measured {measured_j!r} J")
    return found


def beyond(searches: Sequence[SearchRecord], budget: str, limit_g: float) -> list[tuple[float, Interval]]:
    """Return the work that was done beyond a daily budget over all searches: by how many grams it had been exceeded at its end, and when that was.

    Args:
        searches: All that count.
        budget: Name of the budget, whose days are those of UTC; what operators added holds from when they did so.
        limit_g: Its limit.
    """
    entries = [entry for record in searches for entry in record.entries]
    course = _Course(entries)
    # A record tells of those that were made while its search lived.
    added = {each for record in searches for each in record.overrides if each.budget == budget}
    found: list[tuple[float, Interval]] = []
    for interval in (e.priced.sample.interval for e in entries if e.owner.account is Account.TRIAL):
        end = interval.end
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        limit = limit_g + sum(each.grams for each in added if midnight <= each.at <= end)
        over_g = course.until(end) - course.until(midnight) - limit
        if over_g > 0:
            found.append((over_g, interval))
    return found


class _Course:
    """What had been emitted at any time, as far as its price is known; power is constant within an entry."""

    def __init__(self, entries: Iterable[EmissionEntry]) -> None:
        steps: dict[datetime, float] = defaultdict(float)
        for entry in entries:
            interval = entry.priced.sample.interval
            rate = (entry.emissions_g or 0.0) / interval.duration.total_seconds()
            steps[interval.start] += rate
            steps[interval.end] -= rate
        self._times = sorted(steps)
        self._rates = list(itertools.accumulate(steps[at] for at in self._times))
        pieces = zip(self._rates, itertools.pairwise(self._times), strict=False)
        grams = (rate * (end - start).total_seconds() for rate, (start, end) in pieces)
        self._sums = list(itertools.accumulate(grams, initial=0.0))

    def until(self, at: datetime) -> float:
        """Return the grams that had been emitted by then."""
        place = bisect.bisect_right(self._times, at) - 1
        return 0.0 if place < 0 else self._sums[place] + self._rates[place] * (at - self._times[place]).total_seconds()


def readings(state: Path, search_ids: Iterable[str], since: datetime) -> list[Interval]:
    """Return what the values stand for that the meter has given for some searches: the time from one to the next.

    Some time later the store keeps those of some minutes as one.

    Args:
        state: Folder of the store.
        search_ids: The searches.
        since: Only those count that begin later.
    """
    store = Store(store_path(state))
    try:
        measured = [sample.interval for each in search_ids for sample in store.measured(each)]
        return [interval for interval in measured if interval.start > since]
    finally:
        store.close()


def emitted(searches: Sequence[SearchRecord], within: Interval) -> float:
    """Return the grams that all ledgers hold of a stretch of time, as far as their price is known."""
    return math.fsum(_within_g(entry, within) for record in searches for entry in record.entries)


def _within_g(entry: EmissionEntry, within: Interval) -> float:
    interval = entry.priced.sample.interval
    common = interval.intersection(within)
    return 0.0 if common is None else (entry.emissions_g or 0.0) * (common.duration / interval.duration)


def lost_for_good(record: SearchRecord) -> list[int]:
    """Return the trials that have failed because they lost their worker in both attempts."""
    return [trial.number for trial in record.trials if trial.state is TrialState.FAILED and trial.attempt > 1]


def _end(entry: EmissionEntry) -> datetime:
    return entry.priced.sample.interval.end


def _of_one(record: SearchRecord, *, ended: bool) -> Iterator[str]:
    numbers = [trial.number for trial in record.trials]
    # A number is a place in the plan, which has gaps until the plan is done.
    whole = list(range(len(numbers))) if record.state is SearchState.COMPLETED else sorted(set(numbers))
    if numbers != whole:
        yield f"its trials are numbered {numbers}"
    if ended and record.state is SearchState.RUNNING:
        yield "it has not ended"
    if record.state is not SearchState.RUNNING:
        open_trials = [trial.number for trial in record.trials if not trial.state.final]
        if open_trials:
            yield f"it has ended, but its trials {open_trials} have not"
    entered_j, measured_j = _entered_j(record), _measured_j(record)
    if not math.isclose(entered_j, measured_j, rel_tol=_REL, abs_tol=_REL):
        yield f"its ledger holds {entered_j!r} J, its readings {measured_j!r} J"
    ids = [entry.entry_id for entry in record.entries]
    if len(ids) != len(set(ids)):
        yield "an entry counts twice"
    yield from _twice_at_once(record)


def _twice_at_once(record: SearchRecord) -> Iterator[str]:
    """Yield a sentence for each trial that would have held two slots at once: what was counted twice looks so."""
    held: dict[int, list[Interval]] = defaultdict(list)
    for entry in record.entries:
        if entry.owner.account is Account.TRIAL and entry.owner.trial is not None:
            held[entry.owner.trial].append(entry.priced.sample.interval)
    for trial, intervals in held.items():
        for one, next_one in itertools.pairwise(sorted(intervals, key=lambda interval: (interval.start, interval.end))):
            if one.end - next_one.start > _JITTER:
                yield f"trial {trial} is charged for {one} and for {next_one}"
                break


def _entered_j(record: SearchRecord) -> float:
    return math.fsum(entry.priced.sample.joules for entry in record.entries)


def _measured_j(record: SearchRecord) -> float:
    return math.fsum(sample.joules for sample in record.measured)
