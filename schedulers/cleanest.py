"""Which of the hours to come are the cleanest, and whether the present one is among them."""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
from dataclasses import dataclass
from operator import mul, sub

from carbon_sources.units import J_PER_KWH
from schedulers.outlook import Outlook

_NOTHING = 1e-9
"""Share of what is needed that is taken for nothing, so that rounding does not make a slot start."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the present piece of an outlook stands among the others.

    Attributes:
        cleaner: How much lies ahead in pieces that are cleaner than the present one, in the unit of what is planned.
        share: How much of the present piece, 0..1, a plan takes that fills the cleanest pieces first and, of equal ones, the earliest.
    """

    cleaner: float
    share: float


def place_in_time(outlook: Outlook, needed_s: float) -> Place:
    """Return how much of the present piece belongs to the cleanest `needed_s` seconds of an outlook of at least one piece."""
    return _place(outlook, outlook.lengths_s, needed_s)


def place_in_grams(outlook: Outlook, watts: float, budget_g: float) -> Place:
    """Return how much of the present piece is used if a load of `watts` spends `budget_g` in the cleanest pieces of an outlook."""
    grams = [
        seconds * value * watts / J_PER_KWH for seconds, value in zip(outlook.lengths_s, outlook.g_per_kwh, strict=True)
    ]
    return _place(outlook, grams, budget_g)


def _place(outlook: Outlook, amounts: list[float] | tuple[float, ...], wanted: float) -> Place:
    present = outlook.g_per_kwh[0]
    cleaner = sum(amount for amount, value in zip(amounts, outlook.g_per_kwh, strict=True) if value < present)
    left = wanted - cleaner
    if left <= _NOTHING * wanted:
        return Place(cleaner, 0.0)
    return Place(cleaner, 1.0 if left >= amounts[0] else left / amounts[0])


@dataclass(frozen=True, slots=True)
class CheapestEnd:
    """Until when it pays to wait for cleaner hours while the machine draws power at rest.

    Attributes:
        end_s: When the work is over, in seconds from now.
        cost: What is emitted until then, in g/kWh times seconds of all slots that train.
    """

    end_s: float
    cost: float


def cheapest_end(outlook: Outlook, needed_s: float, rest: float) -> CheapestEnd | None:
    """Return when work is to end that emits least, rest until its end included, or `None` if it does not fit into the outlook.

    The cleanest seconds before the end are used; of equal ends the earliest.

    Args:
        outlook: What is expected.
        needed_s: Seconds of work, above zero.
        rest: What is drawn until the end whatever is done, as a share of what the work draws besides, at least 0.
    """
    used: list[tuple[float, float]] = []  # the cleanest seconds so far, as a heap with the dirtiest on top
    held = worked = rested = begin = end = 0.0
    least, enough = math.inf, needed_s * (1.0 - _NOTHING)
    for length, value in zip(outlook.lengths_s, outlook.g_per_kwh, strict=True):
        taken = min(length, needed_s - held) if held < needed_s else 0.0
        held, worked = held + taken, worked + value * taken
        if held >= enough:
            while True:
                cost = worked + rest * (rested + value * taken)
                if cost < least:
                    end, least = begin + taken, cost
                if taken >= length or not used or -used[0][0] <= value:
                    break
                dirtiest, long = used[0]
                cut = min(long, length - taken)
                if cut < long:
                    heapq.heapreplace(used, (dirtiest, long - cut))
                else:
                    heapq.heappop(used)
                taken, worked = taken + cut, worked + (value + dirtiest) * cut
        if taken > 0.0:
            heapq.heappush(used, (-value, taken))
        rested, begin = rested + value * length, begin + length
    return CheapestEnd(end, least) if least < math.inf else None


def cleanest_cost(outlook: Outlook, needed_s: float) -> float:
    """Return what is emitted in the cleanest `needed_s` seconds of an outlook, or in all of it if it is shorter, in g/kWh times seconds."""
    left, cost = needed_s, 0.0
    for value, length in sorted(zip(outlook.g_per_kwh, outlook.lengths_s, strict=True)):
        taken = min(left, length)
        cost += value * taken
        left -= taken
        if left <= 0.0:
            break
    return cost


def lowest_window(outlook: Outlook, length_s: float, rest: float = 0.0) -> float:
    """Return when the window of `length_s` seconds begins in which work emits least, in seconds from now, at least zero.

    Of equal ones the earliest. The intensity is constant over each piece, so that the sum is lowest where the window begins or ends with
    a piece. A window that does not fit into the outlook begins now.

    Args:
        outlook: What is expected.
        length_s: Seconds of work, above zero.
        rest: What is drawn until the end of the window whatever is done, as a share of what the work draws besides, at least 0.
    """
    borders = [0.0, *itertools.accumulate(outlook.lengths_s)]
    latest = borders[-1] - length_s
    if latest <= 0:
        return 0.0
    sums = [0.0, *itertools.accumulate(map(mul, outlook.lengths_s, outlook.g_per_kwh))]
    until = bisect.bisect_right(borders, latest)
    first = bisect.bisect_left(borders, length_s)
    # Windows that begin with a piece, and windows that end with one.
    starts = borders[:until] + [border - length_s for border in borders[first:]]
    ends = [*_integrals(borders, sums, [border + length_s for border in borders[:until]]), *sums[first:]]
    worked = map(sub, ends, [*sums[:until], *_integrals(borders, sums, starts[until:])])
    totals = [work + rest * end for work, end in zip(worked, ends, strict=True)] if rest else list(worked)
    limit = min(totals) * (1 + _NOTHING)
    return min(start for start, total in zip(starts, totals, strict=True) if total <= limit)


def _integrals(borders: list[float], sums: list[float], positions: list[float]) -> list[float]:
    """Return the integral of the intensity from now to each position; positions rise and none lies beyond the last border."""
    found, place, last = [], 0, len(borders) - 2
    for position in positions:
        while place < last and borders[place + 1] <= position:
            place += 1
        share = (position - borders[place]) / (borders[place + 1] - borders[place])
        found.append(sums[place] + (sums[place + 1] - sums[place]) * share)
    return found
