"""`pause`, `resume`, `cancel` and `priority`: what a person tells the daemon about one search."""

from __future__ import annotations

import shlex
import sys
from http import HTTPMethod
from pathlib import Path

import typer

from carbonnas.cli.output import open_store, print_json, results, state_folder
from carbonnas.client import DaemonClient, DaemonGoneError, connect
from carbonnas.errors import ConfigError


def running_daemon(folder: Path) -> DaemonClient:
    """Return a client of the daemon that holds a state folder.

    Raises:
        DaemonGoneError: If none does; it says how to start one.
    """
    client = connect(folder)
    if client is None:
        usual = folder == state_folder(None)
        start = "carbonnas daemon" + ("" if usual else f" --state {shlex.quote(str(folder))}")
        raise DaemonGoneError(f"no daemon runs for {folder}: start one with `{start}`")
    return client


def pause_search(text: str, state: Path | None, *, as_json: bool) -> None:
    """Let a search rest."""
    client, search_id = _find(text, state)
    client.send(HTTPMethod.POST, "searches", search_id, "pause")
    _say({"id": search_id, "paused": True}, f"{search_id} is paused; trainings leave at their next epoch.", as_json)


def resume_search(text: str, state: Path | None, *, as_json: bool) -> None:
    """Let a paused search go on."""
    client, search_id = _find(text, state)
    client.send(HTTPMethod.POST, "searches", search_id, "resume")
    _say({"id": search_id, "paused": False}, f"{search_id} goes on as soon as there are slots.", as_json)


def cancel_search(text: str, state: Path | None, *, yes: bool, as_json: bool) -> None:
    """End a search, after asking on a terminal.

    Raises:
        ConfigError: If there is no terminal to ask on and `yes` is not set.
    """
    client, search_id = _find(text, state)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("cancel", ("a cancelled search can't go on; add --yes to say that it is meant",))
        typer.confirm(f"Cancel {search_id}? It can't go on afterwards; what it did is kept.", abort=True, err=True)
    client.send(HTTPMethod.POST, "searches", search_id, "cancel")
    _say({"id": search_id, "cancelled": True}, f"{search_id} is cancelled; `carbonnas report {search_id}`", as_json)


def set_priority(text: str, priority: int, state: Path | None, *, as_json: bool) -> None:
    """Set the priority of a search, -100..100."""
    client, search_id = _find(text, state)
    client.send(HTTPMethod.PUT, "searches", search_id, "priority", body={"priority": priority})
    _say({"id": search_id, "priority": priority}, f"{search_id} has priority {priority}.", as_json)


def _find(text: str, state: Path | None) -> tuple[DaemonClient, str]:
    """Return the daemon, and the id that a user means, among all searches so that an ended one is never taken for another."""
    folder = state_folder(state)
    client = running_daemon(folder)
    return client, open_store(folder).find(text)


def _say(document: dict[str, object], sentence: str, as_json: bool) -> None:  # noqa: FBT001 - passed on
    if as_json:
        print_json(document)
    else:
        results().print(sentence, markup=False, soft_wrap=True)
