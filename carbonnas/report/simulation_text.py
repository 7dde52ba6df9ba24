"""The figures of simulations as they stand in tables, on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Callable

from carbonnas.report.formatting import NOTHING
from carbonnas.report.simulation_model import SchedulerResult, SimulationDocument, Spread

Cell = str
Columns = dict[str, Callable[[SchedulerResult], Cell]]


def summary() -> Columns:
    """Return the columns that compare whole searches, by their headings."""
    return {
        "kg CO₂e": lambda result: _with_quartiles(result.figures["emissions_kg"]),
        "kWh": lambda result: _middle(result.figures["energy_kwh"]),
        "ends, h": lambda result: _middle(result.figures["finish_h"]),
        "hypervolume": lambda result: _share(result.figures["hypervolume_share"], 2),
        "saving": lambda result: _share(result.saving.share),
        "fewer joules, kg": lambda result: _signed(result.saving.fewer_joules_kg),
        "cleaner joules, kg": lambda result: _signed(result.saving.cleaner_joules_kg),
        "of clairvoyant": lambda result: _share(result.saving.clairvoyant_share),
        "same work": lambda result: f"{result.saving.same_work} of {len(result.runs)}",
        "suspensions": lambda result: _middle(result.figures["suspensions"]),
        "longest wait, h": lambda result: _middle(result.figures["longest_wait_h"]),
        "deadlines missed": lambda result: _count(result, lambda run: run.deadline_missed),
        "over budget": lambda result: _count(result, lambda run: run.budget_violations > 0),
    }


def qualities(document: SimulationDocument) -> Columns:
    """Return the columns that compare searches at equal quality, by their headings."""
    columns: Columns = {}
    for place, line in enumerate(document.schedulers[0].qualities):
        columns |= {f"{line.share:g}: {heading}": of for heading, of in _quality(place).items()}
    return columns


def _quality(place: int) -> Columns:
    return {
        "kg": lambda result: _with_quartiles(result.qualities[place].kg),
        "h": lambda result: _middle(result.qualities[place].hours),
        "times less": lambda result: _middle(result.qualities[place].times_less),
        "seeds": lambda result: f"{result.qualities[place].kg.known} of {len(result.runs)}",
    }


def sentence(document: SimulationDocument) -> str:
    """Return in one sentence what was simulated."""
    grid = document.grid
    end = "until the plan is done" if document.deadline_h is None else f"for {document.deadline_h:g} h at most"
    return (
        f"{len(document.schedulers)} schedulers with {len(document.seeds)} seeds each on {document.slots} slots in {grid.zone} "
        f"({grid.kind}, {grid.basis}), from {document.start:%Y-%m-%d %H:%M} UTC {end}."
    )


def _number(value: float | None) -> Cell:
    if value is None:
        return NOTHING
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _middle(spread: Spread) -> Cell:
    return _number(spread.median)


def _signed(spread: Spread) -> Cell:
    return NOTHING if spread.median is None else f"{spread.median:+.3g}"


def _with_quartiles(spread: Spread) -> Cell:
    if spread.median is None:
        return NOTHING
    return f"{_number(spread.median)} ({_number(spread.q25)}–{_number(spread.q75)})"


def _share(spread: Spread, digits: int = 1) -> Cell:
    return NOTHING if spread.median is None else f"{100 * spread.median:.{digits}f} %"


def _count(result: SchedulerResult, is_so: Callable[..., bool]) -> Cell:
    return f"{sum(map(is_so, result.runs))} of {len(result.runs)}"
