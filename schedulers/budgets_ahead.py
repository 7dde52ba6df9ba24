"""What budgets leave to trainings in the time to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from schedulers.budget import BudgetState
from schedulers.decision import SchedulingContext
from schedulers.linear_plan import Allotment
from schedulers.outlook import Outlook


def limits_ahead(context: SchedulingContext, until: datetime, outlook: Outlook, share: float) -> tuple[Allotment, ...]:
    """Return what trainings may emit in each window of each budget, what the node draws for no work set aside.

    Args:
        context: What is decided about.
        until: When the search is to be done, UTC.
        outlook: What is known of the time to then.
        share: Share of the work that is planned within the outlook, 0..1: as much of a window's budget belongs to it that ends after it.
    """
    return tuple(limit for state in context.budgets for limit in _limits(context, state, until, outlook, share))


def _limits(
    context: SchedulingContext, state: BudgetState, until: datetime, outlook: Outlook, share: float
) -> Iterator[Allotment]:
    resting_w, begin, free_g = context.progress.resting_w or 0.0, context.now, state.remaining_g
    known_until = context.now + timedelta(seconds=outlook.covered_s)
    while begin < known_until:
        window = state.budget.window_at(begin)
        end = until if window is None else min(window.end, until)
        from_s, until_s = (begin - context.now).total_seconds(), (min(end, known_until) - context.now).total_seconds()
        if end > known_until:
            free_g *= share
        rest_g = outlook.until(until_s).grams(resting_w) - (outlook.until(from_s).grams(resting_w) if from_s else 0.0)
        yield Allotment(from_s, until_s, free_g - rest_g)
        begin, free_g = max(end, begin + timedelta(seconds=1)), state.budget.limit_g
