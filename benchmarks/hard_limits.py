"""Do the limits hold? Random searches with random faults, wrong forecasts and random limits, each judged by its ledger.

    python -m benchmarks.hard_limits [--searches 10000] [--seed 0] [--processes 2] [--json FILE]
    python -m benchmarks.hard_limits --only SEED ...

Each search is the production code on the virtual clock, drawn from one seed: any scheduler with any options, 1 to 8 slots, plans of 1 to 5 rounds, work that fails or is
interrupted, budgets of all windows, actions and time zones, deadlines from hopeless to generous, safety limits, costs of switching; a grid with gaps, jumps, zeros and
wild values whose source fails, comes late and revises; a forecaster that is wrong and sure of it. `hard_limits_laws` says what is held against it.

Exit status 1 if a limit was broken; the seeds are named, and `--only` runs them again.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.hard_limits_laws import Deadline, Verdict, judge
from benchmarks.hard_limits_search import Case, Ran, draw, run
from carbon_sources.clock import monotonic_s

_AT_A_TIME = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One search and what is to be said of it."""

    seed: int
    scheduler: str
    faults: int
    exhausted: bool
    verdict: Verdict


def judged(seed: int, running: Callable[[Case], Ran] = run) -> Judged:
    """Run and judge the search of a seed.

    Args:
        seed: Which search.
        running: Runs it.

    Raises:
        RuntimeError: If the search fails, with its seed.
    """
    try:
        case = draw(seed)
        ran = running(case)
        verdict = judge(case, ran)
    except Exception as error:
        raise RuntimeError(f"the search of seed {seed} failed: run it again with --only {seed}") from error
    failed = sum(trial.failure is not None for trial in ran.trials)
    return Judged(seed, case.config.scheduler.use, case.grid.faults + failed, ran.exhausted, verdict)


def judged_all(seeds: Sequence[int], processes: int) -> Iterator[Judged]:
    """Yield what is to be said of each search, in order, and show on standard error how far it is."""
    with ProcessPoolExecutor(processes, initializer=_be_quiet) as pool:
        for number, each in enumerate(pool.map(judged, seeds, chunksize=_AT_A_TIME), 1):
            if each.verdict.breaches:
                print(f"seed {each.seed}: {each.verdict.breaches[0]}", file=sys.stderr, flush=True)
            if number % max(1, len(seeds) // 50) == 0:
                print(f"{number} of {len(seeds)} searches", file=sys.stderr, flush=True)
            yield each


def _be_quiet() -> None:
    """Sources that fail and evaluations that break are what this is about: nobody wants to read of each."""
    logging.disable(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its title and what it says of some searches."""

    title: str
    value: Callable[[Sequence[Judged]], float]


def _sum(of: Callable[[Judged], float], found: Sequence[Judged]) -> float:
    return sum(map(of, found))


def _with(deadline: Deadline, each: Judged) -> bool:
    return each.verdict.deadline is deadline


def _missed(deadline: Deadline, each: Judged) -> bool:
    return _with(deadline, each) and each.verdict.missed


COLUMNS = (
    Column("searches", len),
    Column("faults", partial(_sum, lambda each: each.faults)),
    Column("budget windows", partial(_sum, lambda each: each.verdict.windows)),
    Column("full", partial(_sum, lambda each: each.verdict.full)),
    Column("worst overshoot", lambda found: max((each.verdict.overshoot for each in found), default=0.0)),
    Column("raised afterwards", partial(_sum, lambda each: each.verdict.raised_g > 0)),
    Column("infeasible deadlines", partial(_sum, partial(_with, Deadline.INFEASIBLE))),
    Column("feasible", partial(_sum, partial(_with, Deadline.FEASIBLE))),
    Column("feasible missed", partial(_sum, partial(_missed, Deadline.FEASIBLE))),
    Column("of them outlasted", partial(_sum, lambda each: each.verdict.outlasted)),
    Column("unforeseen", partial(_sum, partial(_with, Deadline.UNFORESEEN))),
    Column("unforeseen missed", partial(_sum, partial(_missed, Deadline.UNFORESEEN))),
    Column("limits broken", partial(_sum, lambda each: bool(each.verdict.breaches))),
)


def table(found: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Return the figures by scheduler, and of all."""
    names = sorted({each.scheduler for each in found})
    groups = {name: [each for each in found if each.scheduler == name] for name in names} | {"all": list(found)}
    return {
        name: {column.title: round(float(column.value(group)), 6) for column in COLUMNS}
        for name, group in groups.items()
    }


def printed(figures: dict[str, dict[str, float]]) -> None:
    names = list(figures)
    print(f"{'':22}" + "".join(f"{name[:13]:>14}" for name in names))
    for column in COLUMNS:
        print(f"{column.title:22}" + "".join(f"{figures[name][column.title]:14.7g}" for name in names))
    print("overshoot in metering intervals of a minute", flush=True)


def broken(found: Iterable[Judged]) -> dict[int, tuple[str, ...]]:
    """Return what was broken, by seed."""
    return {each.seed: each.verdict.breaches for each in found if each.verdict.breaches}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hard_limits", description="Random searches, held against their limits."
    )
    parser.add_argument("--searches", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first search; those of the others count up")
    parser.add_argument("--only", type=int, action="append", metavar="SEED", help="run this search alone; repeatable")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    began_s = monotonic_s()
    seeds = given.only or range(given.seed, given.seed + given.searches)
    found = list(judged_all(seeds, given.processes))
    figures, breaches = table(found), broken(found)
    printed(figures)
    print(f"{len(found)} searches in {monotonic_s() - began_s:.0f} s")
    for seed, sentences in breaches.items():
        print(f"seed {seed}: {sentences[0]}" + (f", and {len(sentences) - 1} more" if sentences[1:] else ""))
    if given.json is not None:
        document: dict[str, Any] = {"seeds": [min(seeds), max(seeds)], "figures": figures, "broken": breaches}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
