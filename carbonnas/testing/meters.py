"""The laws that every energy meter keeps."""

# ruff: noqa: S101 - a conformance suite asserts, like the tests that inherit it

from __future__ import annotations

import math
import pickle
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.interval import Interval
from carbonnas.energy.meter import OVERHEAD, Account, EnergyMeter, EnergySample, MeterReading, Owner, Usage
from carbonnas.errors import EnergyMeterError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.trials import Fidelity, FidelityName, TrialKind

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class EnergyMeterConformance(ABC):
    """Inherit in a test class whose name starts with `Test`; say how to make the meter and how time passes for it.

    Attributes:
        slots: Slots of the meter that `make_meter` returns.
        deterministic: Whether the same usage gives the same joules, so that sums over windows can be compared.
    """

    slots = 2
    deterministic = True

    @abstractmethod
    def make_meter(self) -> EnergyMeter:
        """Return a new meter, not started, that draws energy even when nothing works."""

    def pass_time(self) -> None:  # noqa: B027 - only meters that measure have something to do
        """Let real time pass, for meters that measure; as a rule nothing has to be done."""

    def make_probe(self, interval: Interval) -> EnergySample | None:
        """Return what a worker's probe gives for one second of work, or `None` for meters without probes."""
        del interval
        return None

    def request(self) -> EvaluationRequest:
        """Return a request that the meter knows the energy of."""
        return EvaluationRequest((0, 1), TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 2), 1)

    def usage(self, stream: str, start_s: float, end_s: float, owner: Owner | None = None) -> Usage:
        """Return the usage of one slot, in seconds from the start; for a trial unless `owner` says otherwise."""
        interval = Interval(START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))
        paid_by = owner or Owner(Account.TRIAL, trial=7, attempt=1)
        request = self.request() if paid_by.account is Account.TRIAL else None
        return Usage(stream, 0, interval, paid_by, request, (end_s - start_s) / 10, self.make_probe(interval))

    def read(self, meter: EnergyMeter, at_s: float, usages: Sequence[Usage] = ()) -> MeterReading:
        """Let time pass and return the reading at `at_s` seconds after the start."""
        self.pass_time()
        reading = meter.read(START + timedelta(seconds=at_s), usages)
        assert reading is not None
        return reading

    def test_attributions_sum_to_what_was_measured(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        usages = (
            self.usage("a", 0, 1),
            self.usage("b", 0, 0.5, Owner(Account.TRIAL, 8, 2)),
            self.usage("c", 0, 1, OVERHEAD),
        )
        reading = self.read(meter, 1, usages)
        meter.close()
        for component in ("cpu_j", "gpu_j", "ram_j"):
            measured = math.fsum(getattr(sample, component) for sample in reading.measured)
            attributed = math.fsum(getattr(attribution.sample, component) for attribution in reading.attributions)
            assert attributed == pytest.approx(measured, rel=1e-9)
        assert reading.joules > 0

    def test_what_is_stated_beforehand_is_what_is_charged(self) -> None:
        meter = self.make_meter()
        stated = meter.stated()
        meter.start(START)
        resting = self.read(meter, 1)
        working = self.read(meter, 2, tuple(self.usage(f"slot {slot}", 1, 2) for slot in range(self.slots)))
        meter.close()
        if stated.resting_w is not None:
            assert resting.joules == pytest.approx(stated.resting_w)
        if stated.training_w is not None:
            assert working.joules - resting.joules == pytest.approx(self.slots * stated.training_w)
        if stated.most_w is not None:
            assert working.joules <= stated.most_w * (1 + 1e-9)

    def test_a_machine_without_work_charges_no_trial(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        reading = self.read(meter, 1)
        meter.close()
        assert reading.joules > 0
        assert trial_j(reading) == 0

    def test_work_is_charged_to_its_trial_and_attempt(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        owner = Owner(Account.TRIAL, trial=3, attempt=2)
        reading = self.read(meter, 1, (self.usage("a", 0, 1, owner),))
        meter.close()
        owners = {
            attribution.owner for attribution in reading.attributions if attribution.owner.account is Account.TRIAL
        }
        assert owners == {owner}

    def test_two_adjacent_windows_hold_as_much_as_both_together(self) -> None:
        if not self.deterministic:
            pytest.skip("what a real instrument gives depends on the moment")
        apart, together = self.make_meter(), self.make_meter()
        apart.start(START)
        together.start(START)
        first = self.read(apart, 1, (self.usage("a", 0, 1),))
        second = self.read(apart, 3, (self.usage("b", 1, 3),))
        both = self.read(together, 3, (self.usage("a", 0, 3),))
        assert first.joules + second.joules == pytest.approx(both.joules, rel=1e-9)
        assert trial_j(first) + trial_j(second) == pytest.approx(trial_j(both), rel=1e-9)

    def test_late_usage_is_counted_in_full(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        self.read(meter, 1)
        reading = self.read(meter, 2, (self.usage("late", 0, 1),))
        meter.close()
        assert trial_j(reading) > 0
        if self.deterministic:
            in_time = self.make_meter()
            in_time.start(START)
            assert trial_j(reading) == trial_j(self.read(in_time, 1, (self.usage("late", 0, 1),)))

    def test_a_usage_that_is_reported_again_is_counted_once(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        once = self.usage("a", 0, 1)
        first = self.read(meter, 1, (once, once))
        again = self.read(meter, 2, (once,))
        meter.close()
        assert trial_j(first) > 0
        assert trial_j(again) == 0
        if self.deterministic:
            single = self.make_meter()
            single.start(START)
            assert trial_j(first) == trial_j(self.read(single, 1, (once,)))

    def test_without_time_there_is_no_reading_and_its_usage_is_kept(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        self.pass_time()
        assert meter.read(START, (self.usage("a", 0, 1),)) is None
        reading = self.read(meter, 1)
        meter.close()
        assert trial_j(reading) > 0

    def test_no_two_readings_share_an_id(self) -> None:
        meters = [self.make_meter(), self.make_meter()]
        ids = []
        for meter in meters:
            meter.start(START)
            ids += [self.read(meter, second).reading_id for second in (1, 2)]
            meter.close()
        assert len(set(ids)) == 4

    def test_only_a_running_meter_gives_readings(self) -> None:
        meter = self.make_meter()
        with pytest.raises(EnergyMeterError):
            meter.read(START + timedelta(seconds=1), ())
        meter.start(START)
        with pytest.raises(EnergyMeterError):
            meter.start(START)
        meter.close()
        meter.close()
        with pytest.raises(EnergyMeterError):
            meter.read(START + timedelta(seconds=1), ())

    def test_a_meter_that_was_never_started_can_be_closed(self) -> None:
        self.make_meter().close()

    def test_the_measurement_says_how_and_what_it_is_worth(self) -> None:
        meter = self.make_meter()
        meter.start(START)
        measurement = meter.measurement()
        meter.close()
        assert measurement.meter
        assert measurement.method.endswith(".")
        assert measurement.caveat.endswith(".")
        assert all(isinstance(value, str) for value in measurement.details.values())

    def test_probes_can_be_sent_to_workers(self) -> None:
        meter = self.make_meter()
        factory = meter.probe()
        meter.close()
        if factory is not None:
            assert type(pickle.loads(pickle.dumps(factory))) is type(factory)  # noqa: S301 - made one expression before


def trial_j(reading: MeterReading) -> float:
    """Return the joules of a reading that trials pay for."""
    return math.fsum(a.sample.joules for a in reading.attributions if a.owner.account is Account.TRIAL)
