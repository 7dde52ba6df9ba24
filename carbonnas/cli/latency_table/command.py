"""`latency-table`: measures the blocks of a space on this machine, or reads what somebody measured of whole architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson


def latency_table(  # noqa: PLR0913 - each argument is an option of the command
    *,
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="Search space.")],
    config: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--config", metavar="SEARCH.toml", help="Configuration that has the options of the space."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")] = Path("latency.json"),
    task: Annotated[
        str, typer.Option("--task", metavar="CxHxWxK", help="Channels, rows, columns and classes of the images.")
    ] = "3x32x32x10",
    device: Annotated[
        str, typer.Option("--device", metavar="NAME", help="Torch device; with --import the device in the file.")
    ] = "cpu",
    networks: Annotated[int, typer.Option("--networks", min=1, help="Networks to look at for blocks, at most.")] = 1000,
    check: Annotated[int, typer.Option("--check", min=0, help="Networks to check the table with.")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides the networks.")] = 0,
    imported: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--import", metavar="CSV", help="Latencies of whole architectures, in place of measuring blocks."),
    ] = None,
    architectures: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--architectures", metavar="CSV", help="Architectures by index, if the imported file has none."),
    ] = None,
    column: Annotated[
        str, typer.Option("--column", metavar="NAME", help="Column of the architectures.")
    ] = "architecture",
    as_json: AsJson = False,
) -> None:
    """Write a latency table: what the blocks of a space take on this machine, checked against whole networks.

    A search reads it as the `latency_table` of its costs, or as the `table` of one of its targets.
    """
    from carbonnas.cli.latency_table.run import TableOptions, run_import, run_measurement

    options = TableOptions(space, config, out, task, device, networks=networks, check=check, seed=seed)
    if imported is None:
        run_measurement(options, as_json=as_json)
    else:
        run_import(options, imported, architectures, column, as_json=as_json)
