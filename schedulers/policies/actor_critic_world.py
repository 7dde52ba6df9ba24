"""A light simulator in which the learned allocator is trained: thousands of searches at once, hour by hour.

It knows no trials and no epochs: work is slot time, an hour has one intensity, and a slot that trains draws the same power always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schedulers.policies.actor_critic_network import CLASSES
from schedulers.policies.actor_critic_state import Array, Situations

WEEK_H: Final = 168
_SHORTEST_H, _LONGEST_H = 6.0, 96.0
_SLOTS: Final = np.array([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0])
_CONCAVITY: Final = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Hours of many zones, one zone after the other, with what was known at each of them.

    Attributes:
        present: Shape (hours,): intensity, g/kWh.
        expected: Shape (hours, `COMING_H` + 1): what was expected of each hour and those after it, from earlier hours alone.
        mean: Shape (hours,): mean of the 168 hours before, g/kWh.
        deviation: Shape (hours,): their standard deviation, g/kWh.
        cleaner: Shape (hours,): share of them that was cleaner than the present one, 0..1.
        starts: Hours at which searches may begin; the week before and the longest search after them belong to the same part of the data.
    """

    present: Array
    expected: Array
    mean: Array
    deviation: Array
    cleaner: Array
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, present: Array, expected: Array, usable: NDArray[np.bool_]) -> Grid:
        """Return the grid of one zone.

        Args:
            present: Shape (hours,), g/kWh, finite; not used where `usable` is false but in the statistics of the past.
            expected: Shape (hours, `COMING_H` + 1), g/kWh.
            usable: Shape (hours,): hours that belong to the part of the data that this grid is for.
        """
        weeks = np.lib.stride_tricks.sliding_window_view(present, WEEK_H)[:-1]
        mean, deviation, cleaner = np.zeros((3, len(present)))
        mean[WEEK_H:], deviation[WEEK_H:] = weeks.mean(axis=1), weeks.std(axis=1)
        cleaner[WEEK_H:] = (weeks < present[WEEK_H:, None]).mean(axis=1)
        run = WEEK_H + int(_LONGEST_H)
        whole = np.lib.stride_tricks.sliding_window_view(usable, run).all(axis=1)
        return cls(present, expected, mean, deviation, cleaner, np.flatnonzero(whole) + WEEK_H)

    @classmethod
    def joined(cls, grids: tuple[Grid, ...]) -> Grid:
        """Return the grids one after the other, at least one."""
        offsets = np.cumsum([0, *(len(grid.present) for grid in grids[:-1])])
        return cls(
            present=np.concatenate([grid.present for grid in grids]),
            expected=np.concatenate([grid.expected for grid in grids]),
            mean=np.concatenate([grid.mean for grid in grids]),
            deviation=np.concatenate([grid.deviation for grid in grids]),
            cleaner=np.concatenate([grid.cleaner for grid in grids]),
            starts=np.concatenate([grid.starts + offset for grid, offset in zip(grids, offsets, strict=True)]),
        )


@dataclass(frozen=True, slots=True)
class Reward:
    """What an hour of training is worth.

    The reward of an hour is `quality` times what it adds to the area under the curve of hypervolume against time, less the emissions of
    its slot time above what that would have cost at the mean of the trailing week, each as a share of the whole work; work that
    is not done in time costs `missed` times its share. The hypervolume is a concave curve of the trainings done,
    `log(1 + 20 s) / log(21)` of the share s: the first tenth of a search finds a third of it.

    Attributes:
        quality: Weight of the area under the curve, 0..1 of its total; it decides how much cleaner an hour has to be to be waited for.
        missed: Price of work that misses its deadline.
    """

    quality: float = 0.05
    missed: float = 2.0


def hypervolume(share_done: Array) -> Array:
    """Return the share of the hypervolume that a share of the trainings finds, both 0..1."""
    return np.asarray(np.log1p(_CONCAVITY * share_done) / np.log1p(_CONCAVITY), dtype=np.float64)


class World:
    """Many searches, each with its own begin, work, deadline and slots; one that ends is followed by a new one.

    Args:
        grid: Where and when they may run.
        count: How many run at once, at least 1.
        rng: Draws them.
        reward: What they are paid for.
    """

    def __init__(self, grid: Grid, count: int, rng: np.random.Generator, reward: Reward) -> None:
        self._grid, self._rng, self._reward = grid, rng, reward
        self.hour = np.zeros(count, dtype=np.int64)
        self.due = np.zeros(count, dtype=np.int64)
        self.begin = np.zeros(count, dtype=np.int64)
        self.slots, self.work, self.left, self.done_before = np.zeros((4, count))
        self._begin_anew(np.ones(count, dtype=np.bool_))

    def situations(self) -> Situations:
        """Return what is known now in each search."""
        grid, hour = self._grid, self.hour
        hours_left = (self.due - hour).astype(np.float64)
        return Situations(
            present=grid.present[hour],
            mean=grid.mean[hour],
            deviation=grid.deviation[hour],
            cleaner=grid.cleaner[hour],
            expected=grid.expected[hour],
            hours_left=hours_left,
            load=np.minimum(self.left / (self.slots * hours_left), 1.0),
            share_done=self._share_done(self.left),
            slots=self.slots,
        )

    def step(self, action: NDArray[np.int64]) -> tuple[Array, NDArray[np.bool_]]:
        """Let an hour pass with `action` tenths of the slots training; return the rewards and which searches ended with it."""
        slots = np.floor(action / (CLASSES - 1) * self.slots + 0.5)
        done = np.minimum(slots, self.left)
        left = self.left - done
        reward = self._hourly(done, left)
        self.hour += 1
        missed = (self.hour >= self.due) & (left > 0)
        reward -= self._reward.missed * missed * left / self.work
        ended = (left <= 0) | missed
        self.left = left
        self._begin_anew(ended)
        return reward, ended

    def _hourly(self, done: Array, left: Array) -> Array:
        grid, hour = self._grid, self.hour
        dearer = grid.present[hour] / np.maximum(grid.mean[hour], 1e-9) - 1
        gained = hypervolume(self._share_done(left)) - hypervolume(self._share_done(self.left))
        remaining = (self.due - hour) / (self.due - self.begin)
        return np.asarray(self._reward.quality * gained * remaining - done * dearer / self.work, dtype=np.float64)

    def _share_done(self, left: Array) -> Array:
        return 1 - (1 - self.done_before) * left / self.work

    def _begin_anew(self, ended: NDArray[np.bool_]) -> None:
        count, rng = int(ended.sum()), self._rng
        begin = rng.choice(self._grid.starts, count)
        hours = np.round(np.exp(rng.uniform(np.log(_SHORTEST_H), np.log(_LONGEST_H), count)))
        slots = rng.choice(_SLOTS, count)
        self.hour[ended] = self.begin[ended] = begin
        self.due[ended] = begin + hours.astype(np.int64)
        self.slots[ended] = slots
        self.work[ended] = self.left[ended] = rng.uniform(0.05, 1.0, count) * hours * slots
        self.done_before[ended] = rng.uniform(0, 0.9, count)
