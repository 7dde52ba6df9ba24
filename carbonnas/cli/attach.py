"""Following a search that the daemon works on: `watch`, and `run` and `submit --follow` where a daemon is there."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from carbonnas.cli.control import running_daemon
from carbonnas.cli.live import LiveSearch, active_searches, look_at
from carbonnas.cli.output import messages, open_store, state_folder
from carbonnas.cli.progress import progress_display
from carbonnas.client import DaemonClient, DaemonError, DaemonGoneError

_ATTEMPTS = 90
"""A daemon that is restarted may need half a minute to stop and some seconds to start."""
_PAUSE_S = 1.0

Wait = Callable[[float], object]
"""Waits for so many seconds."""


def watch_search(text: str | None, state: Path | None, *, as_json: bool) -> None:
    """Follow a search until it ends or the user leaves.

    Args:
        text: Id of a search or the beginning of one; `None` for the newest that has not ended.
        state: Folder that holds all searches; `None` for the usual one.
        as_json: Whether each change is printed as JSON on a line of its own, instead of a display.

    Raises:
        DaemonError: If no daemon runs, it stays away, or no search runs.
    """
    folder = state_folder(state)
    client = running_daemon(folder)
    search_id = _newest(client) if text is None else open_store(folder).find(text)
    if look_at(client, search_id).is_nobodys:
        raise DaemonError(f"the daemon does not work on {search_id}: submit its configuration, and it goes on")
    if not as_json:
        follow_on_display(folder, search_id)
        return
    try:
        follow(folder, search_id, _print_line)
    except KeyboardInterrupt:
        _say_detached(messages(), search_id)


def follow_on_display(folder: Path, search_id: str) -> bool:
    """Follow a search on standard error until it ends or the user leaves.

    Returns:
        Whether it has ended.

    Raises:
        DaemonError: If the daemon stays away, or answers what can't be understood.
    """
    console = messages()
    try:
        with progress_display(console) as display:
            ended = follow(folder, search_id, lambda search: display.show(search.glance()), console)
    except KeyboardInterrupt:
        _say_detached(console, search_id)
        return False
    console.print(f"Search {escape(search_id)} has ended: {ended.ending}.", soft_wrap=True)
    return True


def follow(
    folder: Path,
    search_id: str,
    show: Callable[[LiveSearch], None],
    console: Console | None = None,
    *,
    wait: Wait | None = None,
) -> LiveSearch:
    """Show a search at each change until it has ended, through restarts of the daemon.

    Args:
        folder: The state folder.
        search_id: The search.
        show: Called with each new state, the last one included.
        console: Where it is said that the daemon is gone, and that it is back.
        wait: Waits for so many seconds between two attempts to find the daemon again.

    Returns:
        The search as it ended.

    Raises:
        DaemonGoneError: If the daemon stays away.
        DaemonError: If it answers what can't be understood.
    """
    said = console or messages()
    pause = wait or threading.Event().wait
    client: DaemonClient | None = running_daemon(folder)
    missed, why = 0, "it ended the connection"
    while missed <= _ATTEMPTS:
        try:
            client = client or running_daemon(folder)
            for search in _changes(client, search_id):
                if missed:
                    said.print("The daemon is back.")
                missed = 0
                show(search)
                if search.has_ended:
                    return search
        except DaemonGoneError as error:
            why = str(error)
        if not missed:
            said.print("The daemon is gone; waiting for it to come back.", soft_wrap=True)
        client, missed = None, missed + 1
        pause(_PAUSE_S)
    raise DaemonGoneError(f"{why}; `carbonnas watch {search_id}` shows the search again once the daemon is back")


def _changes(client: DaemonClient, search_id: str) -> Iterator[LiveSearch]:
    """Yield the search at each change until the daemon ends the stream; nothing until the daemon has taken it up."""
    version: object = -1
    for view in client.views():
        if view.get("version") == version:
            continue
        version = view.get("version")
        search = look_at(client, search_id)
        if search.is_known:
            yield search


def _newest(client: DaemonClient) -> str:
    active = active_searches(client)
    if not active:
        raise DaemonError(
            "no search runs: `carbonnas submit SEARCH.toml` begins one, `carbonnas list` shows those that ended"
        )
    return active[-1].id


def _print_line(search: LiveSearch) -> None:
    json.dump(search.document, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()


def _say_detached(console: Console, search_id: str) -> None:
    shown = escape(search_id)
    console.print(
        f"No longer watching; search {shown} goes on. `carbonnas watch {shown}` shows it again.", soft_wrap=True
    )
