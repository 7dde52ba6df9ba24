"""How the budgets of a search stand, kept up entry by entry."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, conservative_g
from carbonnas.trials import TrialKind
from schedulers.budget import AtLimit, BudgetState, EmissionBudget

_BUCKET = timedelta(minutes=15)
"""In every time zone days begin on a quarter of an hour, UTC."""


@dataclass(slots=True)
class _Grams:
    """What was emitted in some time: what has a price, what is expected of the rest at most, and how much more it may be."""

    priced: float = 0.0
    unpriced: float = 0.0
    doubt: float = 0.0


class BudgetBook:
    """Spent grams by quarter hour, so that any calendar window can be summed.

    Args:
        budgets: The budgets that apply.
        bound_g_per_kwh: Intensity that the grid is not expected to exceed: unpriced energy may turn out to have emitted as much.
    """

    def __init__(self, budgets: Sequence[EmissionBudget], bound_g_per_kwh: float) -> None:
        self.budgets = tuple(budgets)
        self._bound = bound_g_per_kwh
        self._grams: dict[datetime, _Grams] = defaultdict(_Grams)
        self._bounds: dict[str, float] = {}
        self._sums: dict[Interval | None, _Grams] = {}

    def add(self, entries: Iterable[EmissionEntry], expected_bound: float | None = None) -> None:
        """Count new entries.

        Args:
            entries: The entries.
            expected_bound: What a forecast gives as the upper bound of the intensity, g/kWh: unpriced energy counts as spent with it
                instead of the general bound, unless that is lower, and what the general bound would add as doubt; `None` without a forecast.
        """
        entries = list(entries) if self.budgets else []
        if expected_bound is not None:
            bound = min(self._bound, expected_bound)
            self._bounds |= {entry.entry_id: bound for entry in entries if entry.emissions_g is None}
        self._count(entries, 1)

    def expected_bound(self, entry: EmissionEntry) -> float | None:
        """Return the bound that an entry was added with, for those that supersede it; `None` if it is the general one."""
        return self._bounds.get(entry.entry_id)

    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        """Count entries no more, because others supersede them."""
        entries = list(entries) if self.budgets else []
        self._count(entries, -1)
        for entry in entries:
            self._bounds.pop(entry.entry_id, None)

    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        """Return how every budget stands at `now` with `reserved_g` grams set aside for running work."""
        return tuple(self._state(budget, now, reserved_g) for budget in self.budgets)

    def _state(self, budget: EmissionBudget, now: datetime, reserved_g: float) -> BudgetState:
        window = budget.window_at(now)
        if window not in self._sums:
            inside = [g for s, g in self._grams.items() if window is None or window.contains(s)]
            priced, unpriced, doubt = (math.fsum(map(attrgetter(p), inside)) for p in ("priced", "unpriced", "doubt"))
            # Withdrawn entries may leave a rounding error below zero; what is no number stays so, because it stands first.
            self._sums[window] = _Grams(priced, max(unpriced, 0.0), max(doubt, 0.0))
        grams = self._sums[window]
        return BudgetState(budget, grams.priced + grams.unpriced, reserved_g, window, grams.unpriced, grams.doubt)

    def _count(self, entries: Iterable[EmissionEntry], sign: int) -> None:
        self._sums.clear()
        for entry in entries:
            unpriced = entry.emissions_g is None
            expected_g = conservative_g(entry, self._bounds.get(entry.entry_id, self._bound))
            doubt_g = conservative_g(entry, self._bound) - expected_g
            for start, share in _shares(entry.priced.sample.interval):
                grams = self._grams[start]
                if unpriced:
                    grams.unpriced += sign * expected_g * share
                    grams.doubt += sign * doubt_g * share
                else:
                    grams.priced += sign * expected_g * share


def _shares(interval: Interval) -> Iterator[tuple[datetime, float]]:
    """Yield the quarter hours that the interval overlaps, each with its share of the interval's length."""
    start = interval.start.replace(minute=interval.start.minute - interval.start.minute % 15, second=0, microsecond=0)
    while start < interval.end:
        common = interval.intersection(Interval(start, start + _BUCKET))
        if common is not None:
            yield start, common.duration / interval.duration
        start += _BUCKET


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


def ends_search(
    states: Sequence[BudgetState], blocked: Sequence[Blocked], *, scoring_left: bool, prices_may_come: bool = False
) -> bool:
    """Say whether budgets leave a search that rests nothing to do, now or later.

    Args:
        states: How every budget stands.
        blocked: What did not admit the next trials.
        scoring_left: Whether there is a scoring that could start.
        prices_may_come: Whether it is worth waiting for the prices of energy that has none, which may leave something after all.
    """
    spent = (s for s in states if s.exhausted and not _renews(s))
    if any(state.surely_exhausted or not prices_may_come for state in spent):
        return True
    scoring_fits = scoring_left and not any(block.kind is TrialKind.SCORE for block in blocked)
    return any(not _passes(b, scoring_fits=scoring_fits, prices_may_come=prices_may_come) for b in blocked)


def _renews(state: BudgetState) -> bool:
    return state.budget.at_limit is not AtLimit.STOP and state.window is not None


def _passes(block: Blocked, *, scoring_fits: bool, prices_may_come: bool) -> bool:
    """Say whether there is something to wait for: the next window, in which the trial fits, prices, or scorings meanwhile."""
    if _renews(block.state):
        return block.estimate_g <= block.state.budget.limit_g
    return (prices_may_come and block.state.may_admit(block.estimate_g)) or (block.leaves_scoring and scoring_fits)
