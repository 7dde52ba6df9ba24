"""The real daemon in a process of its own, driven by the commands."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from carbonnas.daemon.lock import find_daemon
from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import STARTS_AT, write_simulated_search, write_trace

pytestmark = pytest.mark.slow

T = TypeVar("T")

SPEED = 36_000
"""Ten hours of the grid in a second."""
DAEMON = f"""
[daemon]
slots = 2

[clock]
use = "replay"
start = "{STARTS_AT.isoformat()}"
speed = {SPEED}

[energy]
use = "constant_power"
train = "300 W"
score = "100 W"
idle = "50 W"

[[budgets]]
name = "all"
limit = "100 t"
"""


@contextmanager
def daemon(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a daemon on the folder's state and give its process once it serves."""
    (folder / "daemon.toml").write_text(DAEMON, encoding="utf-8")
    words: list[str | Path] = [
        "daemon",
        "--config",
        folder / "daemon.toml",
        "--port",
        "0",
        "--state",
        folder / "state",
        "--log",
        "json",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "carbonnas", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process:
        try:
            while " serves at " not in process.stderr.readline():
                assert process.poll() is None
            # Read to its end, so that the log never blocks the daemon.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def search(folder: Path, name: str, rounds: int) -> Path:
    """Write a search that a daemon can run without workers; its trainings end at once, and its grid is known for three years."""
    path = write_simulated_search(
        folder / name,
        rounds=rounds,
        search={"name": name},
        clock={"use": "replay", "speed": SPEED},
        executor={"use": "inline"},
        scheduler={"use": "carbon_blind", "percentile": None},
        forecaster={"use": "persistence"},
    )
    write_trace(path.parent / "trace.csv", hours=3 * 365 * 24)
    return path


def eventually(look: Callable[[], list[T]]) -> list[T]:
    """Return what there is to see, at the latest after a few steps of the daemon: an answer comes when a change is in the store."""
    for _ in range(1200):
        if seen := look():
            return seen
        threading.Event().wait(0.1)
    return []


def overrides(state: list[str | Path]) -> list[tuple[float, str]]:
    """What operators have added to the daemon's budget."""
    (budget,) = carbonnas("budgets", "daemon/all", "--json", *state).json["budgets"]
    return [(override["grams"], override["reason"]) for override in budget["overrides"]]


def test_searches_are_run_submitted_watched_and_steered(tmp_path: Path) -> None:
    state: list[str | Path] = ["--state", tmp_path / "state"]
    with daemon(tmp_path) as process:
        owner = find_daemon(tmp_path / "state")
        assert owner is not None
        assert owner.pid == process.pid
        run = carbonnas("run", search(tmp_path, "short", 1), "--json", *state)
        assert (run.status, run.json["search"]["state"]) == (0, "completed")
        assert run.err.splitlines()[-1].endswith(" has ended: completed (plan done).")
        # Five scored, two trained, and the winner's full training.
        listed = carbonnas("list", "--json", *state).json["searches"]
        assert [(row["name"], row["scored"], row["trained"], row["phase"]) for row in listed] == [("short", 5, 3, None)]

        submitted = carbonnas("submit", search(tmp_path, "long", 5000), "--priority", "-3", "--json", *state).json
        long = submitted["id"]
        assert submitted["page"] == f"{owner.address}/searches/{long}"
        assert carbonnas("submit", tmp_path / "long" / "search.toml", *state).out.strip() == long
        assert carbonnas("pause", "long", *state).status == 0
        shown = carbonnas("show", "long", "--json", *state).json["daemon"]
        assert (shown["phase"], shown["priority"]) == ("paused", -3)
        assert carbonnas("resume", "long", *state).status == 0
        assert carbonnas("budgets", "--add", "1 kg", "--reason", "why not", "daemon/all", *state).status == 0
        assert eventually(lambda: overrides(state)) == [(1000.0, "why not")]
        assert carbonnas("cancel", "long", "--yes", *state).status == 0
        assert (
            carbonnas("watch", "long", *state).err.splitlines()[-1] == f"Search {long} has ended: stopped (cancelled)."
        )

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0
    assert find_daemon(tmp_path / "state") is None
    assert carbonnas("pause", "long", *state).err.startswith("error: no daemon runs for ")
