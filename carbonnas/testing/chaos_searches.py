"""The searches, the grid and the daemon's configuration of the chaos."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from carbon_sources.clock import wall_time
from carbon_sources.testing_server import Asked, Reply, fake_provider
from carbon_sources.units import J_PER_KWH
from carbonnas.driver import run_search
from carbonnas.errors import ExecutionError
from carbonnas.record import SearchRecord
from carbonnas.testing.daemon_process import path_before
from carbonnas.testing.exactly_once import records

SLOTS = 3
TRAIN_W, SCORE_W, IDLE_W = 300.0, 100.0, 50.0
DIRTIEST = 400.0
"""Of the grid, g/kWh."""
BUDGET = "daemon/day"
LIMIT_G = 0.4
"""What three slots emit in less than ten seconds."""
LITTLE_G = 0.5 * LIMIT_G
"""So little of it may be too little to begin another trial, or all three of them."""

_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Load:
    """What the daemon is given to do.

    Attributes:
        at_once: Searches that are open at a time; two are more than there are slots for.
        rounds: How long each is.
        torch: Whether networks are trained, too.
    """

    at_once: int = 3
    rounds: int = 4
    torch: bool = True


def most_g(stretch: timedelta) -> float:
    """Return the most that the machine can emit in a stretch of time, in grams."""
    return (SLOTS * TRAIN_W + IDLE_W) * stretch.total_seconds() / J_PER_KWH * DIRTIEST


_DAEMON = f"""
[daemon]
slots = {SLOTS}
quantum = "10 s"
heartbeat = "1 s"
stop_timeout = "20 s"

[energy]
use = "constant_power"
train = "{TRAIN_W:g} W"
score = "{SCORE_W:g} W"
idle = "{IDLE_W:g} W"

[backup]
every = "5 min"
keep = 2

[[budgets]]
name = "day"
window = "day"
limit = "{{limit}}"
"""

_PATIENT = """
[search]
name = "patient"
seed = {seed}
slots = 2
rounds = {rounds}
score_per_round = 4
train_per_round = 2
epochs = {epochs}
full_epochs = 6
rank_by = ["params", "macs"]

[space]
use = "small_conv"

[strategy]
use = "regularized_evolution"

[scoring]
use = "patient"
score_s = {score_s}

[training]
use = "patient"
epoch_s = {epoch_s}

[scheduler]
use = "carbon_blind"

[forecaster]
use = "persistence"
"""

_SOURCE = """
[carbon_source]
use = "carbon_aware_sdk"
base_url = "{url}"
location = "here"
kind = "average"
basis = "lifecycle"

[accounting]
poll_interval = "10 s"
"""

_TRAINED = """
[search]
name = "trained"
seed = 3
slots = 2
rounds = 2
score_per_round = 3
train_per_round = 2
epochs = 2
full_epochs = 3
rank_by = ["params", "macs"]

[space]
use = "small_conv"

[strategy]
use = "reinforce"

[scoring]
use = "proxies"
proxies = ["params", "macs"]

[training]
use = "training"

[scheduler]
use = "carbon_blind"

[carbon_source]
use = "constant"
g_per_kwh = 300
"""

_ALONE = """
[energy]
use = "constant_power"
train = "1 W"
score = "1 W"
idle = "1 W"
"""
_CONSTANT = '\n[carbon_source]\nuse = "constant"\ng_per_kwh = 300\n'


def daemon_config(limit: str = f"{LIMIT_G:g} g") -> str:
    """Return the configuration of the daemon, with a limit on each day."""
    return _DAEMON.format(limit=limit)


def write_patient_search(folder: Path, *, seed: int, url: str, rounds: int = 4, epochs: int = 4) -> Path:
    """Write a search that needs no torch, on the grid of an address; an epoch takes a quarter of a second."""
    lasting = _PATIENT.format(seed=seed, rounds=rounds, epochs=epochs, score_s=0.05, epoch_s=0.25)
    timeless = _PATIENT.format(seed=seed, rounds=rounds, epochs=epochs, score_s=0, epoch_s=0)
    alone = timeless + _CONSTANT + _ALONE + '\n[executor]\nuse = "inline"\n'
    return _written(folder, lasting + _SOURCE.format(url=url), alone)


def write_trained_search(folder: Path) -> Path:
    """Write a search that trains networks for some seconds each."""
    return _written(folder, _TRAINED, _TRAINED + _ALONE)


def _written(folder: Path, text: str, alone: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "alone.toml").write_text(alone, encoding="utf-8")
    path = folder / "search.toml"
    path.write_text(text, encoding="utf-8")
    return path


def undisturbed(paths: Sequence[Path], site: Path) -> list[SearchRecord]:
    """Run searches that were written here, one after the other with nobody to disturb them, and return what came of each.

    Args:
        paths: Their configurations.
        site: Where the plug-in lies.

    Raises:
        ExecutionError: If one failed.
    """
    program = f"import sys; from {__name__} import run_alone; run_alone(sys.argv[1:])"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *map(str, paths)],
        env={**os.environ, **path_before([site])},
        capture_output=True,
        text=True,
        timeout=600 + 60 * len(paths),
        check=False,
    )
    if done.returncode != 0:
        raise ExecutionError(f"a search failed although nobody disturbed it: {done.stderr}")
    return [records(path.parent / "alone")[0] for path in paths]


def run_alone(paths: Sequence[str]) -> None:
    """Run the undisturbed twins of searches; the plug-in has to be on the path."""
    for folder in (Path(path).parent for path in paths):
        run_search((folder / "alone.toml").read_text(encoding="utf-8"), folder / "alone", folder=folder)


_BROKEN = {
    "refuses": Reply.json({"title": "Forbidden"}, 403),
    "resets": Reply(reset=True),
    "fails": Reply(b"", 503),
    "babbles": Reply(b"<html>nothing of interest</html>"),
    "dawdles": Reply(b"[]", delay_s=2.0),
}


class Grid:
    """A service like the Carbon Aware SDK's, which can be broken in several ways.

    Attributes:
        broken: How it is broken at present; `None` if it is not.
    """

    WAYS: ClassVar[tuple[str, ...]] = tuple(_BROKEN)

    def __init__(self) -> None:
        self.broken: str | None = None

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it and give its address."""
        with fake_provider(self._reply) as server:
            yield server.url

    def _reply(self, asked: Asked) -> Reply:
        if self.broken is not None:
            return _BROKEN[self.broken]
        if not asked.path.endswith("/emissions/bylocation"):
            return Reply.json({"title": "Not Implemented"}, 501)
        start, end = (datetime.fromisoformat(asked.query[name][0]) for name in ("time", "toTime"))
        first = start.replace(minute=start.minute // 5 * 5, second=0, microsecond=0)
        last = min(end, wall_time())
        rows = [_row(first + number * _STEP) for number in range(max(0, (last - first) // _STEP + 1))]
        return Reply.json(rows)


def _row(begins: datetime) -> dict[str, Any]:
    """Return what is known of five minutes; between 200 and 400 g/kWh."""
    rating = DIRTIEST - 100.0 + 100.0 * math.sin(begins.timestamp() / 1000.0)
    stamp = begins.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return {"location": "here", "time": stamp, "rating": round(rating, 3), "duration": "00:05:00"}
