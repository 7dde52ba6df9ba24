"""What the same work would have emitted had it been placed in time without regard to the grid, or with perfect foresight.

Both move only what can be moved: the trials' time in slots, each piece with the power that it really drew. Overhead and idle energy
enter both as they were really priced. Nothing is guessed: where an intensity that is needed is unknown there is no figure, but a
reason.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from carbon_sources.interval import Interval
from carbon_sources.units import J_PER_KWH
from carbonnas.energy.meter import Account
from carbonnas.record import SearchRecord
from carbonnas.report.downtime import downtimes, lasted
from carbonnas.report.slot_time import Piece, pieces
from carbonnas.report.timeline import Profile, profile, span

_ALWAYS_ON = "It goes on through the {} in which nobody worked on this search. "
_REST = "Overhead and idle energy are counted as they were really drawn and priced."


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Emissions of the same work placed differently.

    Attributes:
        emissions_g: Grams of CO2 equivalent, overhead and idle energy included; `None` if they can't be known.
        trials_g: Grams of the trials alone; `None` if they can't be known.
        how: How the figure was computed, or why there is none.
    """

    emissions_g: float | None
    trials_g: float | None
    how: str


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """Both schedules that a search is compared with; `clairvoyant` is never above `carbon_blind` where both are known.

    Attributes:
        carbon_blind: Without regard to the grid.
        clairvoyant: With perfect foresight.
        carbon_blind_end: When the carbon-blind schedule would have ended; `None` without its figure or without work.
    """

    carbon_blind: Counterfactual
    clairvoyant: Counterfactual
    carbon_blind_end: datetime | None


@dataclass(frozen=True, slots=True)
class _Placed:
    start_s: float
    end_s: float
    watts: float


def counterfactuals(record: SearchRecord) -> Counterfactuals:
    """Return what the work of `record` would have emitted carbon-blind and clairvoyant."""
    known = span(record)
    if known is None:
        return _unknown("Not known: no energy has been accounted for yet.")
    unpriced_j = math.fsum(e.priced.sample.joules for e in record.entries if e.priced.intensity is None)
    if unpriced_j > 0:
        return _unknown(f"Not known: {unpriced_j / J_PER_KWH:.3g} kWh of the energy could not be priced yet.")
    work = pieces(record.entries, record.slots)
    fixed_g = math.fsum(e.emissions_g or 0.0 for e in record.entries if e.owner.account is not Account.TRIAL)
    schedule = _back_to_back(work, record.slots)
    blind_end = known.start + timedelta(seconds=max((placed.end_s for placed in schedule), default=0.0))
    blind = _carbon_blind(record, schedule, fixed_g, (known.start, blind_end))
    return Counterfactuals(
        blind,
        _clairvoyant(record, work, fixed_g, _horizon(record, known.start, (known.end, blind_end))),
        blind_end if schedule and blind.emissions_g is not None else None,
    )


def _unknown(why: str) -> Counterfactuals:
    nothing = Counterfactual(None, None, why)
    return Counterfactuals(nothing, nothing, None)


def _back_to_back(work: Sequence[Piece], slots: int) -> list[_Placed]:
    """Place the trials in order of their number, each in the slot that is free first.

    List scheduling: R. L. Graham, "Bounds for certain multiprocessing anomalies", Bell System Technical Journal 45 (1966).
    """
    free = [0.0] * slots
    placed = []
    for _, mine in itertools.groupby(sorted(work, key=lambda piece: piece.trial), key=lambda piece: piece.trial):
        at_s = heapq.heappop(free)
        for piece in mine:
            placed.append(_Placed(at_s, at_s + piece.slot_s, piece.watts))
            at_s += piece.slot_s
        heapq.heappush(free, at_s)
    return placed


def _carbon_blind(
    record: SearchRecord, schedule: Sequence[_Placed], fixed_g: float, needed: tuple[datetime, datetime]
) -> Counterfactual:
    start, end = needed
    if not schedule:
        return Counterfactual(fixed_g, 0.0, f"No trial has drawn energy yet. {_REST}")
    known = profile(record.intensities, start, end)
    if known is None:
        return Counterfactual(
            None, None, f"Not known: the intensity is not known all the way from {start:%F %R} to {end:%F %R} UTC."
        )
    begins, ends, watts = np.array([(p.start_s, p.end_s, p.watts) for p in schedule]).T
    trials_g = float(watts @ (known.integral(ends) - known.integral(begins))) / J_PER_KWH
    how = (
        "The same trials with the same power run back to back from the start of the search, in order of their number in all "
        f"{record.slots} slots without ever waiting, priced with the intensities of that time ({start:%F %R} to {end:%F %R} UTC). "
        f"{_always_on(record, start, end)}{_REST}"
    )
    return Counterfactual(fixed_g + trials_g, trials_g, how)


def _always_on(record: SearchRecord, start: datetime, end: datetime) -> str:
    """Return a sentence on the downtime of the search that a schedule from `start` to `end` does not have, if there is any."""
    within = Interval(start, end)
    spared = [common for stretch in downtimes(record) if (common := stretch.intersection(within)) is not None]
    return _ALWAYS_ON.format(lasted(spared)) if spared else ""


def _horizon(record: SearchRecord, start: datetime, ends: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """Return start and end of the time that foresight may use.

    It ends with the search, or later where the deadline or the carbon-blind schedule is later and the intensity is known till then.
    """
    end, blind_end = ends
    later = sorted(instant for instant in (record.deadline, blind_end) if instant is not None and instant > end)
    for instant in reversed(later):
        if profile(record.intensities, start, instant) is not None:
            return start, instant
    return start, end


def _clairvoyant(
    record: SearchRecord, work: Sequence[Piece], fixed_g: float, horizon: tuple[datetime, datetime]
) -> Counterfactual:
    start, end = horizon
    known = profile(record.intensities, start, end)
    if not work:
        return Counterfactual(fixed_g, 0.0, f"No trial has drawn energy yet. {_REST}")
    if known is None:
        return Counterfactual(
            None, None, f"Not known: the intensity is not known all the way from {start:%F %R} to {end:%F %R} UTC."
        )
    how = (
        "A lower bound that no schedule can beat: the same slot time with the same power, cut as finely as wanted and placed in the "
        f"cleanest hours between {start:%F %R} and {end:%F %R} UTC, at most {record.slots} slots at a time, the highest power in "
        f"the lowest intensity. {_always_on(record, start, end)}{_REST}"
    )
    trials_g = _cleanest_g(work, known, record.slots)
    return Counterfactual(fixed_g + trials_g, trials_g, how)


def _cleanest_g(work: Sequence[Piece], known: Profile, slots: int) -> float:
    """Return the least emissions in g of `work` placed fractionally, at most `slots` at a time.

    A sum of products of two sequences is least when one ascends and the other descends: G. H. Hardy, J. E. Littlewood and G. Polya,
    "Inequalities" (1934), theorem 368, here of power against intensity over slot seconds.
    """
    ordered = sorted(work, key=lambda piece: -piece.watts)
    ends = np.cumsum([piece.slot_s for piece in ordered])
    integral = known.cleanest_first().integral(np.concatenate(([0.0], ends)), parallel=slots)
    return float(np.array([piece.watts for piece in ordered]) @ np.diff(integral)) / J_PER_KWH
