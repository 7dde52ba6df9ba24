"""Train in the cleanest hours before the deadline, and rest in between."""

from __future__ import annotations

from schedulers.cleanest import place_in_time
from schedulers.decision import SchedulingContext
from schedulers.outlook import Outlook
from schedulers.planning import Allowance, PlanningPolicy, Task, cleanest_allowance


class SuspendResume(PlanningPolicy):
    """Fills the cleanest hours before the deadline until all training has its time; of equal hours the earliest.

    The best plan there is for work that can be interrupted at no cost (Wiesner et al., "Let's Wait Awhile", Middleware 2021, call it
    "interrupting"). Planned anew at each review with what is left by then and what is known by then. Where the deadline lies beyond the
    forecast, the part of the work falls to the known hours that they are of the whole time.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        needed_s = task.share_within(outlook, context.now)
        return cleanest_allowance(task, outlook, needed_s, place_in_time(outlook, needed_s))
