"""Plans for work that can be interrupted: the cleanest hours, as far as waiting for them pays."""

from __future__ import annotations

from datetime import datetime, timedelta

from schedulers.cleanest import cheapest_end, cleanest_cost, place_in_time
from schedulers.decision import SchedulingContext
from schedulers.outlook import Outlook
from schedulers.planning import Allowance, RestCountingPolicy, Task, seconds_text

_WORTH_TELLING_S = 60.0
"""An end that lies earlier by less than this is not told of."""


class InterruptingPolicy(RestCountingPolicy):
    """Fills the cleanest hours until all training has its time; of equal hours the earliest.

    A machine that waits draws power, which the search is charged with until it ends. So of all ends up to the deadline the one is planned for
    with which training and rest emit least together.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.
        count_rest: Whether what the node draws at rest until the search ends counts; not if the machine is on anyway.

    Raises:
        ValueError: If an option is out of range.
    """

    def plan(self, context: SchedulingContext, task: Task, outlook: Outlook) -> Allowance:
        end_s = _worthwhile_end(task, outlook, context.now) if self.counts_rest and task.rest else None
        if end_s is None:
            needed_s = task.share_within(outlook, context.now)
            return _allowance(task, outlook, needed_s, task.end_text)
        until = context.now + timedelta(seconds=end_s)
        by = task.end_text
        if (task.until - until).total_seconds() > _WORTH_TELLING_S:
            by = f"{until:%Y-%m-%d %H:%M} UTC, after which rest would cost more than cleaner hours save"
        return _allowance(task, outlook.until(end_s), task.needed_s, by)


def _worthwhile_end(task: Task, outlook: Outlook, now: datetime) -> float | None:
    """Return when the work is to end, in seconds from now; `None` if it does not fit into the outlook, or had better go on after it.

    Hours beyond the outlook are expected to be as good as those in it.
    """
    rest = task.rest or 0.0
    found = cheapest_end(outlook, task.needed_s, rest)
    if found is None:
        return None
    part = task.share_within(outlook, now) / task.needed_s
    if part < 1.0:
        whole = sum(length * value for length, value in zip(outlook.lengths_s, outlook.g_per_kwh, strict=True))
        if (cleanest_cost(outlook, part * task.needed_s) + rest * whole) / part < found.cost:
            return None
    return found.end_s


def _allowance(task: Task, outlook: Outlook, needed_s: float, by: str) -> Allowance:
    """Return what a plan gives to the present piece that fills the cleanest pieces first.

    Args:
        task: What is to be done.
        outlook: At least one piece.
        needed_s: Seconds of the task that fall to the outlook.
        by: When it is to be done, for people.
    """
    place = place_in_time(outlook, needed_s)
    slots = task.width if place.share > 0 else 0
    text = (
        f"{outlook.g_per_kwh[0]:.4g} g/kWh, of the {seconds_text(outlook.covered_s)} ahead {seconds_text(place.cleaner)} are cleaner and"
        f" {seconds_text(needed_s)} are needed to be done by {by}: training {'runs' if slots else 'waits'}"
    )
    return Allowance(slots, outlook.lengths_s[0] * (place.share or 1.0), text)
