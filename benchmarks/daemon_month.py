"""Thirty simulated days of a daemon with twenty searches: does it keep its memory and its file handles?

    python -m benchmarks.daemon_month [--days 30] [--searches 20] [--json FILE]

Whenever a search ends another one is submitted, so that there are always as many. The daemon is the production one on a simulated clock, with
results from a table; a budget of a day is shared by all. Once a day resident memory and open file handles are read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import psutil

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.control import DaemonView
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.searches import STARTS_AT, TRACE_STARTS_AT, write_simulated_search, write_trace

_SETTLED = 3
"""Days after which memory is compared: caches have filled by then."""
_MB = 2**20
_BUDGET = '\n[[budgets]]\nname = "day"\nwindow = "day"\nlimit = "20 kg"\n'


class Month:
    """One run of the daemon."""

    def __init__(self, folder: Path, days: int, searches: int) -> None:
        self.daemon = SimulatedDaemon(folder / "daemon", slots=8, more=_BUDGET)
        self.days: list[dict[str, float]] = []
        self._folder = folder
        self._last_day = days
        self._searches = searches
        self._submitted = 0
        self._process = psutil.Process()

    def run(self) -> None:
        self._fill(0)
        for day in range(1, self._last_day + 1):
            begun_s = monotonic_s()
            view = self.daemon.run(until=STARTS_AT + timedelta(days=day), on_view=self._look)
            self.days.append(
                {
                    "day": day,
                    "resident_mb": self._process.memory_info().rss / _MB,
                    "handles": self._process.num_fds(),
                    "searches_so_far": self._submitted,
                    "real_s": monotonic_s() - begun_s,
                    "tick_p99_ms": 1000 * view.ticks.p99_s,
                }
            )
            print(json.dumps(self.days[-1]), file=sys.stderr, flush=True)
        self.daemon.daemon.close()

    def _look(self, view: DaemonView) -> None:
        self._fill(len(view.searches))

    def _fill(self, there: int) -> None:
        for _ in range(self._searches - there):
            number = self._submitted
            path = write_simulated_search(
                self._folder / f"search-{number}", seed=number, rounds=10 + number % 20, search={"name": f"s{number}"}
            )
            trace = self._folder / "trace.csv"
            if not trace.exists():
                write_trace(trace, start=TRACE_STARTS_AT, hours=24 * (self._last_day + 14))
            text = path.read_text(encoding="utf-8").replace('"trace.csv"', json.dumps(str(trace)))
            path.write_text(text, encoding="utf-8")
            self.daemon.submit(path)
            self._submitted += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--searches", type=int, default=20)
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="daemon-month-") as folder:
        month = Month(Path(folder), arguments.days, arguments.searches)
        month.run()
    settled = month.days[min(_SETTLED, len(month.days)) - 1]
    grown = month.days[-1]["resident_mb"] - settled["resident_mb"]
    handles = month.days[-1]["handles"] - settled["handles"]
    print(
        f"{len(month.days)} days, {month.days[-1]['searches_so_far']} searches: {grown:+.1f} MB, {handles:+.0f} handles"
    )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(month.days, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
