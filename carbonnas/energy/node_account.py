"""What a node's meter knows of one search: the usage it reported and its part of what was measured."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from carbon_sources.interval import Interval
from carbonnas.energy.meter import IDLE, Attribution, EnergySample, MeterReading, Owner, Usage
from carbonnas.energy.split import merge


@dataclass(frozen=True, slots=True)
class SearchOwner(Owner):
    """An owner among those of all searches, whose trials bear the same numbers.

    Attributes:
        account_id: Whose account it belongs to.
    """

    account_id: str = ""

    @property
    def plain(self) -> Owner:
        """The owner as its search calls it."""
        return Owner(self.account, self.trial, self.attempt)


@dataclass(slots=True, eq=False)
class NodeAccount:
    """The account of one search with the meter of its node.

    Attributes:
        account_id: 64 random bits: neither readings nor usage are taken for those of an earlier account of the same search.
        joined_at: Since when it pays for what nobody asked for; `None` while it does not.
    """

    account_id: str = field(default_factory=lambda: secrets.token_hex(8))
    joined_at: datetime | None = None
    _readings: int = 0
    _waiting: dict[str, Usage] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _parts: list[Attribution] = field(default_factory=list)
    _since: Interval | None = None

    def report(self, usages: Iterable[Usage]) -> None:
        """Take usage in; what waits or was counted already is left out."""
        for usage in usages:
            if usage.number > self._counted.get(usage.stream, -1):
                self._waiting.setdefault(usage.usage_id, usage)

    def tagged(self) -> list[Usage]:
        """Return the usage that no reading of the node holds yet, as usage of this account."""
        return [
            replace(
                usage,
                stream=f"{self.account_id}/{usage.stream}",
                owner=SearchOwner(usage.owner.account, usage.owner.trial, usage.owner.attempt, self.account_id),
            )
            for usage in self._waiting.values()
        ]

    def count(self, interval: Interval, parts: Sequence[Attribution]) -> None:
        """Enter its part of a reading of the node, in which all usage that waited was counted."""
        begin = interval.start if self.joined_at is None else max(interval.start, self.joined_at)
        if not self._waiting and (self.joined_at is None or begin >= interval.end):
            return
        for usage in self._waiting.values():
            self._counted[usage.stream] = max(usage.number, self._counted.get(usage.stream, -1))
        self._waiting.clear()
        self._parts.extend(parts)
        begin = begin if begin < interval.end else interval.start
        self._since = Interval(begin if self._since is None else self._since.start, interval.end)

    def take(self) -> MeterReading | None:
        """Return what came since the last reading; `None` if nothing did, or while usage waits: it would be forgotten with the reading."""
        if self._since is None or self._waiting:
            return None
        attributions = merge(self._parts)
        by_interval = merge(replace(attribution, owner=IDLE) for attribution in attributions)
        measured = tuple(each.sample for each in by_interval) or (EnergySample(self._since, 0.0, 0.0, 0.0),)
        self._readings += 1
        self._parts, self._since = [], None
        return MeterReading(f"{self.account_id}-{self._readings}", measured, attributions)
