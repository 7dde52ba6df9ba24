"""The commands. Each imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli import daemon_commands
from carbonnas.cli.backtest.command import backtest
from carbonnas.cli.intensity.commands import intensity
from carbonnas.cli.latency_table.command import latency_table
from carbonnas.cli.parameters import AsJson, State
from carbonnas.cli.score.command import score
from carbonnas.cli.simulate.command import simulate

app = typer.Typer(
    name="carbonnas",
    help="Carbon-aware neural architecture search: train while the grid is clean, account for every gram.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SearchId = Annotated[
    Optional[str],  # noqa: UP045 - typer reads the annotation at run time
    typer.Argument(metavar="[ID]", help="Id of a search or the beginning of one; the newest by default."),
]


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"


def _version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        from importlib.metadata import version

        typer.echo(version("carbonnas"))
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Carbon-aware neural architecture search: train while the grid is clean, account for every gram."""


@app.command()
def demo(*, state: State = None, as_json: AsJson = False) -> None:
    """Run one whole search on real images and the recorded Danish grid, in a minute or a few."""
    from carbonnas.cli.run import run_demo

    run_demo(state, as_json=as_json)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("search.toml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a commented configuration to start from."""
    from carbonnas.cli.init import write_example

    write_example(path, force=force, as_json=as_json)


@app.command()
def run(
    config: Annotated[Path, typer.Argument(metavar="SEARCH.toml", help="Configuration of the search.")],
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Begin another search although one with this configuration exists.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Begin although deadline and budgets leave no room for all trainings.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Run a search in the foreground; run it again after an interruption and it goes on where it was.

    Where a daemon holds the state folder the search is submitted to it and followed.
    """
    from carbonnas.cli.run import run_file

    run_file(config, state, anew=new, anyway=anyway, as_json=as_json)


@app.command(name="list")
def list_searches(*, state: State = None, as_json: AsJson = False) -> None:
    """List all searches, oldest first."""
    from carbonnas.cli.listing import print_list

    print_list(state, as_json=as_json)


@app.command()
def show(search_id: SearchId = None, *, state: State = None, as_json: AsJson = False) -> None:
    """Show how a search stands."""
    from carbonnas.cli.listing import print_search

    print_search(search_id, state, as_json=as_json)


@app.command()
def report(
    search_id: SearchId = None,
    *,
    format: Annotated[Optional[Format], typer.Option("--format", help="Format.  (html by default)")] = None,  # noqa: A002, UP045
    output: Annotated[Optional[Path], typer.Option("--output", "-o", help="File to write.")] = None,  # noqa: UP045
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Write the carbon report of a search to standard output or a file.

    On a terminal an HTML report goes to a file beside the search, and its path is printed.
    """
    from carbonnas.cli.report import write_report

    if as_json and format not in {None, Format.JSON}:
        raise typer.BadParameter("--json is short for --format json; leave one of the two out", param_hint="--format")
    chosen = Format.JSON if as_json else format
    write_report(search_id, state, format_name=None if chosen is None else chosen.value, output=output)


@app.command()
def doctor(*, state: State = None, as_json: AsJson = False) -> None:
    """Check power source, storage, plug-ins and data: what works, and what to fix."""
    from carbonnas.cli.doctor import run_doctor

    run_doctor(state, as_json=as_json)


daemon_commands.add_to(app)
app.command()(score)
app.command(name="latency-table")(latency_table)
app.command()(backtest)
app.command()(simulate)
app.add_typer(intensity)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits 0 (ok), 1 (failed) or 2 (bad usage or configuration).

    Args:
        arguments: Command and options; those of the process by default.
    """
    try:
        app(arguments, prog_name="carbonnas")
    except Exception as error:
        sentence, status = _explain(error)
        if sentence is None:
            raise
        typer.echo(f"error: {sentence}", err=True)
        sys.exit(status)


def _explain(error: Exception) -> tuple[str | None, int]:
    """Return the sentence and the exit status for an error that was raised on purpose; no sentence for a bug."""
    from carbon_sources.errors import CarbonSourceError
    from carbonnas.errors import CarbonNASError, ConfigError
    from schedulers.errors import SchedulingError

    if isinstance(error, ConfigError):
        return str(error), 2
    if isinstance(error, (CarbonNASError, CarbonSourceError, SchedulingError)):
        return str(error), 1
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", 1
    return None, 1
