"""Which scheduler, and where does none help? Whole searches over zones and seasons, with deadlines and without.

    python -m benchmarks.choosing TRACE[:FROM[:UNTIL]] ... [--json FILE]

In each season of each trace some searches begin, at different times of the day. Each of them, some 15 h of training on two slots, runs on the virtual
clock with every scheduler, due in 24 h, in 48 h or never, on two machines: one that draws nothing at rest, and one of which a slot draws 60 W at
rest and 300 W while it trains. Forecasts are the package's own, learnt at the start and re-issued each hour. Results of trainings are made up; suspending
and resuming take 30 s each.

Told are, against `carbon_blind` in the same search: the saving (median, quartiles and worst of the starts), what is saved in all as a share of what `oracle`
saves in all, deadlines that were missed, and how much later a search ends.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.choosing_searches import DUES_H, MACHINES, SEASONS, Asked, Row, searched, starts, write_search
from carbon_sources.groups import DEFAULT_FORECASTER
from carbonnas.report.simulation_model import SimulatedRun, Spread
from carbonnas.simulation.comparison import spread

SCHEDULERS = (
    "threshold:percentile=40",
    "proportional",
    "random_allocation",
    "actor_critic",
    "lowest_window",
    "lookahead",
    "suspend_resume",
    "suspend_resume:count_rest=false",
)
"""As they are typed; `budget_pacing` is not among them, which without a budget does as `carbon_blind`."""
EVERY = "all"
BLIND, ORACLE = "carbon_blind", "oracle"


@dataclass(frozen=True, slots=True)
class Line:
    """What a scheduler did over some starts.

    Attributes:
        zone: Zone of the trace, or `EVERY`.
        season: One of the seasons, or `EVERY`.
        machine: Name of the machine.
        due_h: Hours after which the searches were due; `None` for never.
        scheduler: Who decided.
        saving_pct: What it saved, as a spread over the starts.
        clairvoyant_share_pct: What it saved in all as a share of what the oracle did; `None` where that saved nothing.
        missed: Searches that their deadline cut short.
        later_h: Median of the hours after `carbon_blind` at which searches ended.
        starts: How many there were; those with hours that the trace does not know count in `missed` and `later_h` alone.
    """

    zone: str
    season: str
    machine: str
    due_h: float | None
    scheduler: str
    saving_pct: Spread
    clairvoyant_share_pct: float | None
    missed: int
    later_h: float
    starts: int


def lines(rows: Sequence[Row]) -> list[Line]:
    """Return what is said of each scheduler, for all zones and seasons, for each of them, and for each season of each zone."""
    zones = list(dict.fromkeys(row.zone for row in rows))
    worlds = list(dict.fromkeys((row.machine, row.due_h) for row in rows))
    schedulers = [name for name in dict.fromkeys(row.scheduler for row in rows) if name != BLIND]
    runs = {_key(row, row.scheduler): row.run for row in rows}
    found = []
    for zone in (EVERY, *zones):
        for season in (EVERY, *SEASONS):
            for machine, due_h in worlds:
                own = [
                    row
                    for row in rows
                    if row.scheduler == BLIND
                    and (row.machine, row.due_h) == (machine, due_h)
                    and zone in (EVERY, row.zone)
                    and season in (EVERY, row.start.season)
                ]
                place = (zone, season, machine, due_h)
                found += [_line(place, name, [_triple(runs, row, name) for row in own]) for name in schedulers if own]
    return found


def _key(row: Row, scheduler: str) -> tuple[object, ...]:
    return row.start, row.machine, row.due_h, scheduler


def _triple(runs: dict[tuple[object, ...], SimulatedRun], blind: Row, scheduler: str) -> tuple[SimulatedRun, ...]:
    return blind.run, runs[_key(blind, scheduler)], runs[_key(blind, ORACLE)]


def _line(
    place: tuple[str, str, str, float | None], scheduler: str, triples: Sequence[tuple[SimulatedRun, ...]]
) -> Line:
    priced = [triple for triple in triples if not any(run.unpriced_kwh for run in triple)]
    saved = [(blind.emissions_kg - run.emissions_kg, blind.emissions_kg) for blind, run, _ in priced]
    most = sum(blind.emissions_kg - oracle.emissions_kg for blind, _, oracle in priced)
    return Line(
        *place,
        scheduler=scheduler,
        saving_pct=spread(100.0 * kg / of for kg, of in saved),
        clairvoyant_share_pct=100.0 * sum(kg for kg, _ in saved) / most if most > 0 else None,
        missed=sum(run.deadline_missed for _, run, _ in triples),
        later_h=median(run.finish_h - blind.finish_h for blind, run, _ in triples),
        starts=len(triples),
    )


def table(found: Iterable[Line], columns: Callable[[Line], str], cell: Callable[[Line], str]) -> str:
    """Return lines of one machine and deadline as text: a row for each scheduler, a column for each zone or season."""
    cells: dict[str, dict[str, str]] = {}
    for line in found:
        cells.setdefault(line.scheduler, {})[columns(line)] = cell(line)
    heads = list(dict.fromkeys(head for row in cells.values() for head in row))
    width = 2 + max(len(text) for texts in (heads, *(row.values() for row in cells.values())) for text in texts)
    text = [" " * 34 + "".join(f"{head:>{width}}" for head in heads)]
    text += [f"{name:>34}" + "".join(f"{row.get(head, ''):>{width}}" for head in heads) for name, row in cells.items()]
    return "\n".join(text)


def saving_text(line: Line) -> str:
    """Return median, quartiles and worst saving in per cent, and the missed deadlines if there are any."""
    told = line.saving_pct
    if told.median is None or told.q25 is None or told.q75 is None or told.low is None:
        return "unknown"
    missed = f" !{line.missed}" if line.missed else ""
    return f"{told.median:.1f} ({told.q25:.1f}..{told.q75:.1f}, {told.low:.1f}){missed}"


def share_text(line: Line) -> str:
    """Return the share of the clairvoyant saving in per cent, and how much later the searches end."""
    share = "none" if line.clairvoyant_share_pct is None else f"{line.clairvoyant_share_pct:.0f} %"
    return f"{share}, {line.later_h:+.1f} h"


def printed(found: Sequence[Line]) -> None:
    """Print tables over the zones and over the seasons for each machine and deadline."""
    for machine, due_h in dict.fromkeys((line.machine, line.due_h) for line in found):
        own = [line for line in found if (line.machine, line.due_h) == (machine, due_h)]
        due = "no deadline" if due_h is None else f"due in {due_h:g} h"
        print(f"{machine}, {due}: saving in % (quartiles, worst) !missed; share of the clairvoyant saving, hours later")
        for chosen, head in (
            ([line for line in own if line.season == EVERY], lambda line: line.zone),
            ([line for line in own if line.zone == EVERY], lambda line: line.season),
        ):
            print(table(chosen, head, saving_text))
            print(table(chosen, head, share_text), end="\n\n")
    sys.stdout.flush()


def document(asked: Asked, rows: Sequence[Row], found: Sequence[Line]) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "forecaster": asked.forecaster,
        "machines": [asdict(machine) for machine in MACHINES],
        "lines": [asdict(line) for line in found],
        "searches": [
            {
                "zone": row.zone,
                "season": row.start.season,
                "start": row.start.at.isoformat(),
                "seed": row.start.seed,
                "machine": row.machine,
                "due_h": row.due_h,
                "scheduler": row.scheduler,
                "kg": row.run.emissions_kg,
                "kwh": row.run.energy_kwh,
                "unpriced_kwh": row.run.unpriced_kwh,
                "hours": row.run.finish_h,
                "suspensions": row.run.suspensions,
                "missed": row.run.deadline_missed,
            }
            for row in rows
        ],
    }


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.choosing", description="Savings of whole searches over zones and seasons."
    )
    parser.add_argument(
        "traces", nargs="+", metavar="TRACE[:FROM[:UNTIL]]", help="a recorded trace or bundled:NAME, and dates"
    )
    parser.add_argument("--per-season", type=int, default=4, help="searches that begin in each season")
    parser.add_argument("--scheduler", action="append", metavar="NAME[:KEY=VALUE,...]", help="may be repeated")
    parser.add_argument("--due", action="append", type=float, metavar="HOURS", help="only these deadlines")
    parser.add_argument("--forecaster", default=DEFAULT_FORECASTER)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep forecasts here, and use those that lie here")
    parser.add_argument("--processes", type=int, default=1, help="starts that are simulated at the same time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    chosen = arguments(given)
    begun = [start for trace in chosen.traces for start in starts(trace, chosen.per_season)]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="carbonnas-") as folder, ProcessPoolExecutor(chosen.processes) as pool:
        asked = Asked(
            schedulers=tuple(chosen.scheduler or SCHEDULERS),
            forecaster=chosen.forecaster,
            dues_h=tuple(chosen.due or DUES_H),
            folder=Path(folder),
            keep=chosen.keep,
        )
        for machine in MACHINES:
            write_search(asked.folder, machine)
        for number, found in enumerate(pool.map(partial(searched, asked=asked), begun), 1):
            rows += found
            print(f"{number} of {len(begun)} starts", file=sys.stderr, flush=True)
    told = lines(rows)
    printed(told)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(document(asked, rows, told), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
