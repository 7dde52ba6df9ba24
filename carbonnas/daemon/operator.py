"""What an operator does to budgets: adds grams for one window, with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from carbonnas.daemon.common_budgets import CommonBudgets
from carbonnas.daemon.control import LONGEST_REASON, MOST_GRAMS, CommandError, UnknownNameError
from carbonnas.daemon.seat import Seat
from carbonnas.record import Override, common_budget_name, own_budget_name
from schedulers.budget import EmissionBudget


class BudgetDesk:
    """Knows every budget by the name that people use.

    Args:
        common: The daemon's budgets.
        seats: The searches with theirs, by id.
    """

    def __init__(self, common: CommonBudgets, seats: Mapping[str, Seat]) -> None:
        self._common = common
        self._seats = seats

    def override(self, name: str, grams: float, *, reason: str, now: datetime) -> Override:
        """Return what would be added to a budget for its present window.

        Raises:
            UnknownNameError: If there is no such budget.
            CommandError: If it can't be added.
        """
        if not 0 < grams <= MOST_GRAMS or not math.isfinite(grams):
            raise CommandError(f"an override adds more than 0 g and at most {MOST_GRAMS:g} g, got {grams:g} g")
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise CommandError(
                f"an override needs a reason of 1 to {LONGEST_REASON} characters: it stays in the report"
            )
        if not reason.isprintable():
            raise CommandError("a reason can't hold line breaks or control characters")
        window = self._budget(name).window_at(now)
        return Override(name, now, grams, reason.strip(), None if window is None else window.start)

    def apply(self, override: Override) -> None:
        """Let an override count, if its budget is still there."""
        try:
            budget = self._budget(override.budget)
        except UnknownNameError:
            return
        if not override.holds_for(budget):
            return
        window = override.window_of(budget)
        for named in self._common.budgets:
            if common_budget_name(named.name) == override.budget:
                self._common.raise_limit(named.name, window, override.grams)
        for seat in self._seats.values():
            for place in range(len(seat.header.budgets)):
                if own_budget_name(seat.search_id, place) == override.budget:
                    seat.raise_limit(place, window, override.grams)

    def _budget(self, name: str) -> EmissionBudget:
        known = {common_budget_name(named.name): named.budget for named in self._common.budgets}
        for seat in self._seats.values():
            known |= {own_budget_name(seat.search_id, place): b for place, b in enumerate(seat.header.budgets)}
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise UnknownNameError(f"there is no budget {name!r}; there are: {listed}")
        return known[name]
