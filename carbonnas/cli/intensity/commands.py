"""`intensity`: what the grid is like, was and will be, and recordings of it. Each command imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson, Basis, Column, Kind, TimeZone, Unit, Zone

# typer reads the annotations at run time, so `Optional` is written out everywhere below
# ruff: noqa: UP045

intensity = typer.Typer(
    name="intensity",
    help="Ask a carbon source: the present intensity, its past, what is expected, and recordings.",
    no_args_is_help=True,
)

Config = Annotated[
    Optional[Path],
    typer.Option(
        "--config",
        metavar="SEARCH.toml",
        help=r"Configuration whose \[carbon_source], \[forecaster] and \[clock] are used.",
    ),
]
Source = Annotated[Optional[str], typer.Option("--source", metavar="NAME", help="Carbon source, in place of --config.")]
Options = Annotated[
    Optional[list[str]],
    typer.Option("--option", metavar="KEY=VALUE", help="Option of --source in TOML, or a bare word; may be repeated."),
]
At = Annotated[
    Optional[str],
    typer.Option("--at", metavar="TIME", help=r"Answer as of this date or instant, UTC.  \[default: the present]"),
]
From = Annotated[Optional[str], typer.Option("--from", metavar="TIME", help="First instant or date, UTC.")]
To = Annotated[Optional[str], typer.Option("--to", metavar="TIME", help="Last instant or date, UTC.")]
State = Annotated[
    Optional[Path],
    typer.Option(
        "--state",
        envvar="CARBONNAS_STATE",
        show_envvar=True,
        help=r"Folder in which fetched values are kept.  \[default: ~/.local/state/carbonnas]",
    ),
]


@intensity.command()
def now(
    *,
    config: Config = None,
    source: Source = None,
    option: Options = None,
    at: At = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show the present intensity and how well it is known; exits with 1 while it is unknown."""
    from carbonnas.cli.intensity.grid import open_grid
    from carbonnas.cli.intensity.now import show_now

    show_now(open_grid(config, source, option or [], state=state, at=at), as_json=as_json)


@intensity.command()
def history(  # noqa: PLR0913 - each argument is an option of the command
    *,
    config: Config = None,
    source: Source = None,
    option: Options = None,
    start: From = None,
    end: To = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="File to write: .csv, or a picture .html, .svg or .png.")
    ] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show the intensity of a time, the last 24 hours by default, with its gaps."""
    from carbonnas.cli.intensity.grid import open_grid
    from carbonnas.cli.intensity.history import show_history

    show_history(open_grid(config, source, option or [], state=state), start, end, output=output, as_json=as_json)


@intensity.command()
def forecast(  # noqa: PLR0913 - as above
    *,
    config: Config = None,
    source: Source = None,
    option: Options = None,
    at: At = None,
    horizon: Annotated[
        Optional[str], typer.Option("--horizon", metavar="DURATION", help=r"How far ahead.  \[default: 96 h]")
    ] = None,
    forecaster: Annotated[
        Optional[str],
        typer.Option("--forecaster", metavar="NAME", help=r"Forecaster.  \[default: the configuration's, or ensemble]"),
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Picture to write: .html, .svg or .png.")
    ] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show what is expected, hour by hour, with the band that nine of ten values should lie in."""
    from carbonnas.cli.intensity.forecast import show_forecast
    from carbonnas.cli.intensity.grid import open_grid

    grid = open_grid(config, source, option or [], state=state, at=at)
    show_forecast(grid, horizon, forecaster, output=output, as_json=as_json)


@intensity.command()
def record(  # noqa: PLR0913 - as above
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV file; what is in it already is kept.")],
    config: Config = None,
    source: Source = None,
    option: Options = None,
    start: From = None,
    end: To = None,
    lasting: Annotated[
        Optional[str], typer.Option("--for", metavar="DURATION", help="Go on recording, for so long or until Ctrl-C.")
    ] = None,
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="Shortest time between two questions.")
    ] = "5 min",
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Record the intensity in a file that the carbon source `trace` replays as it was."""
    from carbonnas.cli.intensity.grid import open_grid
    from carbonnas.cli.intensity.record import record_live, record_span

    grid = open_grid(config, source, option or [], state=state)
    if lasting is None:
        record_span(grid, output, start, end, as_json=as_json)
    elif start is not None or end is not None:
        raise typer.BadParameter("it begins at present; leave --from and --to out", param_hint="--for")
    else:
        record_live(grid, output, lasting, every=every, as_json=as_json)


@intensity.command(name="import")
def import_trace(  # noqa: PLR0913 - as above
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="Recorded trace, or bundled:NAME.")],
    *,
    config: Config = None,
    source: Source = None,
    option: Options = None,
    told_by: Annotated[
        Optional[str], typer.Option("--as", metavar="NAME", help="Source to file it under, where there are several.")
    ] = None,
    column: Column = None,
    zone: Zone = None,
    kind: Kind = None,
    basis: Basis = None,
    unit: Unit = None,
    time_zone: TimeZone = None,
    same_place: Annotated[
        bool, typer.Option("--same-place", help="The file's zone, by another name, is that of the source.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace kept values that differ. There is no way back.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """File a recorded trace as history of a source, which is then there without asking it."""
    from carbonnas.cli.intensity.grid import open_grid
    from carbonnas.cli.intensity.importing import Consent, import_recording
    from carbonnas.cli.options import TraceChoice

    choice = TraceChoice(trace, zone, column, kind, basis, unit, time_zone)
    consent = Consent(same_place=same_place, replace=replace)
    grid = open_grid(config, source, option or [], state=state)
    import_recording(grid, choice, told_by=told_by, consent=consent, as_json=as_json)
