"""What operators have added to budgets, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from carbon_sources.interval import Interval
from carbonnas.record import Override


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

    def of(self, budget: str) -> tuple[Override, ...]:
        """Return what was ever added to a budget."""
        return tuple(self._by_budget.get(budget, ()))

    def within(self, budget: str, window: Interval | None) -> tuple[Override, ...]:
        """Return what was added to a budget inside one of its windows."""
        start = None if window is None else window.start
        return tuple(each for each in self.of(budget) if each.window_start == start)
