"""The rows behind the figures: plain values that Vega-Lite can draw. Times are milliseconds since 1970 in UTC.

Rows are thinned only where a figure would hold more marks than pixels, so that reports of long searches stay small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import Account
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.ranking import trainings
from carbonnas.record import SearchRecord
from carbonnas.report.document import changes, decision_lines
from carbonnas.report.downtime import downtimes
from carbonnas.report.findings import front
from carbonnas.report.formatting import duration, grams, instant, kwh, metric
from carbonnas.report.model import DecisionLine, TrialLine
from carbonnas.report.slot_time import stays
from carbonnas.report.timeline import span
from carbonnas.trials import FidelityName, Trial, TrialKind, TrialState

Row = dict[str, object]

MOST_MARKS = 1200
"""More marks than this in one figure can't be told apart."""

_STEPS = 240
ACCOUNTS = ("trainings", "scorings", "overhead", "idle")


def ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def shown(record: SearchRecord) -> Interval:
    """Return the time that the figures show: the search's, or its first hour while nothing has happened."""
    return span(record) or Interval(record.started_at, record.started_at + timedelta(hours=1))


def steps(series: IntensitySeries, within: Interval) -> Iterator[tuple[Interval, int, IntensitySample]]:
    """Yield the samples of a time with the part of each that lies in it, and a number that counts up at each gap."""
    run, reached = 0, within.start
    for sample in series.between(within.start, within.end):
        part = sample.interval.intersection(within)
        if part is not None:
            run += part.start > reached
            reached = part.end
            yield part, run, sample


def intensity_rows(record: SearchRecord) -> list[Row]:
    """Return start and end of each step of the intensity; `run` counts up at each gap, so that no line bridges one."""
    return [
        {
            "at": ms(at),
            "g_per_kwh": sample.g_per_kwh,
            "run": run,
            "text": f"{sample.g_per_kwh:.0f} g/kWh, {sample.provenance.value}, {sample.source}",
        }
        for part, run, sample in steps(record.intensities, shown(record))
        for at in (part.start, part.end)
    ]


def decision_rows(record: SearchRecord) -> list[Row]:
    """Return each decision with the time until the next one; of very many only those that changed something."""
    return [_decision(line, start, end) for line, start, end in _decided(record)]


def in_force_rows(record: SearchRecord) -> list[Row]:
    """Return the decisions as `decision_rows`, each cut to the time in which somebody was there to carry it out."""
    stretches = [(ms(stretch.start), ms(stretch.end)) for stretch in downtimes(record)]
    return [
        _decision(line, start, end)
        for line, decided, until in _decided(record)
        for start, end in _without(decided, until, stretches)
    ]


def _decided(record: SearchRecord) -> list[tuple[DecisionLine, int, int]]:
    made = decision_lines(record)
    if len(made) > MOST_MARKS:
        made = changes(made)
    starts = [ms(line.time) for line in made]
    ends = [*starts[1:], ms(shown(record).end)]
    return [(line, start, max(start, end)) for line, start, end in zip(made, starts, ends, strict=False)]


def _decision(line: DecisionLine, start: int, end: int) -> Row:
    return {
        "at": start,
        "until": end,
        "row": 0,
        "g_per_kwh": line.intensity_g_per_kwh,
        "action": _action(line),
        "slots": f"{line.train_slots} train, {line.score_slots} score",
        "time": instant(line.time),
        "reason": line.reason,
    }


def _without(start: int, end: int, stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left of a time without stretches that are in order and apart."""
    for begin, until in stretches:
        if start < min(begin, end):
            yield start, min(begin, end)
        start = max(start, until)
    if start < end:
        yield start, end


def downtime_rows(record: SearchRecord) -> list[Row]:
    """Return the stretches in which nobody worked on the search."""
    return [
        {
            "at": ms(stretch.start),
            "until": ms(stretch.end),
            "text": f"nobody worked on it for {duration(stretch)}",
            "time": f"{instant(stretch.start)} to {instant(stretch.end)}",
        }
        for stretch in downtimes(record)
    ]


def _action(line: DecisionLine) -> str:
    if line.train_slots:
        return "train and score" if line.score_slots else "train"
    return "score" if line.score_slots else "rest"


@dataclass(frozen=True, slots=True)
class _Bar:
    """One stay of a trial in a lane, or several of one kind in a row that are too short to be told apart."""

    lane: int
    kind: str
    interval: Interval
    trial: int
    stays: int


def lane_rows(record: SearchRecord) -> list[Row]:
    """Return every stay of a trial in a slot, stacked in as few lanes as possible; of very many, neighbours are put together."""
    kinds = {trial.number: trial.kind.value for trial in record.trials}
    free: list[datetime] = []
    bars: list[_Bar] = []
    for stay in stays(record.entries):
        lane = next((index for index, at in enumerate(free) if at <= stay.interval.start), len(free))
        free[lane:] = [stay.interval.end, *free[lane + 1 :]]
        bars.append(_Bar(lane + 1, kinds.get(stay.trial, TrialKind.TRAIN.value), stay.interval, stay.trial, 1))
    if len(bars) > MOST_MARKS:
        bars = _glued(bars, shown(record).duration / _STEPS)
    return [
        {
            "at": ms(bar.interval.start),
            "until": ms(bar.interval.end),
            "lane": bar.lane,
            "action": bar.kind,
            "text": f"trial {bar.trial}" if bar.stays == 1 else f"{bar.stays} stays of trials",
            "time": f"{instant(bar.interval.start)} to {instant(bar.interval.end)}",
        }
        for bar in bars
    ]


def _glued(bars: Sequence[_Bar], gap: timedelta) -> list[_Bar]:
    """Put bars of one lane and kind together where no more than `gap` is between them."""
    done: list[_Bar] = []
    open_bars: dict[int, _Bar] = {}
    for bar in bars:
        before = open_bars.get(bar.lane)
        if before and before.kind == bar.kind and bar.interval.start - before.interval.end <= gap:
            whole = Interval(before.interval.start, bar.interval.end)
            open_bars[bar.lane] = replace(before, interval=whole, stays=before.stays + bar.stays)
            continue
        if before:
            done.append(before)
        open_bars[bar.lane] = bar
    return [*done, *open_bars.values()]


def cumulative_rows(record: SearchRecord) -> list[Row]:
    """Return the grams of each account until each of 241 instants, every ledger line spread evenly over its interval."""
    within = span(record)
    if within is None:
        return []
    scorings = {trial.number for trial in record.trials if trial.kind is TrialKind.SCORE}
    grid = np.linspace(within.start.timestamp(), within.end.timestamp(), _STEPS + 1)
    lines: dict[str, list[EmissionEntry]] = {account: [] for account in ACCOUNTS}
    for entry in record.entries:
        lines[_account(entry, scorings)].append(entry)
    return [
        {"at": round(at * 1000), "account": account, "order": order, "g": value}
        for order, account in enumerate(ACCOUNTS)
        for at, value in zip(grid.tolist(), cumulative_g(lines[account], grid).tolist(), strict=True)
    ]


def _account(entry: EmissionEntry, scorings: set[int]) -> str:
    if entry.owner.account is Account.TRIAL:
        return "scorings" if entry.owner.trial in scorings else "trainings"
    return str(entry.owner.account.value)


def cumulative_g(lines: Iterable[EmissionEntry], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the priced grams until each instant `at_s`, in seconds since 1970; a line is spread evenly over its interval."""
    known = [
        (line.priced.sample.interval.start.timestamp(), line.priced.sample.interval.end.timestamp(), line.emissions_g)
        for line in lines
        if line.emissions_g is not None
    ]
    if not known:
        return np.zeros_like(at_s)
    start, end, value = np.array(sorted(known)).T
    length = end - start
    order = np.argsort(at_s)
    sorted_s = at_s[order]
    # Whatever began longer ago than the longest line lasts has ended: only the lines after it are looked at one by one.
    ended = np.searchsorted(start, sorted_s - float(np.max(length)), side="left")
    begun = np.searchsorted(start, sorted_s, side="left")
    until = np.concatenate(([0.0], np.cumsum(value)))[ended]
    for index, (first, last) in enumerate(zip(ended, begun, strict=True)):
        since_s = sorted_s[index] - start[first:last]
        until[index] += value[first:last] @ np.clip(since_s / length[first:last], 0.0, 1.0)
    found = np.empty_like(at_s)
    found[order] = np.maximum.accumulate(until)  # sums of other parts may differ by a rounding error
    return found


def trial_rows(trials: Sequence[TrialLine]) -> list[Row]:
    """Return a bar for each trial with priced energy, or for each run of consecutive trials where there are very many."""
    size = math.ceil(len(trials) / MOST_MARKS) or 1
    bars: dict[tuple[int, str], list[TrialLine]] = {}
    for trial in trials:
        if trial.emissions_g:
            kind = "failed" if trial.state is TrialState.FAILED else trial.kind.value
            bars.setdefault((trial.id // size * size, kind), []).append(trial)
    rows: list[Row] = []
    heights: dict[int, float] = {}
    for (first, kind), members in sorted(bars.items(), key=lambda item: item[0]):
        low = heights.get(first, 0.0)
        heights[first] = low + math.fsum(trial.emissions_g or 0.0 for trial in members)
        rows.append(
            {"from": first - 0.4, "to": first + size - 0.6, "low": low, "high": heights[first], "kind": kind}
            | _told(members)
        )
    return rows


def _told(members: Sequence[TrialLine]) -> Row:
    who = f"trial {members[0].id}" if len(members) == 1 else f"{len(members)} trials from {members[0].id}"
    emitted, energy = math.fsum(t.emissions_g or 0.0 for t in members), math.fsum(t.energy_kwh for t in members)
    what = members[0].architecture if len(members) == 1 else ""
    return {"who": who, "emitted": grams(emitted), "energy": kwh(energy), "what": what}


def progress_rows(record: SearchRecord) -> list[Row]:
    """Return the trainings in the order in which they ended: first objective, best so far, and grams of the search until then."""
    if not record.objectives:
        return []
    first = record.objectives[0]
    done = [
        (t, t.ended_at)
        for name in (FidelityName.SEARCH, FidelityName.FULL)
        for t in trainings(record.trials, name, [first])
        if t.ended_at is not None
    ]
    done.sort(key=lambda pair: (pair[1], pair[0].number))
    emitted = cumulative_g(record.entries, np.array([at.timestamp() for _, at in done])).tolist()
    rows: list[Row] = []
    so_far = -math.inf
    for (trial, at), value in zip(done, emitted, strict=True):
        row = _progress(trial, at, first) | {"g": value, "emitted": grams(value)}
        if trial.fidelity.name is FidelityName.SEARCH:
            so_far = max(so_far, first.value(trial.metrics))
            row["best"] = so_far if first.direction is Direction.MAXIMIZE else -so_far
            row["keep"] = not rows or so_far == first.value(trial.metrics)
        rows.append(row)
    return _thinned(rows)


def _thinned(rows: list[Row]) -> list[Row]:
    """Return about every n-th of very many rows, and all that are marked with `keep`."""
    every = math.ceil(len(rows) / MOST_MARKS)
    return [row for index, row in enumerate(rows) if every <= 1 or index % every == 0 or row.get("keep")]


def _progress(trial: Trial, at: datetime, first: Objective) -> Row:
    value = trial.metrics[first.metric]
    return {
        "at": ms(at),
        "value": value,
        "fidelity": trial.fidelity.name.value,
        "who": f"trial {trial.number}, {trial.fidelity}",
        "what": trial.key,
        "time": instant(at),
        "measured": f"{first.metric} {metric(first.metric, value)}",
    }


def front_rows(record: SearchRecord) -> list[Row]:
    """Return the trainings in the plane of the first two objectives; none with fewer than two objectives."""
    if len(record.objectives) < 2:
        return []
    first, second = record.objectives[:2]
    chosen = {line.trial for line in front(record.trials, record.objectives, record.limits)}
    rows: list[Row] = [
        {
            "x": trial.metrics[second.metric],
            "y": trial.metrics[first.metric],
            "front": "Pareto front" if trial.number in chosen else "beaten",
            "keep": trial.number in chosen,
            "who": f"trial {trial.number}",
            "what": trial.key,
            "measured": ", ".join(f"{o.metric} {metric(o.metric, trial.metrics[o.metric])}" for o in record.objectives),
        }
        for trial in trainings(record.trials, FidelityName.SEARCH, record.objectives)
    ]
    return _thinned(rows)
