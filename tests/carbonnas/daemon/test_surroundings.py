"""A daemon goes by its own clock and looks at its machine until it knows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor as Threads
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import Clock
from carbonnas.daemon.at_once import AtOnce
from carbonnas.daemon.checking import Checked, check
from carbonnas.daemon.config import load_daemon_config
from carbonnas.daemon.control import Phase, Submission
from carbonnas.daemon.service import Daemon
from carbonnas.daemon.surroundings import OPENERS, Surroundings
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
from tests.carbonnas.daemon.test_opening import Held

SECOND = timedelta(seconds=1)
POWERS = 'use = "constant_power"\ntrain = "300 W"\nscore = "100 W"\nidle = "50 W"\n'


class Still(Clock):
    """Stands still but for what a test moves it by."""

    def __init__(self) -> None:
        self.at = STARTS_AT

    def now(self) -> datetime:
        return self.at

    def instant_of(self, monotonic: float) -> datetime:
        raise NotImplementedError

    def wait(self, until: datetime, wake: threading.Event) -> None:
        raise NotImplementedError


class Small:
    """A daemon whose time stands still until a test moves it.

    Args:
        folder: An empty folder.
        clock: What its configuration says of its clock.
        energy: What its configuration says of its meter.
    """

    def __init__(self, folder: Path, *, clock: str = 'use = "simulated"', energy: str = POWERS) -> None:
        self.clock, self.state, self.openers = Still(), folder / "state", Held()
        path = folder / "daemon.toml"
        text = f'[daemon]\ntick = "1 s"\n[clock]\nstart = "{STARTS_AT.isoformat()}"\n{clock}\n[energy]\n{energy}'
        path.write_text(text, encoding="utf-8")
        around = Surroundings(
            self.state,
            self.clock,
            self._check,
            watched=lambda _name, _poll: None,
            threads=self._threads,
            enough=timedelta.max,
        )
        self.daemon = Daemon(load_daemon_config(path), around)
        self.daemon.open()

    def _threads(self, name: str) -> Threads:
        return self.openers if name == OPENERS else AtOnce()

    def _check(self, submission: Submission) -> Checked:
        request = {"config": submission.config, "folder": submission.folder, "anyway": True, "state": str(self.state)}
        answer = check(request)
        return Checked(answer["text"], answer["choices"])


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Small]]:
    """Collect daemons that are closed after the test."""
    small: list[Small] = []
    yield small
    for each in small:
        each.openers.go()
        each.daemon.close()


def test_what_changes_is_looked_at_in_real_time_however_fast_the_clock_runs(made: list[Small], tmp_path: Path) -> None:
    made.append(Small(tmp_path, clock='use = "replay"\nspeed = 60'))
    (small,) = made
    clock = {"use": "replay", "start": STARTS_AT.isoformat(), "speed": 60}
    path = write_simulated_search(tmp_path / "s", clock=clock, executor={"use": "process"})
    small.daemon.submit(Submission(path.read_text(encoding="utf-8"), str(path.parent)))
    next_at = small.daemon.step()
    assert small.daemon.view().searches[0].phase is Phase.OPENING
    # 0.2 s of a clock that runs 60 times faster.
    assert next_at == STARTS_AT + 12 * SECOND
    # A minute of it is a second, in which nothing is stuck.
    small.clock.at = STARTS_AT + 61 * SECOND
    small.daemon.step()
    assert small.daemon.view().trouble is None
    small.clock.at = STARTS_AT + 3601 * SECOND
    small.daemon.step()
    assert "has been opening since" in (small.daemon.view().trouble or "")
    # Nobody has begun with it.
    small.daemon.cancel(small.daemon.view().searches[0].header.search_id)


def test_a_look_at_the_meter_that_failed_is_told_and_done_again_after_a_minute(
    made: list[Small], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = tmp_path / "energies.csv"
    made.append(Small(tmp_path, energy=f'use = "recorded"\npath = "{table}"\n'))
    (small,) = made
    small.openers.let_go = True
    small.daemon.step()
    assert small.daemon.view().measurement is None
    table.write_text("architecture,kind,energy_j,seconds\n0-1,train,300,10\n")
    small.clock.at = STARTS_AT + 59 * SECOND
    small.daemon.step()
    assert small.daemon.view().measurement is None
    small.clock.at = STARTS_AT + 60 * SECOND
    small.daemon.step()
    assert f"the table of energies {table} can't be read" in caplog.text
    measurement = small.daemon.view().measurement
    assert measurement is not None
    assert measurement.meter == "recorded"
