"""Which of the hours to come are the cleanest, and whether the present one is among them."""

from __future__ import annotations

import bisect
import itertools
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


def lowest_window(outlook: Outlook, length_s: float) -> float:
    """Return when the window of `length_s` seconds with the lowest mean intensity begins, in seconds from now, at least zero.

    Of equal ones the earliest. The intensity is constant over each piece, so that the mean is lowest where the window begins or ends with
    a piece. A window that does not fit into the outlook begins now.
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
    begun = map(sub, _integrals(borders, sums, [border + length_s for border in borders[:until]]), sums)
    ended = map(sub, sums[first:], _integrals(borders, sums, starts[until:]))
    totals = [*begun, *ended]
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
