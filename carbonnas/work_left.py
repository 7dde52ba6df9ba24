"""How much training a search still needs, as far as finished trainings tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from carbonnas.plan import PlanPosition, PlanShape
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind

_SURE = 2.0
"""Standard deviations that are reckoned with. Where they are known two sums of a hundred are larger; after few trainings it may be more. A margin is kept besides."""
_LIKELY_SPREAD = 0.3
"""Standard deviation of the lengths of trainings, as a share of their mean, while few have finished."""

SecondsOf = Callable[[Fidelity], float | None]
"""Expected slot seconds of a training at a fidelity, `None` while unknown."""


def trainings_left(shape: PlanShape, position: PlanPosition, *, with_final: bool) -> Mapping[FidelityName, int]:
    """Return how many trainings of each rung are not laid out as trials yet, at most.

    Args:
        shape: The plan.
        position: How much of it is laid out.
        with_final: Whether the winner is trained in full at the end.
    """
    final = with_final and not position.final_planned and not shape.full_per_round
    return {
        FidelityName.SEARCH: (shape.rounds - position.promoted) * shape.train_per_round,
        FidelityName.FULL: (shape.rounds - position.completed) * shape.full_per_round + final,
    }


def training_left(
    left: Mapping[Fidelity, int], trials: Iterable[Trial], spent_s: Callable[[Trial], float], seconds_of: SecondsOf
) -> timedelta | None:
    """Return the slot time that trainings still need, `None` while that of one sort is unknown.

    Args:
        left: Trainings that are not laid out yet, by fidelity.
        trials: The trials of the search, in any order and of any state.
        spent_s: Slot seconds that a trial has had.
        seconds_of: What a training takes.
    """
    total_s = 0.0
    for fidelity, count in left.items():
        seconds = seconds_of(fidelity) if count else 0.0
        if seconds is None:
            return None
        total_s += count * seconds
    for trial in trials:
        if trial.kind is not TrialKind.TRAIN or trial.state.final:
            continue
        seconds = seconds_of(trial.fidelity)
        if seconds is None:
            return None
        total_s += max(0.0, seconds - spent_s(trial))
    return timedelta(seconds=total_s)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the finished trainings of one fidelity took.

    Attributes:
        count: How many there are, at least 1.
        mean_s: Mean of their slot seconds.
        squares: Sum of the squares of their differences from it.
        longest_s: The longest one.
    """

    count: int
    mean_s: float
    squares: float
    longest_s: float

    def times(self, factor: float) -> Lengths:
        """Return what they would be were each `factor` times as long."""
        return replace(
            self,
            mean_s=factor * self.mean_s,
            squares=factor * factor * self.squares,
            longest_s=factor * self.longest_s,
        )


class LongestWork:
    """How long trainings take at most, as far as can be told from those that finished and from what the user said.

    A sum of lengths lies within some standard deviations of what it is expected to be, where both the sum and the mean of those that finished are
    uncertain (a prediction interval). Of the deviation little is known before some have finished: one that was assumed counts as much as
    one training that did. As long as no training took longer than the user said that bounds each of them.

    Args:
        finished: How long they took, by fidelity.
        stated: Slot seconds that the user expects of each, by fidelity. What is not there is told by its epochs from another fidelity.
    """

    def __init__(self, finished: Mapping[Fidelity, Lengths], stated: Mapping[Fidelity, float]) -> None:
        self._finished = finished
        self._stated = stated

    def seconds(self, fidelity: Fidelity, count: int) -> float | None:
        """Return the slot seconds that `count` trainings take at most; `None` while nothing is known of any."""
        known, stated_s = self._known(fidelity), self._said(fidelity)
        if known is None:
            return None if stated_s is None else count * stated_s
        bound, assumed = math.inf, _LIKELY_SPREAD * known.mean_s
        if stated_s is not None and stated_s >= known.longest_s:
            bound, assumed = count * stated_s, (stated_s - known.mean_s) / 2
        deviation = math.sqrt((known.squares + assumed * assumed) / known.count)
        return min(bound, count * known.mean_s + _SURE * deviation * math.sqrt(count + count * count / known.count))

    def left(self, fidelity: Fidelity, planned: int, spent: Iterable[float]) -> float | None:
        """Return the slot seconds that are left at most of `planned` trainings and of those that have had the slot seconds `spent`."""
        spent = list(spent)
        whole, one = self.seconds(fidelity, planned + len(spent)), self.seconds(fidelity, 1)
        if whole is None or one is None:
            return None
        known = self._known(fidelity)
        usual = one if known is None else known.mean_s
        # One that has taken longer than usual has used up its part of the whole, and may yet be among the longest.
        return max(0.0, whole - sum(min(s, usual) for s in spent)) + sum(max(0.0, one - s) for s in spent if s > usual)

    def _known(self, fidelity: Fidelity) -> Lengths | None:
        if fidelity in self._finished:
            return self._finished[fidelity]
        for other, lengths in sorted(self._finished.items(), key=lambda item: item[0].epochs):
            return lengths.times(fidelity.epochs / other.epochs)
        return None

    def _said(self, fidelity: Fidelity) -> float | None:
        return scaled_seconds({}, self._stated)(fidelity)


def scaled_seconds(known_s: Mapping[Fidelity, float], stated: Mapping[Fidelity, float]) -> SecondsOf:
    """Return what a training takes: the mean of those that finished, else what was stated, else by its epochs from another fidelity.

    Args:
        known_s: Mean slot seconds of finished trainings by fidelity.
        stated: What the user expects, by fidelity.
    """

    def seconds_of(fidelity: Fidelity) -> float | None:
        for told in (known_s, stated):
            if fidelity in told:
                return told[fidelity]
        for told in (known_s, stated):
            for other, seconds in sorted(told.items(), key=lambda item: item[0].epochs):
                return seconds * fidelity.epochs / other.epochs
        return None

    return seconds_of
