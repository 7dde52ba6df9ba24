"""Plan the slots of all hours to come at once: model-predictive control with a linear program."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from carbon_sources.units import Duration
from schedulers.budgets_ahead import limits_ahead
from schedulers.decision import SchedulingContext
from schedulers.linear_plan import SlotPlan, Workload, plan_slots
from schedulers.outlook import Outlook, Risk
from schedulers.planning import Allowance, PlanningPolicy, Task, seconds_text, whole_slots


class Lookahead(PlanningPolicy):
    """Gives slots to the hours to come with the least emissions under deadline, budgets, cost of switching and shortest run.

    Solved as a linear program by HiGHS at each review, with what is left and known by then; only the first hour of the plan is acted on.
    Where budgets and deadline leave no plan for all work, the plan does as much as they allow, and the reason says so.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        switch_cost: Slot time that is lost each time a slot begins to train, at least zero: loading a checkpoint, starting a process.
        min_run: How long a slot that begins to train goes on at least, at least zero.
        quantile: Which quantile of the forecast stands for what may come, between 0 and 1.
        risk: Weight of that quantile beside the average, or the expected value where none is told, 0..1; 0 plans without the quantile.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(
        self,
        *,
        stretch: float = 2.0,
        switch_cost: Duration = timedelta(minutes=1),
        min_run: Duration = timedelta(minutes=15),
        quantile: float = 0.9,
        risk: float = 0.0,
        review: Duration = timedelta(hours=1),
    ) -> None:
        super().__init__(stretch=stretch, review=review)
        for name, duration in (("switch_cost", switch_cost), ("min_run", min_run)):
            if duration < timedelta(0):
                raise ValueError(f"{name} can't be negative, got {duration}")
        self._risk = Risk(quantile, risk)
        self._switch_s = switch_cost.total_seconds()
        self._min_run_s = min_run.total_seconds()

    def outlook(self, context: SchedulingContext, until: datetime) -> Outlook:
        return Outlook.of(context, until, self._risk)

    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        progress, known = context.progress, task.share_within(outlook, context.now) / task.needed_s
        work = Workload(
            needed_s=known * task.slot_time_s,
            width=task.width,
            running=progress.train_running,
            watts=progress.training_w or 0.0,
            switch_s=self._switch_s,
            min_run_s=self._min_run_s,
        )
        limits = () if progress.training_w is None else limits_ahead(context, task.until, outlook, known)
        plan = plan_slots(work, outlook.lengths_s, outlook.g_per_kwh, limits)
        slots, seconds = whole_slots(self._worth_a_start(plan, work, outlook), outlook.lengths_s[0])
        return Allowance(slots, seconds, _text(plan, task, outlook, budgets=bool(limits)))

    def _worth_a_start(self, plan: SlotPlan, work: Workload, outlook: Outlook) -> float:
        """Return the slots of the present piece, without a part of one that would begin for less than the shortest run and can come later."""
        now, whole, length = plan.slots[0], math.floor(plan.slots[0]), outlook.lengths_s[0]
        part_s = (now - whole) * length
        later_s = sum((work.width - slots) * s for slots, s in zip(plan.slots[1:], outlook.lengths_s[1:], strict=True))
        begins = whole >= work.running
        return whole if begins and part_s < self._min_run_s and part_s < later_s else now


def _text(plan: SlotPlan, task: Task, outlook: Outlook, *, budgets: bool) -> str:
    training_s = sum(share * length for share, length in zip(plan.slots, outlook.lengths_s, strict=True))
    text = (
        f"{outlook.g_per_kwh[0]:.4g} g/kWh: the plan of the next {seconds_text(outlook.covered_s)} trains {seconds_text(training_s)} of slot"
        f" time, now in {plan.slots[0]:.3g} of {task.width} slots, to be done by {task.end_text}"
    )
    if plan.missing_s == 0:
        return text
    return f"{text}; {seconds_text(plan.missing_s)} find no place in it{' and in the budgets' if budgets else ''}"
