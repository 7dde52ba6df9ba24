"""What operators have added to budgets, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.interval import Interval
from carbonnas.record import Override
from schedulers.budget import EmissionBudget


@dataclass(frozen=True, slots=True)
class Applied:
    """Grams that count for one window of a budget."""

    grams: float
    window_start: datetime | None

    def window(self, budget: EmissionBudget) -> Interval | None:
        """Return the window of the budget that they count for."""
        return None if self.window_start is None else budget.window_at(self.window_start)


class Overrides:
    """All overrides, oldest first.

    Args:
        overrides: Those of the past.
    """

    def __init__(self, overrides: Iterable[Override]) -> None:
        self._by_budget: dict[str, list[Override]] = defaultdict(list)
        for override in overrides:
            self.add(override)

    def add(self, override: Override) -> None:
        """Remember one more."""
        self._by_budget[override.budget].append(override)

    @property
    def all(self) -> list[Override]:
        """All of them, by budget."""
        return [override for each in self._by_budget.values() for override in each]

    def of(self, budget: str) -> list[Applied]:
        """Return what was ever added to a budget."""
        return [Applied(each.grams, each.window_start) for each in self._by_budget.get(budget, ())]

    def within(self, budget: str, window: Interval | None) -> tuple[Override, ...]:
        """Return what was added to a budget inside one of its windows."""
        start = None if window is None else window.start
        return tuple(each for each in self._by_budget.get(budget, ()) if each.window_start == start)


def common_budget_name(name: str) -> str:
    """Return the name that people use for a budget of the daemon."""
    return f"daemon/{name}"
