"""All searches of the daemon, ticked one after the other at the same instant."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import wait
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from carbon_sources.clock import monotonic_s
from carbon_sources.interval import clock_text
from carbonnas.daemon.seat import Machine, Seat
from carbonnas.daemon.slots import Claim, share_out
from carbonnas.errors import CarbonNASError, EnergyMeterError
from carbonnas.files import lack_of_room
from carbonnas.record import SearchState
from carbonnas.status import SearchStatus

_log = logging.getLogger(__name__)

T = TypeVar("T")

_WORTH_A_LOOK = timedelta(seconds=0.2)
"""While searches are opened or closed there is something to look after this often, real time."""

_AT_ONCE = 2
"""So many searches are opened at once: one that takes minutes must not hold up all others, but each takes a core to import torch."""

_LONG = timedelta(minutes=1)
"""A search that has been opened for longer, real time, seems to be stuck; another one is opened beside it."""


class Fleet:
    """Shares the machine out among searches and lets each do what it can.

    A search that fails does not hold up the others: it is closed, which leaves it as its last whole step did, and tried again later.

    Args:
        machine: What the searches have in common.
        quantum: How long a search keeps the slots that it was granted, while others of its priority want them, too.
        ended: Called with each search that ended, after it was closed.
        enough: How long a tick goes from search to search, real time; who is left comes first in the next one, which follows at once.
        speed: How many times faster than real time the daemon's clock runs.
    """

    def __init__(
        self, machine: Machine, quantum: timedelta, ended: Callable[[Seat], None], *, enough: timedelta, speed: float
    ) -> None:
        self.machine = machine
        self.seats: dict[str, Seat] = {}
        self.trouble: str | None = None
        self.quantum = quantum
        self._ended = ended
        self._enough_s = enough.total_seconds()
        self._speed = speed
        self._told_of: set[str] = set()
        self._left_out: list[Seat] = []
        self._gone: list[Seat] = []
        self._again = False
        self._followed = False
        self._lacked_room = False
        self._asking: set[str] = set()

    def enter(self, seat: Seat) -> None:
        """Take in a search."""
        self.seats[seat.search_id] = seat

    def fetch(self) -> bool:
        """Poll all workers, and say whether any work has ended or begun to wait for a tick."""
        ended = [self._try(seat, seat.fetch) for seat in self.seats.values()]
        return any(ended)

    def tick(self, now: datetime, *, stopping: str | None = None) -> dict[str, SearchStatus]:
        """Share out the slots, account for what was used, and let every open search do what it can.

        Args:
            now: The instant.
            stopping: Why all searches are to rest, in one sentence; `None` if they are not.

        Returns:
            How each search stands that was ticked.
        """
        self.tidy()
        if not self._has_room():
            return {}
        if stopping is None:
            self._share_out(now)
            self._open(now)
        self.fetch()
        if not self._read(now):
            return {}
        statuses = self._tick_all(now, stopping)
        for seat in self.seats.values():
            if seat not in self._left_out and self._is_idle(seat, now):
                seat.close()
        # What was decided just now may leave slots to others, or ask for some; that is looked at once more, at once.
        more = stopping is None and (self._share_out(now) or self._has_room_in_slots())
        looking = any(status.next_at <= now for status in statuses.values() if status.state is SearchState.RUNNING)
        self._followed = more and not self._followed
        self._again = bool(self._left_out) or looking or self._followed
        return statuses

    def _tick_all(self, now: datetime, stopping: str | None) -> dict[str, SearchStatus]:
        """Tick the searches that have something to do, as far as there is time, and return how each of them stands."""
        statuses: dict[str, SearchStatus] = {}
        first, self._left_out = [each for each in self._left_out if each.search_id in self.seats], []
        others = [seat for seat in self.seats.values() if seat not in first]
        begun_s = monotonic_s()
        for seat in (*first, *others):
            # Others may still be in slots that are granted to this one: they leave at their next epoch.
            seat.allowed = min(seat.granted, seat.running + max(0, self.machine.slots - self.running))
            if not (seat.is_open and (seat.has_to_tick(now, stopping=stopping) or self._is_idle(seat, now))):
                continue
            if statuses and monotonic_s() - begun_s > self._enough_s:
                self._left_out.append(seat)
                continue
            status = self._tick(seat, now, stopping)
            statuses |= {} if status is None else {seat.search_id: status}
        return statuses

    def tidy(self) -> None:
        """Take note of what has ended in other threads."""
        for seat in self.seats.values():
            seat.tidy()
        for seat in [each for each in self._gone if each.tidy()]:
            self._gone.remove(seat)
            self.machine.grids.end(seat.search_id)

    def _is_idle(self, seat: Seat, now: datetime) -> bool:
        """Say whether a search is open for nothing: paused, or without the slots that it wants and its turn over."""
        if not seat.is_open or seat.running or seat.is_due(now) or seat.status is None:
            return False
        return seat.stored.paused or (seat.granted == 0 and seat.wanted(now) > 0 and not seat.restless(now))

    def _has_room_in_slots(self) -> bool:
        """Say whether a search was allowed less than it is granted, although there is room by now."""
        held_back = any(seat.is_open and seat.allowed < seat.granted for seat in self.seats.values())
        return held_back and self.running < self.machine.slots

    def next_at(self, now: datetime, latest: datetime) -> datetime:
        """Return when there is something to do again, at the latest `latest`."""
        if self._again:
            return now
        open_seats = [seat for seat in self.seats.values() if seat.is_open]
        times = [seat.status.next_at for seat in open_seats if seat.status is not None]
        times += [at for seat in open_seats if (at := seat.next_outcome_at) is not None]
        times += [seat.header.deadline for seat in self.seats.values() if seat.header.deadline is not None]
        if self._is_changing:
            times.append(now + _WORTH_A_LOOK * self._speed)
        return min([latest, *(at for at in times if at > now)])

    def cancel(self, search_id: str, now: datetime) -> None:
        """End a search, having accounted for all that it has drawn. Raises what keeps its end from being stored."""
        seat = self.seats[search_id]
        self.fetch()
        if seat.is_open and self._read(now):
            self._tick(seat, now, None)
        if search_id in self.seats:
            seat.cancel(now)
            self._leave(seat)

    def close(self) -> None:
        """Close all searches, as far as that needs no other thread; they go on in a later process."""
        for seat in self.seats.values():
            seat.close()

    def wait(self, longest_s: float) -> None:
        """Wait until what was closed has ended, at most so many real seconds; what has not ended by then is left, which the log tells."""
        self.tidy()
        seats = (*self.seats.values(), *self._gone)
        wait([seat.closing for seat in seats if seat.closing is not None], longest_s)
        self.tidy()
        for seat in seats:
            if seat.is_changing:
                _log.error(
                    "search %s could not be closed in %.0f s and is left; it goes on from its last step when the daemon starts anew",
                    seat.search_id,
                    longest_s,
                    extra={"search": seat.search_id},
                )

    @property
    def is_busy(self) -> bool:
        """Whether workers work, start or end."""
        return self._is_changing or self.running > 0

    @property
    def _is_changing(self) -> bool:
        return any(seat.is_changing for seat in (*self.seats.values(), *self._gone))

    @property
    def running(self) -> int:
        """Trials that hold a slot."""
        return sum(seat.running for seat in (*self.seats.values(), *self._gone))

    def _share_out(self, now: datetime) -> bool:
        """Grant slots anew, and say whether any search was granted more than before."""
        more = False
        # What is stuck while it is opened is not kept a place for: others may use the slots meanwhile.
        wanted = {seat.search_id: 0 if self._is_stuck(seat, now) else seat.wanted(now) for seat in self.seats.values()}
        self._level([seat for seat in self.seats.values() if wanted[seat.search_id]])
        claims = [
            Claim(
                seat.search_id,
                seat.stored.priority,
                wanted[seat.search_id],
                settled=seat.granted if seat.restless(now) else 0,
                served_s=seat.served_s,
            )
            for seat in self.seats.values()
        ]
        for search_id, granted in share_out(self.machine.slots, claims).items():
            seat = self.seats[search_id]
            if granted > seat.granted:
                seat.settled_until = now + self.quantum
                more = True
            seat.granted = granted
        return more

    def _level(self, asking: list[Seat]) -> None:
        """Put who asks for slots anew on a par with whoever was served least of those that asked before: what it did not want is not owed to it."""
        known = [seat.served_s for seat in asking if seat.search_id in self._asking]
        for seat in asking:
            if seat.search_id not in self._asking and known:
                seat.served_s = max(seat.served_s, min(known))
        self._asking = {seat.search_id for seat in asking}

    def stuck(self, now: datetime) -> str | None:
        """Return which searches seem to be stuck while they are opened, in one sentence; `None` if none do."""
        found = [(seat.search_id, since) for seat, since in self._opening if self._is_stuck(seat, now)]
        sentences = [
            f"the search {search_id} has been opening since {clock_text(since)}: something that it imports or reads may be stuck"
            for search_id, since in found
        ]
        for (search_id, _), sentence in zip(found, sentences, strict=True):
            if search_id not in self._told_of:
                _log.warning("%s", sentence, extra={"search": search_id})
        self._told_of = {search_id for search_id, _ in found}
        return "; ".join(sentences) or None

    def _is_stuck(self, seat: Seat, now: datetime) -> bool:
        return seat.opening_since is not None and now - seat.opening_since > _LONG * self._speed

    @property
    def _opening(self) -> list[tuple[Seat, datetime]]:
        """The searches that are opened in other threads, with since when."""
        return [
            (seat, since) for seat in (*self.seats.values(), *self._gone) if (since := seat.opening_since) is not None
        ]

    def _open(self, now: datetime) -> None:
        places = _AT_ONCE - sum(not self._is_stuck(seat, now) for seat, _ in self._opening)
        for seat in self.seats.values():
            wants_in = (seat.granted > 0 and not seat.stored.paused) or seat.is_due(now)
            if places > 0 and seat.may_open(now) and wants_in:
                self._try(seat, partial(seat.open, now), now)
                places -= seat.opening_since is not None
            self._try(seat, partial(seat.settle_in, now, max(0, self.machine.slots - self.running)), now)

    def _has_room(self) -> bool:
        """Say whether there is room for checkpoints, usage and commits; without it all searches are closed, as their last whole steps left them.

        What their workers said since then is not heard: failures to write are no results.
        """
        lack = lack_of_room(self.machine.state_folder)
        if lack is None:
            self.trouble = None if self._lacked_room else self.trouble
            self._lacked_room = False
            return True
        self._lacked_room, trouble = True, f"nothing runs, because {lack}"
        if self.trouble != trouble:
            _log.error("%s", trouble)
        self.trouble, self._again = trouble, False
        self.close()
        return False

    def _read(self, now: datetime) -> bool:
        """Read the meter for everybody; without a reading nothing may run, because nothing could be accounted for."""
        usages = {seat.search_id: seat.usages for seat in self.seats.values() if seat.is_open}
        try:
            self.machine.node.read(now, usages)
        except Exception as error:  # noqa: BLE001 - a meter that breaks must not end the daemon; it is logged and shown
            _log.warning("energy can't be measured", exc_info=not isinstance(error, EnergyMeterError))
            self.trouble = f"energy can't be measured, so nothing runs: {error}"
            for seat in self.seats.values():
                if seat.is_open:
                    seat.fail(now, error)
            return False
        if usages or not self.seats:
            self.trouble = None
        return True

    def _tick(self, seat: Seat, now: datetime, stopping: str | None) -> SearchStatus | None:
        state = self._try(seat, lambda: seat.tick(now, stopping=stopping), now)
        if state is not None and state is not SearchState.RUNNING:
            seat.close()
            self._leave(seat)
        return seat.status if state is not None else None

    def _leave(self, seat: Seat) -> None:
        del self.seats[seat.search_id]
        self.machine.budgets.end(seat.search_id)
        self._gone.append(seat)
        self.tidy()
        self._ended(seat)

    def _try(self, seat: Seat, call: Callable[[], T], now: datetime | None = None) -> T | None:
        """Call on behalf of a search; what goes wrong is its own trouble."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - one search must not stop the others; it is logged and shown
            now = now or self.machine.clock.now()
            if isinstance(error, CarbonNASError):
                _log.warning("search %s is closed and tried again later: %s", seat.search_id, error)
            else:
                _log.exception("search %s is closed and tried again later", seat.search_id)
            seat.fail(now, error)
            return None
