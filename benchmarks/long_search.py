"""What a search costs that has been open for weeks: opened again and reported from, as it was metered and with its ledger joined.

    python -m benchmarks.long_search [--days 28] [--slots 2] [--json]

The ledger is made up: a reading every 5 s, overhead and idle share always, trials of 20 min to 2 h in all slots for four hours of five. First it is
as no release since joins it any more, then steps of the search join it. Each figure is of a process of its own, whose
processor time counts: whatever else a machine does adds little to that.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.store_speed import BOUND_G_PER_KWH, START, Filler, text
from carbonnas.report.render import ReportFormat, render
from carbonnas.search_state import Step
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.joining import FIVE_MINUTES
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store

SEARCH = "search-long"
EVERY = timedelta(seconds=5)
READINGS_OF_AN_HOUR = 720
SHORTEST, LONGEST = 240, 1440
"""Readings during a trial."""
MB = 2**20


class LongFiller(Filler):
    """Writes one search that was open for days.

    Args:
        path: The file.
        slots: Slots of the search.
    """

    def __init__(self, path: Path, slots: int) -> None:
        super().__init__(path)
        self._slots = slots
        self._trials_made = 0

    def fill_days(self, days: int) -> None:
        number = days * 24 * READINGS_OF_AN_HOUR
        self._insert_search(SEARCH, START, START + number * EVERY, is_open=True)
        trials = [self._trials() for _ in range(self._slots)]
        for hour in range(0, number, READINGS_OF_AN_HOUR):
            resting = hour // READINGS_OF_AN_HOUR % 5 == 0
            rows = [
                row
                for place in range(hour, hour + READINGS_OF_AN_HOUR)
                for row in self._reading(place, [] if resting else [next(each) for each in trials])
            ]
            self._insert("ledger", rows)
        self._connection.commit()
        self._connection.close()

    def _trials(self) -> Iterator[int]:
        while True:
            number = self._trials_made
            self._trials_made += 1
            for _ in range(self._rng.randrange(SHORTEST, LONGEST)):
                yield number

    def _reading(self, place: int, trials: list[int]) -> Iterator[tuple[object, ...]]:
        start = START + place * EVERY
        times, price = (text(start), text(start + EVERY)), self._price(start.replace(minute=0, second=0))
        owners = [("overhead", None, None, 2.0), ("idle", None, None, 6.0), *(("trial", t, 1, 45.0) for t in trials)]
        joules = [watts * EVERY.total_seconds() * self._rng.uniform(0.9, 1.1) for *_, watts in owners]
        self._insert("readings", [(f"r-{place}", 0, SEARCH, *times, sum(joules), 0.0, 0.0)])
        for number, ((account, trial, attempt, _), drawn) in enumerate(zip(owners, joules, strict=True)):
            owner = (account, trial, attempt)
            yield None, f"r-{place}/{number}.0", SEARCH, *owner, *times, drawn, 0.0, 0.0, 1.0, price, None


def read_again(path: Path) -> int:
    """Read and sum up what a search does that is opened again, and return the number of entries."""
    store = Store(path)
    entries = store.entries(SEARCH)
    store.close()
    return len(entries)


def report(path: Path) -> int:
    """Make a report and return its length."""
    store = Store(path)
    made = render(load_record(store, SEARCH), ReportFormat.HTML)
    store.close()
    return len(made)


def quarter_hours(path: Path) -> int:
    """Sum up for common budgets and return the number of quarter hours."""
    store = DaemonStore(path)
    sums = store.grams_by_quarter(BOUND_G_PER_KWH)
    store.close()
    return len(sums.get(SEARCH, {}))


WORK: dict[str, Callable[[Path], int]] = {"open": read_again, "report": report, "quarter hours": quarter_hours}


def value(path: Path, query: str) -> Any:
    """Return the only value that a query finds."""
    connection = sqlite3.connect(path)
    ((found,),) = connection.execute(query)
    connection.close()
    return found


def measured(path: Path) -> dict[str, dict[str, float]]:
    """Return processor seconds and the most memory of each kind of work, and what is in the file."""
    found: dict[str, dict[str, float]] = {}
    for name in WORK:
        order = [sys.executable, "-m", "benchmarks.long_search", "--work", name, "--store", str(path)]
        found[name] = json.loads(subprocess.run(order, check=True, capture_output=True).stdout)
    rows = {table: value(path, f"SELECT count(*) FROM {table}") for table in ("ledger", "readings")}  # noqa: S608 - ours
    pages = value(path, "PRAGMA page_count") - value(path, "PRAGMA freelist_count")
    return {**found, "rows": rows, "file": {"mb": round(pages * value(path, "PRAGMA page_size") / MB, 1)}}


def join(path: Path) -> dict[str, float]:
    """Let steps of the search join its ledger; return their number, and processor milliseconds of the mean step."""
    store = Store(path)
    progress, steps, begun_s = store.progress(SEARCH), 0, time.process_time()
    # The search has its turn in every one of these steps.
    while (value(path, "SELECT joined_until FROM searches") or "") < text(progress.clock_at):
        steps += 1
        store.commit(SEARCH, replace(progress, clock_at=progress.clock_at + steps * FIVE_MINUTES), Step())
    store.close()
    return {"steps": steps, "ms_of_a_step": round(1000 * (time.process_time() - begun_s) / steps, 1)}


def work(name: str, path: Path) -> dict[str, float]:
    """Do one kind of work in this process, and return what it took and what came out."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun_s = time.process_time()
    result = WORK[name](path)
    most_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / MB
    return {"s": round(time.process_time() - begun_s, 2), "mb": round(most_mb), "result": result}


def main() -> None:
    parser = argparse.ArgumentParser(description="What a search costs that has been open for weeks.")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        print(json.dumps(work(arguments.work, arguments.store)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carbonnas.db"
        LongFiller(path, arguments.slots).fill_days(arguments.days)
        found = {"as metered": measured(path), "to join it": {"steps": join(path)}, "joined": measured(path)}
    if arguments.json:
        print(json.dumps(found))
        return
    for what, figures in found.items():
        for name, each in figures.items():
            print(f"{what:12} {name:14} {', '.join(f'{key} {number:,}' for key, number in each.items())}")


if __name__ == "__main__":
    main()
