"""The real daemon with real workers, and everything that can happen to them, at random instants: `python tests/end_to_end/chaos.py --faults 200`.

It hands in searches for as long as it lasts, and whenever one has ended another. At the end everything that was stored is compared with
what the same searches come to where nothing happens to them. The exit status is 1 if anything differs, is lost, or counts twice.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from carbon_sources.clock import monotonic_s, wall_time
from carbon_sources.interval import Interval
from carbonnas.client import DaemonClient, DaemonGoneError
from carbonnas.errors import CarbonNASError
from carbonnas.testing import patient
from carbonnas.testing.chaos_faults import Fault, faults
from carbonnas.testing.chaos_searches import (
    BUDGET,
    LIMIT_G,
    LITTLE_G,
    Grid,
    Load,
    daemon_config,
    write_patient_search,
    write_trained_search,
)
from carbonnas.testing.chaos_verdict import Tally, figures, problems
from carbonnas.testing.daemon_process import DaemonProcess, override, pause_s, submit
from carbonnas.testing.descendants import workers
from carbonnas.testing.disks import SmallDisk, small_disk
from carbonnas.testing.exactly_once import open_trials, readings, written
from carbonnas.testing.processes import alive

POINTS = ("before_commit", "after_commit", "after_submit")
_AT_WORK = 0.75
_LONGEST_WAIT_S = 10.0
_REST_S = 2.0
"""If there are workers and none works for longer, it may be that none is allowed to."""
_ABSENCE_S = 65.0
"""What reports call a downtime is longer than a minute."""
_PATIENCE_S = 1800.0
"""Whatever takes longer will never come, however busy the machine."""


class Chaos:
    """One run.

    Args:
        folder: An empty folder for everything.
        grid: The carbon source that searches use.
        url: Its address.
        disk: What the store lies on.
        rng: Chooses what happens when, and to whom.
        load: What the daemon is given to do.
        say: Told what happens.
    """

    def __init__(
        self,
        folder: Path,
        grid: Grid,
        url: str,
        *,
        disk: SmallDisk,
        rng: random.Random,
        load: Load,
        say: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._load = load
        self._say = say
        self.tally = Tally()
        self._grid = grid
        self._url = url
        self._disk = disk
        self._rng = rng
        site = patient.install(folder / "site")
        self.daemon = DaemonProcess(folder, daemon_config(), path=[site], state=disk.folder / "state")
        self._client: DaemonClient | None = None
        self._worked_s = 0.0
        self._noted_at = wall_time()
        self._open: set[str] = set()
        self.paths: dict[str, Path] = {}
        self._waiting = [write_trained_search(folder / "trained")] if load.torch else []
        self._do: dict[Fault, Callable[[], None]] = {
            Fault.KILL_DAEMON: self.kill,
            Fault.CRASH_AT_A_POINT: self._crash,
            Fault.KILL_A_WORKER: lambda: self._to_a_worker(signal.SIGKILL),
            Fault.FREEZE_DAEMON: lambda: self._freeze(self.daemon.pid),
            Fault.FREEZE_A_WORKER: lambda: self._to_a_worker(signal.SIGSTOP),
            Fault.FILL_DISK: self._fill,
            Fault.BREAK_SOURCE: self._break_source,
            Fault.STOP_DAEMON: self._stop,
        }
        if not disk.mounted:
            del self._do[Fault.FILL_DISK]
        self._faults = faults(list(self._do), rng)

    def run(self, count: int) -> None:
        """Let so many faults happen, then let all searches end, and stop the daemon."""
        self.start()
        for number in range(1, count + 1):
            self._tend()
            # Most faults meet work, some the start of the daemon or of workers.
            if self._rng.random() < _AT_WORK:
                self._wait_for_work()
            pause_s(self._rng.uniform(0.0, 2.5))
            fault = next(self._faults)
            self.tally.faults[fault.value] += 1
            self._say(f"{number}/{count} {fault.value}; {len(self._open)} of {len(self.paths)} searches open")
            self._require_alive()
            self._do[fault]()
            if number == count // 2 and count >= 100:
                self._stay_away()
        self._grid.broken = None
        self.kill()
        self._drain()
        self._say("all searches have ended" if not self._open else f"these have not ended: {sorted(self._open)}")
        self.tally.spent = self._spent()
        self._stop(again=False)
        self._note_readings()

    def start(self) -> None:
        """Start the daemon; if it can't, try again."""
        for _ in range(5):
            begun_s = monotonic_s()
            self._client = self.daemon.start(patience_s=_PATIENCE_S)
            self._worked_s = monotonic_s()
            if self._client is not None:
                self.tally.starts_s.append(monotonic_s() - begun_s)
                return
            self.tally.failed_starts += 1
        raise AssertionError(f"the daemon does not start: {self.daemon.last_words()}")

    def kill(self) -> None:
        """Kill the daemon and start it again."""
        self._kill()
        self.start()

    def _kill(self) -> None:
        its_workers = workers(self.daemon.pid)
        self.daemon.kill()
        self.tally.killed += 1
        self._client = None
        # The kernel ends them with the daemon: a trial may not be worked on twice.
        until_s = monotonic_s() + _PATIENCE_S
        while any(alive(worker.pid) for worker in its_workers):
            if monotonic_s() > until_s:
                raise AssertionError(f"workers outlived the daemon: {its_workers}")
            pause_s(0.02)
        self.tally.note_written(written(self.daemon.state))
        self._note_readings()

    def _note_readings(self) -> None:
        since, self._noted_at = self._noted_at, wall_time()
        self.tally.readings.update(readings(self.daemon.state, self.paths, since))

    def _stay_away(self) -> None:
        self._kill()
        begin = wall_time()
        pause_s(_ABSENCE_S)
        self.tally.absent = Interval(begin, wall_time())
        self.start()

    def _crash(self) -> None:
        self._kill()
        where = f"{self._rng.choice(POINTS)}:{self._rng.randint(1, 15)}"
        client = self.daemon.start({"CARBONNAS_CRASH_AT": where}, patience_s=_PATIENCE_S)
        until_s = monotonic_s() + _LONGEST_WAIT_S
        while client is not None and self.daemon.process.poll() is None and monotonic_s() < until_s:
            # What is handed in, and what is added to the budget, meets the crash, too.
            self._look_after(client)
            pause_s(0.1)
        self.kill()

    def _stop(self, *, again: bool = True) -> None:
        begun_s = monotonic_s()
        status = self.daemon.stop(patience_s=_PATIENCE_S)
        self.tally.stops_s.append(monotonic_s() - begun_s)
        self.tally.stopped += 1
        if status != 0:
            raise AssertionError(f"the daemon stopped with status {status}: {self.daemon.last_words()}")
        if again:
            self.start()

    def _to_a_worker(self, number: signal.Signals) -> None:
        found = sorted(workers(self.daemon.pid), key=lambda process: process.pid)
        # A trial that loses its worker twice has failed, as it should; here it would only say how unlucky it was.
        if not found or (number is signal.SIGKILL and self._is_second_attempt()):
            return
        worker = self._rng.choice(found)
        if number is signal.SIGSTOP:
            self._freeze(worker.pid)
        else:
            with suppress(psutil.NoSuchProcess):
                worker.kill()

    def _is_second_attempt(self) -> bool:
        return any(trial.attempt > 1 for trial in open_trials(self.daemon.state, self._open))

    def _freeze(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            pause_s(self._rng.uniform(0.3, 1.5))
            os.kill(pid, signal.SIGCONT)

    def _fill(self) -> None:
        self._disk.fill()
        pause_s(self._rng.uniform(0.5, 6))
        self._disk.free()
        if self._rng.random() < 0.6 or self.daemon.process.poll() is not None:
            self.kill()

    def _break_source(self) -> None:
        self._grid.broken = None if self._grid.broken else self._rng.choice(Grid.WAYS)
        if self._grid.broken and self._rng.random() < 0.5:
            self.kill()

    def _tend(self) -> None:
        """Hand in searches, and allow more grams when few are left; a daemon that is gone at the moment is asked again later."""
        self._require_alive()
        if self._client is not None:
            self._look_after(self._client)

    def _require_alive(self) -> None:
        if self.daemon.process.poll() is not None:
            raise AssertionError(f"the daemon has ended by itself: {self.daemon.last_words()}")

    def _look_after(self, client: DaemonClient, *, hand_in: bool = True) -> bool:
        """Hand in searches until there are enough, allow more grams if nobody can work, and say whether somebody does."""
        try:
            self._note_ends(client)
            # What was handed in and not answered may have been entered; handed in again it is the same search.
            while self._waiting or (hand_in and len(self._open) < self._load.at_once):
                self._hand_in(client)
            answers = [client.get("searches", each) for each in self._open]
            if any(answer["running"] for answer in answers):
                self._worked_s = monotonic_s()
                return True
            if all(answer["state"] is None for answer in answers):
                # Their workers are only starting.
                self._worked_s = monotonic_s()
            if monotonic_s() - self._worked_s > _REST_S:
                self._allow_more(client)
        except CarbonNASError as error:
            self._note_silence(error)
        return False

    def _wait_for_work(self) -> None:
        until_s = monotonic_s() + _LONGEST_WAIT_S
        while monotonic_s() < until_s and self._client is not None and not self._look_after(self._client):
            pause_s(0.2)

    def _note_silence(self, error: CarbonNASError) -> None:
        self.tally.unanswered += 1
        self._say(f"not answered: {error}")

    def _note_ends(self, client: DaemonClient) -> None:
        for search_id in sorted(self._open):
            if client.get("searches", search_id)["state"] not in {None, "running"}:
                self._open.discard(search_id)

    def _hand_in(self, client: DaemonClient) -> None:
        if not self._waiting:
            seed = len(self.paths) + 1
            folder = self.folder / f"patient{seed}"
            self._waiting.append(write_patient_search(folder, seed=seed, url=self._url, rounds=self._load.rounds))
        search_id = submit(client, self._waiting[0], priority=self._rng.randint(-1, 1))
        self.paths[search_id] = self._waiting.pop(0)
        self._open.add(search_id)

    def _allow_more(self, client: DaemonClient) -> None:
        """Add to the budget if it may be what keeps everybody from working: so it is reached again and again."""
        if _budget(client)["remaining_g"] < LITTLE_G:
            override(client, BUDGET, LIMIT_G, "the chaos goes on")

    def _spent(self) -> tuple[datetime, float]:
        """Return midnight, and what the daemon says was spent of the budget since then, as far as its price is known."""
        if self._client is None:
            raise AssertionError("the daemon does not answer")
        budget = _budget(self._client)
        return datetime.fromisoformat(budget["window_start"]), budget["spent_g"] - budget["unpriced_g"]

    def _drain(self) -> None:
        until_s = monotonic_s() + _PATIENCE_S
        while self._open and monotonic_s() < until_s:
            if self._client is None:
                raise AssertionError("the daemon does not answer")
            self._require_alive()
            self._look_after(self._client, hand_in=False)
            pause_s(0.5)


def _budget(client: DaemonClient) -> dict[str, Any]:
    for budget in client.get("budgets")["budgets"]:
        if budget["name"] == BUDGET:
            return dict(budget)
    raise DaemonGoneError("the daemon has not yet taken over what the one before left")


def run_chaos(folder: Path, count: int, seed: int, *, load: Load, say: Callable[[str], None]) -> list[str]:
    """Run the chaos in an empty folder and return what is not as it should be.

    Args:
        folder: Holds everything.
        count: How many faults.
        seed: What happens follows from it, as far as it can.
        load: What the daemon is given to do.
        say: Told what happens.
    """
    rng, grid = random.Random(seed), Grid()  # noqa: S311 - faults need not be secret
    with grid.served() as url, small_disk(folder) as disk:
        if not disk.mounted:
            say("no file system may be mounted here, so that no disk is ever full")
        chaos = Chaos(folder, grid, url, disk=disk, rng=rng, load=load, say=say)
        try:
            chaos.run(count)
            found = problems(chaos.daemon.state, chaos.paths, folder / "site", chaos.tally)
            for name, value in figures(chaos.daemon.state, chaos.tally).items():
                say(f"{name}: {value}")
            return found
        finally:
            if chaos.daemon.process.poll() is None:
                chaos.daemon.kill()
            # What lies on the small disk goes with it.
            shutil.copytree(chaos.daemon.state, folder / "state", ignore=shutil.ignore_patterns("backups"))


def main() -> int:
    """Run from the command line and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-torch", action="store_true")
    parser.add_argument("--folder", type=Path, help="keeps everything there; must not exist")
    asked = parser.parse_args()
    begun_s = monotonic_s()

    def say(text: str) -> None:
        sys.stdout.write(f"{monotonic_s() - begun_s:7.1f} s  {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "chaos" if asked.folder is None else asked.folder
        folder.mkdir(parents=True)
        problems = run_chaos(folder, asked.faults, asked.seed, load=Load(torch=not asked.without_torch), say=say)
    for problem in problems:
        say(f"PROBLEM: {problem}")
    say(f"{asked.faults} faults, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
