"""`run` and `demo`: a search from its beginning to its report."""

from __future__ import annotations

import json
from functools import partial
from importlib.resources import files
from pathlib import Path

import typer
from rich.markup import escape

from carbonnas.cli.attach import follow_on_display
from carbonnas.cli.intensity.text import printable
from carbonnas.cli.output import messages, open_store, print_json, state_folder
from carbonnas.cli.progress import progress_display
from carbonnas.cli.signals import stop_on_signals
from carbonnas.cli.submit import Wishes, submit_text
from carbonnas.client import DaemonClient, connect
from carbonnas.config import SearchConfig
from carbonnas.config_file import load_config, parse_config
from carbonnas.driver import drive, locked_search
from carbonnas.errors import ConfigError
from carbonnas.feasibility_check import doubt_about, expected_outlook
from carbonnas.record import SearchState
from carbonnas.storage.paths import search_folder
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.wiring import choose_search, make_clock


def run_file(path: Path, state: Path | None, *, anew: bool, anyway: bool = False, as_json: bool) -> None:
    """Run the search of a configuration file to its end, in this process or, where a daemon holds the state folder, in the daemon.

    Args:
        path: The file.
        state: Folder that holds all searches; `None` for the usual one.
        anew: Whether to begin another search although one with this configuration exists.
        anyway: Whether to begin one although deadline and budgets leave no room for its trainings.
        as_json: Whether the report is printed as JSON.

    Raises:
        ConfigError: If the configuration is wrong, or leaves no room.
        DaemonError: If there is a daemon that can't be asked, or stays away.
    """
    config, text = load_config(path)
    folder = state_folder(state)
    store = open_store(folder)
    client = None if not anew and _last_has_ended(config, store) else connect(folder)
    if client is not None:
        _run_attached(
            client, text, store, folder=folder, path=path, wishes=Wishes(anew=anew, anyway=anyway), as_json=as_json
        )
        return
    if anew or not store.by_fingerprint(config.fingerprint):
        text = _checked(config, text, store, path=path, anyway=anyway)
    _run(config, text, store, folder=folder, anew=anew, as_json=as_json)


def _last_has_ended(config: SearchConfig, store: Store) -> bool:
    known = store.by_fingerprint(config.fingerprint)
    return bool(known) and store.progress(known[-1]).state is not SearchState.RUNNING


def _run_attached(
    client: DaemonClient, text: str, store: Store, *, folder: Path, path: Path, wishes: Wishes, as_json: bool
) -> None:
    """Have the daemon run a search, and follow it to its end."""
    submitted = submit_text(client, text, path, wishes)
    search_id = submitted.id
    known = "goes on with" if submitted.there else "runs"
    said = f"The daemon {known} search {printable(search_id)}; its page is {client.page(search_id)}"
    messages().print(said, markup=False, soft_wrap=True)
    if not follow_on_display(folder, search_id):
        raise typer.Exit(1)
    _finish(store, search_id, search_folder(folder, search_id), ended_before=False, as_json=as_json)


def _checked(config: SearchConfig, text: str, store: Store, *, path: Path, anyway: bool) -> str:
    """Return the text to keep with a new search: with a remark if it begins although it is expected to have no room."""
    clock = make_clock(config.clock, None)
    doubt = doubt_about(config, clock.now(), partial(expected_outlook, config, clock, store.archive))
    if doubt is None:
        return text
    if doubt.refused and not anyway:
        raise ConfigError(str(path), (f"{doubt.sentence}; --anyway begins the search all the same",))
    messages().print(f"Note: {doubt.sentence}.", markup=False, soft_wrap=True)
    return f"# Begun with --anyway: {doubt.sentence}.\n{text}" if doubt.refused else text


def run_demo(state: Path | None, *, as_json: bool) -> None:
    """Run the demonstration: each time another search, unless the last one was interrupted."""
    text = (files("carbonnas.cli") / "configs" / "demo.toml").read_text(encoding="utf-8")
    config = parse_config(text, "demo.toml", Path.cwd())
    folder = state_folder(state)
    store = open_store(folder)
    _run(config, text, store, folder=folder, anew=_last_has_ended(config, store), as_json=as_json)


def _run(config: SearchConfig, text: str, store: Store, *, folder: Path, anew: bool, as_json: bool) -> None:
    console = messages()
    search_id = choose_search(config, store, anew=anew)
    kept_in = search_folder(folder, search_id)
    ended_before = search_id in store.ids() and store.progress(search_id).state is not SearchState.RUNNING
    if ended_before:
        console.print(f"Search {search_id} has ended already; --new begins another one.", soft_wrap=True)
    else:
        known = "Going on with search" if search_id in store.ids() else "Search"
        with (
            stop_on_signals() as stop,
            locked_search(config, text, store, search_id=search_id, state_folder=folder) as opened,
        ):
            console.print(f"{known} [bold]{search_id}[/bold], kept in {escape(str(folder))}", soft_wrap=True)
            with progress_display(console) as display:
                left = drive(opened, display.update, stop)
        if left is SearchState.RUNNING:
            console.print("Paused. Run the same command again and the search goes on where it was.")
            raise typer.Exit(1)
    _finish(store, search_id, kept_in, ended_before=ended_before, as_json=as_json)


def _finish(store: Store, search_id: str, folder: Path, *, ended_before: bool, as_json: bool) -> None:
    from carbonnas.cli.summary import print_summary
    from carbonnas.report.document import build_document, to_json
    from carbonnas.report.render import ReportFormat, render

    record = load_record(store, search_id)
    path = folder / "report.html"
    if not (ended_before and path.exists()):
        path.write_text(render(record, ReportFormat.HTML), encoding="utf-8")
    document = build_document(record)
    if as_json:
        print_json({**json.loads(to_json(document)), "report": str(path)})
        return
    print_summary(document)
    typer.echo(f"Report: {path}")
