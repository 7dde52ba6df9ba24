"""Train in the cleanest hours before the deadline, and rest in between."""

from __future__ import annotations

from schedulers.interrupting import InterruptingPolicy


class SuspendResume(InterruptingPolicy):
    """Fills the cleanest hours before the deadline until all training has its time; of equal hours the earliest.

    The best plan there is for work that can be interrupted at no cost (Wiesner et al., "Let's Wait Awhile", Middleware 2021, call it
    "interrupting"). Planned anew at each review with what is left by then and what is known by then. Where the deadline lies beyond the
    forecast, the part of the work falls to the known hours that they are of the whole time. Where the machine draws power at rest it
    waits no longer than that pays.

    Args:
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.
        count_rest: Whether what the node draws at rest until the search ends counts; not if the machine is on anyway.

    Raises:
        ValueError: If an option is out of range.
    """
