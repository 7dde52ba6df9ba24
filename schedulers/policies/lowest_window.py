"""Train without a pause in the cleanest stretch of time before the deadline."""

from __future__ import annotations

from schedulers.cleanest import lowest_window
from schedulers.decision import ReasonCode, SchedulingContext
from schedulers.outlook import Outlook
from schedulers.planning import Allowance, RestCountingPolicy, Task, seconds_text


class LowestWindow(RestCountingPolicy):
    """Waits for the stretch of time that holds all training and in which it emits least, and then trains to the end.

    For work that is dear to interrupt. Planned anew while it waits; a stretch that has begun is not left any more. Where the forecast ends
    before the deadline, only stretches are compared that lie within it; one that holds all training begins at once if none does.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.
        count_rest: Whether what the node draws at rest until the search ends counts; not if the machine is on anyway.

    Raises:
        ValueError: If an option is out of range.
    """

    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        length = seconds_text(task.needed_s)
        if _has_begun(context):
            return Allowance(
                task.width, outlook.lengths_s[0], f"a stretch of {length} has begun: training runs to its end"
            )
        begin_s = lowest_window(outlook, task.needed_s, (task.rest or 0.0) if self.counts_rest else 0.0)
        if begin_s > 0:
            text = f"the cleanest stretch of {length} before {task.end_text} begins in {seconds_text(begin_s)}: training waits"
            return Allowance(0, begin_s, text)
        text = f"the cleanest stretch of {length} before {task.end_text} begins now: training runs"
        return Allowance(task.width, outlook.lengths_s[0], text)


def _has_begun(context: SchedulingContext) -> bool:
    previous = context.previous
    return previous is not None and previous.reason.code is ReasonCode.PLAN and previous.train_slots > 0
