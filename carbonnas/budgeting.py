"""How the budgets of a search stand, kept up entry by entry."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, conservative_g
from schedulers.budget import AtLimit, BudgetState, EmissionBudget

_BUCKET = timedelta(minutes=15)
"""In every time zone days begin on a quarter of an hour, UTC."""


class BudgetBook:
    """Spent grams by quarter hour, so that any calendar window can be summed.

    Args:
        budgets: The budgets that apply.
        bound_g_per_kwh: Intensity that unpriced energy counts with until it is priced: conservative, above any likely value.
    """

    def __init__(self, budgets: Sequence[EmissionBudget], bound_g_per_kwh: float) -> None:
        self.budgets = tuple(budgets)
        self._bound = bound_g_per_kwh
        self._spent_g: dict[datetime, float] = defaultdict(float)

    def add(self, entries: Iterable[EmissionEntry]) -> None:
        """Count new entries."""
        self._count(entries, 1)

    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        """Count entries no more, because others supersede them."""
        self._count(entries, -1)

    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        """Return how every budget stands at `now` with `reserved_g` grams set aside for running work."""
        return tuple(self._state(budget, now, reserved_g) for budget in self.budgets)

    def _state(self, budget: EmissionBudget, now: datetime, reserved_g: float) -> BudgetState:
        window = budget.window_at(now)
        spent = math.fsum(g for start, g in self._spent_g.items() if window is None or window.contains(start))
        return BudgetState(budget, spent, reserved_g, window)

    def _count(self, entries: Iterable[EmissionEntry], sign: int) -> None:
        for entry in entries:
            grams = conservative_g(entry, self._bound)
            for start, share in _shares(entry.priced.sample.interval):
                self._spent_g[start] += sign * grams * share


def _shares(interval: Interval) -> Iterator[tuple[datetime, float]]:
    """Yield the quarter hours that the interval overlaps, each with its share of the interval's length."""
    start = interval.start.replace(minute=interval.start.minute - interval.start.minute % 15, second=0, microsecond=0)
    while start < interval.end:
        common = interval.intersection(Interval(start, start + _BUCKET))
        if common is not None:
            yield start, common.duration / interval.duration
        start += _BUCKET


def ends_search(states: Sequence[BudgetState], blocked: Sequence[BudgetState], *, scoring_left: bool) -> bool:
    """Say whether budgets leave a search nothing to do, now or later.

    Args:
        states: How every budget stands.
        blocked: The budgets that did not admit the next trial.
        scoring_left: Whether a scoring could still run.
    """
    for state in (s for s in states if s.exhausted or s in blocked):
        waits_for_window = state.budget.at_limit is AtLimit.WAIT and state.window is not None
        scores_on = state.budget.at_limit is AtLimit.SCORE_ONLY and scoring_left and state.exhausted
        if not waits_for_window and not scores_on:
            return True
    return False
