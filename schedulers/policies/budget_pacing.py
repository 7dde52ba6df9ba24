"""Spend a budget in the cleanest hours of its window, all of it and no more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from schedulers.budget import BudgetState
from schedulers.cleanest import place_in_grams
from schedulers.decision import ReasonCode, SchedulingContext
from schedulers.outlook import Outlook
from schedulers.planning import Allowance, PlanningPolicy, Task, seconds_text, whole_slots

_SHORTEST_S: Final = 60.0
"""What would be spent sooner than this is kept for cleaner or later hours."""


class BudgetPacing(PlanningPolicy):
    """Trains in as many slots as what is left of each budget allows, if it is spent in the cleanest hours of its window.

    As much work as the budgets allow, spread so that little is left at the end of a window and nothing is missing before. Work that fits
    is not put off: without a budget, or with one that is larger than all work, training is never held back. What the node draws
    for no work is set aside first. While the power of a training is unknown training is not held back; the budgets hold all the same.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1; a budget over the whole search
            is spread over that time.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    def outlook(self, context: SchedulingContext, until: datetime) -> Outlook:
        ends = [_end(state, context.now, until) for state in context.budgets]
        return super().outlook(context, max([until, *ends]))

    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        watts, length = context.progress.training_w, outlook.lengths_s[0]
        if not context.budgets:
            return Allowance(task.width, length, "there is no budget to pace", ReasonCode.PACED)
        if watts is None:
            text = "nothing is known yet of what trainings draw: training is not held back"
            return Allowance(task.width, length, text, ReasonCode.NO_ESTIMATE)
        paces = [_pace(context, state, task, outlook, watts) for state in context.budgets]
        return min(paces, key=lambda pace: pace.slots * pace.seconds)


def _pace(context: SchedulingContext, state: BudgetState, task: Task, outlook: Outlook, watts: float) -> Allowance:
    """Return what one budget allows in the present piece."""
    end = _end(state, context.now, task.until)
    span_s = (end - context.now).total_seconds()
    ahead = outlook.until(span_s)
    rest_g = ahead.grams(context.progress.resting_w or 0.0)
    free_g = state.remaining_g * min(1.0, ahead.covered_s / span_s) - rest_g
    place = place_in_grams(ahead, task.width * watts, max(0.0, free_g))
    slots, seconds = whole_slots(task.width * place.share, ahead.lengths_s[0])
    if seconds < _SHORTEST_S:
        slots, seconds = 0, ahead.lengths_s[0]
    budget = f"{max(0.0, free_g):.4g} g of the {state.budget.limit_g:.4g} g per {state.budget.window.value}"
    text = (
        f"{ahead.g_per_kwh[0]:.4g} g/kWh: {budget} are left for trainings of the next {seconds_text(ahead.covered_s)}, {place.cleaner:.4g} g of"
        f" it can be spent in cleaner hours: at most {slots} of {task.width} slots train"
    )
    return Allowance(slots, seconds, text, ReasonCode.PACED)


def _end(state: BudgetState, now: datetime, until: datetime) -> datetime:
    """Return when the window of a budget ends; that of the whole search with the search."""
    return state.window.end if state.window is not None and state.window.end > now else until
