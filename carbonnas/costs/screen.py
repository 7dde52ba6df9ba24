"""Keeping proposals out that break a hard limit, before any work is spent on them."""

from __future__ import annotations

from collections.abc import Sequence

from carbonnas.architecture import Architecture
from carbonnas.costs.known import KnownCosts, UnknownCostError
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target


class Screen:
    """Says which limit a proposal breaks; a limit on something that is not known beforehand is left to those who come later.

    A network whose latency the table can't tell breaks a limit on it: what is not known keeps no limit. Where every target has a limit, a
    network that is too slow for each of them is of no use.

    Args:
        costs: What is known of networks.
        limits: What they must keep, all of it.
        targets: The devices, of which a network must do for one.
    """

    def __init__(self, costs: KnownCosts, limits: Sequence[Limit], targets: Sequence[Target] = ()) -> None:
        self._costs = costs
        # What is cheap to know decides first.
        self._limits = sorted(
            (limit for limit in limits if costs.tells(limit.metric)),
            key=lambda limit: costs.metrics.index(limit.metric),
        )
        bound = [limit for target in targets for limit in target.limits]
        self._anywhere = bound if len(bound) == len(targets) else []

    @property
    def builds(self) -> bool:
        """Whether networks are built to be looked at, which takes its time."""
        return any(self._costs.builds(limit.metric) for limit in (*self._limits, *self._anywhere))

    def broken(self, architecture: Architecture) -> str | None:
        """Return the limit that a network breaks as text, the first of several; `None` if it may be evaluated."""
        for limit in self._limits:
            if not self._keeps(architecture, limit):
                return str(limit)
        if self._anywhere and not any(self._keeps(architecture, limit) for limit in self._anywhere):
            return "the latency limit of any target"
        return None

    def _keeps(self, architecture: Architecture, limit: Limit) -> bool:
        try:
            return limit.kept_by({limit.metric: self._costs.value(architecture, limit.metric)})
        except UnknownCostError:
            return False
