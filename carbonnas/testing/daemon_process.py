"""The real daemon in a process of its own, for tests that kill, freeze and restart it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from http import HTTPMethod
from pathlib import Path
from typing import Any

from carbon_sources.clock import monotonic_s
from carbonnas.client import DaemonClient, connect
from carbonnas.daemon.lock import find_daemon
from carbonnas.errors import CarbonNASError

_LOOK_EVERY_S = 0.05


class NotInTimeError(AssertionError):
    """What a test waits for has not come."""


class DaemonProcess:
    """One daemon on one state folder, started again and again.

    Args:
        folder: Holds the state in `state`, its configuration in `daemon.toml`, and what it writes in `daemon.log`.
        config: Its configuration, TOML.
        path: Folders to put before the path of its modules.
        state: Folder of the store; `None` for `state` in the folder.
    """

    def __init__(self, folder: Path, config: str, *, path: Iterable[Path] = (), state: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state = state or folder / "state"
        self.config = folder / "daemon.toml"
        self.log = folder / "daemon.log"
        self.config.write_text(config, encoding="utf-8")
        self._path = tuple(path)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        if self._process is None:
            raise RuntimeError("the daemon was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def spawn(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a daemon without waiting for anything."""
        command: list[str | Path] = [sys.executable, "-m", "carbonnas", "daemon", "--port", "0", "--log", "json"]
        command += ["--config", self.config, "--state", self.state]
        around = {**os.environ, **path_before(self._path), **(environment or {})}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=around
            )
        return self._process

    def start(self, environment: Mapping[str, str] | None = None, *, patience_s: float = 300.0) -> DaemonClient | None:
        """Start the daemon and return a client of it once it answers; `None` if it ended before."""
        process = self.spawn(environment)
        until_s = monotonic_s() + patience_s
        while process.poll() is None:
            client = self.client()
            if client is not None:
                return client
            _require_time(until_s, "the daemon does not serve", self.log)
        return None

    def client(self) -> DaemonClient | None:
        """Return a client of the daemon if it is this process and answers."""
        owner = find_daemon(self.state) if self.state.is_dir() else None
        if owner is None or owner.pid != self.pid or owner.address is None:
            return None
        try:
            client = connect(self.state)
            return None if client is None or not client.get("status") else client
        except CarbonNASError:
            return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would, and wait until the kernel has taken it away."""
        self.process.kill()
        self.process.wait()

    def stop(self, *, patience_s: float = 300.0) -> int:
        """Ask it to stop and return its exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise NotInTimeError(f"the daemon did not stop in {patience_s:g} s; its log: {self.last_words()}") from None

    def last_words(self) -> str:
        """Return the end of its log."""
        return _tail(self.log)


def path_before(folders: Iterable[Path]) -> dict[str, str]:
    """Return what the environment has to say for modules of these folders to be found before those of the present path."""
    present = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([*map(str, folders), *([present] if present else [])])}


def submit(client: DaemonClient, path: Path, *, labels: Iterable[str] = (), priority: int = 0) -> str:
    """Hand in the search of a file and return its id."""
    config = path.read_text(encoding="utf-8")
    body = {"config": config, "folder": str(path.parent), "labels": list(labels), "priority": priority}
    return str(client.submit(body)["id"])


def override(client: DaemonClient, budget: str, grams: float, reason: str) -> None:
    """Add grams to a budget."""
    client.send(HTTPMethod.POST, "budgets", budget, "override", body={"grams": grams, "reason": reason})


def wait_for_searches(client: DaemonClient, ids: Iterable[str], *, patience_s: float, log: Path) -> None:
    """Wait until searches have ended."""
    left, until_s = set(ids), monotonic_s() + patience_s
    while left:
        answers: dict[str, dict[str, Any]] = {each: client.get("searches", each) for each in left}
        left = {each for each, answer in answers.items() if answer["state"] in (None, "running")}
        if left:
            waiting = {each: (answers[each]["phase"], answers[each]["problem"]) for each in left}
            _require_time(until_s, f"searches do not end: {waiting}", log)


def pause_s(seconds: float) -> None:
    """Wait for real seconds."""
    threading.Event().wait(seconds)


def _require_time(until_s: float, what: str, log: Path) -> None:
    if monotonic_s() > until_s:
        raise NotInTimeError(f"{what}; the end of the log:\n{_tail(log)}")
    pause_s(_LOOK_EVERY_S)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
