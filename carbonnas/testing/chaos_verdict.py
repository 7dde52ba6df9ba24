"""What came of the chaos: whether everything is as it would be had nothing happened, and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from carbonnas.record import SearchRecord
from carbonnas.report.downtime import downtimes
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.testing.chaos_searches import BUDGET, LIMIT_G, SLACK_G, undisturbed
from carbonnas.testing.exactly_once import lost_for_good, overshoots, records, violations, work
from carbonnas.trials import TrialState

_MANY_RUNS = 100_000


@dataclass(slots=True)
class Tally:
    """What happened.

    Attributes:
        faults: How often which fault.
        killed: Processes of the daemon that were killed.
        stopped: Those that were asked to stop, and did.
        failed_starts: Those that ended before they answered.
        unanswered: Questions that the daemon did not answer.
        absent_s: The longest time without a daemon, in seconds.
        starts_s: How long each start took until the daemon answered, in seconds.
        stops_s: How long each stop took, in seconds.
        not_compared: Searches with a trial that lost its worker in both attempts: it has failed, as it should.
    """

    faults: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    stopped: int = 0
    failed_starts: int = 0
    unanswered: int = 0
    absent_s: float = 0.0
    starts_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)
    not_compared: int = 0


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
    said = violations(found) + overshoots(found, BUDGET, LIMIT_G, SLACK_G)
    said += [f"{each} was entered and is not there" for each in paths if each not in by_id]
    compared = [each for each in paths if each in by_id and not lost_for_good(by_id[each])]
    tally.not_compared = len(paths) - len(compared)
    twins = undisturbed([paths[each] for each in compared], site)
    said += [
        f"{search_id} did not come to what it comes to undisturbed"
        for search_id, twin in zip(compared, twins, strict=True)
        if work(by_id[search_id]) != work(twin)
    ]
    return said + _run_problems(state, tally) + _downtime_problems(found, tally)


def _run_problems(state: Path, tally: Tally) -> list[str]:
    store = DaemonStore(store_path(state))
    runs = store.runs(_MANY_RUNS)
    store.close()
    ended = sum(run.ended_at is not None for run in runs)
    if ended == tally.stopped and tally.killed <= len(runs) - ended <= tally.killed + tally.failed_starts:
        return []
    return [f"{tally.killed} kills and {tally.stopped} stops, but {len(runs)} runs of which {ended} ended"]


def _downtime_problems(found: list[SearchRecord], tally: Tally) -> list[str]:
    longest = max((each.duration for record in found for each in downtimes(record)), default=timedelta())
    if longest.total_seconds() >= tally.absent_s:
        return []
    return [f"nobody worked for {tally.absent_s:g} s, but no report shows more than {longest}"]


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
        "overrides": len({each for record in found for each in record.overrides}),
        "grams": round(sum(entry.emissions_g or 0.0 for record in found for entry in record.entries), 3),
    }
