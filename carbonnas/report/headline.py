"""What comes first in a report: sentences made from its figures, the same in every format."""

from __future__ import annotations

from dataclasses import dataclass

from carbon_sources.interval import Interval
from carbonnas.record import SearchState, StopReason
from carbonnas.report.comparison import against
from carbonnas.report.downtime import told
from carbonnas.report.formatting import UNKNOWN, duration, grams, instant, kwh, metric, percent
from carbonnas.report.model import ReportDocument

_ROUNDING_KWH = 1e-9
"""Relative: sums of the same numbers in another order."""

STOPPED = {
    StopReason.PLAN_DONE: "its plan was carried out",
    StopReason.BUDGET_EXHAUSTED: "its emission budget was used up, or left too little for the next trial",
    StopReason.DEADLINE: "its deadline had come",
    StopReason.CANCELLED: "a person cancelled it",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One headline figure: what it is, its value, and what it means in one line."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The top of a report.

    Attributes:
        status: One sentence: when it ran and why it ended; another where nobody worked on it for a while.
        facts: The figures that matter most.
        warnings: What a reader must know before citing any of them.
    """

    status: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]


def headline(document: ReportDocument) -> Headline:
    """Return the top of the report."""
    totals, other = document.totals, document.counterfactuals
    split = f"trials {grams(totals.trials_g)}, overhead {grams(totals.overhead_g)}, idle {grams(totals.idle_g)}"
    emitted = grams(totals.emissions_g) if totals.unpriced_kwh < totals.energy_kwh or not totals.energy_kwh else UNKNOWN
    facts = (
        _found(document),
        Fact("Emitted (CO₂e)", emitted, split),
        Fact("Energy", kwh(totals.energy_kwh), _energy_note(document)),
        _compared(document, "Trials alone, carbon-blind", other.carbon_blind_trials_g),
        _compared(document, "Trials alone, perfect foresight", other.clairvoyant_trials_g),
        Fact("Energy in the cleaner half", percent(totals.clean_share), _clean_note(document)),
    )
    return Headline(_status(document), facts, _warnings(document))


def _status(document: ReportDocument) -> str:
    stretches = document.downtime.stretches
    return f"{_life(document)} {told(stretches)}" if stretches else _life(document)


def _life(document: ReportDocument) -> str:
    search = document.search
    if search.ended_at is None:
        return f"Running since {instant(search.started_at)}."
    lasted = (
        f" after {duration(Interval(search.started_at, search.ended_at))}"
        if search.ended_at > search.started_at
        else ""
    )
    why = f": {STOPPED[search.stop_reason]}" if search.stop_reason else ""
    word = "Completed" if search.state is SearchState.COMPLETED else "Stopped"
    return f"{word} on {instant(search.ended_at)}{lasted}{why}."


def _found(document: ReportDocument) -> Fact:
    best = document.best
    if best is None:
        return Fact("Found", "nothing yet", "no training is complete")
    for name in (
        "test_accuracy",
        "val_accuracy",
        *(text.split()[-1] for text in document.search.objectives),
        *best.metrics,
    ):
        if name in best.metrics:
            return Fact("Found", metric(name, best.metrics[name]), f"{name} of trial {best.trial}, {best.fidelity}")
    return Fact("Found", f"trial {best.trial}", best.fidelity)


def _energy_note(document: ReportDocument) -> str:
    pue = document.measurement.pue
    known = "modelled, not read from counters" if document.measurement.modelled else "measured"
    return known if pue in (None, 1.0) else f"{known}; emissions include a power usage effectiveness of {pue:g}"


def _clean_note(document: ReportDocument) -> str:
    if document.downtime.stretches:
        return "of the hours, those in which nobody worked on it included"
    return "of the hours; 50 % without any care"


def _compared(document: ReportDocument, label: str, other_g: float | None) -> Fact:
    if other_g is None:
        return Fact(label, UNKNOWN, "see How it compares")
    return Fact(label, grams(other_g), against(document, other_g))


def _warnings(document: ReportDocument) -> tuple[str, ...]:
    totals, measured_kwh = document.totals, document.measurement.measured_kwh
    found = []
    if document.search.state is SearchState.RUNNING:
        found.append("The search is still running; all figures are as of now.")
    if document.search.clock:
        found.append(f"The clock of this search was not the machine's. {document.search.clock}")
    if document.search.exhausted:
        found.append(document.search.exhausted)
    if totals.unpriced_kwh > 0:
        found.append(
            f"The intensity is unknown for {kwh(totals.unpriced_kwh)} of {kwh(totals.energy_kwh)}: their emissions are in no sum here."
        )
    if abs(totals.energy_kwh - measured_kwh) > _ROUNDING_KWH * max(measured_kwh, totals.energy_kwh):
        found.append(f"The ledger holds {kwh(totals.energy_kwh)} while the meter measured {kwh(measured_kwh)}.")
    found += [
        f"The budget of {grams(line.limit_g)} ({line.window.value}) was exceeded by {grams(-line.remaining_g)}."
        for line in document.budget
        if line.remaining_g < 0
    ]
    if document.overrides:
        times = "once" if len(document.overrides) == 1 else f"{len(document.overrides)} times"
        found.append(
            f"Operators raised the limits of budgets {times}; the table below the budgets says by how much and why."
        )
    return tuple(found)
