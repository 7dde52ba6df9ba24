"""Live progress: a small panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from carbon_sources.units import J_PER_KWH
from carbonnas.report.formatting import grams, kwh, metric, percent
from carbonnas.status import SearchStatus
from carbonnas.trials import Trial, TrialKind, TrialState
from schedulers.budget import BudgetState
from schedulers.decision import ReasonCode


class ProgressDisplay(ABC):
    """Shows how a search stands, step by step."""

    @abstractmethod
    def update(self, status: SearchStatus) -> None:
        """Show the status."""


class PlainLines(ProgressDisplay):
    """One line when what runs changes or the reason for it, when a training ends, and when a budget nears its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._course: tuple[int, int, ReasonCode] | None = None
        self._trained: int | None = None
        self._warned: frozenset[int] = frozenset()

    def update(self, status: SearchStatus) -> None:
        decision = status.decision
        if decision is not None:
            course = (decision.train_slots, decision.score_slots, decision.reason.code)
            if course != self._course:
                self._line(status, _decision(status))
            self._course = course
        trained = status.count(TrialKind.TRAIN, TrialState.COMPLETED, TrialState.FAILED)
        # What was trained before this process came is no news.
        if self._trained is not None and trained != self._trained:
            self._line(status, f"{_counts(status)}; {_energy(status)}; {_best(status.best)}")
        self._trained = trained
        self._warn(status)

    def _warn(self, status: SearchStatus) -> None:
        warned = frozenset(place for place, state in enumerate(status.budgets) if state.warned)
        for place in sorted(warned - self._warned):
            self._line(status, f"budget: {_budget(status.budgets[place])}")
        self._warned = warned

    def _line(self, status: SearchStatus, text: str) -> None:
        self._console.print(f"{status.now:%Y-%m-%d %H:%M}  {text}", markup=False, soft_wrap=True)


class LivePanel(ProgressDisplay):
    """A panel that is redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def update(self, status: SearchStatus) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        grid.add_row("time", f"{status.now:%Y-%m-%d %H:%M} UTC")
        grid.add_row("grid", _intensity(status))
        grid.add_row("decision", escape(_decision(status)))
        for kind, name in ((TrialKind.SCORE, "scored"), (TrialKind.TRAIN, "trained")):
            grid.add_row(name, _bar(status, kind))
        grid.add_row("running", escape(_running(status)))
        grid.add_row("drawn", _energy(status))
        for state in status.budgets:
            text = Text(_budget(state), style="red" if state.exhausted else "yellow" if state.warned else "")
            grid.add_row("budget", text)
        grid.add_row("best", escape(_best(status.best)))
        self._live.update(Group(Text(), grid))


@contextmanager
def progress_display(console: Console) -> Iterator[ProgressDisplay]:
    """Give the display that suits the console."""
    if not console.is_terminal:
        yield PlainLines(console)
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield LivePanel(live)


def _slots(status: SearchStatus) -> str:
    decision = status.decision
    return "deciding" if decision is None else f"{decision.train_slots} training, {decision.score_slots} scoring"


def _decision(status: SearchStatus) -> str:
    return _slots(status) + ("" if status.decision is None else f": {status.decision.reason.text}")


def _intensity(status: SearchStatus) -> str:
    current = status.observation.current
    if current is None:
        return escape(f"intensity unknown: {status.observation.problem or 'no data for this time'}")
    return escape(f"{current.g_per_kwh:.0f} g/kWh in {current.zone}, {current.provenance.value}")


def _bar(status: SearchStatus, kind: TrialKind) -> Table:
    done = status.count(kind, TrialState.COMPLETED, TrialState.FAILED)
    total = max(status.planned[kind], done)
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=total, completed=done, width=30), f"{done} of {total}")
    return row


def _counts(status: SearchStatus) -> str:
    scored = status.count(TrialKind.SCORE, TrialState.COMPLETED)
    return f"{scored} scored, {status.count(TrialKind.TRAIN, TrialState.COMPLETED)} trained"


def _running(status: SearchStatus) -> str:
    if not status.running:
        return "resting"
    return ", ".join(_stage(status, trial) for trial in status.running)


def _stage(status: SearchStatus, trial: Trial) -> str:
    report = status.epochs.get(trial.number)
    at = "" if report is None else f" (epoch {report.epoch} of {report.epochs})"
    return f"{trial.kind.value} {trial.number}{at}"


def _energy(status: SearchStatus) -> str:
    totals = status.totals
    unpriced = f", {kwh(totals.unpriced_j / J_PER_KWH)} not priced yet" if totals.unpriced_j > 0 else ""
    return f"{kwh(totals.energy_j / J_PER_KWH)}, {grams(totals.emissions_g)} CO2eq{unpriced}"


def _budget(state: BudgetState) -> str:
    spent_g, budget = state.spent_g, state.budget
    return (
        f"{grams(spent_g)} of {grams(budget.limit_g)} per {budget.window.value} ({percent(spent_g / budget.limit_g)})"
    )


def _best(best: Trial | None) -> str:
    if best is None:
        return "nothing trained yet"
    metrics = ", ".join(f"{name} {metric(name, value)}" for name, value in best.metrics.items())
    return f"trial {best.number}: {best.key} ({metrics})"
