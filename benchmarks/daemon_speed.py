"""How fast a daemon with 100,000 finished trials in its store is: from start to ready, each page, and at rest.

    python -m benchmarks.daemon_speed [--rest 60] [--json FILE]

The store is that of `benchmarks.store_speed`. Of three answers of each address the median counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from benchmarks.store_speed import Filler
from carbonnas.daemon.lock import find_daemon
from carbonnas.storage.paths import store_path

LONG_SEARCH = "search-0"
"""The one with 10,000 trials."""

ADDRESSES = (
    "/",
    "/searches",
    "/searches?show=ended",
    f"/searches/{LONG_SEARCH}",
    "/budgets",
    "/sources",
    "/metrics",
    "/healthz",
    "/readyz",
    "/api/status",
    "/api/searches",
    "/api/searches?limit=200",
    f"/api/searches/{LONG_SEARCH}",
    f"/api/searches/{LONG_SEARCH}/trials?limit=200",
    f"/api/searches/{LONG_SEARCH}/decisions",
    "/api/budgets",
    "/api/sources",
    f"/api/searches/{LONG_SEARCH}/report?format=json",
    f"/api/searches/{LONG_SEARCH}/report?format=html",
)


def get(address: str) -> tuple[int, float]:
    """Return the status of an answer, and the seconds until it was there."""
    begun = time.perf_counter()
    try:
        with urllib.request.urlopen(address, timeout=120) as answer:
            answer.read()
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    return status, time.perf_counter() - begun


def start(state: Path) -> tuple[subprocess.Popen[bytes], str, float]:
    """Start the daemon and return it, its address, and the seconds until it was ready."""
    begun = time.perf_counter()
    log = (state / "log").open("wb")
    command = [sys.executable, "-m", "carbonnas", "daemon", "--port", "0", "--state", str(state), "--log", "json"]
    process = subprocess.Popen(command, stderr=log, stdout=log)
    while time.perf_counter() - begun < 120 and process.poll() is None:
        owner = find_daemon(state)
        if owner is not None and owner.address is not None and get(f"{owner.address}/readyz")[0] == 200:
            return process, owner.address, time.perf_counter() - begun
        time.sleep(0.02)
    raise SystemExit(f"the daemon did not become ready: {(state / 'log').read_text()[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rest", type=float, default=60.0, help="seconds for which the idle daemon is watched")
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="daemon-speed-") as folder:
        state = Path(folder)
        Filler(store_path(state)).fill()
        process, address, figures["start to ready, s"] = start(state)
        try:
            watched = psutil.Process(process.pid)
            for path in ADDRESSES:
                answers = [get(address + path) for _ in range(3)]
                if {status for status, _ in answers} != {200}:
                    print(f"{path}: {answers}", file=sys.stderr)
                figures[f"{path}, s"] = statistics.median(seconds for _, seconds in answers)
                figures[f"{path}, first time, s"] = answers[0][1]
            while not list((state / "backups").glob("*.db")):
                time.sleep(1)  # the first backup comes a minute after the start
            before = watched.cpu_times()
            time.sleep(arguments.rest)
            after = watched.cpu_times()
            used = after.user + after.system - before.user - before.system
            figures["idle, % of a core"] = 100 * used / arguments.rest
            figures["resident, MB"] = watched.memory_info().rss / 2**20
            figures["tick p99, ms"] = 1000 * float(
                json.load(urllib.request.urlopen(f"{address}/api/status"))["ticks"]["p99_s"]
            )
        finally:
            process.terminate()
            process.wait(timeout=60)
    for name, value in figures.items():
        print(f"{name:60} {value:10.3f}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
