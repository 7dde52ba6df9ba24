"""Who may use which share of the machine's slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """What one search asks for.

    Attributes:
        search_id: Whose it is.
        priority: A higher one is served first.
        wanted: Slots that it would use, at least 0.
        settled: Slots that it has had for less than a quantum, and keeps if others of its priority are only as entitled; at least 0.
        served_s: Slot seconds that it has had, on the same count as the others'; at least 0.
    """

    search_id: str
    priority: int
    wanted: int
    settled: int
    served_s: float


def share_out(slots: int, claims: Sequence[Claim]) -> dict[str, int]:
    """Return how many slots each search may use: priority first, then fair shares.

    All that is wanted at a higher priority is granted before anything at a lower one. Among equals each gets as much as any other unless
    it wants less (max-min fairness); a slot that can't be halved goes to whom it was granted less than a quantum ago, then to whom was served least so far.

    Args:
        slots: Slots of the machine, at least 0.
        claims: In order of submission, which decides where nothing else does.

    Returns:
        Slots by search, each at most what it wants; together as many as there are, or as are wanted.
    """
    granted = {claim.search_id: 0 for claim in claims}
    left = slots
    for priority in sorted({claim.priority for claim in claims}, reverse=True):
        peers = [claim for claim in claims if claim.priority == priority]
        while left > 0 and (unmet := [c for c in peers if granted[c.search_id] < c.wanted]):
            least = min(granted[claim.search_id] for claim in unmet)
            nexts = [claim for claim in unmet if granted[claim.search_id] == least]
            chosen = min(nexts, key=lambda claim: (claim.settled <= least, claim.served_s))
            granted[chosen.search_id] += 1
            left -= 1
    return granted
