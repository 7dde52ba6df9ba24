"""How the budgets of a search stand, kept up entry by entry."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, conservative_g
from carbonnas.trials import TrialKind
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
        self._bounds: dict[str, float] = {}
        self._sums: dict[Interval | None, float] = {}

    def add(self, entries: Iterable[EmissionEntry], expected_bound: float | None = None) -> None:
        """Count new entries.

        Args:
            entries: The entries.
            expected_bound: What a forecast gives as the upper bound of the intensity, g/kWh: unpriced energy counts with it
                instead of the general bound, unless that is lower; `None` without a forecast.
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
            self._sums[window] = math.fsum(g for s, g in self._spent_g.items() if window is None or window.contains(s))
        return BudgetState(budget, self._sums[window], reserved_g, window)

    def _count(self, entries: Iterable[EmissionEntry], sign: int) -> None:
        self._sums.clear()
        for entry in entries:
            grams = conservative_g(entry, self._bounds.get(entry.entry_id, self._bound))
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


def ends_search(states: Sequence[BudgetState], blocked: Sequence[Blocked], *, scoring_left: bool) -> bool:
    """Say whether budgets leave a search that rests nothing to do, now or later.

    Args:
        states: How every budget stands.
        blocked: What did not admit the next trials.
        scoring_left: Whether there is a scoring that could start.
    """
    if any(state.exhausted and not _renews(state) for state in states):
        return True
    scoring_fits = scoring_left and not any(block.kind is TrialKind.SCORE for block in blocked)
    return any(not _passes(block, scoring_fits=scoring_fits) for block in blocked)


def _renews(state: BudgetState) -> bool:
    return state.budget.at_limit is not AtLimit.STOP and state.window is not None


def _passes(block: Blocked, *, scoring_fits: bool) -> bool:
    """Say whether there is something to wait for: the next window, in which the trial fits, or scorings meanwhile."""
    if _renews(block.state):
        return block.estimate_g <= block.state.budget.limit_g
    return block.leaves_scoring and scoring_fits
