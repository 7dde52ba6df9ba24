"""A search: collect what finished, observe, decide, apply; again and again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.intensity import IntensitySample
from carbon_sources.monitor import Observation
from carbonnas.accounting import Accountant, intensity_value
from carbonnas.budgeting import Blocked, ends_search
from carbonnas.crash import crash_point
from carbonnas.energy.meter import Usage
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.executor import EpochReport, Executor, Job, Outcome, OutcomeKind
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition
from carbonnas.planning import Planner
from carbonnas.progress import ProgressReader
from carbonnas.ranking import ranked_trainings
from carbonnas.record import DecisionRecord, SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.status import SearchStatus
from carbonnas.storage.search_store import SearchStore
from carbonnas.strategies.state import encode_state
from carbonnas.trial_book import TrialBook
from carbonnas.trials import Fidelity, Trial, TrialKind, TrialState
from schedulers.budget import BudgetState
from schedulers.decision import Decision, Progress, SchedulingContext
from schedulers.scheduler import Scheduler

_log = logging.getLogger(__name__)

_OPEN = tuple(state for state in TrialState if not state.final)

_MAX_ATTEMPTS = 2
"""A trial whose worker was lost is tried once more."""


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The parts that a search is made of.

    Attributes:
        header: What is fixed about the search.
        store: Where it is kept.
        planner: Lays out its trials.
        scheduler: Decides when to do what.
        accountant: Measures, prices and keeps the budgets.
        executor: Runs its work.
        checkpoints: Folder of the trainings' checkpoints.
        trial_timeout: Longest real time of a trial in a slot.
        training_s: Slot seconds that the user expects of a training, by fidelity, until some have finished.
        metering: Longest time between two readings in the clock of the search; `None` if no event can be missed.
        virtual: Whether nothing real is drawn: then nothing is lost if readings wait for work, or until a budget could run out.
    """

    header: SearchHeader
    store: SearchStore
    planner: Planner
    scheduler: Scheduler
    accountant: Accountant
    executor: Executor
    checkpoints: Path
    trial_timeout: timedelta
    training_s: Mapping[Fidelity, float]
    metering: timedelta | None
    virtual: bool


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
        self._best = next(iter(ranked_trainings(trials, self.objective)), None)
        self._decisions = list(decisions)
        self._epochs: dict[int, EpochReport] = {}
        self._suspending: set[int] = set()
        self._recovered: tuple[Usage, ...] = ()
        self._stays: dict[int, _Stay] = {}

    @property
    def objective(self) -> Objective:
        """What ranks."""
        return self._parts.header.objectives[0]

    @property
    def state(self) -> SearchState:
        """Running, completed or stopped."""
        return self._progress.state

    def start(self, now: datetime) -> None:
        """Start meter and workers, take over what an earlier process left, and run its unfinished trials again."""
        parts = self._parts
        parts.accountant.restore(list(self._trials.values()))
        parts.checkpoints.mkdir(parents=True, exist_ok=True)
        parts.accountant.start(now)
        marks = parts.store.usage_marks(parts.header.search_id)
        spooled = parts.executor.recover()
        self._recovered = tuple(usage for usage in spooled if usage.number > marks.get(usage.stream, -1))
        parts.executor.open()
        held = parts.executor.restore(self._progress.executor_state)
        for trial in self._trials.in_state(TrialState.RUNNING):
            if trial.number not in held:
                self._submit(trial)

    def close(self) -> None:
        """Stop workers and meter; a search that is still running goes on in a later process."""
        self._parts.executor.close()
        self._parts.accountant.close()

    def tick(self, now: datetime) -> SearchStatus:
        """Do all that can be done at `now` and return how the search stands."""
        parts, step = self._parts, Step()
        poll = parts.executor.poll()
        for report in poll.reports:
            self._epochs[report.trial] = report
        usages, self._recovered = (*self._recovered, *poll.usages), ()
        observation = parts.accountant.account(now, usages, step, with_forecast=parts.scheduler.uses_forecast)
        for outcome in poll.outcomes:
            self._collect(outcome, step)
        added, position = parts.planner.extend(self._trials, self._progress.position, now)
        step.trials.update({trial.number: trial for trial in added})
        decision = self._decide(observation, position, step)
        blocked = self._start_trials(observation, decision, step)
        suspended = self._excess(decision, parts.accountant.states(now))
        ending = self._ending(now, blocked, planned=position.final_planned)
        if ending is not None:
            self._cancel_open(now, step)
        self._progress = self._advanced(now, ending, position)
        crash_point("before_commit")
        parts.store.commit(parts.header.search_id, self._progress, step)
        crash_point("after_commit")
        if parts.accountant.all_read:
            parts.executor.acknowledge()
        self._hand_over(step, suspended)
        return self._status(observation, decision, blocked)

    def _collect(self, outcome: Outcome, step: Step) -> None:
        trial = self._trials[outcome.trial]
        self._suspending.discard(trial.number)
        report = self._epochs.pop(trial.number, None)
        if trial.state is not TrialState.RUNNING or trial.attempt != outcome.attempt:
            raise RuntimeError(f"an outcome for trial {trial.number} that does not run. This is a bug. Please report.")
        stay = self._stays.pop(trial.number, None)
        if outcome.kind is OutcomeKind.SUSPENDED:
            if stay is not None and stay.checkpoint == self._checkpoint_stamp(trial):
                self._parts.accountant.waste(trial, self._parts.accountant.spent_j(trial) - stay.spent_j)
            self._reader.note_suspended(trial, None if report is None else report.epoch / report.epochs)
            trial = trial.to(TrialState.SUSPENDED)
        elif outcome.kind is OutcomeKind.COMPLETED and outcome.evaluation is not None:
            self._parts.planner.require_metrics(trial, outcome.evaluation.metrics)
            trial = trial.to(TrialState.COMPLETED, ended_at=outcome.at, metrics=dict(outcome.evaluation.metrics))
        elif outcome.kind is OutcomeKind.LOST and trial.attempt < _MAX_ATTEMPTS:
            _log.warning("trial %d is tried again: %s", trial.number, outcome.failure)
            trial = trial.to(TrialState.QUEUED, attempt=trial.attempt + 1)
        else:
            trial = trial.to(TrialState.FAILED, ended_at=outcome.at, failure=outcome.failure)
        self._put(trial, step)
        if trial.state.final:
            self._parts.accountant.settle(trial)

    def _decide(self, observation: Observation, position: PlanPosition, step: Step) -> Decision:
        previous = self._decisions[-1] if self._decisions else None
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
        decision = self._parts.scheduler.decide(context)
        if observation.current is None and observation.expected is not None:
            decision = _by_forecast(decision, observation.expected)
        record = DecisionRecord(observation.now, intensity_value(observation.current), decision)
        if previous is None or record.is_news_after(previous):
            _log.info("%d to train, %d to score: %s", decision.train_slots, decision.score_slots, decision.reason.text)
            self._decisions.append(record)
            step.decisions.append(record)
        return decision

    def _scheduling_progress(self, position: PlanPosition) -> Progress:
        ready = self._trials.in_state(TrialState.QUEUED, TrialState.SUSPENDED, kind=TrialKind.TRAIN)
        running = self._trials.count(TrialKind.TRAIN, TrialState.RUNNING)
        return self._reader.read(self._trials, position, None if running else self._waiting_since(ready))

    def _waiting_since(self, train_ready: Sequence[Trial]) -> datetime | None:
        """Return since when trainings wait in vain: derived from the record, so that a restart changes nothing."""
        if not train_ready:
            return None
        since = min(trial.queued_at for trial in train_ready)
        last_allowed = next(
            (i for i in reversed(range(len(self._decisions))) if self._decisions[i].decision.train_slots > 0), None
        )
        if last_allowed is None or last_allowed + 1 == len(self._decisions):
            return since if last_allowed is None else max(since, self._decisions[last_allowed].time)
        return max(since, self._decisions[last_allowed + 1].time)

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
        free = self._parts.executor.free_slots - sum(t.state is TrialState.RUNNING for t in step.trials.values())
        wanted = slots - self._trials.count(kind, TrialState.RUNNING)
        for trial in self._ready(kind, max(0, min(free, wanted))):
            if blocked := self._blocking_budgets(trial, observation):
                return blocked
            self._put(trial.to(TrialState.RUNNING, started_at=trial.started_at or observation.now), step)
        return ()

    def _blocking_budgets(self, trial: Trial, observation: Observation) -> tuple[Blocked, ...]:
        accountant, slots = self._parts.accountant, self._parts.header.slots
        unreserved = accountant.states(observation.now)
        if not unreserved:
            return ()
        share = min(max(0.0, state.remaining_g) / slots for state in unreserved)
        running = self._trials.in_state(TrialState.RUNNING)
        reserved = sum(accountant.estimate_g(t, observation, share) for t in running)
        estimate = accountant.estimate_g(trial, observation, share)
        states = accountant.states(observation.now, reserved)
        return tuple(Blocked(s, trial.kind, estimate) for s in states if s.exhausted or not s.admits(estimate))

    def _excess(self, decision: Decision, states: Sequence[BudgetState]) -> dict[int, bool]:
        """Return the trials to be suspended, and whether at once.

        Trainings beyond the decision leave at their next epoch, the youngest first; what an exhausted budget forbids leaves at once.
        """
        running = self._trials.in_state(TrialState.RUNNING)
        if any(state.exhausted for state in states):
            return {trial.number: True for trial in running}
        trainings = sorted(t.number for t in running if t.kind is TrialKind.TRAIN and t.number not in self._suspending)
        return dict.fromkeys(trainings[decision.train_slots :], False)

    def _ending(self, now: datetime, blocked: Sequence[Blocked], *, planned: bool) -> StopReason | None:
        deadline = self._parts.header.deadline
        if deadline is not None and now >= deadline:
            return StopReason.DEADLINE
        if self._trials.in_state(TrialState.RUNNING):
            return None
        if planned and self._trials.finished:
            return StopReason.PLAN_DONE
        states = self._parts.accountant.states(now)
        prices_may_come = self._parts.accountant.prices_may_come(now)
        scoring_left = bool(self._ready(TrialKind.SCORE, 1))
        if ends_search(states, blocked, scoring_left=scoring_left, prices_may_come=prices_may_come):
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
        self._stays[trial.number] = _Stay(self._parts.accountant.spent_j(trial), self._checkpoint_stamp(trial))
        self._parts.executor.submit(self._job(trial))

    def _checkpoint(self, trial: Trial) -> Path | None:
        is_training = trial.kind is TrialKind.TRAIN
        return self._parts.checkpoints / f"trial-{trial.number}.checkpoint" if is_training else None

    def _checkpoint_stamp(self, trial: Trial) -> int | None:
        """Return when the checkpoint was last written, or `None` if there is none: what changes when an epoch is kept."""
        path = self._checkpoint(trial)
        return path.stat().st_mtime_ns if path is not None and path.exists() else None

    def _job(self, trial: Trial) -> Job:
        request = EvaluationRequest(trial.architecture, trial.kind, trial.fidelity, trial.seed)
        return Job(trial.number, trial.attempt, request, self._checkpoint(trial), self._parts.trial_timeout)

    def _ready(self, kind: TrialKind, count: int) -> list[Trial]:
        """Return what starts next, `count` at most: what was suspended before what is new."""
        suspended = self._trials.first(TrialState.SUSPENDED, kind, count)
        return [*suspended, *self._trials.first(TrialState.QUEUED, kind, count - len(suspended))]

    def _put(self, trial: Trial, step: Step) -> None:
        self._trials.put(trial)
        step.trials[trial.number] = trial
        if trial.kind is TrialKind.TRAIN and trial.state is TrialState.COMPLETED:
            known = [trial] if self._best is None else [self._best, trial]
            self._best = next(iter(ranked_trainings(known, self.objective)), None)

    def _status(self, observation: Observation, decision: Decision, blocked: Sequence[Blocked]) -> SearchStatus:
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
        shape = parts.planner.shape
        return SearchStatus(
            now=now,
            state=self._progress.state,
            stop_reason=self._progress.stop_reason,
            observation=observation,
            decision=decision,
            counts=self._trials.counts(),
            running=tuple(running),
            epochs=dict(self._epochs),
            planned={
                TrialKind.SCORE: shape.rounds * shape.score_per_round,
                TrialKind.TRAIN: shape.rounds * (shape.train_per_round + shape.full_per_round),
            },
            totals=parts.accountant.totals,
            budgets=parts.accountant.states(now),
            best=self._best,
            next_at=min(at for at in times if at > now),
        )


def _by_forecast(decision: Decision, expected: IntensitySample) -> Decision:
    """Say in the reason that the intensity was not known but expected."""
    reason = decision.reason
    return replace(decision, reason=replace(reason, text=f"{reason.text} (unknown; {expected.source})"))
