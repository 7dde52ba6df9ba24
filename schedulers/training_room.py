"""How much training finds room in the hours to come, under budgets and with what the node draws at rest."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.units import J_PER_KWH
from schedulers.budget import EmissionBudget, Window
from schedulers.outlook import Outlook

_SHORTEST_S = 3600.0
_COUNT = 100
"""The stretches in one of which a search ends: about so many, none of them made shorter than an hour. Rest counts up to the begin of the one."""
_ROUNDING = 1e-6
"""Share of the load that is taken for nothing, so that what is offered as enough is enough when it is asked about."""
_HALVINGS = 30
_INSIDE = timedelta(milliseconds=1)
"""How far behind its begin a piece is asked for its windows: instants are rounded to microseconds."""
_WIDTHS = {Window.DAY: 0, Window.WEEK: 1, Window.MONTH: 2, Window.SEARCH: 3, Window.TOTAL: 3}

_Scope = tuple[datetime | None, ...]
"""A window of one budget, cut at the borders of the wider ones: where it and they begin."""


@dataclass(frozen=True, slots=True)
class TrainingLoad:
    """Training that is to be done.

    Attributes:
        slot_time: Slot time that it takes, above zero.
        width: Slots that can train at the same time, at least 1.
        training_w: What one more slot that trains draws in W, overhead included, at least zero.
        resting_w: What the node draws in W whatever its slots do, overhead included, at least zero.
        chain: How long it takes at least because trainings wait for each other, at least zero.
        spare_time: Time by which it may take longer because trainings wait for each other, and other work for them, at least zero.
        spare_j: Energy that budgets set aside for trainings that run, at least zero.
    """

    slot_time: timedelta
    width: int
    training_w: float
    resting_w: float = 0.0
    chain: timedelta = timedelta(0)
    spare_time: timedelta = timedelta(0)
    spare_j: float = 0.0

    @property
    def shortest(self) -> timedelta:
        """How long it takes at least, without a pause."""
        return max(self.slot_time / self.width, self.chain)

    @property
    def at_ease(self) -> TrainingLoad:
        """The same work spread evenly over all the time that it may take: what finds room for this will get done."""
        longest = max(self.shortest + self.spare_time, timedelta.resolution)
        return TrainingLoad(longest, 1, self.training_w * (self.slot_time / longest), self.resting_w)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of the time ahead, in seconds from the start."""

    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class _Piece(_Stretch):
    """A part in which intensity and windows stay the same."""

    g_per_kwh: float
    scopes: tuple[_Scope, ...]


class TrainingRoom:
    """The time ahead, in which a load takes the cleanest hours that budgets leave to it.

    The search is over when its training is, so that rest is paid until then. All is reckoned in favour of the load, so that what finds no room can't
    be done: rest counts up to the begin of the stretch, mostly an hour, in which the search ends, and a window that the border of a wider one cuts,
    such as a week that the end of a month does, has its limit twice. Else it is exact: to fill the narrower windows with their cleanest hours, and
    the wider ones with the cleanest of those, is the best there is.

    Args:
        load: What is to be done.
        outlook: The intensities that are expected; what lies beyond is not used.
        start: When the search begins, UTC.
        budgets: The budgets.
    """

    def __init__(
        self, load: TrainingLoad, outlook: Outlook, start: datetime, budgets: Sequence[EmissionBudget] = ()
    ) -> None:
        self._rest_g_per_s = load.resting_w / J_PER_KWH
        self._train_g_per_s = load.training_w * load.width / J_PER_KWH
        self._needed_s = (load.slot_time / load.width).total_seconds()
        self._shortest_s = load.shortest.total_seconds()
        self._order = sorted(range(len(budgets)), key=lambda place: _WIDTHS[budgets[place].window])
        self._pieces = tuple(_pieces(outlook, start, [budgets[place] for place in self._order]))
        self._endings = tuple(_endings(self._pieces))
        self._cleanest_first = sorted(self._pieces, key=lambda piece: piece.g_per_kwh)

    @property
    def all_g(self) -> float:
        """What all slots emit in g if they train all the time: no limit above it limits anything."""
        rate = self._rest_g_per_s + self._train_g_per_s
        return rate * math.fsum(piece.g_per_kwh * (piece.end_s - piece.begin_s) for piece in self._pieces)

    def fits(self, limits_g: Sequence[float], within_s: float) -> bool:
        """Say whether the load can be done within `within_s` seconds.

        Args:
            limits_g: Limit of each budget, in the order of the budgets.
            within_s: Seconds from the start; infinite for whenever the outlook ends.
        """
        return any(self._ends_in(last, limits_g, within_s) for last in self._last(within_s))

    def earliest_s(self, limits_g: Sequence[float]) -> float | None:
        """Return the shortest time, in seconds from the start, within which the load can be done, or `None` if there is none."""
        for last in self._last(math.inf):
            if self._ends_in(last, limits_g, math.inf):
                low, high = max(last.begin_s, self._shortest_s), last.end_s
                if self._ends_in(last, limits_g, low):
                    return low
                return _bisected(functools.partial(self._ends_in, last, limits_g), low, high)
        return None

    def least_g(self, within_s: float) -> float | None:
        """Return the least that the load emits in g if it is done within `within_s` seconds, whatever the budgets; `None` if that is too short."""
        return min((self._grams(last, within_s) for last in self._last(within_s)), default=None)

    def least_limit(
        self, limits_at: Callable[[float], Sequence[float]], low: float, high: float, within_s: float
    ) -> float | None:
        """Return the least number at which limits let the load be done within `within_s` seconds, or `None` if even `high` does not.

        Args:
            limits_at: The limits of the budgets at a number; they rise with it.
            low: A number at which they are too low.
            high: The highest number that is asked about.
            within_s: Seconds from the start.
        """
        best = None
        # The likely ones first, so that most of the others are asked once.
        for ending in sorted(self._last(within_s), key=lambda ending: self._grams(ending, within_s)):
            first = high if best is None else best * (1 - _ROUNDING)

            def enough(number: float, last: _Stretch = ending) -> bool:
                return self._ends_in(last, limits_at(number), within_s)

            if first > low and enough(first):
                best = _bisected(enough, low, first)
        return best

    def _last(self, within_s: float) -> Iterator[_Stretch]:
        """Yield the stretches in which the search may end, in order of time."""
        for ending in self._endings:
            if ending.begin_s >= within_s:
                return
            if min(ending.end_s, within_s) >= self._shortest_s * (1 - _ROUNDING):
                yield ending

    def _grams(self, last: _Stretch, within_s: float) -> float:
        rest_until = max(last.begin_s, self._shortest_s)
        left_s, grams = self._needed_s, 0.0
        for piece, length_s in self._open(last, within_s):
            taken_s = min(left_s, length_s)
            grams += piece.g_per_kwh * (taken_s * self._train_g_per_s + _rest_s(piece, rest_until) * self._rest_g_per_s)
            left_s -= taken_s
        return grams

    def _open(self, last: _Stretch, within_s: float) -> list[tuple[_Piece, float]]:
        """Return the pieces up to the end, the cleanest first, with what can be used of each in seconds."""
        end_s = min(last.end_s, within_s)
        return [
            (piece, min(piece.end_s, end_s) - piece.begin_s) for piece in self._cleanest_first if piece.begin_s < end_s
        ]

    def _ends_in(self, last: _Stretch, limits_g: Sequence[float], within_s: float) -> bool:
        """Say whether the load can be done if the search ends in `last`."""
        rest_until = max(last.begin_s, self._shortest_s)
        whole = room = self._open(last, within_s)
        for level, place in enumerate(self._order):
            left_g = {piece.scopes[level]: limits_g[place] for piece, _ in whole}
            for piece, _ in whole:
                left_g[piece.scopes[level]] -= _rest_s(piece, rest_until) * piece.g_per_kwh * self._rest_g_per_s
            if any(grams < -_ROUNDING * limits_g[place] for grams in left_g.values()):
                return False
            room = self._filled(room, level, left_g)
        return math.fsum(length_s for _, length_s in room) >= self._needed_s * (1 - _ROUNDING)

    def _filled(
        self, room: Sequence[tuple[_Piece, float]], level: int, left_g: dict[_Scope, float]
    ) -> list[tuple[_Piece, float]]:
        """Return how much of each piece, the cleanest first, what is left of a budget in its window allows."""
        filled = []
        for piece, length_s in room:
            scope, rate = piece.scopes[level], piece.g_per_kwh * self._train_g_per_s
            taken_s = min(length_s, max(0.0, left_g[scope]) / rate) if rate > 0 else length_s
            left_g[scope] -= taken_s * rate
            if taken_s > 0:
                filled.append((piece, taken_s))
        return filled


def _rest_s(piece: _Piece, until_s: float) -> float:
    return max(0.0, min(piece.end_s, until_s) - piece.begin_s)


def _bisected(enough: Callable[[float], bool], low: float, high: float) -> float:
    """Return about the least number that is enough, itself enough, where `low` is not and `high` is."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _endings(pieces: Sequence[_Piece]) -> Iterator[_Stretch]:
    together = max(1, math.ceil(len(pieces) / _COUNT))
    for place in range(0, len(pieces), together):
        block = pieces[place : place + together]
        yield _Stretch(block[0].begin_s, block[-1].end_s)


def _pieces(outlook: Outlook, start: datetime, budgets: Sequence[EmissionBudget]) -> Iterator[_Piece]:
    begin_s, longest_s = 0.0, max(_SHORTEST_S, outlook.covered_s / _COUNT)
    for length_s, g_per_kwh in zip(outlook.lengths_s, outlook.g_per_kwh, strict=True):
        end_s = begin_s + length_s
        while begin_s < end_s:
            inside = start + timedelta(seconds=begin_s) + _INSIDE
            windows = [budget.window_at(inside) for budget in budgets]
            borders = [(window.end - start).total_seconds() for window in windows if window is not None]
            until_s = min(end_s, begin_s + longest_s, *borders)
            begins = tuple(None if window is None else window.start for window in windows)
            yield _Piece(begin_s, until_s, g_per_kwh, tuple(begins[level:] for level in range(len(begins))))
            begin_s = until_s
