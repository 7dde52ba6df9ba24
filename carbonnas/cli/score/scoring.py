"""Scoring architectures in this process, with the energy that each of them takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from carbon_sources.clock import Clock
from carbonnas.cli.score.plan import ScorePlan
from carbonnas.energy.meter import Account, EnergyMeter, Usage
from carbonnas.errors import ConfigError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.executor import Job, Outcome
from carbonnas.execution.inline import InlineExecutor
from carbonnas.plugin_workbench import PluginWorkbench
from carbonnas.trials import PROXY, TrialKind

_READ_EVERY = timedelta(seconds=2)
_TIMEOUT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of one architecture.

    Attributes:
        architecture: As its space writes it.
        metrics: Raw scores by proxy; empty if it failed.
        failure: One sentence, if it failed.
        seconds: Time that scoring took.
        energy_j: Joules that scoring drew, as the meter charges them.
    """

    architecture: str
    metrics: Mapping[str, float]
    failure: str | None
    seconds: float
    energy_j: float


def score_all(plan: ScorePlan, clock: Clock, meter: EnergyMeter, told: Callable[[str], None]) -> list[Scored]:
    """Score the architectures of a plan, one after the other.

    Args:
        plan: What to score.
        clock: Times the scorings.
        meter: Measures them; started here, closed by whoever made it.
        told: Called with each architecture that was scored.

    Raises:
        ConfigError: If the proxies can't be made as asked.
        PluginError: If a proxy is unknown.
        DatasetError: If the data set can't be read.
        EnergyMeterError: If energy can't be measured.
    """
    workbench = PluginWorkbench(plan.choice, plan.scoring, plan.scoring, plan.seed)
    with tempfile.TemporaryDirectory() as spool:
        executor = InlineExecutor(clock, 1, workbench, Path(spool), None)
        try:
            executor.open()
        except (ValidationError, ValueError) as error:
            raise ConfigError("score", (str(error),)) from error
        account = _Account(meter, clock.now())
        outcomes: list[Outcome] = []
        for place, architecture in enumerate(plan.architectures):
            request = EvaluationRequest(architecture, TrialKind.SCORE, PROXY, plan.seed_of(architecture))
            executor.submit(Job(place, 1, request, None, _TIMEOUT))
            poll = executor.poll()
            outcomes.extend(poll.outcomes)
            account.add(poll.usages, poll.outcomes[-1].at)
            told(plan.space.format(architecture))
        account.read(clock.now())
        executor.close()
    return [_scored(plan, outcome, account) for outcome in outcomes]


def _scored(plan: ScorePlan, outcome: Outcome, account: _Account) -> Scored:
    return Scored(
        architecture=plan.space.format(plan.architectures[outcome.trial]),
        metrics={} if outcome.evaluation is None else outcome.evaluation.metrics,
        failure=outcome.failure,
        seconds=account.seconds.get(outcome.trial, 0.0),
        energy_j=account.joules.get(outcome.trial, 0.0),
    )


class _Account:
    """Seconds and joules by trial."""

    def __init__(self, meter: EnergyMeter, now: datetime) -> None:
        self.seconds: dict[int, float] = {}
        self.joules: dict[int, float] = {}
        self._meter = meter
        self._unread: list[Usage] = []
        self._read_at = now
        meter.start(now)

    def add(self, usages: Sequence[Usage], now: datetime) -> None:
        for usage in usages:
            if usage.owner.trial is not None:
                self.seconds[usage.owner.trial] = usage.interval.seconds
        self._unread.extend(usages)
        if now - self._read_at >= _READ_EVERY:
            self.read(now)

    def read(self, now: datetime) -> None:
        reading = self._meter.read(now, self._unread)
        if reading is None:
            return
        for part in reading.attributions:
            if part.owner.account is Account.TRIAL and part.owner.trial is not None:
                self.joules[part.owner.trial] = self.joules.get(part.owner.trial, 0.0) + part.sample.joules
        self._unread.clear()
        self._read_at = now
