"""One meter for a node that many searches share: read once for all, and each search pays for its part."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from carbon_sources.interval import Interval, clock_text, require_utc
from carbonnas.energy.meter import (
    Account,
    Attribution,
    EnergyMeter,
    Measurement,
    MeterReading,
    ProbeFactory,
    StatedPowers,
    Usage,
)
from carbonnas.energy.node_account import NodeAccount, SearchOwner
from carbonnas.energy.split import divide
from carbonnas.errors import EnergyMeterError

_ROUNDING = 1e-9
"""Share of a reading by which its parts may differ from it; meters promise as much."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class NodeMeter:
    """Meters one node for all searches on it.

    Trials and the work of a search's own workers are charged to the search. What nobody asked for, idle power and this process's own work, is
    shared equally by the searches that take part. While none takes part nothing is metered.

    Protocol: at each instant first `read`, with what is new of all searches, then `NodeShare.read` of each of them. One thread does so; what the
    node is like may be asked from any.

    Args:
        make: Makes a meter of the whole node, not started: a meter can be started only once.
    """

    def __init__(self, make: Callable[[], EnergyMeter]) -> None:
        self._make = make
        self._meter: EnergyMeter | None = None
        self._was_started = False
        # To make a meter and to look at the hardware takes seconds, and must not be done twice at once.
        self._looking = threading.RLock()
        self._read_at: datetime | None = None
        self._accounts: dict[str, NodeAccount] = {}

    @property
    def taking_part(self) -> tuple[str, ...]:
        """The searches that share what nobody asked for, in the order in which they were opened."""
        return tuple(search_id for search_id, account in self._accounts.items() if account.joined_at)

    @property
    def open(self) -> frozenset[str]:
        """The searches that have an account, whether they take part or not."""
        return frozenset(self._accounts)

    @property
    def meter(self) -> EnergyMeter:
        """The meter, to be asked what it is like; made at the first look, and perhaps closed."""
        with self._looking:
            if self._meter is None:
                self._meter = self._make()
            return self._meter

    def prepare(self) -> None:
        """Make the meter that will be started when a search takes part, if none runs, so that nobody has to wait for it then."""
        with self._looking:
            if self._read_at is None and self._was_started:
                self._meter, self._was_started = None, False
            self.meter.measurement()

    def ask(self, look: Callable[[EnergyMeter], T]) -> T:
        """Return what the meter says of itself, one question at a time."""
        with self._looking:
            return look(self.meter)

    def share(self, search_id: str) -> NodeShare:
        """Return the meter for one search, not started; one of a search may be open at a time."""
        return NodeShare(self, search_id)

    def join(self, search_id: str, now: datetime) -> NodeAccount:
        """Have a search take part from `now` on, and return its account.

        A reading of the node that began earlier is divided by time: of what was drawn before, the search pays nothing.

        Raises:
            EnergyMeterError: If it takes part already, or nothing can be measured.
        """
        require_utc(now, "now")
        account = self._accounts.get(search_id) or NodeAccount()
        if account.joined_at is not None:
            raise EnergyMeterError(f"the search {search_id} is metered already: close its meter first")
        if self._read_at is None:
            self._start(now)
        account.joined_at = now
        return self._accounts.setdefault(search_id, account)

    def leave(self, search_id: str) -> None:
        """Have a search take part no more, such as one that is paused and whose workers rest; idempotent.

        Its account stays: usage that comes later is counted with the next reading of the node, and what it was charged can still be read.
        """
        account = self._accounts.get(search_id)
        if account is not None:
            account.joined_at = None
        if not self.taking_part:
            self._stop()

    def close(self, search_id: str) -> None:
        """Have a search leave and drop its account, with what it has not read; idempotent."""
        self.leave(search_id)
        self._accounts.pop(search_id, None)

    def read(self, now: datetime, usages: Mapping[str, Sequence[Usage]]) -> None:
        """Measure what the node drew until `now` and charge the searches.

        Usage counts in full with the first reading after its report, however late that is. If no time has passed since the reading before it waits
        for the next one.

        Args:
            now: The present instant.
            usages: What is new of each search, by its id; of searches without an account it is left out, as their shares report it again.

        Raises:
            EnergyMeterError: If the instrument has stopped giving values. It is given up; the next reading starts a new one, and what the
                node itself drew from the reading before until then is not measured. Usage is kept.
        """
        for search_id, reported in usages.items():
            if search_id in self._accounts:
                self._accounts[search_id].report(reported)
        if not self.taking_part:
            return
        if self._read_at is None:
            _log.warning("energy is measured again from %s on", clock_text(now))
            self._start(now)
        elif now > self._read_at:
            interval = Interval(self._read_at, now)
            reading = self._measured(now)
            if reading is not None:
                self._read_at = now
                self._charge(interval, reading)

    def _start(self, now: datetime) -> None:
        with self._looking:
            if self._was_started:
                self._meter = None
            meter, self._was_started = self.meter, True
            try:
                meter.start(now)
            except EnergyMeterError:
                meter.close()
                raise
            self._read_at = now

    def _stop(self) -> None:
        with self._looking:
            if self._read_at is not None:
                self._read_at = None
                self.meter.close()

    def _measured(self, now: datetime) -> MeterReading | None:
        usages = [usage for account in self._accounts.values() for usage in account.tagged()]
        try:
            reading = self.meter.read(now, usages)
            if reading is not None:
                _require_whole(reading)
        except EnergyMeterError:
            # What it counted of the usage can't be told: only a new one counts all of it.
            self._stop()
            raise
        return reading

    def _charge(self, interval: Interval, reading: MeterReading) -> None:
        shares = self._shares(interval)
        parts: dict[str, list[Attribution]] = defaultdict(list)
        for owner, sample in ((each.owner, each.sample) for each in reading.attributions):
            if isinstance(owner, SearchOwner):
                parts[owner.account_id].append(Attribution(owner.plain, sample))
                continue
            pieces = divide(sample, [(piece, share) for _, piece, share in shares])
            for (account_id, _, _), piece in zip(shares, pieces, strict=True):
                parts[account_id].append(Attribution(owner, piece))
        for account in self._accounts.values():
            account.count(interval, parts[account.account_id])

    def _shares(self, interval: Interval) -> list[tuple[str, Interval, float]]:
        """Return who pays when for which share of what nobody asked for; power is taken as constant, and the shares sum to 1."""
        joined = {each.account_id: each.joined_at for each in self._accounts.values() if each.joined_at is not None}
        inside = {at for at in joined.values() if interval.start < at < interval.end}
        borders = sorted({interval.start, interval.end, *inside})
        shares: list[tuple[str, Interval, float]] = []
        for piece in (Interval(start, end) for start, end in itertools.pairwise(borders)):
            # Where all who were there have left, those who came later are the only ones to pay.
            sharers = [account_id for account_id, at in joined.items() if at <= piece.start] or list(joined)
            share = piece.duration / interval.duration / len(sharers)
            shares += [(account_id, piece, share) for account_id in sharers]
        return shares


class NodeShare(EnergyMeter):
    """One search's part of a node: a meter like any other, of which many may be open at once.

    To start it is to join the node, to close it is to leave. A search that is alone on the node, or the first to read at an instant, has
    the node read; usage that the node was not handed by then waits for its next reading, and this search's readings with it.

    Args:
        node: The node.
        search_id: Whose part it is.
    """

    def __init__(self, node: NodeMeter, search_id: str) -> None:
        self._node = node
        self._search_id = search_id
        self._account: NodeAccount | None = None
        self._closed = False

    def start(self, now: datetime) -> None:
        if self._account is not None or self._closed:
            raise EnergyMeterError("an energy meter can be started only once: make a new one")
        if self._search_id in self._node.open:
            raise EnergyMeterError(f"the search {self._search_id} is metered already: close its meter first")
        self._account = self._node.join(self._search_id, now)

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        if self._account is None or self._closed:
            raise EnergyMeterError("the energy meter is not running: it was closed or never started")
        self._account.report(usages)
        self._node.read(now, {})
        return self._account.take()

    def close(self) -> None:
        if self._account is not None and not self._closed:
            self._node.close(self._search_id)
        self._closed = True

    def measurement(self) -> Measurement:
        """Say how the node is metered, and that its rest is shared."""
        node = self._node.ask(lambda meter: meter.measurement())
        rest = "Idle power and the daemon's own work are shared equally by the searches that are open at the time."
        return replace(node, caveat=f"{node.caveat} {rest}")

    def stated(self) -> StatedPowers:
        """Return the node's powers, with this search's present part of what the node draws at rest.

        The most that the node can draw stays the node's: this search may get all of its slots, and the others may leave.
        """
        powers = self._node.ask(lambda meter: meter.stated())
        if powers.resting_w is None:
            return powers
        return replace(powers, resting_w=powers.resting_w / len({*self._node.taking_part, self._search_id}))

    def probe(self) -> ProbeFactory | None:
        return self._node.ask(lambda meter: meter.probe())


def _require_whole(reading: MeterReading) -> None:
    """Raise `EnergyMeterError` if a reading charges more or less than was measured, or trials that nobody reported."""
    charged_j = math.fsum(attribution.sample.joules for attribution in reading.attributions)
    if not math.isclose(charged_j, reading.joules, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        raise EnergyMeterError(f"the energy meter measured {reading.joules:g} J and charges {charged_j:g} J")
    owners = [attribution.owner for attribution in reading.attributions]
    if any(owner.account is Account.TRIAL and not isinstance(owner, SearchOwner) for owner in owners):
        raise EnergyMeterError(
            "the energy meter charges a trial that nobody reported: it must keep the owners that it is given"
        )
