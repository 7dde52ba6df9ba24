"""`backtest`: how good forecasters are on a recorded trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson, Basis, Column, Kind, TimeZone, Unit, Zone


def backtest(  # noqa: PLR0913 - each argument is an option of the command
    *,
    trace: Annotated[str, typer.Option("--trace", metavar="FILE", help="Recorded trace, or bundled:NAME.")],
    forecasts: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--forecasts", help="File with the provider's archived forecasts of the same zone."),
    ] = None,
    column: Column = None,
    zone: Zone = None,
    kind: Kind = None,
    basis: Basis = None,
    unit: Unit = None,
    time_zone: TimeZone = None,
    forecaster: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--forecaster", metavar="NAME", help="Forecaster; may be repeated. All by default."),
    ] = None,
    train_until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--train-until", metavar="TIME", help="Learn from what ended before this date or instant, UTC."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--until", metavar="TIME", help="Use nothing after this date or instant, UTC."),
    ] = None,
    horizon: Annotated[str, typer.Option("--horizon", help="How far each forecast looks ahead.")] = "96 h",
    issue_every: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--issue-every", help="Time between two forecasts; 24 h by default."),
    ] = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="Picture to write: .html, .svg or .png."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score forecasters on a recorded trace, each forecast seeing only what had ended by its issue."""
    from carbonnas.cli.backtest.plan import BacktestOptions
    from carbonnas.cli.backtest.run import run_backtest
    from carbonnas.cli.options import TraceChoice

    run_backtest(
        BacktestOptions(
            trace=TraceChoice(trace, zone, column, kind, basis, unit, time_zone),
            forecasts=forecasts,
            forecasters=tuple(dict.fromkeys(forecaster or ())),
            train_until=train_until,
            until=until,
            horizon=horizon,
            issue_every=issue_every,
            output=output,
        ),
        as_json=as_json,
    )
