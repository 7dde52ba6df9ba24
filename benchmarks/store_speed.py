"""How long a store with 100,000 finished trials takes to open, to list, to page through and to report from.

    python benchmarks/store_speed.py [--repeat 3] [--keep FILE] [--json]

The store is made up: 50 searches, one of them with 10,000 trials, each trial with three rows in the ledger, every fiftieth row corrected once,
the machine's own share in rows of ten minutes. Of the repetitions the least counts: whatever else a machine does only ever adds to what
processes take.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.backup import backup
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.records import load_record
from carbonnas.storage.search_index import SearchIndex
from carbonnas.storage.store import Store
from carbonnas.trials import TrialKind

START = datetime(2021, 1, 1, tzinfo=UTC)
SEARCHES, TRIALS, LARGE, OPEN = 50, 100_000, 10_000, 5
SLOTS, BLOCK = 2, timedelta(minutes=20)
SCORINGS_IN_BLOCK, SCORINGS_FOR_A_TRAINING = 8, 4
STATE_BYTES = 100_000
BOUND_G_PER_KWH = 700.0


def text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Rows:
    """The rows of one search by table, in the order of its columns."""

    trials: list[tuple[Any, ...]] = field(default_factory=list)
    ledger: list[tuple[Any, ...]] = field(default_factory=list)
    readings: list[tuple[Any, ...]] = field(default_factory=list)
    decisions: list[tuple[Any, ...]] = field(default_factory=list)


class Filler:
    """Writes a made-up store by its tables, which is a hundred times as fast as running searches.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        Store(path).close()
        self._rng = random.Random(0)  # noqa: S311 - no secret
        self._connection = sqlite3.connect(path)
        self._hours: dict[datetime, int] = {}

    def fill(self) -> None:
        small = (TRIALS - LARGE) // (SEARCHES - 1)
        begins = START
        for number in range(SEARCHES):
            count = LARGE if number == 0 else small
            begins = self._search(f"search-{number}", count, begins, is_open=number >= SEARCHES - OPEN)
        self._connection.commit()
        self._connection.close()

    def _search(self, search_id: str, count: int, begins: datetime, *, is_open: bool) -> datetime:
        rows, now = Rows(), begins
        kinds = iter(self._kinds(count))
        left = True
        while left:
            self._rest(rows, search_id, now)
            for _ in range(SLOTS):
                left = self._block(rows, search_id, now, kinds) and left
            now += BLOCK
        self._insert_search(search_id, begins, now, is_open=is_open)
        for table in ("trials", "ledger", "readings", "decisions"):
            self._insert(table, getattr(rows, table))
        return now

    def _kinds(self, count: int) -> Iterator[str]:
        for number in range(count):
            yield "score" if (number // SCORINGS_IN_BLOCK) % (SCORINGS_FOR_A_TRAINING + 1) else "train"

    def _block(self, rows: Rows, search_id: str, now: datetime, kinds: Iterator[str]) -> bool:
        """Fill a slot for twenty minutes with one training or eight scorings; say whether there is more to do."""
        kind = next(kinds, None)
        if kind is None:
            return False
        if kind == "train":
            self._trial(rows, search_id, kind, now, timedelta(minutes=18))
            return True
        for place in range(SCORINGS_IN_BLOCK):
            self._trial(rows, search_id, "score", now + place * timedelta(minutes=2), timedelta(minutes=2))
        for _ in range(SCORINGS_IN_BLOCK - 1):
            next(kinds, None)
        return True

    def _trial(self, rows: Rows, search_id: str, kind: str, start: datetime, length: timedelta) -> None:
        number = len(rows.trials)
        choices = [self._rng.randrange(5) for _ in range(6)]
        params = 50_000.0 + 20_000 * sum(choices)
        metrics = {"params": params, "synflow": self._rng.gauss(40, 5)}
        if kind == "train":
            metrics = {
                "params": params,
                "val_accuracy": min(0.97, 0.8 + 0.005 * sum(choices) + self._rng.gauss(0, 0.02)),
            }
        fidelity, epochs = ("search", 12) if kind == "train" else ("proxy", 0)
        key = "|".join(f"conv3x3~{choice}" for choice in choices)
        plan = (search_id, number, number // 20, kind, fidelity, epochs, json.dumps(choices), key, number)
        ended = (
            "completed",
            1,
            text(start),
            text(start),
            text(start + length),
            json.dumps(metrics),
            None,
            length.total_seconds(),
            None,
        )
        rows.trials.append((*plan, *ended))
        watts = 45.0 if kind == "train" else 30.0
        for part in range(3):
            begins = start + part * length / 3
            self._enter(
                rows, f"{search_id}/{number}.{part}", search_id, ("trial", number, 1), begins, length / 3, watts
            )

    def _rest(self, rows: Rows, search_id: str, now: datetime) -> None:
        """Enter the machine's own share of twenty minutes, and a decision each hour."""
        half = BLOCK / 2
        for part in range(2):
            for account, watts in (("overhead", 2.0), ("idle", 6.0)):
                entry_id = f"{search_id}/{account}/{now.isoformat()}/{part}"
                self._enter(rows, entry_id, search_id, (account, None, None), now + part * half, half, watts)
        reading = (f"{search_id}/{now.isoformat()}", 0, search_id, text(now), text(now + BLOCK), 1e5, 0.0, 0.0)
        rows.readings.append(reading)
        if now.minute == 0:
            decided = (search_id, text(now), 300.0, 2, 0, "clean", "300 g/kWh is below 310 g/kWh")
            rows.decisions.append((None, *decided, text(now + timedelta(hours=1))))

    def _enter(
        self,
        rows: Rows,
        entry_id: str,
        search_id: str,
        owner: tuple[str, int | None, int | None],
        start: datetime,
        length: timedelta,
        watts: float,
    ) -> None:
        energy = (watts * length.total_seconds(), 0.0, 0.0, 1.0)
        price = self._price(start.replace(minute=0))
        columns = (search_id, *owner, text(start), text(start + length), *energy)
        corrected = self._rng.random() < 0.02
        rows.ledger.append((None, entry_id, *columns, None if corrected else price, None))
        if corrected:
            rows.ledger.append((None, f"{entry_id}+0", *columns, price, entry_id))

    def _price(self, hour: datetime) -> int:
        if hour not in self._hours:
            self._hours[hour] = len(self._hours) + 1
            value = 300.0 + 200.0 * self._rng.random()
            ends = (text(hour), text(hour + timedelta(hours=1)))
            row = (self._hours[hour], "made up", "ZONE", "average", "lifecycle", "measured", *ends, value, "", ends[1])
            self._connection.execute(f"INSERT INTO intensities VALUES ({','.join('?' * len(row))})", row)  # noqa: S608 - ours
        return self._hours[hour]

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ",".join("?" * len(rows[0]))
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - ours

    def _insert_search(self, search_id: str, begins: datetime, ends: datetime, *, is_open: bool) -> None:
        ended = (None, None) if is_open else ("plan_done", text(ends))
        measurement = {"meter": "made up", "method": "None.", "details": {}, "caveat": "", "modelled": True}
        position = {"asked": 1, "told": 1, "promoted": 1, "completed": 1, "final_planned": True}
        budget = {"limit_g": 5e6, "window": "day", "at_limit": "wait", "warn_at": 0.8, "timezone": "Europe/Berlin"}
        row = {
            "id": search_id,
            "name": search_id,
            "fingerprint": search_id,
            "config": "[search]\n",
            "seed": 1,
            "slots": SLOTS,
            "objectives": json.dumps(["maximize val_accuracy", "minimize params"]),
            "budgets": json.dumps([budget]),
            "bound_g_per_kwh": BOUND_G_PER_KWH,
            "state": "running" if is_open else "completed",
            "stop_reason": ended[0],
            "started_at": text(begins),
            "ended_at": ended[1],
            "clock_at": text(ends),
            "measurement": json.dumps(measurement),
            "position": json.dumps(position),
            "strategy_state": self._rng.randbytes(STATE_BYTES),
            "energy_j": 1e9,
            "emissions_g": 1e5,
            "unpriced_j": 0.0,
            "counts": json.dumps({"score": {"completed": 1}}),
        }
        names, marks = ",".join(row), ",".join("?" * len(row))
        self._connection.execute(f"INSERT INTO searches ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - ours
        submission = (search_id, text(begins), "/", "{}", 0, '["team"]', 0)
        self._connection.execute("INSERT INTO submissions VALUES (NULL,?,?,?,?,?,?,?)", submission)


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Return the real seconds of the fastest of some repetitions."""
    least = float("inf")
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - began)
    return least


def measure(path: Path, repeat: int) -> dict[str, float]:
    """Return the seconds of everything that is measured by what it is."""
    store, daemon, index = Store(path), DaemonStore(path), SearchIndex(path)
    large = "search-0"

    def opened() -> None:
        DaemonStore(path).close()

    def first_sums() -> None:
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM ended_sums")
        connection.commit()
        connection.close()
        daemon.grams_by_quarter(BOUND_G_PER_KWH)

    record = load_record(store, large)
    timed: dict[str, Callable[[], object]] = {
        "open the store": opened,
        "submissions still open": daemon.submissions,
        "grams by quarter hour, for the first time": first_sums,
        "grams by quarter hour, later": lambda: daemon.grams_by_quarter(BOUND_G_PER_KWH),
        "a list of 50 searches": lambda: index.summaries(50),
        "a page of 100 trials": lambda: index.trials_page(large, LARGE - 200, limit=100),
        "a page of 100 trainings": lambda: index.trials_page(large, LARGE - 2000, limit=100, kind=TrialKind.TRAIN),
        "a page of 100 decisions": lambda: index.decisions_page(large, limit=100),
        "the record of 10,000 trials": lambda: load_record(store, large),
        **{f"its report as {form.value}": lambda form=form: render(record, form) for form in ReportFormat},  # type: ignore[misc] # the default binds it
        "what can be pruned": lambda: daemon.prune_archive(START + timedelta(days=30)),
        "a backup": lambda: backup(path, path.with_name("backup.db")),
    }
    found = {name: seconds(work, repeat) for name, work in timed.items()}
    for opened_file in (store, daemon, index):
        opened_file.close()
    return found


def count(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
    connection.close()
    return int(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a store with 100,000 finished trials takes.")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--keep", type=Path, help="keep the store in this file, or measure the one that is there")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path: Path = arguments.keep or Path(folder) / "carbonnas.db"
        if not path.exists():
            Filler(path).fill()
        rows = {table: count(path, table) for table in ("trials", "ledger")}
        found = measure(path, arguments.repeat)
    if arguments.json:
        print(json.dumps({"rows": rows, "seconds": {name: round(value, 4) for name, value in found.items()}}))
        return
    print(f"{rows['trials']} trials, {rows['ledger']} rows in the ledger")
    for name, value in found.items():
        print(f"{name:45} {value:9.3f} s")


if __name__ == "__main__":
    main()
