"""Parameters that several commands have, as typer reads them from annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

# typer reads the annotations at run time, so `Optional` is written out everywhere below
# ruff: noqa: UP045

State = Annotated[
    Optional[Path],
    typer.Option(
        "--state",
        envvar="CARBONNAS_STATE",
        show_envvar=True,
        help="Folder that holds all searches. (~/.local/state/carbonnas by default)",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]

Column = Annotated[
    Optional[str],
    typer.Option("--column", help="Column of the intensity; that for life-cycle emissions by default."),
]
Zone = Annotated[Optional[str], typer.Option("--zone", help="Zone of the file to take of several.")]
Kind = Annotated[
    Optional[str],
    typer.Option("--kind", metavar="average|marginal", help="What the numbers are, where the file does not say."),
]
Basis = Annotated[
    Optional[str],
    typer.Option(
        "--basis", metavar="lifecycle|direct", help="Which emissions they count, where the file does not say."
    ),
]
Unit = Annotated[
    Optional[str], typer.Option("--unit", metavar="g/kWh|kg/kWh|kg/MWh|lb/MWh", help="Unit of the numbers.")
]
TimeZone = Annotated[Optional[str], typer.Option("--time-zone", help="IANA name of the zone of times without offset.")]
