"""Whether a deadline and a budget leave room for an amount of training, and if not, which would."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.units import J_PER_KWH
from schedulers.duration_text import duration_text
from schedulers.outlook import Outlook

_STEPS = 20
"""Halvings of a piece in which the nearest deadline lies: an hour is known to some milliseconds."""


@dataclass(frozen=True, slots=True)
class TrainingLoad:
    """Training that is to be done.

    Attributes:
        slot_time: Slot time that it takes, above zero.
        width: Slots that can train at the same time, at least 1.
        training_w: What one more slot that trains draws in W, overhead included, at least zero.
        resting_w: What the node draws in W whatever its slots do, overhead included, at least zero.
    """

    slot_time: timedelta
    width: int
    training_w: float
    resting_w: float = 0.0

    @property
    def shortest(self) -> timedelta:
        """How long it takes without a pause in all slots."""
        return self.slot_time / self.width


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether a load fits a deadline and a budget.

    Attributes:
        feasible: Whether it fits both, as far as is expected.
        least_g: Least that it emits if done by the deadline, in g; `None` if there is no time for it, whatever it may emit.
        nearest_deadline: Earliest deadline, UTC, by which it can be done within the budget; `None` if none that is known ahead is late enough.
        sentence: The answer for people, with what to change where it does not fit.
    """

    feasible: bool
    least_g: float | None
    nearest_deadline: datetime | None
    sentence: str


def check_feasible(
    load: TrainingLoad, outlook: Outlook, *, start: datetime, deadline: datetime | None, budget_g: float | None
) -> Feasibility:
    """Say whether training fits a deadline and a budget if it uses the cleanest hours, and which would fit if not.

    The search is over when its training is, so that resting is paid until then. What lies beyond the outlook is unknown and not used.

    Args:
        load: What is to be done.
        outlook: The intensities that are expected from `start` on.
        start: When the search begins, UTC.
        deadline: When it has to end, UTC; `None` for whenever the outlook ends.
        budget_g: What it may emit, in g; `None` for no limit.
    """
    costs = _Costs(load, outlook)
    known = start + timedelta(seconds=outlook.covered_s)
    end = known if deadline is None else min(deadline, known)
    least_g = costs.least((end - start).total_seconds())
    nearest_s = costs.earliest(budget_g)
    nearest = None if nearest_s is None else start + timedelta(seconds=nearest_s)
    feasible = least_g is not None and (budget_g is None or least_g <= budget_g)
    if least_g is None:
        sentence = _no_time(load, start, known, deadline=deadline, nearest=nearest)
    elif budget_g is None or feasible:
        within = "" if budget_g is None else f" of the {budget_g:.4g} g"
        sentence = f"the trainings take {_hours(load)} and emit at least {least_g:.4g} g{within} by {_text(end)}"
    else:
        sentence = _no_grams(least_g, budget_g, end, nearest=nearest)
    return Feasibility(feasible, least_g, nearest, sentence)


def _hours(load: TrainingLoad) -> str:
    return f"{duration_text(load.shortest)} in {load.width} slots"


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _no_time(
    load: TrainingLoad, start: datetime, known: datetime, *, deadline: datetime | None, nearest: datetime | None
) -> str:
    need = f"the trainings take {_hours(load)} without a pause"
    if deadline is None or start + load.shortest > known:
        return f"{need}, longer than anything is known of the grid, which is until {_text(known)}: whether they fit can't be said"
    later = (
        f"a deadline from {_text(nearest)} on fits"
        if nearest
        else "no deadline that is known ahead fits the budget either"
    )
    return f"{need}, and the deadline is {duration_text(deadline - start)} away: {later}"


def _no_grams(least_g: float, budget_g: float, end: datetime, *, nearest: datetime | None) -> str:
    later = f"a deadline from {_text(nearest)} on" if nearest else "no later deadline as far as is known ahead"
    return (
        f"the trainings are expected to emit at least {least_g:.4g} g by {_text(end)}, more than the budget of {budget_g:.4g} g:"
        f" a budget of {least_g:.4g} g fits, or {later}"
    )


def longest_makespan(slot_time: timedelta, slots: int, chain: timedelta) -> timedelta:
    """Return how long work takes at most if no slot is ever idle while some of it could run: an upper bound for `Progress.time_to_finish`.

    Graham's bound on list scheduling with precedence (SIAM J. Appl. Math. 17, 1969): the work shared evenly by the slots, and besides
    `1 - 1 / slots` of the longest chain of pieces of work that wait for each other.

    Args:
        slot_time: All work that is left, at least zero.
        slots: Slots, at least 1.
        chain: The longest chain in it, at least zero.
    """
    return slot_time / slots + (1 - 1 / slots) * chain


class _Costs:
    """What a load emits at least if it is done by some time."""

    def __init__(self, load: TrainingLoad, outlook: Outlook) -> None:
        self._load = load
        self._pieces = tuple(zip(outlook.lengths_s, outlook.g_per_kwh, strict=True))
        self._borders = [0.0, *itertools.accumulate(outlook.lengths_s)]
        self._needed_s = load.shortest.total_seconds()

    def by(self, end_s: float) -> float:
        """Return the grams of the search if it uses the cleanest seconds of the first `end_s` and ends with them."""
        cut = [
            (value, min(length, end_s - begin))
            for (length, value), begin in zip(self._pieces, self._borders[:-1], strict=True)
            if begin < end_s
        ]
        resting = sum(value * length for value, length in cut) * self._load.resting_w
        left, training = self._needed_s, 0.0
        for value, length in sorted(cut):
            taken = min(left, length)
            training += value * taken
            left -= taken
        return (training * self._load.width * self._load.training_w + resting) / J_PER_KWH

    def _ends(self) -> list[float]:
        """Return the ends that come into question, in order: that of the load without a pause, and the ends of pieces after it."""
        later = self._borders[bisect.bisect_right(self._borders, self._needed_s) :]
        return [self._needed_s, *later] if self._needed_s <= self._borders[-1] else []

    def least(self, end_s: float) -> float | None:
        """Return the least grams of all ends up to `end_s`, or `None` if there is none."""
        if end_s < self._needed_s:
            return None
        ends = [end for end in self._ends() if end < end_s]
        return min(map(self.by, [*ends, end_s]))

    def earliest(self, budget_g: float | None) -> float | None:
        """Return the earliest end within a budget, or `None` if there is none."""
        ends = self._ends()
        if not ends or budget_g is None or self.by(ends[0]) <= budget_g:
            return ends[0] if ends else None
        late = next((i for i, end in enumerate(ends) if self.by(end) <= budget_g), None)
        if late is None:
            return None
        low, high = ends[late - 1], ends[late]
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.by(middle) <= budget_g else (middle, high)
        return high
