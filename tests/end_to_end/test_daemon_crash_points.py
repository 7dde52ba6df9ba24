"""A daemon that is killed at any of its named points, and started anew, does each piece of work and counts each joule exactly once."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

import carbonnas
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.exactly_once import records, violations, work
from carbonnas.testing.searches import STARTS_AT, write_simulated_search

POINTS = {"before_commit": 9, "after_commit": 9, "after_submit": 4}
"""Each point, and the pass at which a daemon is killed that gets there: the first tick of each process finds nothing new."""
SEEDS = (1, 2)
DAILY = '\n[[budgets]]\nname = "day"\nwindow = "day"\nlimit = "3 kg"\n'

# A forked child has everything imported already; a simulated daemon starts no threads before the fork.
CONTEXT = multiprocessing.get_context("fork")


def _begin(folder: Path) -> None:
    """Enter the searches, and have nothing done yet."""
    daemon = SimulatedDaemon(folder, slots=3, more=DAILY)
    for seed in SEEDS:
        changes: Mapping[str, object] = {"name": f"s{seed}", "slots": 2}
        daemon.submit(write_simulated_search(folder / f"s{seed}", seed=seed, rounds=2, search=changes))
    daemon.daemon.close()


def _go_on(folder: Path, crash_at: str | None) -> None:
    if crash_at is not None:
        os.environ["CARBONNAS_CRASH_AT"] = crash_at
    with (folder / "messages").open("a") as file:
        os.dup2(file.fileno(), 2)
        daemon = SimulatedDaemon(folder, slots=3, more=DAILY, start=_reached(folder))
        daemon.run()
        daemon.daemon.close()


def _reached(folder: Path) -> datetime:
    store = Store(store_path(folder / "state"))
    try:
        return max((store.progress(search_id).clock_at for search_id in store.ids()), default=STARTS_AT)
    finally:
        store.close()


def _process(folder: Path, crash_at: str | None) -> int:
    process = CONTEXT.Process(target=_go_on, args=(folder, crash_at))
    process.start()
    process.join(timeout=600)
    assert process.exitcode is not None, "the daemon does not come to an end"
    return process.exitcode


def _trial_j(record: SearchRecord) -> dict[int, float]:
    """Return what each trial drew."""
    drawn: dict[int, float] = {}
    for entry in record.entries:
        if entry.owner.account is Account.TRIAL and entry.owner.trial is not None:
            drawn[entry.owner.trial] = drawn.get(entry.owner.trial, 0.0) + entry.priced.sample.joules
    return drawn


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[SearchRecord]:
    """The searches of a daemon that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    _begin(folder)
    assert _process(folder, None) == 0
    found = records(folder / "state")
    assert violations(found) == []
    return found


def _require_same(folder: Path, whole: list[SearchRecord]) -> None:
    found = records(folder / "state")
    assert violations(found) == []
    for killed, undisturbed in zip(found, whole, strict=True):
        assert work(killed) == work(undisturbed)
        assert _trial_j(killed) == pytest.approx(_trial_j(undisturbed), rel=1e-9)


@pytest.mark.parametrize("passes", [2, 31])
@pytest.mark.parametrize("point", POINTS)
def test_a_daemon_killed_at_a_named_point_goes_on_as_if_it_had_not_been(
    tmp_path: Path, whole: list[SearchRecord], point: str, passes: int
) -> None:
    _begin(tmp_path)
    assert _process(tmp_path, f"{point}:{passes}") == -signal.SIGKILL
    assert violations(records(tmp_path / "state"), ended=False) == []
    assert _process(tmp_path, None) == 0
    _require_same(tmp_path, whole)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "passes"), POINTS.items())
def test_a_daemon_killed_again_and_again_at_the_same_point_comes_to_the_same_end(
    tmp_path: Path, whole: list[SearchRecord], point: str, passes: int
) -> None:
    _begin(tmp_path)
    kills = 0
    while (status := _process(tmp_path, f"{point}:{passes}")) != 0:
        assert status == -signal.SIGKILL
        kills += 1
        assert kills < 40
    # Each search commits some thirty times.
    assert kills >= 5
    _require_same(tmp_path, whole)


def test_no_named_point_is_left_out() -> None:
    package = Path(carbonnas.__file__).parent
    named = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'crash_point\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert named == set(POINTS)
