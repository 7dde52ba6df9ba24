"""How far a search is, as schedulers are told it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbonnas.accounting import Accountant
from carbonnas.plan import PlanPosition
from carbonnas.planning import Planner
from carbonnas.search_state import SearchHeader
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from carbonnas.work_left import LongestWork, SecondsOf, scaled_seconds, training_left
from schedulers.decision import Progress
from schedulers.feasibility import longest_makespan

_OPEN = (TrialState.QUEUED, TrialState.RUNNING, TrialState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A training that left its slot: the share of its work that is done, and the slot seconds that it had had."""

    share: float
    spent_s: float


class ProgressReader:
    """Reads from plan, trials and accounts how much work is left.

    Args:
        header: What is fixed about the search.
        planner: Lays out its trials.
        accountant: Knows what trials of each sort took.
        stated_s: Slot seconds that the user expects of a training, by fidelity, until some have finished.
    """

    def __init__(
        self, header: SearchHeader, planner: Planner, accountant: Accountant, stated_s: Mapping[Fidelity, float]
    ) -> None:
        self._header = header
        self._planner = planner
        self._accountant = accountant
        self._stated_s = stated_s
        self._kept: dict[int, _Kept] = {}

    def note_suspended(self, trial: Trial, share: float | None) -> None:
        """Learn how much of its work a trial that leaves its slot has done: writing, loading and what was lost are no progress.

        This is not stored: after a restart writing and loading count as progress for the trainings that were suspended before it.

        Args:
            trial: The trial.
            share: Share of its epochs that are done, 0..1; `None` if it has done no more than when it left before, or nobody knows.
        """
        before = self._kept.get(trial.number)
        if share is None and before is not None:
            share = before.share
        if share is not None:
            self._kept[trial.number] = _Kept(share, self._accountant.spent_s(trial))

    def _worked_s(self, trial: Trial) -> float:
        """Return the slot seconds that a training has had, without those that brought it no further as far as that is known."""
        spent_s, kept = self._accountant.spent_s(trial), self._kept.get(trial.number)
        usual_s = None if kept is None else self._usual_s()(trial.fidelity)
        if kept is None or usual_s is None:
            return spent_s
        return kept.share * usual_s + spent_s - kept.spent_s

    def _usual_s(self) -> SecondsOf:
        return scaled_seconds(self._accountant.training_s(), self._stated_s)

    def read(self, trials: TrialBook, position: PlanPosition, waiting_since: datetime | None) -> Progress:
        """Return how far the search is.

        Args:
            trials: Its trials.
            position: How much of the plan is laid out.
            waiting_since: Since when trainings are ready while none was allowed to run; `None` if none waits.
        """
        accountant = self._accountant
        still_open = trials.in_state(*_OPEN, kind=TrialKind.TRAIN)
        planned = self._planner.trainings_left(trials, position)
        left = training_left(planned, still_open, self._worked_s, self._usual_s())
        in_all = sum(planned.values()) + sum(trials.count(TrialKind.TRAIN, state) for state in TrialState)
        ended = sum(trials.count(TrialKind.TRAIN, state) for state in TrialState if state.final)
        return Progress(
            train_ready=trials.count(TrialKind.TRAIN, TrialState.QUEUED, TrialState.SUSPENDED),
            score_ready=trials.count(TrialKind.SCORE, TrialState.QUEUED, TrialState.SUSPENDED),
            train_running=trials.count(TrialKind.TRAIN, TrialState.RUNNING),
            score_running=trials.count(TrialKind.SCORE, TrialState.RUNNING),
            train_waiting_since=waiting_since,
            started_at=self._header.started_at,
            deadline=self._header.deadline,
            training_left=left,
            training_width=self._planner.shape.width,
            training_w=accountant.training_w(),
            resting_w=accountant.resting_w(),
            share_done=ended / in_all if in_all else 0.0,
            training_done=timedelta(seconds=accountant.trained_s + sum(map(accountant.spent_s, still_open))),
            time_to_finish=self._longest(planned, still_open, trials, position),
            training_chain=timedelta(0) if left is None else min(left, self._chain(planned, still_open, position)),
        )

    def _chain(self, planned: Mapping[Fidelity, int], still_open: Sequence[Trial], position: PlanPosition) -> timedelta:
        """Return how long one training after the other takes that wait for each other, at least.

        What the longest of those under way still needs, then of every round to come that waits for another one of each fidelity, and the
        winner's once.
        """
        usual_s, shape = self._usual_s(), self._planner.shape
        left_s = ((usual_s(trial.fidelity) or 0.0) - self._worked_s(trial) for trial in still_open)
        seconds = max((0.0, *left_s))
        for rung, count in planned.items():
            done = position.completed if rung.name is FidelityName.FULL else position.promoted
            rounds = math.ceil((shape.rounds - done) / (shape.lookahead_rounds + 1))
            if count:
                seconds += (rounds if self._in_each_round(rung) else 1) * (usual_s(rung) or 0.0)
        return timedelta(seconds=seconds)

    def _in_each_round(self, rung: Fidelity) -> bool:
        return rung.name is not FidelityName.FULL or self._planner.shape.full_per_round > 0

    def _longest(
        self, planned: Mapping[Fidelity, int], still_open: Sequence[Trial], trials: TrialBook, position: PlanPosition
    ) -> timedelta | None:
        """Return how long the rest takes at most: rounds wait for each other, and in each scoring, training and full training do."""
        shape, accountant = self._planner.shape, self._accountant
        longest = LongestWork(accountant.lengths(), self._stated_s)
        spent = {rung: [self._worked_s(t) for t in still_open if t.fidelity == rung] for rung in planned}
        scoring_s, rounds = accountant.longest_scoring_s(), self._rounds_left(trials, position)
        unasked = 0 if position.exhausted is not None else shape.rounds - position.asked
        unscored = unasked * shape.score_per_round + trials.count(TrialKind.SCORE, *_OPEN)
        work_s, chain_s = unscored * scoring_s, rounds * scoring_s
        for rung, count in planned.items():
            if not count and not spent[rung]:
                continue
            left_s, one_s = longest.left(rung, count, spent[rung]), longest.seconds(rung, 1)
            if left_s is None or one_s is None:
                return None
            work_s += left_s
            chain_s += one_s * (rounds if self._in_each_round(rung) else 1)
        slots = min(self._header.slots, shape.width)
        return longest_makespan(timedelta(seconds=work_s), slots, timedelta(seconds=chain_s))

    def _rounds_left(self, trials: TrialBook, position: PlanPosition) -> int:
        """Return how many rounds wait for each other at most: the oldest under way, and of those to come one in `lookahead_rounds + 1`."""
        shape = self._planner.shape
        under_way = bool(trials.count(TrialKind.TRAIN, *_OPEN))
        coming = shape.rounds - min(position.promoted, position.completed)
        return under_way + math.ceil(coming / (shape.lookahead_rounds + 1))
