"""How the budgets of a search stand, kept up entry by entry."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from carbon_sources.units import J_PER_KWH
from carbonnas.emissions import EmissionEntry
from schedulers.budget import AtLimit, BudgetState, EmissionBudget

_BUCKET = timedelta(minutes=15)
"""Every time zone's days begin on a quarter of an hour."""


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
        for entry in entries:
            self._spent_g[_bucket(entry)] += self._grams(entry)

    def withdraw(self, entries: Iterable[EmissionEntry]) -> None:
        """Count entries no more, because others supersede them."""
        for entry in entries:
            self._spent_g[_bucket(entry)] -= self._grams(entry)

    def states(self, now: datetime, reserved_g: float) -> tuple[BudgetState, ...]:
        """Return how every budget stands at `now` with `reserved_g` grams set aside for running work."""
        return tuple(self._state(budget, now, reserved_g) for budget in self.budgets)

    def _state(self, budget: EmissionBudget, now: datetime, reserved_g: float) -> BudgetState:
        window = budget.window_at(now)
        spent = math.fsum(g for start, g in self._spent_g.items() if window is None or window.contains(start))
        return BudgetState(budget, spent, reserved_g, window)

    def _grams(self, entry: EmissionEntry) -> float:
        known = entry.emissions_g
        if known is not None:
            return known
        return entry.priced.sample.joules / J_PER_KWH * self._bound * entry.pue


def _bucket(entry: EmissionEntry) -> datetime:
    start = entry.priced.sample.interval.start
    return start.replace(minute=start.minute - start.minute % 15, second=0, microsecond=0)


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
