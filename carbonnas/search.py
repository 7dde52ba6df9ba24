"""A search: collect what finished, observe, decide, apply; again and again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from carbon_sources.monitor import Observation
from carbonnas.accounting import intensity_value
from carbonnas.budgeting import Blocked, why_over
from carbonnas.crash import crash_point
from carbonnas.decision_log import DecisionLog, by_forecast, rest
from carbonnas.energy.meter import Usage
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.executor import EpochReport, Job, Outcome, OutcomeKind
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition
from carbonnas.progress import ProgressReader
from carbonnas.proposing import Allowance
from carbonnas.ranking import ranked_trainings
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.search_parts import SearchParts
from carbonnas.search_state import SearchProgress, Step
from carbonnas.status import SearchStatus
from carbonnas.strategies.state import encode_state
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Trial, TrialKind, TrialState
from schedulers.budget import BudgetState
from schedulers.decision import Decision, Progress, SchedulingContext

_log = logging.getLogger(__name__)

_OPEN = tuple(state for state in TrialState if not state.final)

_MAX_ATTEMPTS = 2
"""A trial whose worker was lost is tried once more."""


@dataclass(frozen=True, slots=True)
class _Stay:
    """A trial's stay in a slot: what it had drawn when it came, and the age of its checkpoint then."""

    spent_j: float
    checkpoint: int | None


class Search:
    """One search in progress; whatever happens to the process, the store holds a consistent state to go on from.

    Protocol: `start` once, then `tick` whenever something finished or `SearchStatus.next_at` has come, until the state is no longer
    running; `close` at the end. All changes of one tick are one transaction; jobs are handed to the executor only after it.

    Args:
        parts: What it is made of.
        progress: Where it stands: the store's last word.
        trials: Its trials.
        decisions: Its decisions, oldest first.
    """

    def __init__(
        self, parts: SearchParts, progress: SearchProgress, trials: Sequence[Trial], decisions: Sequence[DecisionRecord]
    ) -> None:
        self._parts = parts
        self._progress = progress
        self._reader = ProgressReader(parts.header, parts.planner, parts.accountant, parts.training_s)
        self._trials = TrialBook(trials)
        self._best = next(iter(ranked_trainings(trials, self.objective, parts.header.limits)), None)
        self._decisions = DecisionLog(decisions)
        self._epochs: dict[int, EpochReport] = {}
        self._suspending: set[int] = set()
        self._recovered: tuple[Usage, ...] = ()
        self._stays: dict[int, _Stay] = {}
        self._left_out: list[Trial] = []
        self._granted = parts.header.slots
        self._held: str | None = None
        self._reserved = 0.0

    @property
    def objective(self) -> Objective:
        """What ranks."""
        return self._parts.header.objectives[0]

    @property
    def state(self) -> SearchState:
        """Running, completed or stopped."""
        return self._progress.state

    def start(self, now: datetime) -> None:
        """Start meter and workers, take over what an earlier process left, and run its unfinished trials again, as many as slots are granted."""
        parts = self._parts
        parts.checkpoints.open(self._trials)
        parts.accountant.start(now)
        marks = parts.store.usage_marks(parts.header.search_id)
        spooled = parts.executor.recover()
        self._recovered = tuple(usage for usage in spooled if usage.number > marks.get(usage.stream, -1))
        parts.executor.open()
        held = parts.executor.restore(self._progress.executor_state)
        for trial in self._trials.in_state(TrialState.RUNNING):
            if trial.number in held:
                continue
            if len(held) + len(self._stays) < self._granted:
                self._submit(trial)
            else:
                self._left_out.append(trial.to(TrialState.SUSPENDED))

    @property
    def unread(self) -> tuple[Usage, ...]:
        """Usage that an earlier process spooled and the next tick will account for."""
        return self._recovered

    def grant(self, slots: int) -> None:
        """Set how many slots the search may use from the next tick on, where others use the same machine; at first all of its own."""
        self._granted = slots

    def hold(self, why: str | None) -> None:
        """Let the search rest from the next tick on, whatever its scheduler says, because of `why`, one sentence; `None` lets it go on."""
        self._held = why

    def cancel(self, now: datetime) -> None:
        """End the search, what it did being kept; what was drawn since the last tick is lost, so let one come just before."""
        step = Step()
        self._cancel_open(now, step)
        self._progress = self._advanced(now, StopReason.CANCELLED, self._progress.position)
        self._parts.store.commit(self._parts.header.search_id, self._progress, step)
        self._parts.checkpoints.forget(step.trials.values())

    def close(self) -> None:
        """Stop workers and meter, each even if the other can't be; a search that is still running goes on in a later process."""
        try:
            self._parts.executor.close()
            self._parts.checkpoints.close()
        finally:
            self._parts.accountant.close()

    def tick(self, now: datetime) -> SearchStatus:
        """Do all that can be done at `now` and return how the search stands."""
        parts, step = self._parts, Step()
        poll = parts.executor.poll()
        for report in poll.reports:
            self._epochs[report.trial] = report
        usages, self._recovered = (*self._recovered, *poll.usages), ()
        observation = parts.accountant.account(now, usages, step, with_forecast=parts.scheduler.uses_forecast)
        while self._left_out:
            self._put(self._left_out.pop(0), step)
        for outcome in poll.outcomes:
            self._collect(outcome, step)
        allowance = Allowance() if self._held is None else Allowance(0)
        added, position = parts.planner.extend(self._trials, self._progress.position, now, allowance)
        if position.exhausted is not None and self._progress.position.exhausted is None:
            _log.warning("%s", position.exhausted, extra={"search": parts.header.search_id})
        step.trials.update({trial.number: trial for trial in added})
        decision = self._decide(observation, position, step)
        blocked = self._start_trials(observation, decision, step)
        states = parts.accountant.states(now)
        self._reserved = self._reserved_g(observation) if states else 0.0
        parts.accountant.reserve(self._reserved)
        suspended = self._excess(decision, states)
        ending = self._ending(now, blocked, position)
        if ending is not None:
            self._cancel_open(now, step)
        self._progress = self._advanced(now, ending, position)
        crash_point("before_commit")
        parts.store.commit(parts.header.search_id, self._progress, step)
        crash_point("after_commit")
        parts.checkpoints.forget(step.trials.values())
        if parts.accountant.all_read:
            parts.executor.acknowledge()
        self._hand_over(step, suspended)
        return self._status(observation, decision, blocked, step)

    def _collect(self, outcome: Outcome, step: Step) -> None:
        trial = self._trials[outcome.trial]
        self._suspending.discard(trial.number)
        report = self._epochs.pop(trial.number, None)
        if trial.state is not TrialState.RUNNING or trial.attempt != outcome.attempt:
            raise RuntimeError(f"an outcome for trial {trial.number} that does not run. This is a bug. Please report.")
        stay = self._stays.pop(trial.number, None)
        if outcome.kind is OutcomeKind.SUSPENDED:
            if stay is not None and stay.checkpoint == self._parts.checkpoints.stamp(trial):
                self._parts.accountant.waste(trial, self._parts.accountant.spent_j(trial) - stay.spent_j)
            self._reader.note_suspended(trial, None if report is None else report.epoch / report.epochs)
            trial = trial.to(TrialState.SUSPENDED)
        elif outcome.kind is OutcomeKind.COMPLETED and outcome.evaluation is not None:
            spent = self._parts.accountant.spent(trial)
            trial = self._parts.planner.completed(trial, outcome.at, outcome.evaluation, spent)
        elif outcome.kind is OutcomeKind.LOST and trial.attempt < _MAX_ATTEMPTS:
            _log.warning("trial %d is tried again: %s", trial.number, outcome.failure)
            trial = trial.to(TrialState.QUEUED, attempt=trial.attempt + 1)
        else:
            trial = trial.to(TrialState.FAILED, ended_at=outcome.at, failure=outcome.failure)
        self._put(trial, step)
        if trial.state.final:
            self._parts.accountant.settle(trial)

    def _decide(self, observation: Observation, position: PlanPosition, step: Step) -> Decision:
        previous = self._decisions.last
        context = SchedulingContext(
            now=observation.now,
            slots=self._parts.header.slots,
            intensity=observation.current or observation.expected,
            history=observation.series.before(observation.now),
            forecast=observation.forecast,
            budgets=self._parts.accountant.states(observation.now),
            progress=self._scheduling_progress(position),
            previous=None if previous is None else previous.decision,
        )
        decision = self._parts.scheduler.decide(context) if self._held is None else rest(observation.now, self._held)
        if self._held is None and observation.current is None and observation.expected is not None:
            decision = by_forecast(decision, observation.expected)
        record = DecisionRecord(observation.now, intensity_value(observation.current), decision)
        if self._decisions.enter(record):
            step.decisions.append(record)
        return decision

    def _scheduling_progress(self, position: PlanPosition) -> Progress:
        ready = self._trials.in_state(TrialState.QUEUED, TrialState.SUSPENDED, kind=TrialKind.TRAIN)
        running = self._trials.count(TrialKind.TRAIN, TrialState.RUNNING)
        return self._reader.read(self._trials, position, None if running else self._decisions.waiting_since(ready))

    def _start_trials(self, observation: Observation, decision: Decision, step: Step) -> tuple[Blocked, ...]:
        """Move trials into free slots as far as the decision and the budgets allow; return what was in the way."""
        blocked = self._start_kind(TrialKind.TRAIN, decision.train_slots, observation, step)
        score_slots = decision.score_slots
        if blocked:
            if not all(block.leaves_scoring for block in blocked):
                return blocked
            score_slots += decision.train_slots
        return (*blocked, *self._start_kind(TrialKind.SCORE, score_slots, observation, step))

    def _start_kind(self, kind: TrialKind, slots: int, observation: Observation, step: Step) -> tuple[Blocked, ...]:
        # What this very tick started is handed to the executor after the commit.
        started = sum(t.state is TrialState.RUNNING for t in step.trials.values())
        granted = self._granted - len(self._trials.in_state(TrialState.RUNNING))
        free = min(self._parts.executor.free_slots - started, granted)
        wanted = slots - self._trials.count(kind, TrialState.RUNNING)
        startable = max(0, min(free, wanted))
        # Whether budgets are in the way of the next one is asked even if no slot is free: a search that can't start anything wants none.
        for place, trial in enumerate(self._ready(kind, max(startable, min(1, wanted)))):
            if blocked := self._blocking_budgets(trial, observation):
                return blocked
            if place == startable:
                break
            self._put(trial.to(TrialState.RUNNING, started_at=trial.started_at or observation.now), step)
        return ()

    def _blocking_budgets(self, trial: Trial, observation: Observation) -> tuple[Blocked, ...]:
        accountant = self._parts.accountant
        if not accountant.states(observation.now):
            return ()
        estimate = accountant.estimate_g(trial, observation, self._share_g(observation))
        states = accountant.states(observation.now, self._reserved_g(observation))
        return tuple(Blocked(s, trial.kind, estimate) for s in states if s.exhausted or not s.admits(estimate))

    def _reserved_g(self, observation: Observation) -> float:
        """Return an upper estimate of what is still to come of the running trials, in grams."""
        accountant = self._parts.accountant
        share = self._share_g(observation)
        running = self._trials.in_state(TrialState.RUNNING)
        return sum(accountant.estimate_g(trial, observation, share) for trial in running)

    def _share_g(self, observation: Observation) -> float:
        """Return what one slot may use of what its budgets leave, in grams; 0 without budgets."""
        left_g = (max(0.0, state.remaining_g) for state in self._parts.accountant.states(observation.now))
        return min(left_g, default=0.0) / self._parts.node_slots

    def _excess(self, decision: Decision, states: Sequence[BudgetState]) -> dict[int, bool]:
        """Return the trials to be suspended, and whether at once.

        Trainings beyond the decision, or beyond the slots that are granted, leave at their next epoch, the youngest first; what an
        exhausted budget forbids leaves at once.
        """
        running = self._trials.in_state(TrialState.RUNNING)
        if any(state.exhausted for state in states):
            return {trial.number: True for trial in running}
        trainings = sorted(t.number for t in running if t.kind is TrialKind.TRAIN and t.number not in self._suspending)
        scoring = sum(t.kind is TrialKind.SCORE for t in running)
        return dict.fromkeys(trainings[min(decision.train_slots, max(0, self._granted - scoring)) :], False)

    def _ending(self, now: datetime, blocked: Sequence[Blocked], position: PlanPosition) -> StopReason | None:
        deadline = self._parts.header.deadline
        if deadline is not None and now >= deadline:
            return StopReason.DEADLINE
        if self._trials.in_state(TrialState.RUNNING):
            return None
        if position.final_planned and self._trials.finished:
            return StopReason.PLAN_DONE
        states = self._parts.accountant.states(now)
        prices_may_come = self._parts.accountant.prices_may_come(now)
        # What is still being proposed will be scored: a plan may not end sooner because it is made a few proposals at a time.
        scoring_left = bool(self._ready(TrialKind.SCORE, 1)) or self._parts.planner.proposes(self._trials, position)
        why = why_over(states, blocked, scoring_left=scoring_left, prices_may_come=prices_may_come)
        if why is not None:
            _log.warning("%s", why, extra={"search": self._parts.header.search_id})
            return StopReason.BUDGET_EXHAUSTED
        return None

    def _cancel_open(self, now: datetime, step: Step) -> None:
        for trial in self._trials.in_state(*_OPEN):
            self._put(trial.to(TrialState.CANCELLED, ended_at=now), step)

    def _advanced(self, now: datetime, ending: StopReason | None, position: PlanPosition) -> SearchProgress:
        before = self._progress
        # Laying out the plan is all that ever changes the strategy.
        same = position == before.position
        progress = replace(
            before,
            clock_at=now,
            position=position,
            strategy_state=before.strategy_state if same else encode_state(self._parts.planner.strategy.state_dict()),
            executor_state=self._parts.executor.snapshot(),
            measurement=self._parts.accountant.measurement(),
            totals=self._parts.accountant.totals.with_counts(self._trials.counts()),
        )
        if ending is None:
            return progress
        state = SearchState.COMPLETED if ending is StopReason.PLAN_DONE else SearchState.STOPPED
        return replace(progress, state=state, stop_reason=ending, ended_at=now)

    def _hand_over(self, step: Step, suspended: Mapping[int, bool]) -> None:
        for trial in step.trials.values():
            if trial.state is TrialState.RUNNING:
                self._submit(trial)
                crash_point("after_submit")
        for number, at_once in suspended.items():
            self._suspending.add(number)
            self._parts.executor.suspend(number, at_once=at_once)

    def _submit(self, trial: Trial) -> None:
        self._stays[trial.number] = _Stay(self._parts.accountant.spent_j(trial), self._parts.checkpoints.stamp(trial))
        self._parts.executor.submit(self._job(trial))

    def _job(self, trial: Trial) -> Job:
        request = EvaluationRequest(trial.architecture, trial.kind, trial.fidelity, trial.seed)
        checkpoint = self._parts.checkpoints.path(trial)
        return Job(trial.number, trial.attempt, request, checkpoint, self._parts.trial_timeout)

    def _ready(self, kind: TrialKind, count: int) -> list[Trial]:
        """Return what starts next, `count` at most: what was suspended before what is new."""
        suspended = self._trials.first(TrialState.SUSPENDED, kind, count)
        return [*suspended, *self._trials.first(TrialState.QUEUED, kind, count - len(suspended))]

    def _put(self, trial: Trial, step: Step) -> None:
        self._trials.put(trial)
        step.trials[trial.number] = trial
        if trial.kind is TrialKind.TRAIN and trial.state is TrialState.COMPLETED:
            known = [trial] if self._best is None else [self._best, trial]
            self._best = next(iter(ranked_trainings(known, self.objective, self._parts.header.limits)), None)

    def _status(
        self, observation: Observation, decision: Decision, blocked: Sequence[Blocked], step: Step
    ) -> SearchStatus:
        parts, now = self._parts, observation.now
        times = [
            decision.review_at,
            observation.due_at,
            *(b.state.window.end for b in blocked if b.state.window is not None),
        ]
        if parts.header.deadline is not None:
            times.append(parts.header.deadline)
        running = self._trials.in_state(TrialState.RUNNING)
        if parts.metering is not None and (running or not parts.virtual):
            soonest = now + parts.metering
            times.append(max(soonest, parts.accountant.enough_until(observation)) if parts.virtual else soonest)
        shape, position = parts.planner.shape, self._progress.position
        goes_on = self._held is None and self._progress.state is SearchState.RUNNING
        looks = goes_on and parts.planner.proposes(self._trials, position)
        wanted = len(running) if blocked else self._wanted(decision)
        return SearchStatus(
            now=now,
            state=self._progress.state,
            stop_reason=self._progress.stop_reason,
            observation=observation,
            decision=decision,
            news=step.decisions[-1] if step.decisions else None,
            counts=self._trials.counts(),
            running=tuple(running),
            epochs=dict(self._epochs),
            planned={
                TrialKind.SCORE: shape.rounds * shape.score_per_round,
                TrialKind.TRAIN: shape.rounds * (shape.train_per_round + shape.full_per_round),
            },
            totals=parts.accountant.totals,
            budgets=parts.accountant.states(now, self._reserved),
            best=self._best,
            wanted_slots=wanted,
            next_at=now if looks else min(at for at in times if at > now),
            looking=parts.planner.looking(self._trials, position) if looks else None,
            exhausted=position.exhausted,
        )

    def _wanted(self, decision: Decision) -> int:
        """Return how many slots the search would use if it were granted all of its own."""
        slots, wanted = self._parts.header.slots, 0
        for kind, allowed in ((TrialKind.TRAIN, decision.train_slots), (TrialKind.SCORE, decision.score_slots)):
            there = self._trials.count(kind, TrialState.RUNNING) + len(self._ready(kind, slots))
            wanted += min(allowed, there)
        return min(slots, wanted)
