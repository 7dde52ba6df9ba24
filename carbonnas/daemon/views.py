"""Views of the daemon, made after each tick."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from carbonnas.daemon.common_budgets import CommonBudgets
from carbonnas.daemon.control import BudgetView, TickTimes
from carbonnas.daemon.exhaustion import Spending, exhausted_at
from carbonnas.daemon.overrides import Overrides
from carbonnas.daemon.seat import Seat
from carbonnas.record import common_budget_name, own_budget_name
from carbonnas.status import SearchStatus

_KEPT = 1000
"""Ticks that the quantiles of their times stem from."""


class TickClock:
    """Remembers how long ticks took."""

    def __init__(self) -> None:
        self._count = 0
        self._newest: deque[float] = deque(maxlen=_KEPT)

    def add(self, seconds: float) -> None:
        """Enter one tick."""
        self._count += 1
        self._newest.append(seconds)

    @property
    def times(self) -> TickTimes:
        """Number and quantiles."""
        ordered = sorted(self._newest) or [0.0]
        middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return TickTimes(self._count, middle, late, self._newest[-1] if self._newest else 0.0)


class ReasonCounter:
    """Counts decisions by the code of their reason."""

    def __init__(self) -> None:
        self._counter: Counter[str] = Counter()

    def add(self, status: SearchStatus) -> None:
        """Count the decision of a step, if it is news."""
        if status.news is not None:
            self._counter[status.news.decision.reason.code.value] += 1

    @property
    def counts(self) -> dict[str, int]:
        """Decisions by reason so far."""
        return dict(self._counter)


def budget_views(
    common: CommonBudgets, seats: Sequence[Seat], overrides: Overrides, now: datetime
) -> tuple[BudgetView, ...]:
    """Return all budgets: the daemon's in the order of its configuration, then those of the searches."""
    return tuple(chain(_common(common, seats, overrides, now), _own(seats, overrides)))


def _common(common: CommonBudgets, seats: Sequence[Seat], overrides: Overrides, now: datetime) -> Iterator[BudgetView]:
    states, exceeded = common.states(now), common.exceeded(now)
    for named in common.budgets:
        state, name = states[named.name], common_budget_name(named.name)
        spending = [
            Spending.of(seat.status, seat.watts)
            for seat in seats
            if seat.is_open and seat.status and named.holds_for(seat.stored.labels)
        ]
        ends_at = exhausted_at(state, spending, now)
        added = overrides.within(name, state.window)
        yield BudgetView(name, None, named.label, state, ends_at, added, exceeded[named.name])


def _own(seats: Sequence[Seat], overrides: Overrides) -> Iterator[BudgetView]:
    for seat in seats:
        status = seat.status
        if status is None:
            continue
        for place in range(len(seat.header.budgets)):
            state, name = status.budgets[place], own_budget_name(seat.search_id, place)
            ends_at = exhausted_at(state, [Spending.of(status, seat.watts)], status.now)
            yield BudgetView(name, seat.search_id, None, state, ends_at, overrides.within(name, state.window))
