"""What the ticks of the real daemon do while searches work beside 100,000 finished trials, and how long they take.

    python -m benchmarks.daemon_ticks [--searches 6] [--torch] [--seconds 90] [--slots 2] [--json FILE]

The store is that of `benchmarks.store_speed`. The daemon is the production one in a process of its own, with its web server and its timers; only
what a tick calls is timed. Searches with a made-up evaluator are submitted one after the other; one is paused and resumed, one cancelled. Slow ticks are
listed with what they did, and with the processor time that they used: on a busy machine most of a tick may be waiting for a core.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPMethod
from pathlib import Path
from typing import Any

from benchmarks.store_speed import Filler
from carbon_sources.shared_monitor import SharedMonitor
from carbonnas.cli.daemon import run_daemon
from carbonnas.client import DaemonClient, connect
from carbonnas.daemon.fleet import Fleet
from carbonnas.daemon.lock import find_daemon
from carbonnas.daemon.log_format import LogFormat
from carbonnas.daemon.registry import Registry
from carbonnas.daemon.seat import Seat
from carbonnas.daemon.service import Daemon
from carbonnas.energy.node_meter import NodeMeter
from carbonnas.errors import CarbonNASError
from carbonnas.planning import Planner
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.testing import patient
from carbonnas.testing.chaos_searches import Grid, write_patient_search
from carbonnas.testing.daemon_process import submit

SLOW_S = 0.02
"""What a tick may take at the 99th percentile."""
_BEGUN_S = 20.0
"""Seconds from the first tick after which searches have begun, forecasters are fitted and each statement was compiled once."""
_LISTED = 15

PARTS: dict[str, tuple[type, str]] = {
    "enter": (Registry, "enter"),
    "open": (Seat, "open"),
    "start": (Seat, "settle_in"),
    "close": (Seat, "close"),
    "cancel": (Seat, "cancel"),
    "share out": (Fleet, "_share_out"),
    "poll workers": (Fleet, "fetch"),
    "disk": (Fleet, "_has_room"),
    "meter": (NodeMeter, "read"),
    "start meter": (NodeMeter, "_start"),
    "stop meter": (NodeMeter, "_stop"),
    "search": (Seat, "tick"),
    "plan": (Planner, "extend"),
    "commit": (Store, "commit"),
    "entries": (Store, "entries"),
    "forecast": (SharedMonitor, "_forecast"),
    "publish": (Daemon, "_publish"),
}
"""What is timed inside ticks, one within another where one calls the other."""


class Ticks:
    """Times every tick of a daemon in this process, and its parts."""

    def __init__(self) -> None:
        self.ticks: list[dict[str, Any]] = []
        self._parts: Counter[str] = Counter()
        self._thread: int | None = None
        for name, (owner, method) in PARTS.items():
            setattr(owner, method, self._timed(name, getattr(owner, method)))
        step = Daemon.step
        setattr(Daemon, "step", lambda daemon: self._step(daemon, step))  # noqa: B010 - a method is replaced, which types forbid

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:
                return call(*args, **kwargs)
            begun = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self._parts[name] += time.perf_counter() - begun  # type: ignore[assignment]

        return timed

    def _step(self, daemon: Daemon, step: Callable[[Daemon], Any]) -> Any:
        self._parts.clear()
        self._thread, begun = threading.get_ident(), time.perf_counter()
        cpu = time.thread_time()
        try:
            return step(daemon)
        finally:
            self._thread = None
            seconds = time.perf_counter() - begun
            took = {"at": begun, "s": seconds, "cpu_s": time.thread_time() - cpu}
            self.ticks.append(took | {"parts": dict(self._parts)})


def fill(state: Path) -> None:
    """Make a store of searches that have all ended: what is made up can't be gone on with."""
    Filler(store_path(state)).fill()
    connection = sqlite3.connect(store_path(state))
    connection.execute("UPDATE searches SET state = 'stopped', stop_reason = 'cancelled', ended_at = clock_at")
    connection.commit()
    connection.close()
    os.sync()  # trials of months are on the disk for long: what commits wait for must not be the filling


def serve(folder: Path) -> None:
    """Run the daemon until it is told to stop, and write down its ticks."""
    ticks = Ticks()
    try:
        run_daemon(folder / "daemon.toml", folder / "state", host=None, port=0, log=LogFormat.JSON)
    finally:
        (folder / "ticks.json").write_text(json.dumps(ticks.ticks), encoding="utf-8")


@contextmanager
def running(folder: Path, slots: int) -> Iterator[DaemonClient]:
    """Run a daemon in a process of its own."""
    (folder / "daemon.toml").write_text(f"[daemon]\nslots = {slots}\n", encoding="utf-8")
    path = os.pathsep.join([str(patient.install(folder / "site")), os.environ.get("PYTHONPATH", "")])
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "benchmarks.daemon_ticks", "--serve", str(folder)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path})
    try:
        yield _client(folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _client(folder: Path, process: subprocess.Popen[bytes]) -> DaemonClient:
    while process.poll() is None:
        owner = find_daemon(folder / "state")
        if owner is not None and owner.pid == process.pid and owner.address is not None:
            try:
                client = connect(folder / "state")
                if client is not None and client.get("status"):
                    return client
            except CarbonNASError:
                pass
        time.sleep(0.05)
    raise SystemExit((folder / "log").read_text()[-3000:])


def work(folder: Path, client: DaemonClient, searches: int, seconds: float, *, torch: bool) -> None:
    """Let searches work for a while; with `torch` the last has a strategy that needs it."""
    with Grid().served() as url:
        ids = []
        for number in range(searches):
            path = write_patient_search(folder / f"search-{number}", seed=number, url=url, rounds=2000, epochs=8)
            if torch and number == searches - 1:
                text = path.read_text(encoding="utf-8").replace('"regularized_evolution"', '"reinforce"')
                path.write_text(text, encoding="utf-8")
            ids.append(submit(client, path))
        while not any(client.get("searches", each)["running"] for each in ids):
            time.sleep(0.5)
        time.sleep(seconds / 2)
        client.send(HTTPMethod.POST, "searches", ids[0], "pause")
        time.sleep(seconds / 4)
        client.send(HTTPMethod.POST, "searches", ids[0], "resume")
        if searches > 1:
            client.send(HTTPMethod.POST, "searches", ids[1], "cancel")
        time.sleep(seconds / 4)


def tell(ticks: list[dict[str, Any]]) -> dict[str, float]:
    """Print what ticks took and what slow ones did; return the figures."""
    figures: dict[str, float] = {"ticks": len(ticks)}
    later = [tick for tick in ticks if tick["at"] - ticks[0]["at"] > _BEGUN_S]
    for key, what, told in (("s", "", ticks), ("cpu_s", "processor, ", ticks), ("s", f"after {_BEGUN_S:g} s, ", later)):
        if not told:
            continue
        ordered = sorted(tick[key] for tick in told)
        for share in (50, 90, 99, 99.9):
            figures[f"{what}p{share:g}, ms"] = 1000 * ordered[int(len(ordered) * share / 100)]
        figures[f"{what}longest, ms"] = 1000 * ordered[-1]
        figures[f"{what}above 20 ms, %"] = 100 * sum(s > SLOW_S for s in ordered) / len(ordered)
    for name, value in figures.items():
        print(f"{name:30} {value:10.2f}")
    for tick in sorted(ticks, key=lambda tick: -tick["s"])[:_LISTED]:
        parts = sorted(tick["parts"].items(), key=lambda part: -part[1])
        did = ", ".join(f"{name} {1000 * s:.1f}" for name, s in parts if s > 0.001)
        print(f"{1000 * tick['s']:9.1f} ms, processor {1000 * tick['cpu_s']:7.1f}: {did}")
    print("mean and longest of each part, ms:")
    for name in PARTS:
        took = [tick["parts"][name] for tick in ticks if name in tick["parts"]]
        if took:
            print(f"{name:20} {1000 * sum(took) / len(took):10.2f} {1000 * max(took):10.1f} in {len(took)} ticks")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--torch", action="store_true", help="let the last search have a strategy that imports torch")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve)
        return
    with tempfile.TemporaryDirectory(prefix="daemon-ticks-") as temporary:
        folder = Path(temporary)
        fill(folder / "state")
        with running(folder, arguments.slots) as client:
            work(folder, client, arguments.searches, arguments.seconds, torch=arguments.torch)
        figures = tell(json.loads((folder / "ticks.json").read_text(encoding="utf-8")))
        print((folder / "log").read_text()[-1500:], file=sys.stderr)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
