"""`score`: what zero-cost proxies say of given or drawn architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonnas.cli.parameters import AsJson


def score(  # noqa: PLR0913 - each argument is an option of the command
    *,
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="Search space.")],
    sample: Annotated[Optional[int], typer.Option("--sample", min=1, help="Architectures to draw.")] = None,  # noqa: UP045 - typer reads the annotation at run time
    architecture: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--architecture", metavar="TEXT", help="Architecture as its space writes it; may be repeated."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides the architectures drawn, their weights and the batch.")
    ] = 0,
    proxies: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--proxies", metavar="NAMES", help="Proxies and ensembles, with commas between them."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=2, help="Images in the batch.")] = 32,
    task: Annotated[
        str,
        typer.Option("--task", metavar="CxHxWxK", help="Channels, rows, columns and classes of the Gaussian images."),
    ] = "3x32x32x10",
    dataset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--dataset", metavar="NAME", help="Data set to draw the batch from in place of Gaussian noise."),
    ] = None,
    data_path: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--data-path", help="Folder of the data set's files, if not the default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score untrained networks by zero-cost proxies, best fused rank first in the table.

    With --json the architectures come in the order in which they were given or drawn. The fusion is that of the default proxies where
    all of them were scored, else of all that were asked for.
    """
    from carbonnas.cli.score.plan import ScoreOptions
    from carbonnas.cli.score.run import run_score

    run_score(
        ScoreOptions(
            space=space,
            sample=sample,
            architectures=tuple(architecture or ()),
            seed=seed,
            proxies=proxies,
            batch=batch,
            task=task,
            dataset=dataset,
            data_path=data_path,
        ),
        as_json=as_json,
    )
