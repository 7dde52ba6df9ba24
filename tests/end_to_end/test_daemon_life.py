"""The life of the real daemon as a process: started, asked to stop, killed, frozen, told of another configuration."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import monotonic_s
from carbonnas.client import DaemonClient
from carbonnas.daemon.lock import find_daemon
from carbonnas.storage.daemon_rows import DaemonRun
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.testing import patient
from carbonnas.testing.chaos_searches import BUDGET, daemon_config, undisturbed, write_patient_search
from carbonnas.testing.chaos_searches import write_trained_search as write_trained
from carbonnas.testing.daemon_process import DaemonProcess, pause_s, submit, wait_for_searches
from carbonnas.testing.descendants import descendants
from carbonnas.testing.exactly_once import records, violations, work
from carbonnas.trials import TrialKind, TrialState

pytestmark = pytest.mark.slow

CONFIG = daemon_config("3 kg")
_PATIENCE_S = 600.0
"""What a machine with much else to do may need to import torch three times over."""
NOBODY = "http://127.0.0.1:9"
"""Nothing listens there: energy stays without a price."""


@contextmanager
def running(folder: Path) -> Iterator[DaemonProcess]:
    """Run a daemon that knows the patient evaluator."""
    daemon = DaemonProcess(folder / "daemon", CONFIG, path=[patient.install(folder / "site")])
    begin(daemon)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.kill()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon that goes on, whatever the tests that share it do."""
    with running(tmp_path_factory.mktemp("steady")) as started:
        yield started


def begin(daemon: DaemonProcess) -> DaemonClient:
    client = daemon.start()
    assert client is not None, daemon.last_words()
    return client


def client_of(daemon: DaemonProcess) -> DaemonClient:
    client = daemon.client()
    assert client is not None, daemon.last_words()
    return client


def eventually(look: Callable[[], object], daemon: DaemonProcess) -> None:
    """Wait until something can be seen."""
    until_s = monotonic_s() + _PATIENCE_S
    while not look():
        assert monotonic_s() < until_s, daemon.last_words()
        pause_s(0.1)


def trains(daemon: DaemonProcess) -> bool:
    """Say whether a training is under way, as far as the store knows."""
    return any(
        trial.kind is TrialKind.TRAIN and trial.state is TrialState.RUNNING
        for record in records(daemon.state)
        for trial in record.trials
    )


def runs(daemon: DaemonProcess) -> list[DaemonRun]:
    """Return the runs, oldest first."""
    store = DaemonStore(store_path(daemon.state))
    try:
        return store.runs(100)[::-1]
    finally:
        store.close()


def require_as_undisturbed(daemon: DaemonProcess, path: Path, site: Path) -> None:
    (record,) = records(daemon.state)
    assert violations([record]) == []
    (twin,) = undisturbed([path], site)
    assert work(record) == work(twin)


def test_what_trains_when_the_daemon_is_asked_to_stop_is_suspended_and_goes_on_when_it_starts_anew(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    client, owner = client_of(daemon), find_daemon(daemon.state)
    assert owner is not None
    assert (owner.pid, owner.address) == (daemon.pid, client.address)
    assert f"serves at {owner.address}" in daemon.log.read_text(encoding="utf-8")
    path = write_patient_search(tmp_path / "search", seed=1, url=NOBODY, rounds=1, epochs=40)
    search_id = submit(client, path)
    eventually(lambda: trains(daemon), daemon)
    assert daemon.stop() == 0
    assert find_daemon(daemon.state) is None
    (stopped,) = records(daemon.state)
    states = {trial.state for trial in stopped.trials}
    assert TrialState.SUSPENDED in states
    assert TrialState.RUNNING not in states
    wait_for_searches(begin(daemon), [search_id], patience_s=600, log=daemon.log)
    assert daemon.stop() == 0
    assert all(run.ended_at is not None for run in runs(daemon))
    require_as_undisturbed(daemon, path, tmp_path / "site")


def test_a_daemon_stops_in_time_although_a_search_is_stuck_while_it_opens_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    site = patient.install(tmp_path / "site")
    install_stuck(site)
    daemon = DaemonProcess(tmp_path / "daemon", CONFIG.replace('"20 s"', '"3 s"'), path=[site])
    client = begin(daemon)
    well = submit(client, write_patient_search(tmp_path / "well", seed=1, url=NOBODY, rounds=1, epochs=400))
    eventually(lambda: trains(daemon), daemon)
    path = write_patient_search(tmp_path / "stuck", seed=2, url=NOBODY)
    path.write_text(path.read_text().replace('use = "carbon_blind"', 'use = "stuck"'))
    stuck = submit(client, path, priority=1)
    eventually(lambda: client.get("searches", stuck)["phase"] == "opening", daemon)
    left = descendants(daemon.pid)
    assert left
    assert client.get("searches", well)["problem"] is None
    assert daemon.stop() == 0
    assert f"search {stuck} could not be closed in" in daemon.log.read_text(encoding="utf-8")
    eventually(lambda: not any(process.is_running() for process in left), daemon)


def install_stuck(site: Path) -> None:
    """Add a scheduler to the plug-ins of a folder which is never made where searches are opened."""
    (site / "stuck.py").write_text(
        "import threading\n"
        "from schedulers.policies.carbon_blind import CarbonBlind\n"
        "class Stuck(CarbonBlind):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        if threading.current_thread().name.startswith('openers'):\n"
        "            threading.Event().wait()\n"
    )
    about = site / "stuck-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stuck\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[carbonnas.schedulers]\nstuck = stuck:Stuck\n")


def test_a_daemon_that_is_killed_holds_up_nobody_and_its_downtime_can_be_seen(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    path = write_patient_search(tmp_path / "search", seed=2, url=NOBODY, rounds=2)
    search_id = submit(client_of(daemon), path)
    eventually(lambda: trains(daemon), daemon)
    daemon.kill()
    assert find_daemon(daemon.state) is None
    pause_s(2)
    wait_for_searches(begin(daemon), [search_id], patience_s=600, log=daemon.log)
    killed, present = runs(daemon)
    assert killed.ended_at is None
    # It was seen each second, and was away for two.
    assert present.started_at - killed.seen_at > timedelta(seconds=2)
    assert present.ended_at is None
    assert daemon.stop() == 0
    require_as_undisturbed(daemon, path, tmp_path / "site")


@pytest.mark.torch
def test_networks_that_were_trained_across_a_stop_and_a_kill_are_the_same_to_the_bit(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    path = write_trained(tmp_path / "search")
    search_id = submit(client_of(daemon), path)
    eventually(lambda: trains(daemon), daemon)
    assert daemon.stop() == 0
    begin(daemon)
    eventually(lambda: trains(daemon), daemon)
    daemon.kill()
    wait_for_searches(begin(daemon), [search_id], patience_s=900, log=daemon.log)
    assert daemon.stop() == 0
    require_as_undisturbed(daemon, path, tmp_path / "site")


def test_a_second_daemon_is_refused_in_one_sentence(steady: DaemonProcess, tmp_path: Path) -> None:
    second = DaemonProcess(tmp_path, CONFIG, state=steady.state)
    try:
        assert second.spawn().wait(timeout=300) == 1
    except subprocess.TimeoutExpired:
        second.kill()
        raise
    address = client_of(steady).address
    said = second.log.read_text(encoding="utf-8")
    assert said.startswith(f"error: a daemon holds {steady.state}: process {steady.pid} runs since ")
    assert f" and serves at {address}; " in said
    assert len(said.splitlines()) == 1


def limit_g(daemon: DaemonProcess) -> float:
    budgets = client_of(daemon).get("budgets")["budgets"]
    return next(float(budget["limit_g"]) for budget in budgets if budget["name"] == BUDGET)


def refusals(daemon: DaemonProcess) -> int:
    return daemon.log.read_text(encoding="utf-8").count("the configuration stays as it was")


def tell(daemon: DaemonProcess, config: str) -> None:
    """Have the daemon read another configuration."""
    daemon.config.write_text(config, encoding="utf-8")
    daemon.signal(signal.SIGHUP)


@pytest.mark.parametrize(
    ("before", "after"),
    [("quantum =", "quantun ="), ('window = "day"', 'window = "dusk"'), ('idle = "50 W"', 'idle = "51 W"')],
)
def test_a_configuration_with_a_mistake_changes_nothing_when_it_is_read_on_sighup(
    steady: DaemonProcess, before: str, after: str
) -> None:
    refused = refusals(steady)
    tell(steady, CONFIG.replace('"3 kg"', '"5 kg"').replace(before, after))
    eventually(lambda: refusals(steady) > refused, steady)
    assert limit_g(steady) == 3000.0


def test_a_configuration_without_a_mistake_is_taken_over_on_sighup(steady: DaemonProcess) -> None:
    tell(steady, CONFIG.replace('"3 kg"', '"4 kg"'))
    eventually(lambda: limit_g(steady) == 4000.0, steady)
    tell(steady, CONFIG)
    eventually(lambda: limit_g(steady) == 3000.0, steady)


def test_a_daemon_that_was_frozen_goes_on(steady: DaemonProcess, tmp_path: Path) -> None:
    client = client_of(steady)
    path = write_patient_search(tmp_path / "search", seed=3, url=NOBODY, rounds=2)
    search_id = submit(client, path)
    eventually(lambda: trains(steady), steady)
    steady.signal(signal.SIGSTOP)
    pause_s(3)
    steady.signal(signal.SIGCONT)
    wait_for_searches(client, [search_id], patience_s=600, log=steady.log)
    (record,) = records(steady.state)
    assert violations([record]) == []
    (twin,) = undisturbed([path], patient.install(tmp_path / "site"))
    assert work(record) == work(twin)
