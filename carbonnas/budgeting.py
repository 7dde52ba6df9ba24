"""How the budgets of a search stand, kept up entry by entry."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from carbon_sources.interval import Interval, quarter_shares
from carbonnas.emissions import EmissionEntry, conservative_g
from carbonnas.trials import TrialKind
from schedulers.budget import AtLimit, BudgetState, EmissionBudget


@dataclass(slots=True)
class Grams:
    """What was emitted in some time: what has a price, what is expected of the rest at most, and how much more it may be."""

    priced: float = 0.0
    unpriced: float = 0.0
    doubt: float = 0.0

    def __add__(self, other: Grams) -> Grams:
        """Return the sum of both."""
        return Grams(self.priced + other.priced, self.unpriced + other.unpriced, self.doubt + other.doubt)

    def state(self, budget: EmissionBudget, window: Interval | None, reserved_g: float) -> BudgetState:
        """Return how a budget stands in whose window this was emitted."""
        return BudgetState(budget, self.priced + self.unpriced, reserved_g, window, self.unpriced, self.doubt)


class Budgets(ABC):
    """What a search asks about its budgets, and tells them."""

    @abstractmethod
    def add(self, entries: Iterable[EmissionEntry], expected_bound: float | None = None) -> None:
        """Count new entries.

        Args:
            entries: The entries.
            expected_bound: What a forecast gives as the upper bound of the intensity, g/kWh: unpriced energy counts as spent with it
                instead of the general bound, unless that is lower, and what the general bound would add as doubt; `None` without a forecast.
        """

    @abstractmethod
    def expected_bound(self, entry: EmissionEntry) -> float | None:
        """Return the bound that an entry was added with, for those that supersede it; `None` if it is the general one."""

    @abstractmethod
    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        """Count entries no more, because others supersede them."""

    @abstractmethod
    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        """Return how every budget stands at `now` with `reserved_g` grams set aside for running work of this search."""

    @abstractmethod
    def reserve(self, grams: float) -> None:
        """Set grams aside for the work of this search that runs from now on, against what others may start."""


class BudgetBook(Budgets):
    """Spent grams by quarter hour, so that any calendar window can be summed.

    Args:
        budgets: The budgets that apply.
        bound_g_per_kwh: Intensity that the grid is not expected to exceed: unpriced energy may turn out to have emitted as much.
        counting: Whether grams are counted although there are no budgets: others ask for them.
    """

    def __init__(self, budgets: Sequence[EmissionBudget], bound_g_per_kwh: float, *, counting: bool = False) -> None:
        self.budgets = tuple(budgets)
        self._counting = bool(self.budgets) or counting
        self._bound = bound_g_per_kwh
        self._grams: dict[datetime, Grams] = defaultdict(Grams)
        self._bounds: dict[str, float] = {}
        self._sums: dict[Interval | None, Grams] = {}
        self._raised: dict[tuple[int, Interval | None], float] = defaultdict(float)

    def add(self, entries: Iterable[EmissionEntry], expected_bound: float | None = None) -> None:
        entries = list(entries) if self._counting else []
        if expected_bound is not None:
            bound = min(self._bound, expected_bound)
            self._bounds |= {entry.entry_id: bound for entry in entries if entry.emissions_g is None}
        self._count(entries, 1)

    def expected_bound(self, entry: EmissionEntry) -> float | None:
        return self._bounds.get(entry.entry_id)

    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        entries = list(entries) if self._counting else []
        self._count(entries, -1)
        for entry in entries:
            self._bounds.pop(entry.entry_id, None)

    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        return tuple(self._state(place, now, reserved_g) for place in range(len(self.budgets)))

    def reserve(self, grams: float) -> None:
        """Do nothing: nobody else spends of these budgets."""

    def raise_limit(self, place: int, window: Interval | None, grams: float) -> None:
        """Add grams to the limit of the budget at `place` inside one of its windows."""
        self._raised[place, window] += grams

    def take_over(self, quarters: Mapping[datetime, Grams]) -> None:
        """Count what was emitted in quarter hours, by their start."""
        for start, grams in quarters.items():
            self._grams[start] += grams
        self._forget(quarters)

    @property
    def quarters(self) -> Mapping[datetime, Grams]:
        """What was emitted by quarter hour."""
        return self._grams

    def within(self, window: Interval | None) -> Grams:
        """Return what was emitted inside a window, or at all."""
        if window not in self._sums:
            inside = [g for s, g in self._grams.items() if window is None or window.contains(s)]
            priced, unpriced, doubt = (math.fsum(map(attrgetter(p), inside)) for p in ("priced", "unpriced", "doubt"))
            # Withdrawn entries may leave a rounding error below zero; what is no number stays so, because it stands first.
            self._sums[window] = Grams(priced, max(unpriced, 0.0), max(doubt, 0.0))
        return self._sums[window]

    def exceeded(self, now: datetime) -> tuple[tuple[int, BudgetState], ...]:
        """Return the windows that had ended by `now` and in which more was emitted than allowed, as late values may show.

        Returns:
            The place of the budget, and how it stood; by budget, the oldest first.
        """
        found = []
        for place, budget in enumerate(self.budgets):
            windows = {budget.window_at(start) for start in self._grams}
            ended = sorted(window for window in windows if window is not None and window.end <= now)
            states = (self._state(place, window.start, 0.0) for window in ended)
            found += [(place, state) for state in states if state.remaining_g < 0]
        return tuple(found)

    def _state(self, place: int, now: datetime, reserved_g: float) -> BudgetState:
        window = self.budgets[place].window_at(now)
        budget = raised(self.budgets[place], self._raised.get((place, window), 0.0))
        return self.within(window).state(budget, window, reserved_g)

    def _count(self, entries: Iterable[EmissionEntry], sign: int) -> None:
        changed = set()
        for entry in entries:
            unpriced = entry.emissions_g is None
            expected_g = conservative_g(entry, self._bounds.get(entry.entry_id, self._bound))
            doubt_g = conservative_g(entry, self._bound) - expected_g
            within = entry.priced.sample.interval
            for start, share in quarter_shares(within.start, within.end):
                grams = self._grams[start]
                changed.add(start)
                if unpriced:
                    grams.unpriced += sign * expected_g * share
                    grams.doubt += sign * doubt_g * share
                else:
                    grams.priced += sign * expected_g * share
        self._forget(changed)

    def _forget(self, changed: Collection[datetime]) -> None:
        """Forget the sums that hold one of these quarter hours."""
        for window in list(self._sums):
            if any(window is None or window.contains(start) for start in changed):
                del self._sums[window]


def raised(budget: EmissionBudget, grams: float) -> EmissionBudget:
    """Return a budget with `grams` added to its limit."""
    return replace(budget, limit_g=budget.limit_g + grams) if grams else budget


@dataclass(frozen=True, slots=True)
class Blocked:
    """A budget that did not admit the next trial of a kind, and the upper estimate of what that trial would emit."""

    state: BudgetState
    kind: TrialKind
    estimate_g: float

    @property
    def leaves_scoring(self) -> bool:
        """Whether only trainings are meant: what is left of the budget goes to scoring."""
        return self.kind is TrialKind.TRAIN and self.state.budget.at_limit is AtLimit.SCORE_ONLY


def why_over(
    states: Sequence[BudgetState], blocked: Sequence[Blocked], *, scoring_left: bool, prices_may_come: bool = False
) -> str | None:
    """Return why budgets leave a search that rests nothing to do, now or later, in one sentence; `None` if they do leave something.

    Args:
        states: How every budget stands.
        blocked: What did not admit the next trials.
        scoring_left: Whether there is a scoring that could start.
        prices_may_come: Whether it is worth waiting for the prices of energy that has none, which may leave something after all.
    """
    for state in states:
        if state.exhausted and not _renews(state) and (state.surely_exhausted or not prices_may_come):
            return f"Nothing is left of {_told(state)}."
    scoring_fits = scoring_left and not any(block.kind is TrialKind.SCORE for block in blocked)
    for block in blocked:
        if not _passes(block, scoring_fits=scoring_fits, prices_may_come=prices_may_come):
            whole = "all" if _renews(block.state) else "what is left"
            return f"The next trial to {block.kind.value} may emit {block.estimate_g:.3g} g, more than {whole} of {_told(block.state)}."
    return None


def _told(state: BudgetState) -> str:
    within = "" if state.window is None else f" within a {state.budget.window.value}"
    return f"the budget of {state.budget.limit_g:.3g} g{within}"


def _renews(state: BudgetState) -> bool:
    return state.budget.at_limit is not AtLimit.STOP and state.window is not None


def _passes(block: Blocked, *, scoring_fits: bool, prices_may_come: bool) -> bool:
    """Say whether there is something to wait for: the next window, in which the trial fits, prices, or scorings meanwhile."""
    if _renews(block.state):
        return block.estimate_g <= block.state.budget.limit_g
    return (prices_may_come and block.state.may_admit(block.estimate_g)) or (block.leaves_scoring and scoring_fits)
