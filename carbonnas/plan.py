"""The plan of a search: which work there is, in which order, whatever the timing.

A search goes in rounds. In each, the strategy proposes `score_per_round` new architectures, they are scored, and the best
`train_per_round` of all that were scored up to that round and not yet trained are trained. Proposals of a round use exactly the results
of the rounds that lie more than `lookahead_rounds` back, and a promotion uses exactly the scores of its own and earlier rounds. So what
is evaluated depends on the seed alone: the scheduler decides when, never what. A killed search goes on to the same
architectures, and the same work can be compared on another schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from carbonnas.trials import Trial, TrialKind


@dataclass(frozen=True, slots=True)
class PlanShape:
    """How much work a search is.

    Attributes:
        rounds: Number of rounds, at least 1.
        score_per_round: Architectures scored in each, at least 1.
        train_per_round: Architectures trained in each, at least 1.
        lookahead_rounds: How many rounds scoring may run ahead of training, at least 0. More lets dirty hours do more scoring;
            fewer lets proposals learn sooner.
    """

    rounds: int
    score_per_round: int
    train_per_round: int
    lookahead_rounds: int

    def number(self, round_: int, kind: TrialKind, index: int) -> int:
        """Return the number of a trial by its place in the plan, the same in every run."""
        offset = index if kind is TrialKind.SCORE else self.score_per_round + index
        return round_ * (self.score_per_round + self.train_per_round) + offset

    @property
    def final_number(self) -> int:
        """Number of the full training of the winner, the last trial."""
        return self.rounds * (self.score_per_round + self.train_per_round)


@dataclass(frozen=True, slots=True)
class PlanPosition:
    """How much of the plan has been laid out as trials.

    Attributes:
        asked: Rounds whose proposals were made.
        told: Rounds whose results the strategy has seen.
        promoted: Rounds whose trainings were chosen.
        final_planned: Whether the full training of the winner was planned or given up.
    """

    asked: int = 0
    told: int = 0
    promoted: int = 0
    final_planned: bool = False


def _finished(trials: Iterable[Trial], kind: TrialKind, below_round: int) -> bool:
    return all(t.state.final for t in trials if t.kind is kind and t.round < below_round)


def tellable_rounds(shape: PlanShape, position: PlanPosition) -> range:
    """Return the rounds whose results the strategy must have seen before it proposes the next round."""
    return range(position.told, max(position.told, position.asked - shape.lookahead_rounds))


def can_ask(shape: PlanShape, position: PlanPosition, trials: Mapping[int, Trial]) -> bool:
    """Say whether the next round can be proposed: the rounds that it may learn from are trained."""
    needed = position.asked - shape.lookahead_rounds
    return (
        position.asked < shape.rounds
        and position.promoted >= needed
        and _finished(trials.values(), TrialKind.TRAIN, needed)
    )


def can_promote(position: PlanPosition, trials: Mapping[int, Trial]) -> bool:
    """Say whether the trainings of the next round can be chosen: its scores are there."""
    return position.promoted < position.asked and _finished(trials.values(), TrialKind.SCORE, position.promoted + 1)


def can_finish(shape: PlanShape, position: PlanPosition, trials: Mapping[int, Trial]) -> bool:
    """Say whether every round is trained, so that the winner is known."""
    return position.promoted == shape.rounds and _finished(trials.values(), TrialKind.TRAIN, shape.rounds)
