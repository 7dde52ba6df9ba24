"""`submit`: a search for the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from carbonnas.cli.attach import follow_on_display
from carbonnas.cli.control import running_daemon
from carbonnas.cli.intensity.text import printable
from carbonnas.cli.live import read
from carbonnas.cli.output import messages, print_json, state_folder
from carbonnas.client import DaemonClient
from carbonnas.daemon.control import LONGEST_CONFIG
from carbonnas.errors import ConfigError
from carbonnas.web.api_models import Submitted


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a search is to be entered; as in `carbonnas.daemon.control.Submission`."""

    priority: int = 0
    labels: tuple[str, ...] = ()
    anew: bool = False
    anyway: bool = False


def submit_file(path: Path, state: Path | None, wishes: Wishes, *, follow: bool, as_json: bool) -> None:
    """Hand the search of a configuration file to the daemon.

    Args:
        path: The file.
        state: Folder that holds all searches; `None` for the usual one.
        wishes: How it is to be entered.
        follow: Whether to watch it until it ends.
        as_json: Whether the answer is printed as JSON.

    Raises:
        ConfigError: If the file can't be read, or with every mistake that the daemon found.
        DaemonError: If no daemon runs, or it refuses.
    """
    folder = state_folder(state)
    text = read_config(path)
    client = running_daemon(folder)
    submitted = submit_text(client, text, path, wishes)
    search_id, page = submitted.id, client.page(submitted.id)
    if as_json:
        print_json({"id": search_id, "page": page, "there": submitted.there})
    else:
        typer.echo(printable(search_id))
    said = f"{already_there(submitted, wishes)} Its" if submitted.there else "Submitted; its"
    messages().print(f"{said} page is {page}", markup=False, soft_wrap=True)
    if follow:
        follow_on_display(folder, search_id)


def already_there(submitted: Submitted, wishes: Wishes) -> str:
    """Return what becomes of wishes for a search that was there before."""
    name = printable(submitted.id)
    told = f"A search with this configuration was there already, as {name}; --new begins another one."
    if submitted.priority != wishes.priority:
        told += f" Its priority stays {submitted.priority}: `carbonnas priority {name} {wishes.priority}` changes it."
    if set(submitted.labels) != set(wishes.labels):
        labels = ", ".join(map(printable, submitted.labels))
        told += f" Its labels stay {labels}." if labels else " It stays without labels."
    return told


def submit_text(client: DaemonClient, text: str, path: Path, wishes: Wishes) -> Submitted:
    """Hand a configuration to a daemon and return which search it is.

    Args:
        client: Asks the daemon.
        text: The configuration.
        path: The file that it comes from; relative paths in it start in the folder of that.
        wishes: How it is to be entered.

    Raises:
        ConfigError: With every mistake that the daemon found.
        DaemonError: If it refuses or does not answer.
    """
    body = {
        "config": text,
        "folder": str(path.parent.resolve()),
        "priority": wishes.priority,
        "labels": list(wishes.labels),
        "new": wishes.anew,
        "anyway": wishes.anyway,
    }
    try:
        return read(Submitted, client.submit(body))
    except ConfigError as error:
        raise ConfigError(str(path), error.problems) from None


def read_config(path: Path) -> str:
    """Return the text of a configuration file; whether it is right is for the daemon to say.

    Raises:
        ConfigError: If it can't be read, or is far too long.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(LONGEST_CONFIG + 1)
    except OSError as error:
        problem = f"can't be read: {error.strerror}; `carbonnas init` writes an example"
        raise ConfigError(str(path), (problem,)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), ("is not text in UTF-8",)) from error
    if len(text) > LONGEST_CONFIG:
        raise ConfigError(str(path), (f"has more than {LONGEST_CONFIG} characters, the most that the daemon takes",))
    return text
