"""The daemon's commands, as typer reads them: the service itself, and what tells it what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson, State
from carbonnas.daemon.log_format import LogFormat

# typer reads the annotations at run time, so `Optional` is written out everywhere below
# ruff: noqa: UP045

Named = Annotated[str, typer.Argument(metavar="ID", help="Id of a search or the beginning of one.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Priority = Annotated[int, typer.Option("--priority", min=-100, max=100, help="A higher one gets slots first.")]


def daemon(
    *,
    config: Annotated[
        Optional[Path], typer.Option("--config", metavar="DAEMON.toml", help="Configuration of the daemon.")
    ] = None,
    host: Annotated[Optional[str], typer.Option("--host", help="Address to listen on.  (127.0.0.1 by default)")] = None,
    port: Annotated[
        Optional[int],
        typer.Option("--port", min=0, max=65_535, help="Port to listen on; 0 takes a free one.  (8765 by default)"),
    ] = None,
    log: Annotated[Optional[LogFormat], typer.Option("--log", help="Format of the log.")] = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --log json.")] = False,
) -> None:
    """Run the service: many searches side by side, under common budgets, with a page to look at."""
    if as_json and log is LogFormat.TEXT:
        raise typer.BadParameter("--json is short for --log json; leave one of the two out", param_hint="--log")
    from carbonnas.cli.output import state_folder
    from carbonnas.daemon.lock import refuse_beside

    refuse_beside(state_folder(state))  # before all that takes a second to import
    from carbonnas.cli.daemon import run_daemon

    run_daemon(config, state, host=host, port=port, log=LogFormat.JSON if as_json else log)


def submit(  # noqa: PLR0913 - each argument is an option of the command
    config: Annotated[Path, typer.Argument(metavar="SEARCH.toml", help="Configuration of the search.")],
    *,
    priority: Priority = 0,
    label: Annotated[
        Optional[list[str]],
        typer.Option("--label", metavar="NAME", help="Label, such as a team, for budgets of a label; may be repeated."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin another search although one with this configuration exists.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Begin although deadline and budgets leave no room for all trainings.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Watch it until it ends.")] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Hand a search to the daemon and print its id."""
    from carbonnas.cli.submit import Wishes, submit_file

    wishes = Wishes(priority=priority, labels=tuple(label or ()), anew=new, anyway=anyway)
    submit_file(config, state, wishes, follow=follow, as_json=as_json)


def pause(search_id: Named, *, state: State = None, as_json: AsJson = False) -> None:
    """Let a search of the daemon rest: what trains leaves at its next epoch."""
    from carbonnas.cli.control import pause_search

    pause_search(search_id, state, as_json=as_json)


def resume(search_id: Named, *, state: State = None, as_json: AsJson = False) -> None:
    """Let a paused search of the daemon go on."""
    from carbonnas.cli.control import resume_search

    resume_search(search_id, state, as_json=as_json)


def cancel(search_id: Named, *, yes: Yes = False, state: State = None, as_json: AsJson = False) -> None:
    """End a search of the daemon before its end; what it did is kept and reported."""
    from carbonnas.cli.control import cancel_search

    cancel_search(search_id, state, yes=yes, as_json=as_json)


def priority(
    search_id: Named,
    value: Annotated[
        int, typer.Argument(metavar="N", min=-100, max=100, help="-100 to 100; a higher one gets slots first.")
    ],
    *,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Set the priority of a search of the daemon."""
    from carbonnas.cli.control import set_priority

    set_priority(search_id, value, state, as_json=as_json)


def budgets(
    name: Annotated[Optional[str], typer.Argument(metavar="NAME", help="One budget; all by default.")] = None,
    *,
    add: Annotated[
        Optional[str],
        typer.Option("--add", metavar="GRAMS", help="Allow so much more in the present window, such as '50 g'."),
    ] = None,
    reason: Annotated[Optional[str], typer.Option("--reason", help="Why; it stays in the report.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show how budgets stand: spent, reserved and left; or add to one for its present window."""
    from carbonnas.cli.budgets import add_to_budget, print_budgets

    if add is None and reason is None:
        print_budgets(name, state, as_json=as_json)
        return
    if name is None or add is None or reason is None:
        raise typer.BadParameter("an override needs all three: --add GRAMS --reason TEXT NAME", param_hint="--add")
    add_to_budget(name, add, reason, state=state, as_json=as_json)


def watch(
    search_id: Annotated[
        Optional[str],
        typer.Argument(metavar="ID", help="Id of a search or the beginning of one; the newest that runs by default."),
    ] = None,
    *,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each change as JSON on a line of its own.")] = False,
) -> None:
    """Follow a search of the daemon until it ends; Ctrl-C leaves it running."""
    from carbonnas.cli.attach import watch_search

    watch_search(search_id, state, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Add them all, in the order in which the help lists them."""
    for command in (daemon, submit, watch, pause, resume, cancel):
        app.command()(command)
    # Without that a priority below zero would be taken for an option.
    app.command(context_settings={"ignore_unknown_options": True})(priority)
    app.command()(budgets)
