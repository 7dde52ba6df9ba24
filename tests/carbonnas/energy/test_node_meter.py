"""Many searches pay for one node: together for all of it, each for its own part."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.clock import monotonic_s
from carbon_sources.interval import Interval
from carbonnas.energy.codecarbon_meter import CodeCarbonMeter
from carbonnas.energy.codecarbon_tracker import TrackingMode
from carbonnas.energy.constant_power import ConstantPowerMeter
from carbonnas.energy.meter import (
    IDLE,
    OVERHEAD,
    Account,
    Attribution,
    EnergyMeter,
    EnergySample,
    Measurement,
    MeterReading,
    Owner,
    StatedPowers,
    Usage,
)
from carbonnas.energy.node_meter import NodeMeter, NodeShare
from carbonnas.energy.reading_window import ReadingWindows
from carbonnas.energy.recorded import RecordedMeter
from carbonnas.energy.split import NodeWork, merge, split_machine, split_processes
from carbonnas.errors import EnergyMeterError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.testing.meters import START, EnergyMeterConformance, trial_j
from carbonnas.trials import Fidelity, FidelityName, TrialKind

TRAINING = EvaluationRequest((0, 1), TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 2), 1)
TABLE = "architecture,kind,energy_j,seconds\n0-1,train,300,10\n"
SLOTS, CORES = 4, 4


def trial(number: int) -> Owner:
    return Owner(Account.TRIAL, number, 1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def usage(
    number: int, start_s: float, end_s: float, owner: Owner | None = None, stream: str = "worker", probe_j: float = 2.0
) -> Usage:
    """Return what a slot did, for trial 7 unless said otherwise; half of the time it used a processor."""
    interval, paid_by = Interval(at(start_s), at(end_s)), owner or trial(7)
    request = TRAINING if paid_by.account is Account.TRIAL else None
    probe = EnergySample(interval, probe_j, 1.0, 0.0)
    return Usage(stream, number, interval, paid_by, request, (end_s - start_s) / 2, probe)


def constant() -> EnergyMeter:
    return ConstantPowerMeter(SLOTS, train=30.0, score=10.0, idle=6.0)


@dataclass
class Instrument(EnergyMeter):
    """Sees 80 W of the processors, 40 W of accelerators and 9 W of memory, and splits them as counters or as workers' probes are split."""

    by_probes: bool
    windows: ReadingWindows = field(default_factory=ReadingWindows)
    fails: bool = False
    starts: bool = True
    closed: bool = False

    def start(self, now: datetime) -> None:
        if not self.starts:
            raise EnergyMeterError("there is nothing to measure")
        self.windows.start(now)

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        window = self.windows.advance(now, usages)
        if self.closed or self.fails:
            raise EnergyMeterError("the instrument is silent")
        if window is None:
            return None
        seconds = window.interval.seconds
        sample = EnergySample(window.interval, 80 * seconds, 40 * seconds, 9 * seconds)
        work = NodeWork(window.usages, SLOTS, CORES, real_s=seconds, own_cpu_s=seconds / 10)
        if not self.by_probes:
            return MeterReading(window.reading_id, (sample,), split_machine(sample, work))
        probed = [Attribution(each.owner, each.probe) for each in window.usages if each.probe is not None]
        measured = (sample, *(each.sample for each in probed))
        return MeterReading(window.reading_id, measured, merge((*split_processes(sample, work), *probed)))

    def close(self) -> None:
        self.closed = True

    def measurement(self) -> Measurement:
        return Measurement("instrument", "Seen.", {}, "Exact.")


@dataclass
class Witness(EnergyMeter):
    """Another meter, whose readings are kept."""

    meter: EnergyMeter
    readings: list[MeterReading]

    def start(self, now: datetime) -> None:
        self.meter.start(now)

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        reading = self.meter.read(now, usages)
        if reading is not None:
            self.readings.append(reading)
        return reading

    def close(self) -> None:
        self.meter.close()

    def measurement(self) -> Measurement:
        return self.meter.measurement()


class TestAShareOfConstantPowerConforms(EnergyMeterConformance):
    def make_meter(self) -> EnergyMeter:
        return NodeMeter(lambda: ConstantPowerMeter(self.slots, train=30.0, score=10.0, idle=5.0)).share("search")


class TestAShareOfAnInstrumentConforms(EnergyMeterConformance):
    deterministic = False

    def make_meter(self) -> EnergyMeter:
        return NodeMeter(lambda: Instrument(by_probes=False)).share("search")


class TestAShareOfProbesConforms(EnergyMeterConformance):
    deterministic = False

    def make_meter(self) -> EnergyMeter:
        return NodeMeter(lambda: Instrument(by_probes=True)).share("search")

    def make_probe(self, interval: Interval) -> EnergySample | None:
        return EnergySample(interval, 3.0, 0.0, 0.0)


def parts(*samples: EnergySample) -> tuple[float, float, float]:
    return (
        math.fsum(sample.cpu_j for sample in samples),
        math.fsum(sample.gpu_j for sample in samples),
        math.fsum(sample.ram_j for sample in samples),
    )


def all_measured(readings: Sequence[MeterReading]) -> tuple[float, float, float]:
    return parts(*(sample for reading in readings for sample in reading.measured))


def paid(reading: MeterReading | None) -> dict[Owner, float]:
    """Return what each owner of a reading pays, in joules."""
    joules: dict[Owner, float] = defaultdict(float)
    for attribution in () if reading is None else reading.attributions:
        joules[attribution.owner] += attribution.sample.joules
    return dict(joules)


class Daemon:
    """Ticks searches on one node as a daemon does: one reading for all, then each its own.

    Args:
        make: Makes the node's meter.
    """

    def __init__(self, make: Callable[[], EnergyMeter]) -> None:
        self.node_readings: list[MeterReading] = []
        self.node = NodeMeter(lambda: Witness(make(), self.node_readings))
        self.readings: dict[str, list[MeterReading]] = defaultdict(list)
        self.shares: dict[str, NodeShare] = {}

    def start(self, search_id: str, seconds: float) -> None:
        self.shares[search_id] = self.node.share(search_id)
        self.shares[search_id].start(at(seconds))

    def close(self, search_id: str) -> None:
        self.shares.pop(search_id).close()

    def tick(self, seconds: float, **usages: Sequence[Usage]) -> dict[str, MeterReading | None]:
        self.node.read(at(seconds), usages)
        read = {
            search_id: share.read(at(seconds), usages.get(search_id, ())) for search_id, share in self.shares.items()
        }
        for search_id, reading in read.items():
            if reading is not None:
                self.readings[search_id].append(reading)
        return read


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("energies") / "energies.csv"
    path.write_text(TABLE)
    return path


@dataclass(frozen=True)
class Worked:
    """Usage that a search reports: of trial `number`, or of a worker's start; negative `since_s` is late."""

    search_id: str
    number: int
    since_s: int
    length_s: int
    starting: bool


@dataclass(frozen=True)
class Event:
    """What happens `after_s` later: a tick, or one search that begins or ends (`turn`), or is paused or goes on (`rest`)."""

    after_s: float
    turn: str | None = None
    rest: str | None = None
    worked: tuple[Worked, ...] = ()


searches = st.sampled_from(["a", "b", "c"])
some_work = st.lists(
    st.builds(Worked, searches, st.integers(0, 2), st.integers(-20, 9), st.integers(1, 10), st.booleans()), max_size=4
).map(tuple)
steps = st.floats(0.001, 60)
events = st.lists(
    st.builds(Event, steps, worked=some_work)
    | st.builds(Event, steps, turn=searches)
    | st.builds(Event, steps, rest=searches),
    max_size=25,
)


def live_through(daemon: Daemon, happened: Sequence[Event]) -> None:
    now_s, reported = 0.0, 0
    for event in happened:
        now_s += event.after_s
        if event.turn in daemon.shares:
            # What a search has not read when it is closed is charged to nobody.
            daemon.tick(now_s)
            daemon.close(event.turn)
        elif event.turn is not None:
            daemon.start(event.turn, now_s)
        elif event.rest in daemon.node.taking_part:
            daemon.node.leave(event.rest)
        elif event.rest in daemon.shares:
            daemon.node.join(event.rest, at(now_s))
        elif event.rest is None:
            usages: dict[str, list[Usage]] = defaultdict(list)
            for each in event.worked:
                reported += 1
                since_s, owner = now_s + each.since_s, OVERHEAD if each.starting else trial(each.number)
                usages[each.search_id].append(usage(reported, since_s, since_s + each.length_s, owner))
            daemon.tick(now_s, **usages)
    daemon.tick(now_s + 1)


@pytest.mark.parametrize("kind", ["constant", "recorded", "counters", "probes"])
@settings(max_examples=50)
@given(happened=events)
def test_what_all_searches_are_charged_is_what_the_node_measured(kind: str, happened: list[Event], table: Path) -> None:
    made: dict[str, Callable[[], EnergyMeter]] = {
        "constant": constant,
        "recorded": lambda: RecordedMeter(SLOTS, path=table, idle=5.0),
        "counters": lambda: Instrument(by_probes=False),
        "probes": lambda: Instrument(by_probes=True),
    }
    daemon = Daemon(made[kind])
    live_through(daemon, happened)
    charged = [reading for readings in daemon.readings.values() for reading in readings]
    assert all_measured(charged) == pytest.approx(all_measured(daemon.node_readings), rel=1e-9, abs=1e-9)
    for reading in charged:
        attributed = parts(*(attribution.sample for attribution in reading.attributions))
        assert attributed == pytest.approx(all_measured([reading]), rel=1e-9, abs=1e-9)
    assert len({reading.reading_id for reading in charged}) == len(charged)


def test_equal_trial_numbers_of_different_searches_stay_apart() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.start("b", 0)
    read = daemon.tick(4, a=[usage(0, 0, 1)], b=[usage(0, 0, 3)])
    # 30 W for 1 s and for 3 s; half each of 6 W for 4 s.
    assert paid(read["a"]) == {trial(7): 30, IDLE: 12}
    assert paid(read["b"]) == {trial(7): 90, IDLE: 12}


def test_the_start_of_a_worker_is_its_search_s_own_overhead_and_the_daemon_s_work_is_everybody_s() -> None:
    daemon = Daemon(lambda: Instrument(by_probes=False))
    for search_id in ("a", "b"):
        daemon.start(search_id, 0)
    read = daemon.tick(10, a=[usage(0, 0, 8, OVERHEAD)])
    # 800 J over 40 core-seconds are 20 J each: 4 for the worker's start, 1 for this process, 35 for nobody. No trial: the rest is idle.
    idle_j = (35 * 20 + 400 + 90) / 2
    assert paid(read["a"]) == {OVERHEAD: pytest.approx(4 * 20 + 1 * 20 / 2), IDLE: pytest.approx(idle_j)}
    assert paid(read["b"]) == {OVERHEAD: pytest.approx(1 * 20 / 2), IDLE: pytest.approx(idle_j)}


def test_a_search_that_joins_between_two_readings_is_charged_from_then_on() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.tick(5)
    daemon.start("b", 8)
    read = daemon.tick(10)
    # 6 W: from 5 to 8 s alone, from 8 to 10 s by half.
    assert paid(read["a"]) == {IDLE: 3 * 6 + 2 * 3}
    assert paid(read["b"]) == {IDLE: 2 * 3}
    assert [sample.interval for reading in daemon.readings["a"][-1:] for sample in reading.measured] == [
        Interval(at(5), at(8)),
        Interval(at(8), at(10)),
    ]


def test_a_search_that_joins_at_the_instant_of_a_reading_delays_nobody_and_pays_nothing_yet() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.tick(5)
    daemon.start("b", 10)
    late = usage(0, -20, -10, stream="recovered")
    read = daemon.tick(10, a=[usage(0, 5, 10)], b=[late])
    assert paid(read["a"]) == {trial(7): 150, IDLE: 30}
    assert paid(read["b"]) == {trial(7): 300}
    daemon.start("c", 15)
    assert daemon.tick(15)["c"] is None
    assert paid(daemon.tick(18)["c"]) == {IDLE: 6}


def test_what_those_who_left_did_not_pay_is_paid_by_those_who_came() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.tick(5)
    daemon.start("b", 8)
    daemon.close("a")
    assert paid(daemon.tick(10)["b"]) == {IDLE: 30}


def test_a_paused_search_pays_for_what_its_workers_still_did_and_for_no_rest() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.start("b", 0)
    daemon.tick(5)
    daemon.node.leave("a")
    read = daemon.tick(10, a=[usage(0, 3, 6)])
    assert paid(read["a"]) == {trial(7): 90}
    assert paid(read["b"]) == {IDLE: 30}
    assert daemon.tick(15)["a"] is None
    daemon.node.join("a", at(20))
    # B alone from 15 to 20 s, then both for 2 s.
    read = daemon.tick(22)
    assert (paid(read["a"]), paid(read["b"])) == ({IDLE: 6}, {IDLE: 36})


def test_usage_of_a_node_where_all_searches_rest_counts_when_one_goes_on() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.tick(5)
    daemon.node.leave("a")
    assert daemon.tick(10, a=[usage(0, 3, 6)])["a"] is None
    assert daemon.tick(15, a=[usage(0, 3, 6)])["a"] is None
    daemon.node.join("a", at(100))
    assert paid(daemon.tick(101)["a"]) == {trial(7): 90, IDLE: 6}


def test_usage_that_the_node_was_not_handed_waits_and_its_reading_with_it() -> None:
    daemon = Daemon(constant)
    daemon.start("a", 0)
    daemon.start("b", 0)
    late = usage(0, -20, -10, stream="recovered")
    daemon.node.read(at(5), {"a": [usage(0, 0, 1)]})
    assert daemon.shares["a"].read(at(5), [late, usage(0, 0, 1)]) is None
    read = daemon.tick(10, a=[late])
    # Both usages in full, and both halves of 6 W for 5 s.
    assert paid(read["a"]) == {trial(7): 30 * 10 + 30 * 1, IDLE: 30}
    assert paid(read["b"]) == {IDLE: 30}


def test_what_a_search_did_not_read_counts_again_when_it_is_opened_anew() -> None:
    daemon = Daemon(lambda: Instrument(by_probes=True))
    daemon.start("a", 0)
    daemon.start("b", 0)
    daemon.node.read(at(5), {"a": [usage(0, 0, 5)]})
    daemon.close("a")
    daemon.start("a", 5)
    again = daemon.tick(10, a=[usage(0, 0, 5)])["a"]
    assert again is not None
    # What its worker's probe measured, in the time in which it did.
    assert parts(*(each for each in again.measured if each.interval == Interval(at(0), at(5)))) == (2.0, 1.0, 0.0)


def test_a_search_alone_is_charged_what_a_meter_of_its_own_would_charge() -> None:
    own, share = constant(), NodeMeter(constant).share("a")
    for meter in (own, share):
        meter.start(START)
    for second in (1, 4, 9):
        usages = [usage(second, second - 2, second - 0.5)]
        expected, read = own.read(at(second), usages), share.read(at(second), usages)
        assert expected is not None
        assert read is not None
        assert read.attributions == expected.attributions
        assert read.joules == expected.joules


def test_nothing_is_metered_while_no_search_takes_part() -> None:
    daemon = Daemon(constant)
    for begin in (0, 100, 200):
        daemon.start("a", begin)
        daemon.start("b", begin)
        daemon.tick(begin + 5)
        daemon.close("a")
        daemon.close("b")
        daemon.tick(begin + 50)
    assert [reading.joules for reading in daemon.node_readings] == [30, 30, 30]


def test_a_meter_of_the_node_is_made_once_for_each_time_that_searches_run() -> None:
    made: list[Instrument] = []

    def make() -> EnergyMeter:
        made.append(Instrument(by_probes=True))
        return made[-1]

    node = NodeMeter(make)
    first, second = node.share("a"), node.share("b")
    assert first.probe() is None
    first.start(START)
    second.start(at(1))
    first.close()
    assert (len(made), made[0].closed) == (1, False)
    second.close()
    assert made[0].closed
    assert second.measurement().meter == "instrument"
    assert len(made) == 1
    node.share("a").start(at(2))
    assert (len(made), made[1].closed) == (2, False)


def test_a_meter_can_be_made_before_it_is_needed_and_one_that_runs_is_left_alone() -> None:
    made: list[Instrument] = []

    def make() -> EnergyMeter:
        made.append(Instrument(by_probes=False))
        return made[-1]

    node = NodeMeter(make)
    for turn in range(2):
        node.prepare()
        share = node.share("a")
        share.start(at(10 * turn))
        assert len(made) == turn + 1
        node.prepare()
        assert (len(made), made[-1].closed) == (turn + 1, False)
        share.close()


def test_a_search_can_be_metered_only_once_at_a_time() -> None:
    node = NodeMeter(constant)
    share = node.share("a")
    share.start(START)
    with pytest.raises(EnergyMeterError, match="the search a is metered already"):
        node.share("a").start(at(1))
    with pytest.raises(EnergyMeterError, match="the search a is metered already"):
        node.join("a", at(1))
    node.leave("a")
    with pytest.raises(EnergyMeterError, match="the search a is metered already"):
        node.share("a").start(at(2))
    share.close()
    node.share("a").start(at(3))
    assert node.taking_part == ("a",)


def test_a_meter_that_can_t_be_started_is_told_and_tried_anew(caplog: pytest.LogCaptureFixture) -> None:
    broken = [Instrument(by_probes=True, starts=False), Instrument(by_probes=True)]
    node = NodeMeter(lambda: broken.pop(0))
    with pytest.raises(EnergyMeterError, match="nothing to measure"):
        node.share("a").start(START)
    assert "a" not in node.taking_part
    node.share("a").start(at(1))
    assert "a" in node.taking_part
    assert not broken
    assert caplog.records == []


def test_an_instrument_that_falls_silent_is_told_and_replaced_and_no_usage_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = [Instrument(by_probes=True, fails=True), Instrument(by_probes=True)]
    node = NodeMeter(lambda: made.pop(0))
    share = node.share("a")
    share.start(START)
    with pytest.raises(EnergyMeterError, match="silent"):
        node.read(at(5), {"a": [usage(0, 0, 5)]})
    assert share.read(at(10), ()) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    reading = share.read(at(15), ())
    assert reading is not None
    # The probe's 3 J of the silent time; of the node only the last 5 s, with 129 W.
    assert reading.joules == pytest.approx(3 + 5 * 129)
    assert trial_j(reading) > 0


class Dishonest(Instrument):
    """Charges twice what it measured."""

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        reading = super().read(now, usages)
        assert reading is not None
        return MeterReading(reading.reading_id, reading.measured, reading.attributions * 2)


class Forgetful(Instrument):
    """Charges trials by their number alone."""

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        reading = super().read(now, usages)
        assert reading is not None
        charged = [
            Attribution(Owner(a.owner.account, a.owner.trial, a.owner.attempt), a.sample) for a in reading.attributions
        ]
        return MeterReading(reading.reading_id, reading.measured, tuple(charged))


@pytest.mark.parametrize(
    ("meter", "message"), [(Dishonest, "measured 1290 J and charges 2580 J"), (Forgetful, "nobody reported")]
)
def test_a_meter_whose_readings_can_t_be_shared_is_refused(meter: Callable[..., EnergyMeter], message: str) -> None:
    share = NodeMeter(lambda: meter(by_probes=False)).share("a")
    share.start(START)
    with pytest.raises(EnergyMeterError, match=message):
        share.read(at(10), [usage(0, 0, 5)])


def test_a_share_states_its_present_part_of_rest_and_the_most_of_the_node() -> None:
    node = NodeMeter(constant)
    first, second = node.share("a"), node.share("b")
    most_w = 6 + SLOTS * 30.0
    assert first.stated() == StatedPowers(30.0, 6.0, most_w)
    first.start(START)
    assert first.stated() == StatedPowers(30.0, 6.0, most_w)
    # As if it had joined already.
    assert second.stated() == StatedPowers(30.0, 3.0, most_w)
    second.start(START)
    assert first.stated() == StatedPowers(30.0, 3.0, most_w)
    assert NodeMeter(lambda: Instrument(by_probes=True)).share("c").stated() == StatedPowers()
    assert "shared equally" in first.measurement().caveat


def test_a_reading_without_any_energy_still_says_for_when_it_is() -> None:
    share = NodeMeter(lambda: ConstantPowerMeter(1, train=1.0, score=1.0, idle=0.0)).share("a")
    share.start(START)
    reading = share.read(at(5), ())
    assert reading is not None
    assert reading.measured == (EnergySample(Interval(at(0), at(5)), 0.0, 0.0, 0.0),)
    assert reading.attributions == ()


@pytest.mark.slow
def test_codecarbon_comes_and_goes_with_the_searches_and_leaves_nothing_behind() -> None:
    node = NodeMeter(lambda: CodeCarbonMeter(SLOTS, mode=TrackingMode.PROCESS, cpu_power=100.0, ram_power=10.0))
    threads, handles = threading.active_count(), 0
    for begin in range(0, 60, 10):
        share = node.share("a")
        share.start(at(begin))
        assert any(_drawn_j(share, at(begin + second)) > 0 for second in range(1, 10))
        share.close()
        if begin == 10:
            handles = psutil.Process().num_fds()
    # A thread of CodeCarbon's ends a moment after it was told to: of six that stayed more than two would be left.
    end_s = monotonic_s() + 120.0
    while threading.active_count() > threads + 2 and monotonic_s() < end_s:
        time.sleep(0.05)
    assert threading.active_count() <= threads + 2
    assert psutil.Process().num_fds() <= handles


def _drawn_j(share: NodeShare, now: datetime) -> float:
    time.sleep(0.1)  # CodeCarbon takes no sample within 50 ms of the one before
    reading = share.read(now, ())
    assert reading is not None
    return reading.joules
