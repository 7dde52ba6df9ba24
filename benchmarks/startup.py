"""How long a user waits: start of the command, imports, reading a trace, opening the store, and ticks of a simulated search per second.

    python benchmarks/startup.py [--json]

Stops by itself within a minute, also on a slow machine: what does not fit is measured less often.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

STARTED = time.perf_counter()
PROCESSES_S = 45.0
"""Processes that are still running after that are killed, and the benchmark fails."""

REPEATS_S = 30.0
"""After that nothing is measured a second time."""

SEARCH_S = 8.0
MODULES = ("carbon_sources", "schedulers", "schedulers.policies.threshold", "carbonnas.cli.app")
IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: the median of `runs` values in `unit`, and the extremes."""

    name: str
    unit: str
    median: float
    lowest: float
    highest: float
    runs: int


def measure(name: str, once: Callable[[], float], *, runs: int, unit: str = "s") -> Figure:
    """Take `runs` values, or as many as there is time for, but at least one."""
    values = [once()]
    while len(values) < runs and time.perf_counter() - STARTED < REPEATS_S:
        values.append(once())
    return Figure(name, unit, statistics.median(values), min(values), max(values), len(values))


def run_python(*arguments: str) -> str:
    command, left_s = [sys.executable, *arguments], STARTED + PROCESSES_S - time.perf_counter()
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=max(0.1, left_s))
    return answer.stdout


def show_help() -> float:
    start = time.perf_counter()
    run_python("-m", "carbonnas", "--help")
    return time.perf_counter() - start


def import_module(name: str) -> Callable[[], float]:
    return lambda: float(run_python("-c", IMPORT.format(name)))


def open_store(path: Path) -> float:
    from carbonnas.storage.store import Store

    start = time.perf_counter()
    Store(path).close()
    return time.perf_counter() - start


def read_trace() -> float:
    from carbon_sources.providers.trace import TraceSource

    start = time.perf_counter()
    TraceSource(path=Path("bundled:DK_2019"))
    return time.perf_counter() - start


def ticks_per_second(folder: Path) -> float:
    """Run a simulated search of 80 rounds, or its first seconds, and return its ticks in each second of real time."""
    from carbonnas.config_file import load_config
    from carbonnas.driver import drive
    from carbonnas.storage.store import Store
    from carbonnas.testing.searches import write_simulated_search
    from carbonnas.wiring import choose_search, open_search

    config, text = load_config(write_simulated_search(folder, rounds=80))
    store, stop, ticks = Store(folder / "carbonnas.db"), threading.Event(), 0
    opened = open_search(config, text, store, search_id=choose_search(config, store, anew=False), state_folder=folder)
    start = time.perf_counter()

    def count(_: object) -> None:
        nonlocal ticks
        ticks += 1
        if time.perf_counter() - start > SEARCH_S:
            stop.set()

    drive(opened, count, stop)
    lasted_s = time.perf_counter() - start
    store.close()
    return ticks / lasted_s


def figures(folder: Path) -> list[Figure]:
    found = [measure("carbonnas --help", show_help, runs=10)]
    found += [measure(f"import {name}", import_module(name), runs=5) for name in MODULES]
    open_store(folder / "warm.db")  # what is imported at the first use is not part of it
    found.append(measure("a trace of 8,760 hours", read_trace, runs=5))
    stores = iter(range(1000))
    found.append(measure("store, made anew", lambda: open_store(folder / f"{next(stores)}.db"), runs=5))
    found.append(measure("store, opened again", lambda: open_store(folder / "warm.db"), runs=5))
    found.append(measure("simulated search", lambda: ticks_per_second(folder / "search"), runs=1, unit="ticks/s"))
    return found


def print_table(found: list[Figure]) -> None:
    print(f"{'':38}{'median':>10}{'lowest':>10}{'highest':>10}  unit     runs")
    for figure in found:
        values = "".join(f"{value:10.3g}" for value in (figure.median, figure.lowest, figure.highest))
        print(f"{figure.name:38}{values}  {figure.unit:8}{figure.runs:5}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as name:
        found = figures(Path(name))
    if as_json:
        print(json.dumps({"python": sys.version.split()[0], "figures": [asdict(figure) for figure in found]}, indent=2))
    else:
        print_table(found)


if __name__ == "__main__":
    main()
