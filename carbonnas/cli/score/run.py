"""`score`: running the proxies and handing out what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from carbon_sources.clock import SystemClock
from carbonnas.cli.output import messages, print_json, results
from carbonnas.cli.score.answer import score_json, score_table
from carbonnas.cli.score.plan import ScoreOptions, make_plan
from carbonnas.cli.score.scoring import score_all
from carbonnas.plugins import ENERGY_METERS

_LINES = 10
"""Lines of progress where there is no terminal to draw a bar on."""


def run_score(options: ScoreOptions, *, as_json: bool) -> None:
    """Score what the options ask for and print it; exits with 1 if an architecture could not be scored."""
    console = messages()
    plan = make_plan(options)
    if len(plan.architectures) < len(options.architectures) + (options.sample or 0):
        console.print(f"Only {len(plan.architectures)} different networks were found.", markup=False)
    # More threads would change the last bits of sums, and with them scores.
    torch.set_num_threads(1)
    meter = ENERGY_METERS.create("codecarbon", {}, {"slots": 1})
    try:
        with _progress(console, len(plan.architectures)) as told:
            scored = score_all(plan, SystemClock(), meter, told)
        console.print(f"Energy: {meter.measurement().method}", markup=False, soft_wrap=True)
    finally:
        meter.close()
    failed = [one for one in scored if one.failure is not None]
    for one in failed:
        console.print(f"{one.architecture}: {one.failure}", markup=False, soft_wrap=True)
    if as_json:
        print_json(score_json(plan, scored))
    else:
        results().print(score_table(plan, scored))
    if failed:
        raise typer.Exit(1)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """Give what shows how many architectures are scored: a bar on a terminal, a few lines elsewhere."""
    if console.is_terminal:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("scoring", total=total)
            yield lambda name: progress.update(task, advance=1, description=escape(name))
        return
    done = 0

    def told(name: str) -> None:
        nonlocal done
        done += 1
        if done == total or done * _LINES // total > (done - 1) * _LINES // total:
            console.print(f"{done} of {total} scored: {name}", markup=False, soft_wrap=True)

    yield told
