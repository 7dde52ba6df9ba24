"""Accounting of a running search: measure, price, correct, and keep the budgets."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.health import Health
from carbon_sources.intensity import IntensitySample
from carbon_sources.monitor import GridMonitor, Observation
from carbon_sources.units import J_PER_KWH
from carbonnas.budgeting import Budgets
from carbonnas.costs.names import TRAINING_EMISSIONS, TRAINING_ENERGY
from carbonnas.emissions import EmissionEntry, entries_for, reprice
from carbonnas.energy.meter import Account, EnergyMeter, Measurement, Usage
from carbonnas.search_state import Step, Totals
from carbonnas.slot_seconds import SlotSeconds
from carbonnas.storage.records import CONTEXT
from carbonnas.storage.search_store import SearchStore
from carbonnas.trials import Fidelity, Trial, TrialKind, TrialState
from carbonnas.work_left import Lengths
from schedulers.budget import SET_ASIDE, BudgetState

_BOUND_WINDOW = timedelta(days=7)

_UNKNOWN_REACH = timedelta(hours=1)
"""How far ahead the bound is relied upon while nothing is known."""

_PATIENCE = timedelta(days=2)
"""How long after its last work a search waits for prices that may leave something of a budget: nearly all values come by then."""


@dataclass(slots=True)
class RunningTotals:
    """Sums over the entries that count, for displays; the report sums the ledger itself."""

    energy_j: float = 0.0
    emissions_g: float = 0.0
    unpriced_j: float = 0.0

    def with_counts(self, counts: Mapping[tuple[TrialKind, TrialState], int]) -> Totals:
        """Return the sums as they are now, with the numbers of trials beside them."""
        return Totals(self.energy_j, self.emissions_g, self.unpriced_j, dict(counts))

    def count(self, entry: EmissionEntry, sign: int) -> None:
        """Add (`sign` 1) or take back (-1) an entry."""
        self.energy_j += sign * entry.priced.sample.joules
        if entry.emissions_g is None:
            self.unpriced_j += sign * entry.priced.sample.joules
        else:
            self.emissions_g += sign * entry.emissions_g


@dataclass(slots=True)
class _Sum:
    joules: float = 0.0
    seconds: float = 0.0
    count: int = 0
    longest_s: float = 0.0
    squares: float = 0.0
    """Sum of the squares of the differences of the seconds from their mean (Welford, Technometrics 4, 1962)."""

    def add(self, joules: float, seconds: float) -> None:
        before = self.seconds / max(1, self.count)
        self.joules += joules
        self.seconds += seconds
        self.count += 1
        self.squares += (seconds - before) * (seconds - self.seconds / self.count) if self.count > 1 else 0.0
        self.longest_s = max(self.longest_s, seconds)


class Accountant:
    """Turns what the meter measured into ledger entries and knows how the budgets stand.

    Args:
        meter: Measures the node.
        monitor: Knows the grid.
        store: Holds the ledger.
        search_id: Whose ledger it is.
        book: Keeps the budgets.
        pue: Power usage effectiveness, at least 1.
        bound_g_per_kwh: Intensity to assume while nothing is known.
    """

    def __init__(
        self,
        meter: EnergyMeter,
        monitor: GridMonitor,
        store: SearchStore,
        *,
        search_id: str,
        book: Budgets,
        pue: float,
        bound_g_per_kwh: float,
    ) -> None:
        self._meter = meter
        self._monitor = monitor
        self._store = store
        self._search_id = search_id
        self._book = book
        self._pue = pue
        self._bound = bound_g_per_kwh
        self._trial_j: dict[int, float] = defaultdict(float)
        self._trial_g: dict[int, float] = defaultdict(float)
        self._unpriced_of: Counter[int] = Counter()
        self._slot_s = SlotSeconds()
        self._rest = _Sum()
        self._finished: dict[tuple[TrialKind, Fidelity], _Sum] = defaultdict(_Sum)
        self._wasted_j: dict[int, float] = defaultdict(float)
        self._upper_j: dict[tuple[TrialKind, Fidelity], float] = {}
        self._unpriced: dict[str, datetime] = {}
        self._begun: datetime | None = None
        self._drawn_since: datetime | None = None
        self._worked_until: datetime | None = None
        self._unread: list[Usage] = []
        self._dirtiest: tuple[Observation, float] | None = None
        self.totals = RunningTotals()
        self.trained_s = 0.0
        """Slot seconds of all trainings that have ended."""

    def start(self, now: datetime) -> None:
        """Begin to measure at `now`. Raises `EnergyMeterError` if nothing can be measured."""
        self._meter.start(now)
        self._begun = self._store.header(self._search_id).started_at
        self._drawn_since = now
        self._worked_until = self._worked_until or now

    def close(self) -> None:
        """Stop measuring; idempotent."""
        self._meter.close()

    def measurement(self) -> Measurement:
        """Say how energy is measured."""
        return self._meter.measurement()

    def restore(self, trials: Sequence[Trial]) -> None:
        """Count what the ledger holds already."""
        entries = self._store.entries(self._search_id)
        kept, marks = self._store.slot_seconds(self._search_id), self._store.usage_marks(self._search_id)
        self._slot_s.restore(kept, marks, entries)
        self._count(entries, 1)
        for trial in trials:
            if trial.state.final:
                self.settle(trial)

    def account(
        self, now: datetime, usages: Sequence[Usage], step: Step, *, with_forecast: bool = False
    ) -> Observation:
        """Enter what was drawn until `now` into the step, correct what is known better by now, and say what the grid is like."""
        self._unread.extend(usages)
        waiting = [start for start in (*self._unpriced.values(), self._drawn_since) if start is not None]
        observation = self._monitor.observe(now, min(waiting, default=None), with_forecast=with_forecast)
        reading = self._meter.read(now, usages)
        if reading is not None:
            fresh = entries_for(reading, observation.series, self._pue)
            self._drawn_since = now
            self._mark_read(step)
            step.readings.append(reading)
            step.entries.extend(fresh)
            self._count(fresh, 1, _expected_bound(observation))
        if (changed := observation.changed) is not None:
            # A grid is known for months back; what the search's figures show is enough to write down.
            since = changed.start if self._begun is None else max(changed.start, self._begun - CONTEXT)
            step.intensities.extend(observation.series.between(since, changed.end) if since < changed.end else ())
            self._correct(observation, step)
        return observation

    @property
    def all_read(self) -> bool:
        """Whether all usage so far is in a reading, so that the spool may forget it."""
        return not self._unread

    def _mark_read(self, step: Step) -> None:
        step.slot_seconds |= self._slot_s.count(self._unread)
        for usage in self._unread:
            step.usage_marks[usage.stream] = max(usage.number, step.usage_marks.get(usage.stream, usage.number))
        self._unread.clear()

    def settle(self, trial: Trial) -> None:
        """Learn from a trial that ended what its sort may cost."""
        sort = (trial.kind, trial.fidelity)
        if spent := self._trial_j.get(trial.number):
            self._upper_j[sort] = max(self._upper_j.get(sort, 0.0), spent)
        if trial.kind is TrialKind.TRAIN:
            self.trained_s += self.spent_s(trial)
        if trial.state is TrialState.COMPLETED:
            self._finished[sort].add(self._trial_j.get(trial.number, 0.0), self.spent_s(trial))

    def spent_j(self, trial: Trial) -> float:
        """Return what a trial has drawn so far."""
        return self._trial_j.get(trial.number, 0.0)

    def spent(self, trial: Trial) -> dict[str, float]:
        """Return the joules and grams that a trial has drawn so far by the names of these metrics; what is not known by now is left out."""
        if not self.all_read or trial.number not in self._trial_j:
            return {}
        spent = {TRAINING_ENERGY: self._trial_j[trial.number]}
        if not self._unpriced_of[trial.number]:
            spent[TRAINING_EMISSIONS] = self._trial_g[trial.number]
        return spent

    def spent_s(self, trial: Trial) -> float:
        """Return the seconds that a trial has had a slot, in the clock of the search."""
        return self._slot_s.of(trial.number)

    def training_s(self) -> dict[Fidelity, float]:
        """Return the mean slot seconds of completed trainings by fidelity."""
        return {
            fidelity: finished.seconds / finished.count
            for (kind, fidelity), finished in self._finished.items()
            if kind is TrialKind.TRAIN
        }

    def lengths(self) -> dict[Fidelity, Lengths]:
        """Return how long completed trainings took, by fidelity."""
        return {
            fidelity: Lengths(each.count, each.seconds / each.count, each.squares, each.longest_s)
            for (kind, fidelity), each in self._finished.items()
            if kind is TrialKind.TRAIN
        }

    def longest_scoring_s(self) -> float:
        """Return the slot seconds of the longest completed scoring; 0 before there is one."""
        return max(
            (each.longest_s for (kind, _), each in self._finished.items() if kind is TrialKind.SCORE), default=0.0
        )

    def training_w(self) -> float | None:
        """Return what a slot that trains has drawn on average in W, on top of rest, overhead of the building included.

        Before a training completed it is what the meter states, and `None` if it states nothing.
        """
        trainings = [finished for (kind, _), finished in self._finished.items() if kind is TrialKind.TRAIN]
        seconds = math.fsum(finished.seconds for finished in trainings)
        if seconds > 0:
            return self._pue * math.fsum(finished.joules for finished in trainings) / seconds
        stated_w = self._meter.stated().training_w
        return None if stated_w is None else self._pue * stated_w

    def resting_w(self) -> float | None:
        """Return what the node has drawn on average in W for no work, overhead of the building included.

        Before anything was metered it is what the meter states, and `None` if it states nothing.
        """
        if self._rest.seconds > 0:
            return self._pue * self._rest.joules / self._rest.seconds
        stated_w = self._meter.stated().resting_w
        return None if stated_w is None else self._pue * stated_w

    def waste(self, trial: Trial, joules: float) -> None:
        """Learn that a trial was interrupted before anything of `joules` was kept: its sort costs more than was believed.

        The estimate grows each time, so that work which no window of a budget can hold is given up in the end.
        """
        sort = (trial.kind, trial.fidelity)
        self._wasted_j[trial.number] += joules
        self._upper_j[sort] = max(self._upper_j.get(sort, 0.0) * SET_ASIDE, joules)

    def health(self, now: datetime) -> Health:
        """Return how well the carbon source serves."""
        return self._monitor.health(now)

    def states(self, now: datetime, reserved_g: float = 0.0) -> tuple[BudgetState, ...]:
        """Return how the budgets stand."""
        return self._book.states(now, reserved_g)

    def reserve(self, grams: float) -> None:
        """Set grams aside for the work that runs, against what other searches may start on common budgets."""
        self._book.reserve(grams)

    def enough_until(self, observation: Observation) -> datetime:
        """Return until when no budget can run out, whatever is at work, unless values are revised; the present where nobody knows.

        Counts with the most that the node can draw, and with the intensity of the present interval up to its end, or the bound while it is unknown.
        """
        now, most_w, present = observation.now, self._meter.stated().most_w, observation.current
        left_g = min((state.remaining_g for state in self.states(now)), default=math.inf)
        if most_w is None or left_g <= 0:
            return now
        known_until = now + _UNKNOWN_REACH if present is None else present.interval.end
        g_per_s = most_w * self._pue / J_PER_KWH * (self._bound if present is None else present.g_per_kwh)
        longest_s = (known_until - now).total_seconds()
        return known_until if g_per_s * longest_s <= left_g else now + timedelta(seconds=left_g / g_per_s)

    def prices_may_come(self, now: datetime) -> bool:
        """Say whether values are still to be expected for the time of the last work."""
        return self._worked_until is None or now < self._worked_until + _PATIENCE

    def estimate_g(self, trial: Trial, observation: Observation, share_g: float) -> float:
        """Return an upper estimate of what is still to come of a trial, in grams.

        Until a trial of its kind and fidelity has finished nothing is known of its cost; it is taken for `share_g`, the share of
        the remaining budget that one slot may use.
        """
        upper = self._upper_j.get((trial.kind, trial.fidelity))
        if upper is None:
            return share_g
        kept_j = self._trial_j.get(trial.number, 0.0) - self._wasted_j.get(trial.number, 0.0)
        still_j = max(0.0, upper * SET_ASIDE - kept_j)
        return still_j / J_PER_KWH * self._intensity_bound(observation) * self._pue

    def _intensity_bound(self, observation: Observation) -> float:
        if self._dirtiest is None or self._dirtiest[0] is not observation:
            recent = observation.series.between(observation.now - _BOUND_WINDOW, observation.now)
            self._dirtiest = observation, max((sample.g_per_kwh for sample in recent), default=self._bound)
        return self._dirtiest[1]

    def _correct(self, observation: Observation, step: Step) -> None:
        for entry in self._store.entries(self._search_id, observation.changed):
            corrections = reprice(entry, observation.series)
            if corrections:
                step.entries.extend(corrections)
                expected_bound = self._book.expected_bound(entry)
                self._count([entry], -1)
                self._count(corrections, 1, expected_bound)

    def _count(self, entries: Sequence[EmissionEntry], sign: int, expected_bound: float | None = None) -> None:
        if sign > 0:
            self._book.add(entries, expected_bound)
        else:
            self._book.withdraw(entries)
        for entry in entries:
            self.totals.count(entry, sign)
            if sign < 0:
                self._unpriced.pop(entry.entry_id, None)
            elif entry.emissions_g is None:
                self._unpriced[entry.entry_id] = entry.priced.sample.interval.start
            sample = entry.priced.sample
            if entry.owner.account is Account.TRIAL and entry.owner.trial is not None:
                self._worked_until = max(self._worked_until or sample.interval.end, sample.interval.end)
                self._trial_j[entry.owner.trial] += sign * sample.joules
                self._trial_g[entry.owner.trial] += sign * (entry.emissions_g or 0.0)
                self._unpriced_of[entry.owner.trial] += sign * (entry.emissions_g is None)
            elif entry.owner.account is Account.IDLE:
                self._rest.add(sign * sample.joules, sign * sample.interval.seconds)
        if not self._unpriced:
            self.totals.unpriced_j = 0.0  # what was added and taken back may leave a rounding error


def _expected_bound(observation: Observation) -> float | None:
    """Return the upper bound that the forecast gives for energy drawn until now, g/kWh; `None` without a forecast.

    A reading may reach back for hours, of which the forecast no longer speaks: the highest value of the day to come bounds them, too.
    """
    now = observation.now
    return None if observation.forecast is None else observation.forecast.highest(now, now + timedelta(days=1))


def intensity_value(sample: IntensitySample | None) -> float | None:
    """Return the value of a sample that may be missing."""
    return None if sample is None else sample.g_per_kwh
