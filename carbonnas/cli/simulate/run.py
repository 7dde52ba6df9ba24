"""`simulate`: running the simulations and handing out what they found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from carbonnas.cli.output import messages, print_json
from carbonnas.cli.simulate.plan import SimulateOptions, SimulatePlan, make_plan
from carbonnas.cli.simulate.table import print_simulation
from carbonnas.feasibility_check import doubt_about
from carbonnas.report.simulation_json import simulation_json
from carbonnas.simulation.summary import summarise
from carbonnas.simulation.tournament import Progress as Told
from schedulers.outlook import Outlook

_LINES = 10
"""Lines of progress where there is no terminal to draw a bar on."""


def run_simulate(options: SimulateOptions, *, processes: int | None, as_json: bool) -> None:
    """Run the simulations, print what they found, and write the report."""
    console = messages()
    plan = make_plan(options)
    console.print(_announcement(plan), markup=False, soft_wrap=True)
    if note := _note(plan):
        console.print(note, markup=False, soft_wrap=True)
    with _progress(console) as told:
        runs = plan.tournament.play(processes or len(os.sched_getaffinity(0)), told)
    document = summarise(
        plan.tournament,
        runs,
        trace=plan.trace,
        accounting="ce-nas" if options.ce_nas else "full",
        deadline=plan.deadline,
        qualities=plan.qualities,
    )
    if as_json:
        print_json(simulation_json(document))
    else:
        print_simulation(document)
    if options.output is not None:
        from carbonnas.report.simulation_figure import write_page

        write_page(options.output, document)
        console.print(f"Report: {escape(str(options.output))}", soft_wrap=True)


def _announcement(plan: SimulatePlan) -> str:
    names = ", ".join(competitor.name for competitor in plan.tournament.competitors)
    return f"{len(plan.tournament.seeds)} searches each with {names}"


def _note(plan: SimulatePlan) -> str | None:
    """Return what is known beforehand to leave no room for all trainings, with the intensities that came; `None` if nothing is."""
    setting = plan.tournament.setting
    doubt = doubt_about(setting.config, setting.start, partial(Outlook.of_series, setting.source.series, setting.start))
    return f"Note: {doubt.sentence}." if doubt is not None and doubt.refused else None


@contextmanager
def _progress(console: Console) -> Iterator[Told]:
    """Give what shows how far the simulations are: bars on a terminal, a few lines elsewhere."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Progress(console=console, transient=True) as progress:
        yield _Bars(progress)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, what: str, total: int) -> Callable[[str], None]:
        done = 0

        def told(name: str) -> None:
            nonlocal done
            done += 1
            if done == total or done * _LINES // total > (done - 1) * _LINES // total:
                self._console.print(f"{done} of {total} {what}: {name}", markup=False, soft_wrap=True)

        return told


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, what: str, total: int) -> Callable[[str], None]:
        task = self._progress.add_task(what, total=total)
        return lambda name: self._progress.update(task, advance=1, description=escape(f"{what}: {name}"))
