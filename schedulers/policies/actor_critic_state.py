"""What the learned allocator sees of the grid and of the work: the same numbers in training and in service."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COMING_H: Final = 48
"""How many hours after the present one are looked at; forecasts of later hours know little more than the season."""
MONOTONE: Final = 6
"""How many numbers tell how dirty the present hour is."""
OTHERS: Final = 17
"""How many numbers tell everything else."""

_CLIP: Final = 4.0
"""Standard deviations beyond which one hour is as dirty, or as clean, as any."""
_LEAST_SWING: Final = 0.02
"""Standard deviations below this share of the mean are noise of the meter, not hours to wait for."""
_LONGEST_H: Final = 168.0
_TINY: Final = 1e-9
_HOURS: Final = np.arange(COMING_H)
_FADING: Final = np.exp(-(_HOURS + 1) / 36)
"""How much of the error of a forecast in the present hour is left in later ones: what it missed, such as wind, stays for a day or two."""
_BLOCKS: Final = np.zeros((COMING_H, 9))
"""Turns the hours to come into the means of the first day's eight blocks of three hours, and that of the second day."""
_BLOCKS[np.arange(24), np.arange(24) // 3] = 1 / 3
_BLOCKS[24:, 8] = 1 / 24
_LOG_LONGEST: Final = math.log1p(_LONGEST_H)
_FADING_BY_HOUR: Final[list[float]] = _FADING.tolist()


@dataclass(frozen=True, slots=True, eq=False)
class Situations:
    """Many situations at once, shape (n,) each unless said otherwise.

    Attributes:
        present: Intensity of the present hour, g/kWh.
        mean: Mean intensity of the trailing week, g/kWh.
        deviation: Standard deviation of the trailing week, g/kWh, at least zero.
        cleaner: Share of the trailing week that was cleaner than the present hour, 0..1.
        expected: Shape (n, `COMING_H` + 1): what the forecast expects of the present hour, before it was known, and of those after it, g/kWh.
        hours_left: Hours until the work has to be done, above zero.
        load: Share of the slot time until then that the work needs, 0..1.
        share_done: Share of the planned trainings that have ended, 0..1.
        slots: How many slots there are, at least 1.
    """

    present: Array
    mean: Array
    deviation: Array
    cleaner: Array
    expected: Array
    hours_left: Array
    load: Array
    share_done: Array
    slots: Array


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation: what `Situations` says of many, in numbers and, for `expected`, in `COMING_H` + 1 of them."""

    present: float
    mean: float
    deviation: float
    cleaner: float
    expected: Sequence[float]
    hours_left: float
    load: float
    share_done: float
    slots: int


def observe(situations: Situations) -> tuple[Array, Array]:
    """Return how dirty the present hour is, shape (n, `MONOTONE`), and everything else, shape (n, `OTHERS`).

    Each of the first never falls when the present hour gets dirtier and nothing else changes; none of the others changes then.
    All intensities are measured in standard deviations of the trailing week from its mean: nothing of the future, and nothing of
    other zones, scales them.

    What a forecast misses in the present hour it will miss in the next ones, too, so hours are ranked after a part of that error is added to
    each of them. It shrinks from hour to hour, so that the present one still gets dirtier against all of them.
    """
    s = situations
    scale = np.maximum(np.maximum(s.deviation, _LEAST_SWING * s.mean), _TINY)
    levels = np.concatenate((s.present[:, None], s.expected), axis=1)
    levels = _clipped((levels - s.mean[:, None]) / scale[:, None])
    present, coming = levels[:, :1], levels[:, 2:]
    corrected = coming + (present - levels[:, 1:2]) * _FADING
    # The present hour is one of those that are left, so one less is still to come.
    left = np.minimum(np.maximum(np.ceil(s.hours_left), 1), COMING_H + 1)
    ahead = left[:, None] - 1 > _HOURS
    due = np.where(ahead[:, None], np.stack((coming, corrected), axis=1), np.inf)
    last = last_needed(due, s.load * left)
    dirtiness = np.concatenate(
        (
            present,
            s.cleaner[:, None],
            (np.add.reduce(due[:, 1] < present, axis=1) / left)[:, None],
            (np.add.reduce(corrected[:, :24] < present, axis=1) / 24)[:, None],
            _clipped(present - last),
        ),
        axis=1,
    )
    return dirtiness, np.concatenate((_facts(s, scale), _clipped(last[:, :1]) / 2, _expected(coming) / 2), axis=1)


def last_needed(due: Array, hours_needed: Array) -> Array:
    """Return the dirtiness of the last hour that work needs if it takes the cleanest of those to come; shape (n, views).

    Args:
        due: Shape (n, views, `COMING_H`): dirtiness of the hours to come by one view of them or another, infinite for those after
            the work is due.
        hours_needed: Shape (n,): hours that the work takes on all slots, the present one included.

    Returns:
        Infinity where the hours to come do not suffice, so that the present one is needed however dirty it is.
    """
    needed = np.maximum(np.ceil(hours_needed - _TINY), 1)
    place = np.minimum(needed, COMING_H).astype(np.int64) - 1
    ranked = np.sort(due, axis=2)[np.arange(len(due)), :, place]
    # Lest the work of more hours than are looked at seems to fit them.
    return np.where((needed <= COMING_H)[:, None], ranked, np.inf)


def _facts(s: Situations, scale: Array) -> Array:
    """Return what is known of the work and of the zone; shape (n, 5)."""
    horizon = np.log1p(np.minimum(s.hours_left, _LONGEST_H)) / np.log1p(_LONGEST_H)
    swing = np.minimum(scale / np.maximum(s.mean, _TINY), 1.0)
    return np.array((s.share_done, s.load, horizon, swing, 1.0 / s.slots)).T


def _expected(coming: Array) -> Array:
    """Return what is expected of the two days to come, with the cleanest hour of each; shape (n, 11)."""
    cleanest = np.minimum.reduce(coming.reshape(-1, 2, 24), axis=2)
    return np.concatenate((coming @ _BLOCKS, cleanest), axis=1)


def _clipped(values: Array) -> Array:
    return np.maximum(np.minimum(values, _CLIP), -_CLIP)


def observe_one(s: Situation) -> tuple[list[float], list[float]]:
    """Return what `observe` returns of one situation, `MONOTONE` and `OTHERS` numbers, but for rounding in the last digits.

    Plain numbers, because a decision looks at one situation, of which arrays take five times as long.
    """
    scale = max(s.deviation, _LEAST_SWING * s.mean, _TINY)
    present = _clipped_one((s.present - s.mean) / scale)
    levels = [(value - s.mean) / scale for value in s.expected]
    if min(levels) < -_CLIP or max(levels) > _CLIP:
        levels = [_clipped_one(level) for level in levels]
    now, coming = levels[0], levels[1:]
    missed = present - now
    corrected = [level + missed * fading for level, fading in zip(coming, _FADING_BY_HOUR, strict=True)]
    left = min(max(math.ceil(s.hours_left), 1), COMING_H + 1)
    due, due_corrected = sorted(coming[: left - 1]), sorted(corrected[: left - 1])
    place = max(math.ceil(s.load * left - _TINY), 1) - 1
    last = due[place] if place < left - 1 else math.inf
    last_corrected = due_corrected[place] if place < left - 1 else math.inf
    dirtiness = [
        present,
        s.cleaner,
        bisect_left(due_corrected, present) / left,
        sum([level < present for level in corrected[:24]]) / 24,
        _clipped_one(present - last),
        _clipped_one(present - last_corrected),
    ]
    horizon = math.log1p(min(s.hours_left, _LONGEST_H)) / _LOG_LONGEST
    swing = min(scale / max(s.mean, _TINY), 1.0)
    first_day, second_day = coming[:24], coming[24:]
    blocks = [sum(first_day[hour : hour + 3]) / 6 for hour in range(0, 24, 3)]
    others = [s.share_done, s.load, horizon, swing, 1 / s.slots, _clipped_one(last) / 2, *blocks]
    others += [sum(second_day) / 48, min(first_day) / 2, min(second_day) / 2]
    return dirtiness, others


def _clipped_one(level: float) -> float:
    return max(min(level, _CLIP), -_CLIP)
