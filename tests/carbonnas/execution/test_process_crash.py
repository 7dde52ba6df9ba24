"""What remains of a search that is killed with SIGKILL: real processes, really killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from carbon_sources.clock import SystemClock
from carbonnas.execution.process import ProcessExecutor
from carbonnas.execution.spool import Spool
from carbonnas.testing.evaluators import CountingWorkbench
from carbonnas.testing.processes import alive, children, grandchildren, stop, wait_for_end, wait_until

INTERVAL_S = 0.1

SEARCH = """
import json, sys, threading
from datetime import timedelta
from pathlib import Path
from carbon_sources.clock import SystemClock
from carbonnas.execution.process import ProcessExecutor
from carbonnas.testing.evaluators import CountingWorkbench, Failure
from carbonnas.testing.executors import job

folder, clock = Path(sys.argv[1]), SystemClock()
executor = ProcessExecutor(
    clock, 2, CountingWorkbench(0.05), folder / "spool", None, usage_interval=timedelta(seconds=float(sys.argv[2]))
)
executor.open()
executor.submit(job(0, failure=Failure.LEAVES_A_CHILD))
while not executor.poll().outcomes:
    executor.wait(clock.now() + timedelta(seconds=1), threading.Event())
executor.submit(job(1, failure=Failure.HANGS))
executor.submit(job(2, epochs=1000))
with (folder / "ledger").open("w") as ledger:
    while True:
        executor.wait(clock.now() + timedelta(seconds=1), threading.Event())
        for usage in executor.poll().usages:
            stamps = [usage.interval.start.isoformat(), usage.interval.end.isoformat()]
            ledger.write(json.dumps([usage.usage_id, usage.owner.trial, *stamps, usage.cpu_seconds]) + chr(10))
        ledger.flush()
        executor.acknowledge()
"""

Row = tuple[int | None, datetime, datetime, float]


@contextmanager
def search(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Run a search that works on two jobs; once the ledger has usage of both, yield it and all its processes.

    Those are its fork server, its workers and what an evaluator has left behind.
    """
    process = subprocess.Popen([sys.executable, "-c", SEARCH, str(folder), str(INTERVAL_S)])
    try:
        wait_until(lambda: process.poll() is not None or {1, 2} <= owners(ledger(folder)), "no usage of both jobs")
        assert process.poll() is None
        (fork_server,) = children(process.pid)
        yield process, [fork_server, *children(fork_server), *grandchildren(fork_server)]
    finally:
        process.kill()
        process.wait()


def owners(rows: dict[str, Row]) -> set[int | None]:
    """Return whose usage there is."""
    return {owner for owner, *_ in rows.values()}


def spooled(folder: Path) -> dict[str, Row]:
    """Return what the workers have written down."""
    return {
        usage.usage_id: (usage.owner.trial, usage.interval.start, usage.interval.end, usage.cpu_seconds)
        for usage in Spool(folder / "spool").recover()
    }


def spools_on(folder: Path, known: Collection[str]) -> bool:
    """Say whether each of the two jobs has three usages in the spool besides those that are known."""
    trials = [trial for usage_id, (trial, *_) in spooled(folder).items() if usage_id not in known]
    return min(trials.count(1), trials.count(2)) >= 3


def ledger(folder: Path) -> dict[str, Row]:
    rows = {}
    if (folder / "ledger").exists():
        for line in (folder / "ledger").read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                usage_id, trial, start, end, cpu_s = json.loads(line)
                rows[usage_id] = (trial, datetime.fromisoformat(start), datetime.fromisoformat(end), cpu_s)
    return rows


def test_workers_end_with_a_search_that_is_killed_even_if_they_listen_to_nobody(tmp_path: Path) -> None:
    with search(tmp_path) as (process, pids):
        assert len(pids) == 4
        assert all(alive(pid) for pid in pids)
        os.kill(process.pid, signal.SIGKILL)
        wait_for_end(pids)


def test_a_killed_search_loses_only_the_usage_that_is_not_written_down_yet_and_counts_none_twice(
    tmp_path: Path,
) -> None:
    with search(tmp_path) as (process, pids):
        stop(process.pid)  # it polls no more; its workers go on to measure and to spool, again and again
        polled = ledger(tmp_path)
        wait_until(lambda: spools_on(tmp_path, polled), "the workers do not spool")
        written = spooled(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
        wait_for_end(pids)
    executor = ProcessExecutor(SystemClock(), 2, CountingWorkbench(0.0), tmp_path / "spool", None)
    recovered = {
        usage.usage_id: (usage.owner.trial, usage.interval.start, usage.interval.end, usage.cpu_seconds)
        for usage in executor.recover()
    }
    assert written.items() <= recovered.items()
    for usage_id in recovered.keys() & polled.keys():
        assert recovered[usage_id][0] == polled[usage_id][0]
        assert recovered[usage_id][3] == polled[usage_id][3]
        assert abs(recovered[usage_id][1] - polled[usage_id][1]) < timedelta(milliseconds=50)
    together = polled | recovered
    for trial in (1, 2):
        worked = sorted(row[1:] for row in together.values() if row[0] == trial)
        for before, after in pairwise(worked):
            assert abs(after[0] - before[1]) < timedelta(milliseconds=50)
    executor.acknowledge()
    assert list((tmp_path / "spool").iterdir()) == []
