"""How far a search is, as schedulers are told it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from carbonnas.accounting import Accountant
from carbonnas.plan import PlanPosition
from carbonnas.planning import Planner
from carbonnas.search_state import SearchHeader
from carbonnas.trial_book import TrialBook
from carbonnas.trials import PROXY, Fidelity, TrialKind, TrialState
from carbonnas.work_left import SecondsOf, scaled_seconds, training_left
from schedulers.decision import Progress
from schedulers.feasibility import longest_makespan

_OPEN = (TrialState.QUEUED, TrialState.RUNNING, TrialState.SUSPENDED)


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

    def read(self, trials: TrialBook, position: PlanPosition, waiting_since: datetime | None) -> Progress:
        """Return how far the search is.

        Args:
            trials: Its trials.
            position: How much of the plan is laid out.
            waiting_since: Since when trainings are ready while none was allowed to run; `None` if none waits.
        """
        accountant = self._accountant
        left_s = scaled_seconds(accountant.training_s(), self._stated_s)
        still_open = trials.in_state(*_OPEN, kind=TrialKind.TRAIN)
        planned = self._planner.trainings_left(position)
        left = training_left(planned, still_open, accountant.spent_s, left_s)
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
            time_to_finish=None if left is None else self._longest(left, trials, position, left_s),
        )

    def _longest(
        self, left: timedelta, trials: TrialBook, position: PlanPosition, training_s: SecondsOf
    ) -> timedelta | None:
        """Return how long the rest takes at most: rounds wait for each other, and in each scoring, training and full training do."""
        shape, longest = self._planner.shape, self._accountant.longest_s()
        rungs = [PROXY, *self._planner.trainings_left(position)]
        lengths = [longest.get(rung) or (training_s(rung) if rung != PROXY else 0.0) or 0.0 for rung in rungs]
        slots = min(self._header.slots, shape.width)
        rounds = shape.rounds - min(position.promoted, position.completed) + bool(trials.count(TrialKind.TRAIN, *_OPEN))
        chain_s = math.ceil(rounds / (shape.lookahead_rounds + 1)) * sum(lengths)
        unscored = (shape.rounds - position.asked) * shape.score_per_round + trials.count(TrialKind.SCORE, *_OPEN)
        work = left + timedelta(seconds=unscored * lengths[0])
        return longest_makespan(work, slots, timedelta(seconds=chain_s))
