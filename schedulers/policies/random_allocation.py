"""The allocator that the released CE-NAS amounts to: slots drawn by lot, whatever the grid."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.interval import HOUR, full_hour
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import budget_decision, grant

_CLASSES = 10


class RandomAllocation(Scheduler):
    """Draws each hour anew how many slots train: a baseline to compare with, not a policy to save with.

    One of ten classes a = 0 .. 9 with equal chances, of which class a gives `max(1, slots * a // 10)` slots to training. Zhao et al. 2024,
    "CE-NAS", as released: its actor's inputs saturate, so that its choice does not depend on the intensity.

    Args:
        seed: Decides the draws, together with the hour; at least 0.
    """

    def __init__(self, *, seed: Annotated[int, Field(ge=0)] = 0) -> None:
        self._seed = seed

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, HOUR)
        if stopped is not None:
            return stopped
        hour = full_hour(context.now)
        digest = hashlib.blake2b(f"{self._seed} {hour.isoformat()}".encode(), digest_size=8).digest()
        slots = max(1, context.slots * (int.from_bytes(digest, "big") % _CLASSES) // _CLASSES)
        reason = Reason(ReasonCode.CARBON_BLIND, f"{slots} of {context.slots} slots were drawn by lot for this hour")
        return grant(context, slots, reason, hour + timedelta(hours=1))
