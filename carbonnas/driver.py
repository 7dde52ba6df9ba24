"""Driving a search until it ends or is asked to pause."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonnas.config import SearchConfig
from carbonnas.config_file import parse_config
from carbonnas.errors import StorageError
from carbonnas.files import lack_of_room
from carbonnas.record import SearchRecord, SearchState
from carbonnas.status import SearchStatus
from carbonnas.storage.lock import search_lock
from carbonnas.storage.paths import search_folder, store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.wiring import OpenSearch, choose_search, open_search


def drive(opened: OpenSearch, on_status: Callable[[SearchStatus], None], stop: threading.Event) -> SearchState:
    """Run a search to its end, or until `stop` is set; what was done so far is safe at every instant. One that has ended stays so.

    Args:
        opened: The search; it is started and closed here.
        on_status: Called after every step.
        stop: Set by someone else, such as a signal handler, to pause the search.

    Returns:
        The state that it was left in: `RUNNING` means that it was paused and can go on.

    Raises:
        StorageError: If there is hardly any room on its disk. What its workers said since the last step is not heard: failures to write are
            no results.
    """
    search, clock = opened.search, opened.clock
    state = search.state
    if state is not SearchState.RUNNING:
        return state
    try:
        search.start(clock.now())
        while state is SearchState.RUNNING and not stop.is_set():
            if (lack := lack_of_room(opened.folder)) is not None:
                raise StorageError(f"{lack} and run again; the search goes on from where it was")
            status = search.tick(clock.now())
            on_status(status)
            state = status.state
            if state is SearchState.RUNNING:
                opened.executor.wait(status.next_at, stop)
    finally:
        search.close()
    return state


@contextmanager
def locked_search(
    config: SearchConfig, text: str, store: Store, *, search_id: str, state_folder: Path
) -> Iterator[OpenSearch]:
    """Open a search for as long as its lock is held, to be driven by this process alone.

    Raises:
        SearchLockedError: If another process is working on it.
    """
    # What the store says of the search is read under its lock: another process may be about to end it.
    with search_lock(search_folder(state_folder, search_id)):
        yield open_search(config, text, store, search_id=search_id, state_folder=state_folder)


def run_search(
    text: str,
    state_folder: Path,
    *,
    folder: Path | None = None,
    on_status: Callable[[SearchStatus], None] | None = None,
    stop: threading.Event | None = None,
    anew: bool = False,
) -> SearchRecord:
    """Run the search of a configuration, or go on with it, and return all that is known of it: the way in from Python.

    Args:
        text: The configuration as TOML.
        state_folder: Folder that holds all searches; made if it is not there.
        folder: Where relative paths in the configuration start; the present folder by default.
        on_status: Called after every step.
        stop: Set by someone else to pause the search.
        anew: Whether to begin another search although one with this configuration exists.

    Raises:
        ConfigError: With every mistake in the configuration.
        CarbonNASError: If the search can't be run or kept.
    """
    config = parse_config(text, "configuration", (folder or Path.cwd()).resolve())
    store = Store(store_path(state_folder))
    try:
        search_id = choose_search(config, store, anew=anew)
        with locked_search(config, text, store, search_id=search_id, state_folder=state_folder) as opened:
            drive(opened, on_status or _ignore, stop or threading.Event())
        return load_record(store, search_id)
    finally:
        store.close()


def _ignore(_status: SearchStatus) -> None:
    """Show nothing."""
