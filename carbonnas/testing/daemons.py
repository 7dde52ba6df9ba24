"""Daemons for tests: on a simulated clock, in the calling thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor as Threads
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import SimulatedClock
from carbonnas.daemon.at_once import AtOnce
from carbonnas.daemon.checking import Checked, check
from carbonnas.daemon.config import DaemonConfig, load_daemon_config
from carbonnas.daemon.control import DaemonView, Submission
from carbonnas.daemon.service import Daemon
from carbonnas.daemon.surroundings import Surroundings
from carbonnas.errors import ConfigError
from carbonnas.testing.searches import STARTS_AT

_CONFIG = """
[daemon]
slots = {slots}
stop_timeout = "{stop_timeout}"

[clock]
use = "simulated"
start = "{start}"

[energy]
use = "constant_power"
train = "300 W"
score = "100 W"
idle = "50 W"
"""


def _at_once(_name: str) -> Threads:
    return AtOnce()


class SimulatedDaemon:
    """A daemon whose time moves to whatever comes next; the calling thread ticks it, and gives commands between the ticks.

    Args:
        folder: An empty folder, or that of an earlier one, whose searches it takes over.
        slots: Slots of its machine.
        more: More of its configuration, TOML.
        start: First instant.
        threads: Makes what opens and closes searches.
        enough: How long a tick goes from search to search, real time.
        stop_timeout: How long it may take to stop, real time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        slots: int = 2,
        more: str = "",
        start: datetime = STARTS_AT,
        threads: Callable[[str], Threads] = _at_once,
        enough: timedelta = timedelta.max,
        stop_timeout: str = "30 s",
    ) -> None:
        self.state = folder / "state"
        self.clock = SimulatedClock(start)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "daemon.toml"
        text = _CONFIG.format(slots=slots, start=start.isoformat(), stop_timeout=stop_timeout)
        path.write_text(text + more, encoding="utf-8")
        self.config: DaemonConfig = load_daemon_config(path)
        around = Surroundings(
            self.state,
            self.clock,
            self.check,
            _watched_by_the_tick,
            threads=threads,
            enough=enough,
            simulated=True,
        )
        self.daemon = Daemon(self.config, around)
        self.daemon.open()

    def submit(self, path: Path, *, priority: int = 0, labels: tuple[str, ...] = (), anyway: bool = False) -> str:
        """Hand in the search of a file."""
        text = path.read_text(encoding="utf-8")
        return self.daemon.submit(Submission(text, str(path.parent), priority, labels, anyway=anyway))

    def run(
        self,
        until: datetime | None = None,
        on_view: Callable[[DaemonView], None] = lambda _view: None,
    ) -> DaemonView:
        """Tick until an instant, or until no search is left, and return the last view."""
        while True:
            next_at = self.daemon.step()
            view = self.daemon.view()
            on_view(view)
            if (until is not None and view.now >= until) or (until is None and not view.searches):
                return view
            self.daemon.rest(next_at if until is None else min(next_at, until))

    def check(self, submission: Submission) -> Checked:
        """Check a submission in this process."""
        request = {
            "config": submission.config,
            "folder": submission.folder,
            "anyway": submission.anyway,
            "state": str(self.state),
        }
        answer = check(request)
        if "problems" in answer:
            raise ConfigError("configuration", tuple(answer["problems"]))
        return Checked(answer["text"], answer["choices"])


def _watched_by_the_tick(_name: str, _poll: Callable[[], None]) -> None:
    """Do nothing: in simulated time the tick itself polls."""
