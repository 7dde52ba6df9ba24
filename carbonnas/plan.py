"""The plan of a search: which work there is, in which order, whatever the timing.

A search goes in rounds. In each, the strategy proposes `score_per_round` new architectures, they are scored, some of all that were scored up
to that round are trained (`train_per_round`, fidelity `search`), and some of those that came so far are trained in full (`full_per_round`).
Proposals and promotions of a round use results of full and search trainings that lie more than `lookahead_rounds` rounds back; a promotion uses
besides exactly what the rung below gave in its own and earlier rounds. So what is evaluated depends on the seed alone: the
scheduler decides when, never what. A killed search goes on to the same architectures, and the same work can be compared on another
schedule.

Once a round finds nothing that it could propose, nobody is asked any more: the rounds that are left train what was scored, until there is
nothing left to train.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from carbonnas.architecture import Architecture
from carbonnas.trial_book import TrialBook
from carbonnas.trials import FidelityName

RUNGS = (FidelityName.PROXY, FidelityName.SEARCH, FidelityName.FULL)
"""Fidelities in the order in which a round climbs them."""


@dataclass(frozen=True, slots=True)
class PlanShape:
    """How much work a search is.

    Attributes:
        rounds: Number of rounds, at least 1.
        score_per_round: Architectures scored in each, at least 1.
        train_per_round: Architectures trained in each for ranking, at least 0; with 0 full trainings are chosen among the scored.
        lookahead_rounds: How many rounds scoring may run ahead of training, at least 0. More lets dirty hours do more scoring;
            fewer lets proposals learn sooner.
        full_per_round: Architectures trained in full in each, at least 0.
    """

    rounds: int
    score_per_round: int
    train_per_round: int
    lookahead_rounds: int
    full_per_round: int = 0

    def size(self, rung: FidelityName) -> int:
        """Return how many trials of a rung a round has at most."""
        sizes = (self.score_per_round, self.train_per_round, self.full_per_round)
        return dict(zip(RUNGS, sizes, strict=True))[rung]

    @property
    def rungs(self) -> tuple[FidelityName, ...]:
        """The rungs that a round climbs."""
        return tuple(rung for rung in RUNGS if self.size(rung))

    def number(self, round_: int, rung: FidelityName, index: int) -> int:
        """Return the number of a trial by its place in the plan, the same in every run."""
        below = sum(self.size(lower) for lower in RUNGS[: RUNGS.index(rung)])
        return round_ * self._stride + below + index

    @property
    def final_number(self) -> int:
        """Number of the full training of the winner, the last trial."""
        return self.rounds * self._stride

    @property
    def width(self) -> int:
        """Trainings that can be there at the same time at most."""
        return (self.lookahead_rounds + 1) * max(1, self.train_per_round, self.full_per_round)

    @property
    def _stride(self) -> int:
        return sum(self.size(rung) for rung in RUNGS)


@dataclass(frozen=True, slots=True)
class OpenRound:
    """A round whose proposals are being made.

    Attributes:
        asks: How often the strategy was asked for it.
        proposed: What it will score, canonical, in the order of the proposals.
        dropped: What was proposed and breaks a limit, canonical, by the limit.
    """

    asks: int = 0
    proposed: tuple[Architecture, ...] = ()
    dropped: Mapping[str, tuple[Architecture, ...]] = field(default_factory=dict)

    @property
    def pruned(self) -> Mapping[str, int]:
        """How many were dropped for each limit."""
        return {limit: len(architectures) for limit, architectures in self.dropped.items()}


@dataclass(frozen=True, slots=True)
class PlanPosition:
    """How much of the plan has been laid out as trials.

    Attributes:
        asked: Rounds whose proposals were made.
        told: Rounds whose results the strategy has seen.
        promoted: Rounds whose trainings were chosen.
        final_planned: Whether the full training of the winner was planned or given up.
        completed: Rounds whose full trainings were chosen.
        pruned: Networks that were proposed and dropped before any work, by the limit that they broke; those of two rounds count twice.
        open_round: The round that is being proposed; `None` between two of them.
        exhausted: Why nothing is proposed any more, in one sentence; `None` as long as rounds are.
    """

    asked: int = 0
    told: int = 0
    promoted: int = 0
    final_planned: bool = False
    completed: int = 0
    pruned: Mapping[str, int] = field(default_factory=dict)
    open_round: OpenRound | None = None
    exhausted: str | None = None


def tellable_rounds(shape: PlanShape, position: PlanPosition) -> range:
    """Return the rounds whose results the strategy must have seen before it proposes the next round."""
    return range(position.told, max(position.told, position.asked - shape.lookahead_rounds))


def can_ask(shape: PlanShape, position: PlanPosition, trials: TrialBook) -> bool:
    """Say whether the next round can be proposed: the rounds that it may learn from are trained.

    Once nothing is proposed any more a round has nothing to score, and follows when what the one before trains was chosen.
    """
    needed = position.asked - shape.lookahead_rounds
    return (
        position.asked < shape.rounds
        and (position.exhausted is None or position.promoted == position.asked)
        and min(position.promoted, position.completed) >= needed
        and trials.rounds_finished(RUNGS[1:], needed)
    )


def pass_over(shape: PlanShape, position: PlanPosition, trials: TrialBook) -> PlanPosition:
    """Return the position after a round without proposals, or the end of the plan if no round that is left would train anything.

    That is so once the last `lookahead_rounds + 1` rounds trained nothing: whoever promotes would be asked the same again.
    """
    recent = position.asked - 1 - shape.lookahead_rounds
    if any(trial.round >= recent for trial in trials.values()):
        return replace(position, asked=position.asked + 1)
    end = shape.rounds
    return replace(position, asked=end, told=end, promoted=end, completed=end)


def can_promote(position: PlanPosition, trials: TrialBook) -> bool:
    """Say whether the trainings of the next round can be chosen: its scores are there."""
    return position.promoted < position.asked and trials.rounds_finished(RUNGS[:1], position.promoted + 1)


def can_complete(position: PlanPosition, trials: TrialBook) -> bool:
    """Say whether the full trainings of the next round can be chosen: its trainings are there."""
    return position.completed < position.promoted and trials.rounds_finished(RUNGS[:2], position.completed + 1)


def can_finish(shape: PlanShape, position: PlanPosition, trials: TrialBook) -> bool:
    """Say whether every round is trained, so that the winner is known."""
    return position.completed == shape.rounds and trials.rounds_finished(RUNGS, shape.rounds)
