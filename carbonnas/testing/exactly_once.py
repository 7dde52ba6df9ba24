"""What has to be true of every store, whatever happened to the processes that wrote it: nothing is lost, nothing counts twice."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord, SearchState
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.trials import TrialState

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


def overshoots(searches: Sequence[SearchRecord], budget: str, limit_g: float, slack_g: float) -> list[str]:
    """Return one sentence for each day in which work went on beyond a daily budget over all searches.

    Args:
        searches: All that count.
        budget: Name of the budget, whose days are those of UTC; what operators added holds from when they did so.
        limit_g: Its limit.
        slack_g: What the machine can emit between two readings of its meter, in grams.
    """
    entries = sorted((e for record in searches for e in record.entries), key=_end)
    # A record tells of those that were made while its search lived.
    added = {each for record in searches for each in record.overrides if each.budget == budget}
    spent_g: dict[date, float] = defaultdict(float)
    found: dict[date, str] = {}
    for entry in entries:
        end = _end(entry)
        day = end.date()
        spent_g[day] += entry.emissions_g or 0.0
        limit = limit_g + sum(each.grams for each in added if each.at <= end and each.at.date() == day)
        if entry.owner.account is Account.TRIAL and spent_g[day] > limit + slack_g:
            found.setdefault(
                day, f"work went on at {end} although {spent_g[day]:.3f} g of {limit:.3f} g had been emitted"
            )
    return list(found.values())


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
