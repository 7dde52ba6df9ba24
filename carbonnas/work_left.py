"""How much training a search still needs, as far as finished trainings tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from carbonnas.plan import PlanPosition, PlanShape
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind

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
