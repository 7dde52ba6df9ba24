"""`backtest`: how good forecasters are on a recorded trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def backtest(  # noqa: PLR0913 - each argument is an option of the command
    *,
    trace: Annotated[str, typer.Option("--trace", metavar="FILE", help="Recorded trace, or bundled:NAME.")],
    forecasts: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--forecasts", help="File with the provider's archived forecasts of the same zone."),
    ] = None,
    column: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--column", help="Column of the intensity; that for life-cycle emissions by default."),
    ] = None,
    zone: Annotated[Optional[str], typer.Option("--zone", help="Zone to take of several.")] = None,  # noqa: UP045
    kind: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--kind", metavar="average|marginal", help="What the numbers are, where the file does not say."),
    ] = None,
    basis: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--basis", metavar="lifecycle|direct", help="Which emissions they count."),
    ] = None,
    unit: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--unit", metavar="g/kWh|kg/kWh|kg/MWh|lb/MWh", help="Unit of the numbers."),
    ] = None,
    time_zone: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--time-zone", help="IANA name of the zone of times without offset."),
    ] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")] = False,
) -> None:
    """Score forecasters on a recorded trace, each forecast seeing only what had ended by its issue."""
    from carbonnas.cli.backtest_options import BacktestOptions
    from carbonnas.cli.backtest_run import run_backtest

    run_backtest(
        BacktestOptions(
            trace=trace,
            forecasts=forecasts,
            column=column,
            zone=zone,
            kind=kind,
            basis=basis,
            unit=unit,
            time_zone=time_zone,
            forecasters=tuple(dict.fromkeys(forecaster or ())),
            train_until=train_until,
            until=until,
            horizon=horizon,
            issue_every=issue_every,
            output=output,
        ),
        as_json=as_json,
    )
