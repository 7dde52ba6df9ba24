"""Live progress: a small panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from carbonnas.cli.glance import Best, Course, Glance, Work, glance_at
from carbonnas.cli.intensity.text import plain, printable
from carbonnas.report.formatting import UNKNOWN, metric
from carbonnas.status import SearchStatus


class ProgressDisplay(ABC):
    """Shows how a search stands, step by step."""

    def update(self, status: SearchStatus) -> None:
        """Show a search of this process."""
        self.show(glance_at(status))

    @abstractmethod
    def show(self, glance: Glance) -> None:
        """Show a search."""


class PlainLines(ProgressDisplay):
    """One line when what runs changes or the reason for it, when networks to propose are looked for, when a training ends, and when a budget nears its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: str | None = None
        self._course: Course | None = None
        self._trained: int | None = None
        self._warned: frozenset[int] = frozenset()
        self._round: str | None = None
        self._exhausted: str | None = None

    def show(self, glance: Glance) -> None:
        if glance.held not in {None, self._held}:
            self._line(glance, f"{glance.held}")
        self._held = glance.held
        if glance.course is not None:
            if glance.course != self._course:
                self._line(glance, _decision(glance))
            self._course = glance.course
        if glance.looking is not None:
            # What follows the round is how it stands, which is another with each step.
            round_ = glance.looking.partition(":")[0]
            if round_ != self._round:
                self._line(glance, f"plan: {glance.looking}")
            self._round = round_
        if glance.exhausted not in {None, self._exhausted}:
            self._line(glance, f"plan: {glance.exhausted}")
        self._exhausted = glance.exhausted
        trained = None if glance.trained is None else glance.trained.done
        # What was trained before this process came is no news.
        if None not in {trained, self._trained} and trained != self._trained:
            self._line(glance, f"{_counts(glance)}; {_drawn(glance)}; {_best(glance.best)}")
        self._trained = trained
        self._warn(glance)

    def _warn(self, glance: Glance) -> None:
        warned = frozenset(place for place, budget in enumerate(glance.budgets) if budget.warned)
        for place in sorted(warned - self._warned):
            self._line(glance, f"budget: {glance.budgets[place]}")
        self._warned = warned

    def _line(self, glance: Glance, text: str) -> None:
        self._console.print(f"{glance.now:%Y-%m-%d %H:%M}  {printable(text)}", markup=False, soft_wrap=True)


class LivePanel(ProgressDisplay):
    """A panel that is redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, glance: Glance) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        grid.add_row("time", f"{glance.now:%Y-%m-%d %H:%M} UTC")
        if glance.held is not None:
            grid.add_row("held", plain(glance.held))
        if glance.intensity is not None:
            grid.add_row("grid", plain(glance.intensity))
        grid.add_row("decision", plain(_decision(glance)))
        for work, name in ((glance.scored, "scored"), (glance.trained, "trained")):
            grid.add_row(name, _bar(work))
        if (said := glance.looking or glance.exhausted) is not None:
            grid.add_row("plan", plain(said))
        grid.add_row("running", plain(", ".join(glance.running) or "resting"))
        grid.add_row("drawn", _drawn(glance))
        for budget in glance.budgets:
            text = Text(printable(f"{budget}"), style="red" if budget.exhausted else "yellow" if budget.warned else "")
            grid.add_row("budget", text)
        grid.add_row("best", plain(_best(glance.best)))
        self._live.update(Group(Text(), grid))


@contextmanager
def progress_display(console: Console) -> Iterator[ProgressDisplay]:
    """Give the display that suits the console."""
    if not console.is_terminal:
        yield PlainLines(console)
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield LivePanel(live)


def _decision(glance: Glance) -> str:
    return "deciding" if glance.course is None else f"{glance.course}: {glance.reason}"


def _bar(work: Work | None) -> Table | str:
    if work is None:
        return UNKNOWN
    if work.planned is None:
        return f"{work.done}"
    total = max(work.planned, work.done)
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=total, completed=work.done, width=30), f"{work.done} of {total}")
    return row


def _counts(glance: Glance) -> str:
    return f"{_completed(glance.scored)} scored, {_completed(glance.trained)} trained"


def _completed(work: Work | None) -> str:
    return UNKNOWN if work is None else f"{work.completed}"


def _drawn(glance: Glance) -> str:
    return UNKNOWN if glance.drawn is None else f"{glance.drawn}"


def _best(best: Best | None) -> str:
    if best is None:
        return "nothing trained yet"
    metrics = ", ".join(f"{name} {_metric(name, value)}" for name, value in best.metrics.items())
    return f"trial {best.number}: {best.key} ({metrics})"


def _metric(name: str, value: float | None) -> str:
    return UNKNOWN if value is None else metric(name, value)
