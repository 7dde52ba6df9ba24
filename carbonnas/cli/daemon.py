"""`daemon`: the long-lived service, put together and run until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from carbon_sources.clock import monotonic_s, wall_time
from carbonnas.cli.output import messages, state_folder
from carbonnas.cli.signals import stop_on_signals
from carbonnas.daemon.checking import check_in_child
from carbonnas.daemon.config import DaemonConfig, Flags, load_daemon_config
from carbonnas.daemon.control import CommandError
from carbonnas.daemon.housekeeping import Housekeeper
from carbonnas.daemon.lock import DaemonLock, LockOwner, daemon_lock
from carbonnas.daemon.log_format import LogFormat
from carbonnas.daemon.logs import configure_logs, secrets_of
from carbonnas.daemon.notify import Notifier, watchdog_interval
from carbonnas.daemon.reload import changes_on_reload, reload_daemon_config
from carbonnas.daemon.service import Daemon
from carbonnas.daemon.surroundings import Surroundings
from carbonnas.daemon.timers import Group, Timers
from carbonnas.daemon.watchdog import Pulse, Watchdog
from carbonnas.errors import CarbonNASError, ConfigError
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from carbonnas.web.token import load_or_make_token
from carbonnas.wiring import make_clock

_log = logging.getLogger(__name__)

_POLL_EVERY = timedelta(seconds=15)
"""A grid that is not due is not asked; this is how late a question may be."""
_CHECK_PATIENCE = timedelta(minutes=10)
"""A second or some, for what is imported, and many times as long on a machine that searches keep busy."""
_LOOK_EVERY = timedelta(seconds=5)
_TIMERS_END_IN = timedelta(seconds=5)
_SWITCH_S = 0.0001
"""How long a thread that computes may keep the interpreter from one that ticks: at Python's 5 ms a tick would wait that long at each of its many statements."""


def run_daemon(
    path: Path | None, state: Path | None, *, host: str | None, port: int | None, log: LogFormat | None
) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Args:
        path: Its configuration; `None` for the defaults.
        state: Folder that holds all searches; `None` for the usual one.
        host: Address to listen on, instead of the one configured.
        port: Port to listen on, instead of the one configured; 0 takes a free one.
        log: Format of the log, instead of the one configured.

    Raises:
        ConfigError: With every mistake in the configuration.
        DaemonLockedError: If another daemon holds the state folder.
        CarbonNASError: If the daemon can't start.
    """
    os.umask(0o077)  # what the daemon writes is its user's alone: configurations, results, the token
    flags = Flags(host, port, log)
    config, folder = load_daemon_config(path, flags), state_folder(state)
    with daemon_lock(folder, LockOwner(os.getpid(), wall_time())) as lock:
        sys.setswitchinterval(_SWITCH_S)
        service = _Service(config, folder, partial(reload_daemon_config, path, flags))
        service.run(lock)


class _Service:
    """The daemon with all that surrounds it.

    Args:
        config: Its configuration.
        folder: Folder of the store.
        read_again: Reads the configuration again, compared with the one that holds.
    """

    def __init__(self, config: DaemonConfig, folder: Path, read_again: Callable[[DaemonConfig], DaemonConfig]) -> None:
        self._config = config
        self._folder = folder
        self._read_again = read_again
        token = load_or_make_token(folder)
        configure_logs(config.daemon.log, sys.stderr, {*secrets_of(os.environ), token})
        self._down: tuple[datetime, timedelta] | None = None
        self._clock = make_clock(config.clock, _left_at(folder) if config.clock.use == "replay" else None)
        self._notifier = Notifier(os.environ)
        self._timers = Timers()
        self._pulse = Pulse("the engine", config.daemon.tick, self._nudge)
        self._timers.every("tick", config.daemon.tick, self._nudge, group=Group.TICKS)
        self._watchdog = Watchdog(
            self._timers,
            min(_LOOK_EVERY, (watchdog_interval(os.environ) or 3 * _LOOK_EVERY) / 3),
            pulses=[self._pulse],
            vital=[self._pulse.name],
            alive=self._notifier.watchdog,
        )
        self._daemon = Daemon(config, self._surroundings())
        section = config.daemon
        settings = WebSettings(
            section.host, section.port, token, section.allowed_hosts, read_needs_token=section.read_needs_token
        )
        self._shelf = Shelf(store_path(folder))
        self._server = WebServer(create_app(self._daemon, self._shelf, settings), section.host, section.port)

    def run(self, lock: DaemonLock) -> None:
        """Serve until a signal asks to stop; then let trainings reach a checkpoint."""
        with ExitStack() as stack:
            # A port that is taken ends the start before it is written down as one.
            port = self._server.start()
            stack.callback(self._server.stop)
            store = DaemonStore(store_path(self._folder), syncing=self._daemon.syncing)
            stack.callback(store.close)
            self._note_downtime(store, wall_time())
            run = store.begin_run(wall_time())
            housekeeper = Housekeeper(self._folder, store, run=run, now=wall_time, clock=self._clock)
            stop = stack.enter_context(stop_on_signals())
            stack.enter_context(_on_hangup(partial(self._reload, housekeeper)))
            stack.callback(self._shelf.close)
            address = f"http://{_in_address(self._config.daemon.host)}:{port}"
            lock.update_address(address)
            housekeeper.schedule(self._timers, self._config)
            self._timers.start()
            stack.callback(self._timers.stop, _TIMERS_END_IN)
            self._watchdog.start()
            stack.callback(self._watchdog.stop)
            messages().print(
                f"carbonnas serves at {address}; its token is in {self._folder / 'token'}", markup=False, soft_wrap=True
            )
            self._daemon.open()
            self._notifier.ready()
            self._notifier.status(f"serving at {address}")
            threading.Thread(target=self._tell_of_stop, args=(stop,), daemon=True).start()
            self._daemon.run(stop)
        # Reached only by a stop that was asked for: after a failure the run has no end, which shows as such.
        ended = DaemonStore(store_path(self._folder))
        ended.end_run(run, wall_time())
        ended.close()

    def _note_downtime(self, store: DaemonStore, now: datetime) -> None:
        """Say since when no daemon lived, as the run before and its heartbeat tell."""
        for before in store.runs(1):
            since = before.ended_at or before.seen_at
            how = (
                "was stopped"
                if before.ended_at is not None
                else "was killed, or the machine lost power: it was last seen"
            )
            self._down = (since, max(timedelta(0), now - since))
            known, lasted = f"{since:%Y-%m-%d %H:%M:%S} UTC", f"{self._down[1].total_seconds():.0f} s"
            _log.info("the daemon before this one %s at %s; none ran for %s", how, known, lasted)

    def _stalled(self) -> tuple[datetime, timedelta] | None:
        return self._watchdog.stalled() or self._down

    def _tell_of_stop(self, stop: threading.Event) -> None:
        stop.wait()
        self._notifier.stopping(self._config.daemon.stop_timeout + 2 * _TIMERS_END_IN)
        patience_s = self._config.daemon.stop_timeout.total_seconds()
        _log.info("stopping: trainings have %g s to reach a checkpoint", patience_s)
        self._nudge()

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            state_folder=self._folder,
            clock=self._clock,
            check=lambda submission: check_in_child(submission, self._folder, _CHECK_PATIENCE),
            watched=self._watch,
            unwatched=lambda name: self._timers.remove(_polling(name)),
            trouble=self._trouble,
            stalled=self._stalled,
            beat=self._pulse.beat,
        )

    def _watch(self, name: str, poll: Callable[[], None]) -> None:
        self._timers.every(_polling(name), _POLL_EVERY, poll, group=Group.POLLS, first_after=timedelta(0))

    def _trouble(self) -> str | None:
        troubles = [self._watchdog.trouble(), *self._timers.troubles().values()]
        return "; ".join(trouble for trouble in troubles if trouble is not None) or None

    def _nudge(self) -> None:
        self._daemon.nudge()

    def _reload(self, housekeeper: Housekeeper) -> None:
        self._notifier.reloading(int(monotonic_s() * 1e6))
        try:
            config = self._read_again(self._config)
            changes = changes_on_reload(self._config, config)
            housekeeper.schedule(self._timers, config)
            self._daemon.reload(config)
            self._config = config
            _log.info("took over the configuration: %s", "; ".join(changes) or "nothing has changed")
        except ConfigError as error:
            _log.error("the configuration stays as it was: %s", "; ".join(error.problems))
        except (CarbonNASError, CommandError) as error:
            _log.error("the configuration stays as it was: %s", error)
        finally:
            housekeeper.schedule(self._timers, self._config)
            self._notifier.ready()


def _polling(name: str) -> str:
    """Return the name of the timer that polls a grid."""
    return f"polling {name}"


@contextmanager
def _on_hangup(call: Callable[[], None]) -> Iterator[None]:
    """Make a call, in a thread of its own, whenever SIGHUP comes; one at a time."""
    lock = threading.Lock()

    def once() -> None:
        with lock:
            call()

    before = signal.signal(signal.SIGHUP, lambda _number, _frame: threading.Thread(target=once, daemon=True).start())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _left_at(folder: Path) -> datetime | None:
    """Return the instant at which an earlier process left the searches; `None` if there are none."""
    store = Store(store_path(folder))
    try:
        return max((store.progress(search_id).clock_at for search_id in store.ids()), default=None)
    finally:
        store.close()


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
