"""Windows of common budgets that have ended: which of them hold more than was allowed, as prices that come late may show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from carbon_sources.interval import Interval
from carbonnas.daemon.control import EndedWindow
from schedulers.budget import BudgetState, EmissionBudget

LOOKED_AT = 14
"""So many ended windows of a budget are looked at: of days those of two weeks."""

_INSTANT = timedelta(microseconds=1)
_ROUNDED = 1 + 1e-9
"""Sums of the same grams in another order may differ by as much."""

StateAt = Callable[[datetime], BudgetState]
"""Says how the window of one budget stands that holds an instant, nothing being reserved."""


class EndedWindows:
    """Watches the windows of budgets end. What was found holds until something is told that can change it."""

    def __init__(self) -> None:
        self._present: dict[str, Interval] = {}
        self._at_end: dict[str, dict[Interval, float]] = {}
        self._found: dict[str, tuple[EndedWindow, ...]] = {}

    def touch(self, since: datetime) -> None:
        """Look again at the budgets whose present window begins after `since`: what was emitted from then on has changed."""
        for name, present in self._present.items():
            if since < present.start:
                self._found.pop(name, None)

    def touch_all(self) -> None:
        """Look again at all budgets."""
        self._found.clear()

    def exceeded(self, name: str, budget: EmissionBudget, now: datetime, state_at: StateAt) -> tuple[EndedWindow, ...]:
        """Return the ended windows of a budget in which more was emitted than allowed, the newest first.

        Args:
            name: Its name.
            budget: The budget, as it is outside of windows that operators have added to.
            now: The instant.
            state_at: Says how its windows stand.
        """
        present = budget.window_at(now)
        if present is None:
            return ()
        before = self._present.get(name)
        if before != present:
            self._found.pop(name, None)
            self._present[name] = present
            if before is not None and before.end <= now and budget.window_at(before.start) == before:
                self._at_end.setdefault(name, {})[before] = _counted(state_at(before.start))
        if name not in self._found:
            self._found[name] = self._look(name, list(_ended(budget, present)), state_at)
        return self._found[name]

    def _look(self, name: str, windows: list[Interval], state_at: StateAt) -> tuple[EndedWindow, ...]:
        at_end = self._at_end.get(name, {})
        self._at_end[name] = {window: at_end[window] for window in windows if window in at_end}
        states = [(window, state_at(window.start)) for window in windows]
        return tuple(
            EndedWindow(state, at_end.get(window))
            for window, state in states
            if _counted(state) > state.budget.limit_g * _ROUNDED
        )


def _counted(state: BudgetState) -> float:
    return state.spent_g + state.doubt_g


def _ended(budget: EmissionBudget, present: Interval) -> Iterator[Interval]:
    """Yield the windows before the present one, the newest first."""
    window: Interval | None = present
    for _ in range(LOOKED_AT):
        window = None if window is None else budget.window_at(window.start - _INSTANT)
        if window is not None:
            yield window
