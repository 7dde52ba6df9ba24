"""How a search compares with the same work placed differently, in words; the same in every format."""

from __future__ import annotations

from dataclasses import dataclass

from carbonnas.report.downtime import in_all, lasted
from carbonnas.report.formatting import UNKNOWN, grams, instant
from carbonnas.report.model import ReportDocument


@dataclass(frozen=True, slots=True)
class Schedule:
    """One row of the comparison, figures with their units: the trials alone, and with overhead and idle energy."""

    name: str
    trials: str
    whole: str
    how: str


def schedules(document: ReportDocument) -> tuple[Schedule, ...]:
    """Return the search itself, the carbon-blind schedule and the one with perfect foresight."""
    totals, other = document.totals, document.counterfactuals
    return (
        Schedule("This search", grams(totals.trials_g), grams(totals.emissions_g), "Sum of the ledger."),
        Schedule(
            "Carbon-blind",
            grams(other.carbon_blind_trials_g),
            grams(other.carbon_blind_g),
            other.carbon_blind_how,
        ),
        Schedule(
            "Perfect foresight",
            grams(other.clairvoyant_trials_g),
            grams(other.clairvoyant_g),
            other.clairvoyant_how,
        ),
    )


def in_words(document: ReportDocument) -> str:
    """Return the comparison in two or three sentences, or that there is none."""
    other = document.counterfactuals
    if other.carbon_blind_trials_g is None and other.clairvoyant_trials_g is None:
        return "No comparison can be made; the table says why."
    return " ".join([trials_alone(document), *_downtime_note(document), idle_note(document)])


def trials_alone(document: ReportDocument) -> str:
    """Return one sentence that compares the trials without overhead and idle energy."""
    here, other = document.totals.trials_g, document.counterfactuals
    return (
        f"Trials alone: {_here(document)} here, "
        f"{_with_change(here, other.carbon_blind_trials_g, 'carbon-blind')}, "
        f"{_with_change(here, other.clairvoyant_trials_g, 'with perfect foresight')}."
    )


def against(document: ReportDocument, other_g: float | None) -> str:
    """Return what the trials emitted here, and how much more or less that is than `other_g`."""
    emitted = f"{_here(document)} here"
    change = _change(document.totals.trials_g, other_g)
    return f"{emitted}, {change}" if change else emitted


def idle_note(document: ReportDocument) -> str:
    """Return one sentence on the idle energy, which the other schedules are charged as this search drew it."""
    idle = f"Idle energy ({grams(document.totals.idle_g)}) is the same in all three schedules"
    ended, blind_end = document.search.ended_at, document.counterfactuals.carbon_blind_end
    # While nobody worked on it no idle energy was drawn that a shorter search would have saved.
    worked_until = None if ended is None else ended - in_all(document.downtime.stretches)
    if blind_end is None or worked_until is None or blind_end >= worked_until:
        return f"{idle}; a search that never waits may end sooner and draw less of it."
    return f"{idle}, although a search that never waits would have done the work by {instant(blind_end)} and drawn less of it."


def _downtime_note(document: ReportDocument) -> list[str]:
    stretches = document.downtime.stretches
    if not stretches:
        return []
    return [
        f"Both others go on through the {lasted(stretches)} in which nobody worked on this search, so the differences are not its scheduler's alone."
    ]


def _here(document: ReportDocument) -> str:
    totals = document.totals
    unpriced = totals.unpriced_kwh > 0 and totals.emissions_g == 0
    return UNKNOWN if unpriced else grams(totals.trials_g)


def _with_change(here_g: float, other_g: float | None, name: str) -> str:
    change = _change(here_g, other_g)
    return f"{grams(other_g)} {name}" + (f" ({change} here)" if change else "")


def _change(here_g: float, other_g: float | None) -> str:
    """Return how `here_g` differs from `other_g` in percent, or nothing where that can't be said."""
    if other_g is None or other_g <= 0:
        return ""
    change = here_g / other_g - 1
    if abs(change) < 5e-4:
        return "as much"
    return f"{100 * abs(change):.1f} % {'more' if change > 0 else 'less'}"
