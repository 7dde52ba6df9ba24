"""Did a search keep its limits? Judged by its ledger and by what its source told it, with arithmetic of its own.

**Budgets.** Two laws, for each window of each budget.

1. *At the limit nothing runs.* At each look of the search at the world all that was drawn in the window is priced with what the source had told by then,
   and with `bound_g_per_kwh` where it had told nothing. While that is at the limit no trial draws anything, whatever was forecast.
   (Running work leaves at once at a limit, not at the end of its epoch.)
2. *No more than one metering interval too much.* By the last instant at which a trial drew anything the window holds no more than the limit and
   what all slots and the node draw in `INTERVAL`, at the dirtiest value that was counted for the time just before that instant. That is the
   longest time between two looks of a simulated search whose budgets may run out, so the time for which a limit can be passed unseen.

What no search can know is left out of the second law and counted by itself, as *raised afterwards*: a value that was revised upward after the energy was drawn, and
a late one above the bound, count with the lowest value that they had. The node goes on drawing at rest whatever a search does, so what it
draws after the last trial is not held against it. Energy without any value is no emission yet.

**The record.** What a search says that it spent in the present window is what the ledger's energy costs at the last values told, energy without a value
counting with the bound at most.

**Deadlines.** A deadline was feasible if the same search without budgets that never waits (`carbon_blind`) is done by then and has the share of its time to
spare that is to be kept free, `deadline_margin`; and no training takes longer than the user said, if anything. Every scheduler must then meet it, unless
budgets stop it. `SafetyLayer` promises that as far as the time that is left is told rightly. Searches tell it with two standard deviations, of which little is known
while few trainings have finished: a search whose trainings took longer than that and the time that is kept free has *outlasted* it.
Where the user said too little nobody can know how long to wait, and what it costs to write and load a checkpoint is foreseen by nobody: it must fit into the time
that is kept free. Misses for these reasons are counted, and are no breach.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.hard_limits_search import Case, Ran, Training
from carbon_sources.units import J_PER_KWH
from carbonnas.config import BudgetSection
from carbonnas.energy.meter import Account
from carbonnas.record import StopReason
from carbonnas.trials import Fidelity, TrialState
from schedulers.budget import Window
from schedulers.decision import ReasonCode

INTERVAL = timedelta(minutes=1)
"""The metering interval of a simulated search with budgets."""
_QUARTER = timedelta(minutes=15)
"""Days begin on a quarter of an hour, UTC, in every time zone."""
_ROUNDING = 1e-6
_ASSUMED_SPREAD = 0.3
"""Standard deviation of lengths as a share of their mean, which counts as one training does."""
_Array = NDArray[np.float64]


class Deadline(enum.Enum):
    """What could be asked of a search with a deadline."""

    INFEASIBLE = "infeasible"
    """Not even a search that never waits meets it with time to spare."""
    FEASIBLE = "feasible"
    UNFORESEEN = "unforeseen"
    """There is time enough, but trainings take longer than the user said, or a switch takes longer than the time that is kept free."""
    WITH_BUDGETS = "with budgets"
    """Budgets may stop the search before."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one search.

    Attributes:
        breaches: The limits that it broke, in sentences.
        overshoot: Largest excess over a budget, in metering intervals; at least zero.
        raised_g: Largest excess over a budget that comes from values raised afterwards, in g.
        windows: Windows of budgets in which anything was drawn.
        full: Those that were full at some time.
        deadline: What could be asked; `None` without a deadline.
        missed: Whether the deadline came before the plan was done.
        outlasted: Whether it came although training was not held back since what was left seemed to need all the time until then.
    """

    breaches: tuple[str, ...]
    overshoot: float
    raised_g: float
    windows: int
    full: int
    deadline: Deadline | None
    missed: bool
    outlasted: bool


def judge(case: Case, ran: Ran) -> Verdict:
    """Return what is to be said of a search that ran.

    Args:
        case: The search, with the limits that it ought to have kept.
        ran: What became of it.
    """
    replay = _Replay(case, ran)
    windows = [_WindowOf(budget, replay.cells_from, replay.count, replay.cell) for budget in case.config.budgets]
    breaches = list(replay.work_at_limit(windows))
    found = [held for window in windows for held in replay.held(window)]
    breaches += [held.sentence for held in found if held.overshoot > 1 + _ROUNDING]
    breaches += replay.misstated(windows)
    deadline = deadline_of(case)
    missed = ran.stop_reason is not StopReason.PLAN_DONE or ran.took > (case.config.search.deadline or ran.took)
    outlasted = deadline is Deadline.FEASIBLE and missed and has_outlasted(case, ran)
    if deadline is Deadline.FEASIBLE and missed and not outlasted:
        breaches.append(f"a deadline after {case.config.search.deadline} was missed that takes {case.blind_for}")
    return Verdict(
        breaches=tuple(breaches),
        overshoot=max((held.overshoot for held in found), default=0.0),
        raised_g=max((held.raised_g for held in found), default=0.0),
        windows=len(found),
        full=sum(len(window.full) for window in windows),
        deadline=deadline,
        missed=deadline is not None and missed,
        outlasted=outlasted,
    )


def deadline_of(case: Case) -> Deadline | None:
    """Return what can be asked of a search with a deadline; `None` without one."""
    deadline, margin = case.config.search.deadline, case.config.safety.deadline_margin
    if deadline is None:
        return None
    if case.binding:
        return Deadline.WITH_BUDGETS
    if case.blind_for * (1 + margin) > deadline:
        return Deadline.INFEASIBLE
    training_s = math.fsum(training.seconds for training in case.blind_trainings)
    switch_s = sum(
        cost.total_seconds() for cost in case.config.executor.options.values() if isinstance(cost, timedelta)
    )
    foreseen = case.told_well and switch_s <= margin * training_s / case.config.search.slots
    return Deadline.FEASIBLE if foreseen else Deadline.UNFORESEEN


def has_outlasted(case: Case, ran: Ran) -> bool:
    """Say whether trainings took longer than two standard deviations and the time that is kept free allow for.

    The time that counts is the one from which on training was not held back for the sake of the deadline; what had finished by then told how long the
    rest would take. Until one has finished no training is held back. That trainings wait for each other is no excuse: slot seconds are compared.

    Args:
        case: The search.
        ran: What became of it.
    """
    since = _pressed_since(ran)
    if since is None:
        return False
    ended = {
        trial.number: trial.state for trial in ran.trials if trial.ended_at is not None and trial.ended_at <= since
    }
    done = [each for each in case.blind_trainings if ended.get(each.number) is TrialState.COMPLETED]
    rest = [each for each in case.blind_trainings if each.number not in ended]
    if not done or not rest:
        return False
    counts = Counter(each.fidelity for each in rest)
    found = [_reckoned(case, done, fidelity, count) for fidelity, count in counts.items()]
    done_s, rest_s = (math.fsum(each.seconds for each in some) for some in (done, rest))
    expected_s, most_s = (math.fsum(part) for part in zip(*found, strict=True))
    return rest_s > most_s + case.config.safety.deadline_margin * (done_s + expected_s)


def _pressed_since(ran: Ran) -> datetime | None:
    """Return since when training was not held back until the end because of the deadline."""
    since = None
    for record in reversed(ran.decisions):
        if record.decision.reason.code is not ReasonCode.DEADLINE:
            break
        since = record.time
    return since


def _reckoned(case: Case, done: list[Training], fidelity: Fidelity, count: int) -> tuple[float, float]:
    """Return the slot seconds expected of trainings, and the upper end of their prediction interval of two standard deviations."""
    alike = [each for each in done if each.fidelity == fidelity] or done
    lengths_s = np.array([each.seconds * fidelity.epochs / each.fidelity.epochs for each in alike])
    mean_s, number = float(lengths_s.mean()), len(lengths_s)
    assumed_s, said = _ASSUMED_SPREAD * mean_s, case.config.search.training_time
    if said is not None:
        assumed_s = max(0.0, said.total_seconds() * fidelity.epochs / case.config.search.epochs - mean_s) / 2
    deviation_s = math.sqrt((float(((lengths_s - mean_s) ** 2).sum()) + assumed_s**2) / number)
    return count * mean_s, count * mean_s + 2 * deviation_s * math.sqrt(count + count**2 / number)


class _WindowOf:
    """The windows of one budget over the cells of time, by the calendar of its zone.

    Attributes:
        budget: The budget.
        of_cell: Shape (cells,), the number of the window that each cell lies in.
        full: The windows that were full at some time.
    """

    def __init__(self, budget: BudgetSection, start: datetime, count: int, cell: timedelta) -> None:
        self.budget = budget
        self.full: set[int] = set()
        numbers: dict[Hashable, int] = {}
        zone = ZoneInfo(budget.timezone)
        keys = (self._key((start + place * cell).astimezone(zone)) for place in range(count))
        self.of_cell = np.array([numbers.setdefault(key, len(numbers)) for key in keys])

    def _key(self, local: datetime) -> Hashable:
        if self.budget.window is Window.DAY:
            return local.date()
        if self.budget.window is Window.WEEK:
            return local.isocalendar()[:2]
        return (local.year, local.month) if self.budget.window is Window.MONTH else None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Energy of a part of an entry within one cell of time."""

    start: datetime
    end: datetime
    cell: int
    joules: float
    works: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """What a window held by the end of its last work."""

    overshoot: float
    raised_g: float
    sentence: str


class _Replay:
    """Goes through a search again, look by look, with what it had been told by each.

    Time is cut into cells that no border of an intensity or of a day crosses.
    """

    def __init__(self, case: Case, ran: Ran) -> None:
        self._case, self._ran = case, ran
        grid, accounting = case.grid, case.config.accounting
        self.cell = min(grid.step, _QUARTER)
        self._per_value = grid.step // self.cell
        first = (case.start - grid.start) // self.cell
        self.cells_from = grid.start + first * self.cell
        self.count = (ran.ticks[-1] - self.cells_from) // self.cell + 1
        self._offset = first
        self._bound, self._g_per_j = accounting.bound_g_per_kwh, accounting.pue / J_PER_KWH
        self._joules = np.zeros(self.count)
        self._price = np.full(self.count, self._bound)
        self._told = np.zeros(self.count, dtype=bool)
        self._lowest = np.full(self.count, np.inf)
        self._highest = np.zeros(self.count)
        self._pieces = sorted(self._cut(), key=lambda piece: (piece.end, piece.start))

    def _cut(self) -> Iterator[_Piece]:
        for entry in self._ran.entries:
            sample, works = entry.priced.sample, entry.owner.account is Account.TRIAL
            start, end = sample.interval.start, sample.interval.end
            watts = sample.joules / sample.interval.seconds
            while start < end:
                place = (start - self.cells_from) // self.cell
                until = min(end, self.cells_from + (place + 1) * self.cell)
                yield _Piece(start, until, place, watts * (until - start).total_seconds(), works)
                start = until

    def work_at_limit(self, windows: list[_WindowOf]) -> Iterator[str]:
        """Yield each time that work went on in a full window; leaves all energy counted, at the last values told."""
        drawn = heard = 0
        full: list[tuple[_WindowOf, int]] = []
        for tick in self._ran.ticks:
            while drawn < len(self._pieces) and self._pieces[drawn].end <= tick:
                piece = self._pieces[drawn]
                self._joules[piece.cell] += piece.joules
                for window, number in full:
                    if piece.works and piece.joules > 0 and window.of_cell[piece.cell] == number:
                        yield f"work at {piece.start} in a full window of {window.budget}"
                drawn += 1
            self._note_prices()
            heard = self._hear(heard, tick)
            self._note_prices()
            full = [found for window in windows if (found := self._full(window, tick)) is not None]

    def _note_prices(self) -> None:
        counts = self._joules > 0
        np.minimum(self._lowest, self._price, out=self._lowest, where=counts)
        np.maximum(self._highest, self._price, out=self._highest, where=counts)

    def _hear(self, heard: int, tick: datetime) -> int:
        told = self._ran.told
        while heard < len(told) and told[heard].at <= tick:
            first = told[heard].place * self._per_value - self._offset
            cells = slice(max(0, first), max(0, first + self._per_value))
            self._price[cells], self._told[cells] = told[heard].g_per_kwh, True
            heard += 1
        return heard

    def _full(self, window: _WindowOf, tick: datetime) -> tuple[_WindowOf, int] | None:
        number = int(window.of_cell[(tick - self.cells_from) // self.cell])
        inside = window.of_cell == number
        grams = float(self._joules[inside] @ self._price[inside]) * self._g_per_j
        if grams < window.budget.limit * (1 + _ROUNDING):
            return None
        window.full.add(number)
        return window, number

    def held(self, window: _WindowOf) -> Iterator[_Held]:
        """Yield what each window of a budget held by the end of its last work."""
        last: dict[int, datetime] = {}
        for piece in self._pieces:
            number = int(window.of_cell[piece.cell])
            if piece.works and piece.joules > 0:
                last[number] = max(piece.end, last.get(number, piece.end))
        for number, until in last.items():
            yield self._held(window, number, until)

    def _held(self, window: _WindowOf, number: int, until: datetime) -> _Held:
        lowest_g = final_g = 0.0
        for piece in self._pieces:
            if window.of_cell[piece.cell] != number or piece.start >= until or not self._told[piece.cell]:
                continue
            share = (min(piece.end, until) - piece.start) / (piece.end - piece.start)
            lowest_g += piece.joules * share * self._lowest[piece.cell] * self._g_per_j
            final_g += piece.joules * share * self._price[piece.cell] * self._g_per_j
        limit = window.budget.limit
        excess_g = max(0.0, lowest_g - limit * (1 + _ROUNDING))
        raised_g = max(0.0, final_g - limit) - excess_g
        overshoot = excess_g / self._interval_g(until) if excess_g else 0.0
        sentence = f"{lowest_g:.6g} g of {limit:.6g} g by {until}, {overshoot:.3g} metering intervals too much"
        return _Held(overshoot, max(0.0, raised_g), sentence)

    def _interval_g(self, until: datetime) -> float:
        """Return what slots and node emit in a metering interval that ends at an instant."""
        case = self._case
        watts = case.config.search.slots * case.slot_w + case.idle_w
        first, last = ((instant - self.cells_from) // self.cell for instant in (until - INTERVAL, until))
        dirtiest = float(self._highest[max(0, first) : last + 1].max())
        return watts * INTERVAL.total_seconds() * dirtiest * self._g_per_j

    def misstated(self, windows: list[_WindowOf]) -> list[str]:
        """Return where the search's own word on the present window is not what its ledger costs."""
        found = []
        for window, state in zip(windows, self._ran.budgets, strict=False):
            inside = window.of_cell == window.of_cell[-1]
            grams = self._joules * self._price * self._g_per_j
            least, most = float(grams[inside & self._told].sum()), float(grams[inside].sum())
            slip = _ROUNDING * window.budget.limit
            if not least - slip <= state.spent_g <= most + slip:
                found.append(f"{state.spent_g:.6g} g were said, {least:.6g} to {most:.6g} g were spent")
        return found
