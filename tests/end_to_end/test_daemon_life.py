"""The life of the real daemon as a process: started, asked to stop, killed, frozen, told of another configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carbon_sources.clock import monotonic_s
from carbonnas.client import DaemonClient
from carbonnas.daemon.lock import find_daemon
from carbonnas.storage.daemon_rows import DaemonRun
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.testing import patient
from carbonnas.testing.chaos_searches import (
    daemon_config,
    undisturbed,
    write_patient_search,
    write_trained_search,
)
from carbonnas.testing.daemon_process import DaemonProcess, pause_s, submit, wait_for_searches
from carbonnas.testing.exactly_once import records, violations, work
from carbonnas.trials import TrialState

pytestmark = pytest.mark.slow

STOP_TIMEOUT_S = 20.0
CONFIG = daemon_config().replace('limit = "3 g"', 'limit = "3 kg"')
NOBODY = "http://127.0.0.1:9"
"""Nothing listens there: energy stays without a price."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    made = DaemonProcess(tmp_path / "daemon", CONFIG, path=[patient.install(tmp_path / "site")])
    yield made
    if made.process.poll() is None:
        made.kill()


def begin(daemon: DaemonProcess) -> DaemonClient:
    client = daemon.start()
    assert client is not None, daemon.last_words()
    return client


def patient_search(folder: Path, seed: int) -> Path:
    return write_patient_search(folder / f"patient{seed}", seed=seed, url=NOBODY)


def eventually(look: Callable[[], bool], daemon: DaemonProcess) -> None:
    """Wait until something can be seen."""
    until_s = monotonic_s() + 60
    while not look():
        assert monotonic_s() < until_s, daemon.last_words()
        pause_s(0.1)


def completed(daemon: DaemonProcess) -> int:
    return sum(t.state is TrialState.COMPLETED for record in records(daemon.state) for t in record.trials)


def runs(daemon: DaemonProcess) -> list[DaemonRun]:
    """Return the runs, oldest first."""
    store = DaemonStore(store_path(daemon.state))
    try:
        return store.runs(100)[::-1]
    finally:
        store.close()


def test_a_daemon_that_is_asked_to_stop_suspends_what_trains_and_goes_on_with_it_when_it_starts_anew(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    client = begin(daemon)
    owner = find_daemon(daemon.state)
    assert owner is not None
    assert (owner.pid, owner.address) == (daemon.pid, client.address)
    assert f"serves at {owner.address}" in daemon.log.read_text()
    path = patient_search(tmp_path, 1)
    search_id = submit(client, path)
    eventually(lambda: client.get("searches", search_id)["running"] != [], daemon)
    eventually(lambda: any(t.epoch for t in records_running(client, search_id)), daemon)
    begun_s = monotonic_s()
    assert daemon.stop() == 0
    # Ten seconds for what is not training: threads, the server, the interpreter.
    assert monotonic_s() - begun_s < STOP_TIMEOUT_S + 10
    assert find_daemon(daemon.state) is None
    (record,) = records(daemon.state)
    states = {trial.state for trial in record.trials}
    assert TrialState.RUNNING not in states
    assert TrialState.SUSPENDED in states
    client = begin(daemon)
    wait_for_searches(client, [search_id], patience_s=120, log=daemon.log)
    assert daemon.stop() == 0
    (record,) = records(daemon.state)
    assert violations([record]) == []
    assert work(record) == work(undisturbed(path, tmp_path / "site"))
    assert all(run.ended_at is not None for run in runs(daemon))
