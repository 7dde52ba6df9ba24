"""`simulate`: schedulers against each other on the virtual clock."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson, Basis, Column, Kind, TimeZone, Unit, Zone

# typer reads the annotations at run time, so `Optional` is written out everywhere below
# ruff: noqa: UP045


class Accounting(StrEnum):
    """What is charged."""

    FULL = "full"
    CE_NAS = "ce-nas"


def simulate(  # noqa: PLR0913 - each argument is an option of the command
    config: Annotated[
        Path, typer.Argument(metavar="SEARCH.toml", help="Configuration; its results come from a table.")
    ],
    *,
    trace: Annotated[
        Optional[str],
        typer.Option("--trace", metavar="FILE", help="Recorded trace, or bundled:NAME. (that of the file by default)"),
    ] = None,
    column: Column = None,
    zone: Zone = None,
    kind: Kind = None,
    basis: Basis = None,
    unit: Unit = None,
    time_zone: TimeZone = None,
    start: Annotated[
        Optional[str],
        typer.Option(
            "--start", metavar="TIME", help="First date or instant, UTC. (that of the file's clock by default)"
        ),
    ] = None,
    hours: Annotated[
        Optional[float],
        typer.Option("--hours", help="Hours after which every search is ended. (the file's deadline by default)"),
    ] = None,
    scheduler: Annotated[
        Optional[list[str]],
        typer.Option(
            "--scheduler",
            metavar="NAME[:KEY=VALUE,...]",
            help="Scheduler with options, such as threshold:percentile=40; may be repeated. That of the file and all that need no "
            "options by default; carbon_blind and oracle are always run along.",
        ),
    ] = None,
    forecaster: Annotated[
        Optional[str],
        typer.Option(
            "--forecaster", metavar="NAME", help="Tells schedulers what to expect. (that of the file by default)"
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="How many searches with each, from the file's seed on.")
    ] = 5,
    accounting: Annotated[
        Accounting,
        typer.Option("--accounting", help="Charge everything, or as the released CE-NAS: 1 kW per training slot."),
    ] = Accounting.FULL,
    suspend_cost: Annotated[
        Optional[str],
        typer.Option("--suspend-cost", help="Time that writing a checkpoint takes. (that of the file, else 30 s)"),
    ] = None,
    resume_cost: Annotated[
        Optional[str],
        typer.Option(
            "--resume-cost", help="Time that a suspended training needs to go on. (that of the file, else 30 s)"
        ),
    ] = None,
    quality: Annotated[
        Optional[list[float]],
        typer.Option(
            "--quality", min=0.0, max=1.0, help="Share of the maximal hypervolume; may be repeated. (0.95, 0.98, 0.99)"
        ),
    ] = None,
    reference: Annotated[
        Optional[str],
        typer.Option(
            "--reference",
            metavar="METRIC=VALUE,...",
            help="Reference point of the hypervolume. (0 where more is better, else the largest of the table)",
        ),
    ] = None,
    processes: Annotated[
        Optional[int], typer.Option("--processes", min=1, help="Processes that share the work. (one per core)")
    ] = None,
    output: Annotated[Optional[Path], typer.Option("--output", "-o", help="Report to write: .html.")] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a search with several schedulers and seeds: what each emits, how long it takes, what it finds."""
    from carbonnas.cli.options import TraceChoice
    from carbonnas.cli.simulate.plan import SimulateOptions
    from carbonnas.cli.simulate.run import run_simulate

    told = (column, zone, kind, basis, unit, time_zone)
    run_simulate(
        SimulateOptions(
            config=config,
            trace=None if trace is None else TraceChoice(trace, zone, column, kind, basis, unit, time_zone),
            trace_details_alone=trace is None and any(value is not None for value in told),
            start=start,
            hours=hours,
            schedulers=tuple(dict.fromkeys(scheduler or ())),
            forecaster=forecaster,
            seeds=seeds,
            ce_nas=accounting is Accounting.CE_NAS,
            suspend_cost=suspend_cost,
            resume_cost=resume_cost,
            qualities=tuple(dict.fromkeys(quality or (0.95, 0.98, 0.99))),
            reference=reference,
            output=output,
        ),
        processes=processes,
        as_json=as_json,
    )
