"""One search on the virtual clock, from its start to its end."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.monitor import IntensityMonitor
from carbon_sources.units import J_PER_KWH
from carbonnas.budgeting import BudgetBook
from carbonnas.driver import drive
from carbonnas.emissions import totals
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.simulated import SimulatedExecutor
from carbonnas.execution.workbench import Workbench
from carbonnas.grid import polling
from carbonnas.ranking import trainings
from carbonnas.record import SearchRecord, StopReason
from carbonnas.report.simulation_model import CurvePoint, SimulatedRun
from carbonnas.simulation.drawn import Drawn, training_slots
from carbonnas.simulation.forecasts import SharedForecasts
from carbonnas.simulation.setting import Competitor, Setting
from carbonnas.simulation.yardstick import Yardstick
from carbonnas.status import SearchStatus
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.records import load_record
from carbonnas.trials import FidelityName, TrialKind, TrialState
from carbonnas.wiring import Substitutes, open_search, search_id_for
from schedulers.budget import EmissionBudget

_HOUR = timedelta(hours=1)


class Simulator:
    """Runs the searches of a setting one after the other; tables and forecasts are read once for all of them.

    Args:
        setting: What is simulated.
    """

    def __init__(self, setting: Setting) -> None:
        config = setting.config
        self._setting = setting
        named = config.workbench()
        self._workbench = _SharedWorkbench(named.evaluators())
        self.forecasts = SharedForecasts(config, setting.source, setting.start)

    def run(self, competitor: Competitor, seed: int) -> SimulatedRun:
        """Return what became of the search with a scheduler and a seed; the same one gives the same, to the bit.

        Raises:
            CarbonNASError: If the search can't be run.
        """
        config = self._setting.config_of(competitor, seed)
        store, watch = MemoryStore(), _Watch(self._setting.start, self._setting.until)
        search_id = search_id_for(config, 1)
        substitutes = Substitutes(
            monitor=IntensityMonitor(
                self._setting.source, polling(config, self._setting.source), self.forecasts.desk()
            ),
            workbench=self._workbench,
            scheduler_services={"actual": self._setting.source.series},
        )
        with tempfile.TemporaryDirectory(prefix="carbonnas-") as folder:
            opened = open_search(
                config, "", store, search_id=search_id, state_folder=Path(folder), substitutes=substitutes
            )
            drive(opened, watch.update, watch.stop)
            suspensions = opened.executor.suspensions if isinstance(opened.executor, SimulatedExecutor) else 0
        return _outcome(load_record(store, search_id), self._setting.yardstick, watch, suspensions)


class _SharedWorkbench(Workbench):
    """Evaluators that are there already and remember nothing."""

    def __init__(self, made: Mapping[TrialKind, Evaluator]) -> None:
        self._made = made

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        return self._made


class _Watch:
    """Measures how long trainings wait while none runs, and looks away at the end of the time that counts."""

    def __init__(self, start: datetime, until: timedelta | None) -> None:
        self.stop = threading.Event()
        self.now = start
        self._end = None if until is None else start + until
        self.longest = timedelta(0)
        self._since: datetime | None = None

    def update(self, status: SearchStatus) -> None:
        """Look at the search after a step."""
        self.now = status.now
        if self._end is not None and status.now >= self._end:
            self.stop.set()
        if self._since is not None:
            self.longest = max(self.longest, status.now - self._since)
        ready = status.count(TrialKind.TRAIN, TrialState.QUEUED, TrialState.SUSPENDED)
        runs = status.count(TrialKind.TRAIN, TrialState.RUNNING)
        if runs or not ready:
            self._since = None
        elif self._since is None:
            self._since = status.now


def _outcome(record: SearchRecord, yardstick: Yardstick, watch: _Watch, suspensions: int) -> SimulatedRun:
    sums = totals(record.entries)
    end = record.ended_at or watch.now
    violations, overshoot_g = _overshoot(record, end)
    done = [trial for trial in record.trials if trial.state is TrialState.COMPLETED]
    curve = _curve(record, yardstick)
    return SimulatedRun(
        seed=record.seed,
        stop_reason=record.stop_reason or StopReason.PLAN_DONE,
        finish_h=(end - record.started_at) / _HOUR,
        emissions_kg=sums.emissions_g / 1000.0,
        energy_kwh=sums.energy_j / J_PER_KWH,
        unpriced_kwh=sums.unpriced_j / J_PER_KWH,
        scorings=sum(trial.kind is TrialKind.SCORE for trial in done),
        search_trainings=sum(trial.fidelity.name is FidelityName.SEARCH for trial in done),
        full_trainings=sum(trial.fidelity.name is FidelityName.FULL for trial in done),
        share=curve[-1].share if curve else 0.0,
        curve=curve,
        suspensions=suspensions,
        longest_wait_h=watch.longest / _HOUR,
        budget_violations=violations,
        overshoot_g=overshoot_g,
        training_slots=training_slots(record.entries, record.trials, record.started_at, end),
    )


def _curve(record: SearchRecord, yardstick: Yardstick) -> tuple[CurvePoint, ...]:
    trained = trainings(record.trials, yardstick.fidelity.name, yardstick.objectives)
    ended = sorted((trial.ended_at, trial.number, trial) for trial in trained if trial.ended_at is not None)
    points = [tuple(o.value(trial.metrics) for o in yardstick.objectives) for *_, trial in ended]
    drawn = Drawn(record.entries, record.started_at)
    return tuple(
        CurvePoint((at - record.started_at) / _HOUR, drawn.kg(at), drawn.kwh(at), share)
        for at, share in ((ended[place][0], share) for place, share in yardstick.shares(points))
    )


def _overshoot(record: SearchRecord, end: datetime) -> tuple[int, float]:
    """Return in how many windows of budgets more was emitted than allowed, and the largest excess in g."""
    over = [
        spent_g - budget.limit_g
        for budget in (state.budget for state in record.budgets)
        for spent_g in _spent_g(record, budget, end)
        if spent_g > budget.limit_g
    ]
    return len(over), max(over, default=0.0)


def _spent_g(record: SearchRecord, budget: EmissionBudget, end: datetime) -> list[float]:
    """Return the priced emissions of each window of a budget that the search touched."""
    book = BudgetBook((budget,), 0.0)
    book.add(record.entries)
    spent, now = [], record.started_at
    while now <= end:
        (state,) = book.states(now, 0.0)
        spent.append(state.spent_g)
        if state.window is None:
            break
        now = state.window.end
    return spent
