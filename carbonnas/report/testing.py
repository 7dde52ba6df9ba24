"""A made-up search, for tests and for looking at reports; everything in it is drawn from a seed and nothing was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, entries_for, totals
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Attribution, EnergySample, Measurement, MeterReading, Owner
from carbonnas.objectives.objective import Objective
from carbonnas.record import DecisionRecord, SearchRecord, SearchState, StopReason
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.budget import BudgetState, EmissionBudget
from schedulers.decision import Decision, Reason, ReasonCode

START = datetime(2024, 5, 1, 6, tzinfo=UTC)
_STEP = timedelta(minutes=10)
_TRAIN_STEPS, _SCORE_STEPS = 8, 1
_WATTS = {TrialKind.TRAIN: 45.0, TrialKind.SCORE: 30.0}
_CLEAN_G, _VERY_DIRTY_G = 200.0, 270.0


def made_up_intensities(hours: int, seed: int) -> IntensitySeries:
    """Return half-hours of an invented zone, dirty in the evening and clean at noon, in g/kWh."""
    generator = np.random.default_rng(seed)
    samples = []
    for index in range(2 * hours):
        start = START + index * timedelta(minutes=30)
        daily = 200 - 120 * math.cos((start.hour + start.minute / 60 - 1) / 24 * 2 * math.pi * 2)
        value = max(20.0, daily + float(generator.normal(0, 15)))
        interval = Interval(start, start + timedelta(minutes=30))
        samples.append(
            IntensitySample(
                interval, value, "XX", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.ESTIMATED, "made-up.csv"
            )
        )
    return IntensitySeries(tuple(samples))


@dataclass(slots=True)
class _Work:
    """A search in the making: the trials so far, what is left to do of each, and who holds which slot."""

    generator: np.random.Generator
    trials: list[Trial] = field(default_factory=list)
    left: dict[int, int] = field(default_factory=dict)

    def take(self, kind: TrialKind, now: datetime) -> int:
        """Return a suspended trial of a kind, or a new one."""
        for number, left in self.left.items():
            if left and self.trials[number].kind is kind and self.trials[number].state is TrialState.SUSPENDED:
                self.trials[number] = self.trials[number].to(TrialState.RUNNING)
                return number
        number = len(self.trials)
        train = kind is TrialKind.TRAIN
        fidelity = Fidelity(FidelityName.SEARCH, 12) if train else PROXY
        choices = tuple(int(choice) for choice in self.generator.integers(0, 5, 6))
        key = "|".join(
            f"{('none', 'skip', 'conv1x1', 'conv3x3', 'pool')[choice]}~{i}" for i, choice in enumerate(choices)
        )
        trial = Trial(
            number, number // 8, kind, fidelity, choices, key, number, now, TrialState.RUNNING, started_at=now
        )
        self.trials.append(trial)
        self.left[number] = _TRAIN_STEPS if train else _SCORE_STEPS
        return number

    def step(self, number: int, end: datetime) -> bool:
        """Work one step on a trial and say whether it has ended; each tenth fails."""
        self.left[number] -= 1
        if self.left[number]:
            return False
        trial = self.trials[number]
        if number % 10 == 7:
            self.trials[number] = trial.to(TrialState.FAILED, ended_at=end, failure="The loss is not a number.")
        else:
            self.trials[number] = trial.to(TrialState.COMPLETED, ended_at=end, metrics=self._metrics(trial))
        return True

    def _metrics(self, trial: Trial) -> dict[str, float]:
        params = float(50_000 + 20_000 * sum(trial.architecture))
        if trial.kind is TrialKind.SCORE:
            return {"params": params, "synflow": float(self.generator.normal(40, 5))}
        share = 0.86 + 0.004 * sum(trial.architecture) + float(self.generator.normal(0, 0.01))
        return {"params": params, "val_accuracy": min(0.97, share)}


def made_up_record(
    *, hours: int = 24, slots: int = 2, seed: int = 0, unpriced: bool = False, name: str = "Cells for small images"
) -> SearchRecord:
    """Return a completed search that trained while its made-up grid was clean; `unpriced` leaves its intensity unknown."""
    series = made_up_intensities(hours, seed)
    work = _Work(np.random.default_rng(seed + 1))
    decisions: list[DecisionRecord] = []
    readings: list[MeterReading] = []
    held: list[int] = []
    for index in range(hours * 6 - 2):
        now = START + index * _STEP
        if index % 3 == 0:
            decisions.append(_decide(series, now, slots))
            held = _suspend(work, held, decisions[-1].decision)
        decision = decisions[-1].decision
        working = decision.train_slots + decision.score_slots
        held += [work.take(_next_kind(work, held, decision), now) for _ in range(working - len(held))]
        readings.append(_reading(work, held, Interval(now, now + _STEP)))
        held = [number for number in held if not work.step(number, now + _STEP)]
    _finish(work, held, readings)
    known = IntensitySeries(()) if unpriced else series
    entries = tuple(entry for reading in readings for entry in entries_for(reading, known, 1.0))
    made = replace(_record(work, entries, slots), decisions=tuple(decisions), intensities=known, name=name)
    return replace(made, measured=tuple(sample for reading in readings for sample in reading.measured), seed=seed)


def _decide(series: IntensitySeries, now: datetime, slots: int) -> DecisionRecord:
    sample = series.at(now)
    if sample is None:
        raise ValueError(f"the made-up grid ends before {now}")
    value = sample.g_per_kwh
    train = slots if value < _CLEAN_G else 0
    score = 0 if train or value > _VERY_DIRTY_G else slots
    told = f"{value:.0f} g/kWh is {'below' if train else 'not below'} {_CLEAN_G:.0f} g/kWh"
    reason = Reason(ReasonCode.CLEAN if train else ReasonCode.DIRTY, told)
    return DecisionRecord(now, value, Decision(train, score, reason, now + 3 * _STEP))


def _suspend(work: _Work, held: list[int], decision: Decision) -> list[int]:
    kept = []
    for number in held:
        if work.trials[number].kind is TrialKind.TRAIN and not decision.train_slots:
            work.trials[number] = work.trials[number].to(TrialState.SUSPENDED)
        else:
            kept.append(number)
    return kept


def _next_kind(work: _Work, held: list[int], decision: Decision) -> TrialKind:
    training = sum(work.trials[number].kind is TrialKind.TRAIN for number in held)
    return TrialKind.TRAIN if training < decision.train_slots else TrialKind.SCORE


def _reading(work: _Work, held: list[int], interval: Interval) -> MeterReading:
    def sample(watts: float) -> EnergySample:
        return EnergySample(interval, watts * interval.seconds, 0.0, 0.0)

    owners = [(Owner(Account.TRIAL, number, 1), _WATTS[work.trials[number].kind]) for number in held]
    owners += [(OVERHEAD, 2.0), (IDLE, 6.0)]
    shares = tuple(Attribution(owner, sample(watts)) for owner, watts in owners)
    return MeterReading(interval.start.isoformat(), (sample(sum(watts for _, watts in owners)),), shares)


def _finish(work: _Work, held: list[int], readings: list[MeterReading]) -> None:
    """Give up what is not done and train the best candidate in full for the last twenty minutes."""
    start = readings[-1].measured[0].interval.end
    for number in {*held, *(n for n, left in work.left.items() if left)}:
        work.trials[number] = work.trials[number].to(TrialState.CANCELLED, ended_at=start)
    ranked = [trial for trial in work.trials if "val_accuracy" in trial.metrics]
    if not ranked:
        return
    best = max(ranked, key=lambda trial: trial.metrics["val_accuracy"])
    accuracy = best.metrics["val_accuracy"]
    number, end = len(work.trials), start + 2 * _STEP
    metrics = {"params": best.metrics["params"], "val_accuracy": accuracy + 0.012, "test_accuracy": accuracy + 0.008}
    full = replace(best, number=number, fidelity=Fidelity(FidelityName.FULL, 200), metrics=metrics, queued_at=start)
    work.trials.append(replace(full, started_at=start, ended_at=end))
    readings.append(_reading(work, [number], Interval(start, end)))


def _record(work: _Work, entries: tuple[EmissionEntry, ...], slots: int) -> SearchRecord:
    spent_g = totals(entries).emissions_g
    measurement = Measurement(
        meter="constant_power",
        method="A load model: a stated power for each slot that works.",
        details={"train_w": "45", "score_w": "30", "overhead_w": "2", "idle_w": "6"},
        caveat="Nothing was measured: the search and its energy are made up.",
        modelled=True,
    )
    return SearchRecord(
        search_id="made-up",
        name="",
        config='name = "made-up"\nslots = 2\n',
        seed=0,
        slots=slots,
        state=SearchState.COMPLETED,
        stop_reason=StopReason.PLAN_DONE,
        started_at=START,
        ended_at=entries[-1].priced.sample.interval.end,
        deadline=None,
        clock="simulated",
        objectives=(Objective.parse("maximize val_accuracy"), Objective.parse("minimize params")),
        trials=tuple(work.trials),
        decisions=(),
        entries=entries,
        measured=(),
        intensities=IntensitySeries(()),
        budgets=(BudgetState(EmissionBudget(500.0), spent_g, 0.0),),
        measurement=measurement,
    )
