"""Targets: the devices that networks are searched for, each with a front of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Direction, Objective


@dataclass(frozen=True, slots=True)
class Target:
    """One device.

    Attributes:
        name: What the user calls it.
        metric: The metric that holds the latency on it, in ms.
        at_most_ms: Latency from which a network is of no use on it; `None` for none.
    """

    name: str
    metric: str
    at_most_ms: float | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What a network must keep on this device alone."""
        return () if self.at_most_ms is None else (Limit(self.metric, at_most=self.at_most_ms),)

    def __str__(self) -> str:
        return self.name if self.at_most_ms is None else f"{self.name}, at most {self.at_most_ms:g} ms"

    def objectives(self, objectives: Sequence[Objective], others: Sequence[str]) -> tuple[Objective, ...]:
        """Return what a search is after on this device: its objectives without `others`, the latencies elsewhere, and the latency here."""
        kept = tuple(o for o in objectives if o.metric not in others and o.metric != self.metric)
        return (*kept, Objective(self.metric, Direction.MINIMIZE))
