"""The trials of a search, counted and sorted by their state as they change: no look at them takes longer the more there are."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, ValuesView

from carbonnas.trials import FidelityName, Trial, TrialKind, TrialState

_BOTH = tuple(TrialKind)


class TrialBook(Mapping[int, Trial]):
    """The trials by number.

    Args:
        trials: The trials to begin with.
    """

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        self._trials: dict[int, Trial] = {}
        self._numbers: dict[tuple[TrialKind, TrialState], list[int]] = {
            (kind, state): [] for kind in TrialKind for state in TrialState
        }
        self._open: dict[FidelityName, Counter[int]] = defaultdict(Counter)
        for trial in trials:
            self.put(trial)

    def __getitem__(self, number: int) -> Trial:
        return self._trials[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._trials)

    def __len__(self) -> int:
        return len(self._trials)

    def values(self) -> ValuesView[Trial]:
        """Return the trials in the order in which they were first added."""
        return self._trials.values()

    def put(self, trial: Trial) -> None:
        """Add a trial, or replace the one with its number."""
        former = self._trials.get(trial.number)
        if former is not None:
            numbers = self._numbers[former.kind, former.state]
            del numbers[bisect.bisect_left(numbers, trial.number)]
            self._count(former, -1)
        self._trials[trial.number] = trial
        bisect.insort(self._numbers[trial.kind, trial.state], trial.number)
        self._count(trial, 1)

    def in_state(self, *states: TrialState, kind: TrialKind | None = None) -> list[Trial]:
        """Return the trials in one of the states, of one kind or of both, by number."""
        kinds = _BOTH if kind is None else (kind,)
        found = [number for state in states for one in kinds for number in self._numbers[one, state]]
        return [self._trials[number] for number in sorted(found)]

    def first(self, state: TrialState, kind: TrialKind, count: int) -> list[Trial]:
        """Return the trials of a kind in a state with the lowest numbers, `count` at most."""
        return [self._trials[number] for number in self._numbers[kind, state][:count]]

    def count(self, kind: TrialKind, *states: TrialState) -> int:
        """Return how many trials of a kind are in one of the states."""
        return sum(len(self._numbers[kind, state]) for state in states)

    def counts(self) -> dict[tuple[TrialKind, TrialState], int]:
        """Return how many trials of each kind are in each state; what there is none of is left out."""
        return {key: len(numbers) for key, numbers in self._numbers.items() if numbers}

    @property
    def finished(self) -> bool:
        """Whether every trial has ended."""
        return not any(self._open.values())

    def rounds_finished(self, rungs: Collection[FidelityName], below: int) -> bool:
        """Say whether every trial of some rungs in the rounds below one has ended."""
        return all(round_ >= below for rung in rungs for round_ in self._open[rung])

    def _count(self, trial: Trial, sign: int) -> None:
        if trial.state.final:
            return
        rounds = self._open[trial.fidelity.name]
        rounds[trial.round] += sign
        if not rounds[trial.round]:
            del rounds[trial.round]
