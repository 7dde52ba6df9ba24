"""A search that is killed goes on as if nothing had happened."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from carbonnas.cli.run import run_file
from carbonnas.config_file import load_config
from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.chaos_searches import write_trained_search
from carbonnas.testing.searches import write_simulated_search

# A forked child has everything imported already; a simulated search starts no threads before the fork.
CONTEXT = multiprocessing.get_context("fork")

KILLS = 20


def _run(config: Path, state: Path, crash_at: str | None) -> None:
    if crash_at is not None:
        os.environ["CARBONNAS_CRASH_AT"] = crash_at
    with (state.parent / "messages").open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        run_file(config, state, anew=False, as_json=True)


def _run_process(config: Path, state: Path, crash_at: str | None = None, kill_after_s: float | None = None) -> int:
    process = CONTEXT.Process(target=_run, args=(config, state, crash_at))
    process.start()
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        process.kill()
    process.join(timeout=600)
    assert process.exitcode is not None
    return process.exitcode


def _report(state: Path) -> dict[str, Any]:
    store = Store(state / "carbonnas.db")
    (search_id,) = store.ids()
    document: dict[str, Any] = json.loads(render(load_record(store, search_id), ReportFormat.JSON))
    store.close()
    return document


@pytest.mark.slow
def test_a_simulated_search_killed_at_twenty_random_instants_ends_in_the_same_report(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "search", seed=7, rounds=16)
    load_config(config)  # imports the plug-ins once, for all children
    assert _run_process(config, tmp_path / "whole") == 0
    whole = _report(tmp_path / "whole")
    rng = random.Random(2026)  # noqa: S311 - instants of kills need not be secret
    states = [tmp_path / "killed 0"]
    kills = 0
    for attempt in range(10 * KILLS):
        if attempt % 4 == 3:
            status = _run_process(config, states[-1], kill_after_s=rng.uniform(0.1, 0.4))
        else:
            point = rng.choice(["before_commit", "after_commit", "after_submit"])
            status = _run_process(config, states[-1], crash_at=f"{point}:{rng.randint(1, 4)}")
        assert status in {0, -signal.SIGKILL}
        kills += status == -signal.SIGKILL
        if kills == KILLS:
            break
        if status == 0:  # how far a search comes before it is killed depends on the machine: go on with another
            states.append(tmp_path / f"killed {len(states)}")
    assert kills == KILLS
    assert _run_process(config, states[-1]) == 0
    for state in states:
        assert _report(state) == whole


def _work(document: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        tuple(trial[key] for key in ("id", "kind", "architecture", "state", "attempt", "metrics"))
        for trial in document["trials"]
    ]


@pytest.mark.torch
@pytest.mark.slow
def test_a_real_search_killed_five_times_trains_the_same_networks_to_the_same_bit(tmp_path: Path) -> None:
    config = write_trained_search(tmp_path / "search")
    command = [sys.executable, "-m", "carbonnas", "run", str(config), "--json"]

    def start(state: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, "--state", str(tmp_path / state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    output, messages = start("whole").communicate(timeout=900)
    whole = json.loads(output)
    rng = random.Random(2026)  # noqa: S311 - instants of kills need not be secret
    for _ in range(5):
        process = start("killed")
        _wait_for_trials(tmp_path / "killed", process, more=rng.randint(0, 2))
        process.kill()
        process.communicate()
    process = start("killed")
    output, messages = process.communicate(timeout=900)
    assert process.returncode == 0, messages
    killed = json.loads(output)
    assert _work(killed) == _work(whole)
    assert killed["best"] == whole["best"]
    for document in (whole, killed):
        totals = document["totals"]
        assert totals["emissions_g"] == pytest.approx(
            totals["trials_g"] + totals["overhead_g"] + totals["idle_g"], rel=1e-9
        )
        assert totals["energy_kwh"] == pytest.approx(document["measurement"]["measured_kwh"], rel=1e-9)


def _wait_for_trials(state: Path, process: subprocess.Popen[str], more: int) -> None:
    """Wait until a real search has begun and finished some more trials, so that the kill hits it at work."""
    before = _finished(state)
    while process.poll() is None and (_finished(state) or 0) < (before or 0) + more:
        time.sleep(0.05)
    if more == 0:
        time.sleep(2)


def _finished(state: Path) -> int | None:
    if not (state / "carbonnas.db").exists():
        return None
    store = Store(state / "carbonnas.db")
    try:
        return sum(trial.state.final for search_id in store.ids() for trial in store.trials(search_id))
    finally:
        store.close()
