"""Whether a deadline and budgets leave room for an amount of training, and if not, which would."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from carbon_sources.units import J_PER_KWH
from schedulers.budget import EmissionBudget, Window
from schedulers.duration_text import duration_text
from schedulers.outlook import Outlook
from schedulers.training_room import TrainingLoad, TrainingRoom

_MINUTE = timedelta(minutes=1)
_INSTANT_S = 0.01
"""What is late by so little is late by rounding alone."""
_UNITS = ((1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg"))
_DIGITS = 4
"""Significant digits of the budgets that are offered."""


class Verdict(enum.Enum):
    """Whether a load fits, as far as is expected of the grid."""

    FITS = "fits"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"
    """It does not fit into the time of which something is expected, and there is more before the deadline."""


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether a load fits a deadline and budgets.

    Attributes:
        verdict: Whether it fits both, as far as is expected.
        least_g: Least that it emits, in g, if done by the deadline and by the end of the outlook; `None` if there is no time for it.
        nearest_deadline: Earliest deadline, UTC, by which it can surely be done within the budgets; `None` if none that is known ahead is late enough.
        nearest_budgets: Where only the budgets are too low those with which it can surely be done by the deadline, in four digits; else `None`.
        sentence: The answer for people, with what to change where it does not fit.
    """

    verdict: Verdict
    least_g: float | None
    nearest_deadline: datetime | None
    nearest_budgets: tuple[EmissionBudget, ...] | None
    sentence: str


def check_feasible(
    load: TrainingLoad,
    outlook: Outlook,
    *,
    start: datetime,
    deadline: datetime | None,
    budgets: Sequence[EmissionBudget] = (),
) -> Feasibility:
    """Say whether training fits a deadline and budgets if it uses the cleanest hours, and which would fit if not.

    What does not fit can't be done if grid and trainings turn out as expected. What just fits may still fail; so what is offered in place of a pair that does
    not fit leaves the load's `spare_time` and `spare_j`, unless the deadline itself is too near for that.

    Args:
        load: What is to be done.
        outlook: The intensities that are expected from `start` on; what lies beyond is unknown.
        start: When the search begins, UTC.
        deadline: When it has to end, UTC; `None` for none.
        budgets: All budgets that apply, nothing of them spent.
    """
    return _Question(load, outlook, start, deadline, tuple(budgets)).answer()


class _Question:
    def __init__(
        self,
        load: TrainingLoad,
        outlook: Outlook,
        start: datetime,
        deadline: datetime | None,
        budgets: tuple[EmissionBudget, ...],
    ) -> None:
        self._load = load
        self._start = start
        self._deadline = deadline
        self._budgets = budgets
        self._limits = tuple(budget.limit_g for budget in budgets)
        self._within_s = math.inf if deadline is None else (deadline - start).total_seconds()
        self._covered_s = outlook.covered_s
        spare_g = load.spare_j / J_PER_KWH * max(outlook.g_per_kwh, default=0.0)
        self._free_g = [limit - spare_g for limit in self._limits]
        self._spare_g = spare_g
        self._room = TrainingRoom(load, outlook, start, budgets)
        self._at_ease = TrainingRoom(load.at_ease, outlook, start, budgets)

    def answer(self) -> Feasibility:
        needs = f"the trainings take at least {duration_text(self._load.shortest)} in {self._load.width} slots"
        if self._deadline is not None and self._start + self._load.shortest > self._deadline:
            return self._too_short(needs)
        least_g = self._room.least_g(self._within_s)
        least = "" if least_g is None else f" and emit at least {_grams(least_g)} by {_text(self._end)}"
        if not self._budgets or self._room.fits(self._limits, self._within_s):
            return Feasibility(Verdict.FITS, least_g, self._nearest_deadline(), None, needs + least)
        if self._deadline is None or self._within_s > self._covered_s + _INSTANT_S:
            known = f"known of the grid{f' until {_text(self._end)}' if self._covered_s else ''}"
            unsure = f"{needs}{least}: whether that fits {_budgets(self._budgets)} can't be said by what is {known}"
            return Feasibility(Verdict.UNKNOWN, least_g, self._nearest_deadline(), None, unsure)
        return self._too_much(needs + least, least_g)

    @property
    def _end(self) -> datetime:
        return self._start + timedelta(seconds=min(self._within_s, self._covered_s))

    def _too_short(self, needs: str) -> Feasibility:
        nearest = self._nearest_deadline()
        if nearest is None:
            offer = f"no deadline that is known ahead fits {_budgets(self._budgets)} either"
        else:
            offer = f"{self._later(nearest)} fits"
        away = duration_text(timedelta(seconds=max(0.0, self._within_s)))
        sentence = f"{needs} without a pause, and the deadline is {away} away: {offer}"
        return Feasibility(Verdict.DOES_NOT_FIT, None, nearest, None, sentence)

    def _too_much(self, needs: str, least_g: float | None) -> Feasibility:
        nearest, raised = self._nearest_deadline(), self._nearest_budgets()
        changed = [new for old, new in zip(self._budgets, raised, strict=True) if new != old]
        later = "no later deadline as far as is known ahead" if nearest is None else f"so would {self._later(nearest)}"
        sentence = (
            f"{needs}, which does not fit {_budgets(self._budgets)}: {_budgets(changed, 'a')} would do, and {later}"
        )
        return Feasibility(Verdict.DOES_NOT_FIT, least_g, nearest, raised, sentence)

    def _later(self, nearest: datetime) -> str:
        return f"a deadline of {_typed(nearest - self._start)} ({_text(nearest)})"

    def _nearest_deadline(self) -> datetime | None:
        """Return the earliest deadline, in whole minutes from the start; without budgets nothing need be known of the grid."""
        needed_s = self._load.at_ease.shortest.total_seconds()
        nearest_s = self._at_ease.earliest_s(self._free_g) if self._budgets else needed_s
        return None if nearest_s is None else self._start + _MINUTE * max(1, math.ceil((nearest_s - _INSTANT_S) / 60))

    def _nearest_budgets(self) -> tuple[EmissionBudget, ...]:
        """Return budgets that leave room and of which none could be lower: each in turn is kept, or raised as little as those behind it allow."""
        in_time = self._within_s >= self._load.at_ease.shortest.total_seconds()
        room = self._at_ease if in_time else self._room
        limits = [2 * max(limit, room.all_g) for limit in self._limits]
        budgets = list(self._budgets)
        for place, free_g in enumerate(self._free_g):
            enough, limits[place] = limits[place], free_g
            if not room.fits(limits, self._within_s):
                limits[place] = self._raised(room, limits, place, enough)
                budgets[place] = replace(budgets[place], limit_g=_rounded_up(limits[place] + self._spare_g))
        return tuple(budgets)

    def _raised(self, room: TrainingRoom, limits: Sequence[float], place: int, enough: float) -> float:
        before, after = limits[:place], limits[place + 1 :]
        least = room.least_limit(lambda grams: [*before, grams, *after], limits[place], enough, self._within_s)
        return enough if least is None else least


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _typed(duration: timedelta) -> str:
    """Return whole minutes with one unit, as a configuration takes them."""
    minutes = duration // _MINUTE
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


def _rounded_up(grams: float) -> float:
    step = 10.0 ** (math.floor(math.log10(grams)) - _DIGITS + 1)
    return math.ceil(grams / step) * step


def _grams(grams: float) -> str:
    factor, unit = next(((factor, unit) for factor, unit in _UNITS if grams >= factor), _UNITS[-1])
    return f"{grams / factor:.{_DIGITS}g} {unit}"


def _budgets(budgets: Sequence[EmissionBudget], article: str = "the") -> str:
    each = [_grams(b.limit_g) + ("" if b.window is Window.SEARCH else f" per {b.window.value}") for b in budgets]
    noun = f"{article} budget" if len(each) == 1 else "the budgets" if article == "the" else "budgets"
    return f"{noun} of {' and '.join(each)}"


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
