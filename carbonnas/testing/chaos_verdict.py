"""What came of the chaos: whether everything is as it would be had nothing happened, and figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.interval import Interval
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord
from carbonnas.report.downtime import downtimes
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.testing.chaos_searches import BUDGET, LIMIT_G, SCORE_W, SLOTS, TRAIN_W, most_g, undisturbed
from carbonnas.testing.exactly_once import (
    Written,
    beyond,
    emitted,
    forgotten,
    lost_for_good,
    records,
    violations,
    work,
)
from carbonnas.trials import TrialKind, TrialState

_MANY_RUNS = 100_000
_REL = 1e-9
_WATTS = {TrialKind.TRAIN: TRAIN_W, TrialKind.SCORE: SCORE_W}


@dataclass(slots=True)
class Tally:
    """What happened.

    Attributes:
        faults: How often which fault.
        killed: Processes of the daemon that were killed.
        stopped: Those that were asked to stop, and did.
        failed_starts: Those that ended before they answered.
        unanswered: Questions that the daemon did not answer.
        written: What workers had written down whenever the daemon was killed.
        unread_g: The most grams of it that the daemon had not entered: it hears of them when the search has slots again.
        readings: What values of the meter stood for.
        spent: Midnight, and the grams that the daemon said at the end had been emitted since then.
        absent: When there was no daemon for longer than a minute.
        starts_s: How long each start took until the daemon answered, in seconds.
        stops_s: How long each stop took, in seconds.
        not_compared: Searches with a trial that lost its worker in both attempts: it has failed, as it should.
    """

    faults: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    stopped: int = 0
    failed_starts: int = 0
    unanswered: int = 0
    written: set[Written] = field(default_factory=set)
    unread_g: float = 0.0
    readings: set[Interval] = field(default_factory=set)
    spent: tuple[datetime, float] | None = None
    absent: Interval | None = None
    starts_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)
    not_compared: int = 0

    def note_written(self, usages: Sequence[Written]) -> None:
        """Take what workers had written down at a kill."""
        self.written.update(usages)
        unread_s = sum((usage.interval.duration for usage in usages if not usage.entered), timedelta())
        self.unread_g = max(self.unread_g, most_g(unread_s) / SLOTS)

    def longest_reading(self, when: Interval | None = None) -> timedelta:
        """Return the longest time that a value of the meter stood for, at or just before `when` if that is given: nobody could know what was drawn."""
        longest = max((reading.duration for reading in self.readings), default=timedelta())
        if when is None:
            return longest
        near = Interval(when.start - 3 * longest, when.end)
        return max((reading.duration for reading in self.readings if reading.intersection(near)), default=longest)


def problems(state: Path, paths: Mapping[str, Path], site: Path, tally: Tally) -> list[str]:
    """Return one sentence for each thing that is not as it should be.

    Args:
        state: State folder of the daemon, which has been stopped.
        paths: The configuration of each search that was handed in, by its id.
        site: Where the plug-in lies.
        tally: What happened.
    """
    found = records(state)
    by_id = {record.search_id: record for record in found}
    said = violations(found) + forgotten(found, tally.written) + _power_problems(found)
    said += _budget_problems(found, tally)
    said += [f"{each} was entered and is not there" for each in paths if each not in by_id]
    compared = [each for each in paths if each in by_id and not lost_for_good(by_id[each])]
    tally.not_compared = len(paths) - len(compared)
    twins = undisturbed([paths[each] for each in compared], site)
    said += [
        f"{search_id} did not come to what it comes to undisturbed"
        for search_id, twin in zip(compared, twins, strict=True)
        if work(by_id[search_id]) != work(twin)
    ]
    return said + _run_problems(state, tally) + _downtime_problems(found, tally.absent)


def _run_problems(state: Path, tally: Tally) -> list[str]:
    store = DaemonStore(store_path(state))
    runs = store.runs(_MANY_RUNS)
    store.close()
    ended = sum(run.ended_at is not None for run in runs)
    if ended == tally.stopped and tally.killed <= len(runs) - ended <= tally.killed + tally.failed_starts:
        return []
    return [f"{tally.killed} kills and {tally.stopped} stops, but {len(runs)} runs of which {ended} ended"]


def _power_problems(found: list[SearchRecord]) -> list[str]:
    """Say what was charged with more or less than its kind of work draws: time that counts twice would look so."""
    said = []
    for record in found:
        for entry in record.entries:
            sample = entry.priced.sample
            if entry.owner.account is Account.TRIAL and entry.owner.trial is not None:
                watts = _WATTS[record.trials[entry.owner.trial].kind]
                if not math.isclose(sample.joules, watts * sample.interval.duration.total_seconds(), rel_tol=1e-6):
                    said.append(
                        f"{record.search_id}: trial {entry.owner.trial} drew {sample.joules:g} J in {sample.interval}"
                    )
    return said


def _budget_problems(found: list[SearchRecord], tally: Tally) -> Iterator[str]:
    for over_g, when in beyond(found, BUDGET, LIMIT_G):
        # Drawn since the last reading, not yet reported by workers at that time, and written down for a daemon that was killed.
        unknown_g = most_g(2 * tally.longest_reading(when)) + tally.unread_g
        if over_g > unknown_g:
            yield f"work went on in {when} although the budget was exceeded by {over_g:.3f} g, more than {unknown_g:.3f} g"
    if tally.spent is None:
        yield "the daemon never said what was spent"
        return
    since, said_g = tally.spent
    entered_g = emitted(found, Interval(since, since + timedelta(days=1)))
    if not math.isclose(said_g, entered_g, rel_tol=_REL, abs_tol=_REL):
        yield f"the ledgers hold {entered_g!r} g since {since}, the daemon said {said_g!r} g"


def _downtime_problems(found: list[SearchRecord], absent: Interval | None) -> list[str]:
    if absent is None:
        return []
    alive = [each for each in found if each.started_at < absent.start and (each.ended_at or absent.end) >= absent.end]
    said = [
        f"{record.search_id}: its report does not show that nobody worked from {absent.start} to {absent.end}"
        for record in alive
        # Where a search waited for slots, or for workers, it shows more.
        if not any(each.start <= absent.start and absent.end <= each.end for each in downtimes(record))
    ]
    return said if alive else ["no search was there while there was no daemon"]


def figures(state: Path, tally: Tally) -> dict[str, object]:
    """Return what was done, by its name."""
    found = records(state)
    trials = [trial for record in found for trial in record.trials]
    starts = sorted(tally.starts_s)
    return {
        "faults": dict(tally.faults),
        "starts of the daemon": len(starts),
        "start to first answer, median and longest, s": (round(starts[len(starts) // 2], 1), round(starts[-1], 1)),
        "longest stop, s": round(max(tally.stops_s), 1),
        "failed starts": tally.failed_starts,
        "questions without an answer": tally.unanswered,
        "searches": len(found),
        "searches not compared": tally.not_compared,
        "trials": len(trials),
        "second attempts": sum(trial.attempt > 1 for trial in trials),
        "failed trials": sum(trial.state is TrialState.FAILED for trial in trials),
        "ledger entries": sum(len(record.entries) for record in found),
        "usages found after kills": len(tally.written),
        "grams of them that were new, at most": round(tally.unread_g, 4),
        "overrides": len({each for record in found for each in record.overrides}),
        "work beyond the budget at the most, g": round(
            max((g for g, _ in beyond(found, BUDGET, LIMIT_G)), default=0.0), 4
        ),
        "longest reading of the meter, s": round(tally.longest_reading().total_seconds(), 1),
        "grams": round(sum(entry.emissions_g or 0.0 for record in found for entry in record.entries), 3),
    }
