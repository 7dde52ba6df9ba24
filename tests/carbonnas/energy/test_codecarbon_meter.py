from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from codecarbon import OfflineEmissionsTracker, emissions_tracker
from codecarbon.core import cpu, gpu
from codecarbon.core.hardware_cache import clear_cache
from codecarbon.external import hardware

from carbon_sources.interval import Interval
from carbonnas.energy.codecarbon_meter import CodeCarbonMeter, CodeCarbonProbeFactory
from carbonnas.energy.codecarbon_tracker import TrackingMode
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, EnergyMeter, EnergySample, MeterReading, Owner, Usage
from carbonnas.errors import EnergyMeterError
from carbonnas.plugins import ENERGY_METERS
from carbonnas.testing.meters import START, EnergyMeterConformance
from carbonnas.testing.processes import processor_s, wait_until

TRIAL = Owner(Account.TRIAL, 0, 1)
CPU_W, RAM_W = 100.0, 10.0
PRICE = CPU_W / (os.cpu_count() or 1)
"""Of a second of processor time, in joules."""
TICKS_J = 0.05 * PRICE
"""The processor time of a process is told in ticks of 10 ms, of the user's and of the system's time each, at both ends."""


def busy(seconds: float) -> float:
    """Use `seconds` of processor time and return how much it really was."""
    start = time.process_time()
    while (used := time.process_time() - start) < seconds:
        pass
    return used


class Hands:
    """CodeCarbon's clocks, set by hand: it multiplies a load and a time that it takes one after the other, and who comes between spoils both."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def time(self) -> float:
        return self.seconds

    def perf_counter(self) -> float:
        return self.seconds


@pytest.fixture
def a_second_between_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CodeCarbon's time pass between its readings only, a second each time; processor time stays what it is."""
    hands, flush = Hands(), OfflineEmissionsTracker.flush

    def flush_a_second_later(tracker: OfflineEmissionsTracker) -> object:
        hands.seconds += 1.0
        return flush(tracker)

    monkeypatch.setattr(OfflineEmissionsTracker, "flush", flush_a_second_later)
    for module in (emissions_tracker, hardware):
        monkeypatch.setattr(module, "time", hands)


def at(seconds: float) -> Interval:
    return Interval(START, START + timedelta(seconds=seconds))


def joules(reading: MeterReading, owner: Owner) -> dict[str, float]:
    samples = [attribution.sample for attribution in reading.attributions if attribution.owner == owner]
    return {name: sum(getattr(s, name) for s in samples) for name in ("cpu_j", "gpu_j", "ram_j")}


def read(meter: EnergyMeter, at_s: float, *usages: Usage) -> MeterReading:
    reading = meter.read(START + timedelta(seconds=at_s), usages)
    assert reading is not None
    return reading


def keep_reading(meter: EnergyMeter) -> None:
    """Read for a minute and more."""
    for second in range(2, 1000):
        read(meter, second)
        time.sleep(0.1)


@pytest.fixture
def meter() -> Iterator[CodeCarbonMeter]:
    running = CodeCarbonMeter(2, mode=TrackingMode.PROCESS, cpu_power=CPU_W, ram_power=RAM_W)
    running.start(START)
    yield running
    running.close()


class TestProcessModeConforms(EnergyMeterConformance):
    deterministic = False

    def make_meter(self) -> EnergyMeter:
        return CodeCarbonMeter(self.slots, mode=TrackingMode.PROCESS, cpu_power=CPU_W, ram_power=RAM_W)

    def pass_time(self) -> None:
        busy(0.06)


class TestProcessModeWithProbesConforms(TestProcessModeConforms):
    def make_probe(self, interval: Interval) -> EnergySample:
        return EnergySample(interval, 5.0 * interval.seconds, 0.0, 0.0)


class TestMachineModeConforms(TestProcessModeConforms):
    def make_meter(self) -> EnergyMeter:
        return CodeCarbonMeter(self.slots, mode=TrackingMode.MACHINE, cpu_power=CPU_W, ram_power=RAM_W)


def test_work_in_this_process_is_charged_by_its_share_of_processor_time(meter: CodeCarbonMeter) -> None:
    stamps_s = [time.process_time()]
    read(meter, 1)
    stamps_s.append(time.process_time())
    worked_s = busy(0.2)
    busy(0.1)
    stamps_s.append(time.process_time())
    reading = read(meter, 2, Usage("a", 0, at(1), TRIAL, None, worked_s, None, inline=True))
    stamps_s.append(time.process_time())
    trial_j, overhead_j = joules(reading, TRIAL)["cpu_j"], joules(reading, OVERHEAD)["cpu_j"]
    share = trial_j / (trial_j + overhead_j)
    # The readings were taken somewhere inside the calls.
    least, most = worked_s / (stamps_s[3] - stamps_s[0]), worked_s / (stamps_s[2] - stamps_s[1])
    assert 0.99 * least <= share <= 1.01 * most


def test_a_worker_that_no_probe_has_seen_is_charged_by_the_same_model(meter: CodeCarbonMeter) -> None:
    read(meter, 1)
    reading = read(meter, 2, Usage("killed", 0, at(1), TRIAL, None, 0.5, None))
    # CodeCarbon's process mode: rated power times the share of all cores that was used.
    assert joules(reading, TRIAL)["cpu_j"] == pytest.approx(0.5 * PRICE)


@pytest.mark.usefixtures("a_second_between_readings")
def test_processor_energy_follows_processor_time(meter: CodeCarbonMeter) -> None:
    stamps_s = [time.process_time()]
    read(meter, 1)
    stamps_s.append(time.process_time())
    busy(0.5)
    stamps_s.append(time.process_time())
    cpu_j = joules(read(meter, 2), OVERHEAD)["cpu_j"]
    stamps_s.append(time.process_time())
    # The readings were taken somewhere inside the calls. The model: all cores loaded draw the stated power, so a core-second costs
    # power / cores.
    least_j, most_j = (PRICE * used_s for used_s in (stamps_s[2] - stamps_s[1], stamps_s[3] - stamps_s[0]))
    assert least_j - TICKS_J <= cpu_j <= most_j + TICKS_J


@pytest.mark.usefixtures("a_second_between_readings")
def test_children_are_not_billed_to_the_process_that_started_them(meter: CodeCarbonMeter) -> None:
    before_s = time.process_time()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            read(meter, 1)
            used_s = processor_s(child.pid)
            wait_until(lambda: processor_s(child.pid) > used_s + 0.5, "the child does not work")
            reading = read(meter, 2)
        finally:
            child.kill()
    own_j = PRICE * (time.process_time() - before_s)
    # The child would cost 0.5 s more.
    assert joules(reading, OVERHEAD)["cpu_j"] <= own_j + TICKS_J


def test_a_probe_is_taken_as_it_is_even_late(meter: CodeCarbonMeter) -> None:
    read(meter, 5)
    probe = EnergySample(at(1), 123.0, 0.0, 0.0)
    reading = read(meter, 6, Usage("a", 0, at(1), TRIAL, None, 1.0, probe))
    assert joules(reading, TRIAL)["cpu_j"] == 123.0
    assert probe in reading.measured


def test_memory_is_charged_once_for_the_node_and_shared_by_time_in_slots(meter: CodeCarbonMeter) -> None:
    # Two slots for 1 s; one was used for half of it: a quarter of the slot-seconds.
    time.sleep(0.1)
    reading = read(meter, 1, Usage("a", 0, at(0.5), TRIAL, None, 0.0, EnergySample(at(0.5), 1.0, 0.0, 0.0)))
    trial_j, idle_j = joules(reading, TRIAL)["ram_j"], joules(reading, IDLE)["ram_j"]
    assert trial_j / (trial_j + idle_j) == pytest.approx(0.25)


def test_joules_are_of_real_time_whatever_the_clock_of_the_search_says(meter: CodeCarbonMeter) -> None:
    stamps_s = [time.monotonic()]
    read(meter, 1)
    stamps_s.append(time.monotonic())
    time.sleep(0.3)
    stamps_s.append(time.monotonic())
    reading = read(meter, 3600)
    stamps_s.append(time.monotonic())
    # The readings were taken somewhere inside the calls.
    shortest_s, longest_s = stamps_s[2] - stamps_s[1], stamps_s[3] - stamps_s[0]
    assert 0.75 * RAM_W * shortest_s <= joules(reading, IDLE)["ram_j"] <= 1.25 * RAM_W * longest_s


def test_a_worker_whose_probe_sees_nothing_of_its_work_is_an_error(meter: CodeCarbonMeter) -> None:
    dead = Usage("a", 0, at(1), TRIAL, None, 3.0, EnergySample(at(1), 0.0, 0.0, 0.0))
    with pytest.raises(EnergyMeterError, match=r"used 3\.0 s of processor time and its probe measured nothing"):
        meter.read(START + timedelta(seconds=1), (dead,))


def test_no_thread_measures_beside_the_one_that_reads() -> None:
    before = set(threading.enumerate())
    meter = CodeCarbonMeter(1, cpu_power=CPU_W, ram_power=RAM_W, mode=TrackingMode.PROCESS)
    meter.start(START)
    read(meter, 1)
    assert set(threading.enumerate()) <= before
    meter.close()
    meter.close()


def test_a_machine_is_measured_between_readings_until_it_is_closed() -> None:
    before = set(threading.enumerate())
    meter = CodeCarbonMeter(1, cpu_power=CPU_W, ram_power=RAM_W, mode=TrackingMode.MACHINE)
    meter.start(START)
    (between,) = set(threading.enumerate()) - before
    assert between.is_alive()
    meter.close()
    assert set(threading.enumerate()) <= before


def test_the_measurement_names_every_setting_and_the_constant_share(meter: CodeCarbonMeter) -> None:
    assert meter.measurement().details["constant_share"] == "not known yet"
    time.sleep(0.1)
    read(meter, 1, Usage("a", 0, at(1), TRIAL, None, 1.0, EnergySample(at(1), 1000.0, 0.0, 0.0)))
    measurement = meter.measurement()
    details = measurement.details
    assert (details["cpu_power_w"], details["ram_power_w"]) == ("100 (configured)", "10 (configured)")
    assert details["tracking_mode"] == "process"
    assert details["constant_share"] == "0%"
    assert "constant_share" in measurement.caveat
    assert "processor time of each process" in measurement.method


def test_codecarbon_is_a_plug_in_with_units() -> None:
    made = ENERGY_METERS.create(
        "codecarbon", {"mode": "machine", "cpu_power": "65 W", "ram_power": "3 W"}, {"slots": 2}
    )
    measurement = made.measurement()
    assert measurement.details["cpu_power_w"] == "65 (configured)"
    assert "billed too" in measurement.caveat
    assert made.probe() is None


@pytest.mark.parametrize("cpu_power", [0.0, -1.0, float("nan")])
def test_a_processor_without_power_is_refused(cpu_power: float) -> None:
    with pytest.raises(ValueError, match="cpu_power"):
        CodeCarbonMeter(1, cpu_power=cpu_power)


def test_workers_carry_probes_in_process_mode_only() -> None:
    per_process = CodeCarbonMeter(1, mode=TrackingMode.PROCESS, cpu_power=CPU_W, ram_power=RAM_W)
    whole_machine = CodeCarbonMeter(1, mode=TrackingMode.MACHINE, cpu_power=CPU_W, ram_power=RAM_W)
    assert per_process.probe() == CodeCarbonProbeFactory(CPU_W)
    assert whole_machine.probe() is None


def test_a_probe_that_does_not_run_gives_no_zeros() -> None:
    probe = CodeCarbonProbeFactory(CPU_W)()
    with pytest.raises(EnergyMeterError, match="not running"):
        probe.read()
    probe.close()


def _nothing(*_: object, **__: object) -> None:
    return None


def _crash(*_: object, **__: object) -> None:
    raise RuntimeError("broken")


def test_a_tracker_that_was_never_built_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfflineEmissionsTracker, "__init__", _nothing)
    with pytest.raises(EnergyMeterError, match="could not be set up"):
        CodeCarbonMeter(1, cpu_power=CPU_W).start(START)


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("start", _nothing),
        ("flush", _nothing),
        ("_prepare_emissions_data", _nothing),
        ("_prepare_emissions_data", _crash),
    ],
)
def test_a_tracker_that_does_not_start_is_an_error(
    monkeypatch: pytest.MonkeyPatch, broken: str, fault: Callable[..., None]
) -> None:
    meter = CodeCarbonMeter(1, mode=TrackingMode.PROCESS, cpu_power=CPU_W, ram_power=RAM_W)
    with monkeypatch.context() as patch:
        patch.setattr(OfflineEmissionsTracker, broken, fault)
        with pytest.raises(EnergyMeterError, match="gives no values"):
            meter.start(START)
    meter.close()


def test_a_tracker_that_counts_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfflineEmissionsTracker, "_do_measurements", _nothing)
    meter = CodeCarbonMeter(1, mode=TrackingMode.PROCESS, cpu_power=CPU_W, ram_power=RAM_W)
    with pytest.raises(EnergyMeterError, match="no energy at all"):
        meter.start(START)
    meter.close()


def test_a_tracker_that_stops_counting_is_an_error(meter: CodeCarbonMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    read(meter, 1)
    monkeypatch.setattr(OfflineEmissionsTracker, "_do_measurements", _nothing)
    with pytest.raises(EnergyMeterError, match="has stopped measuring"):
        keep_reading(meter)


def test_a_handler_that_crashes_is_an_error(meter: CodeCarbonMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfflineEmissionsTracker, "_persist_data", _crash)
    with pytest.raises(EnergyMeterError, match="gives no values"):
        meter.read(START + timedelta(seconds=1), ())


def test_a_configuration_file_that_cannot_be_read_is_an_error_and_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".codecarbon.config").write_text("no section")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnergyMeterError, match=r"\.codecarbon\.config"):
        CodeCarbonMeter(1, cpu_power=CPU_W).start(START)


@pytest.fixture
def counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tree of RAPL files; the value is the package's counter in microjoules."""
    domain = tmp_path / "powercap" / "intel-rapl" / "intel-rapl:0"
    domain.mkdir(parents=True)
    (domain / "name").write_text("package-0")
    (domain / "energy_uj").write_text("1000000")
    (domain / "max_energy_range_uj").write_text("262143328850")
    root = str(tmp_path / "powercap")
    rapl: Callable[..., object] = cpu.IntelRAPL
    monkeypatch.setattr(cpu, "_get_candidate_bases", lambda _: [root])
    monkeypatch.setattr(gpu, "is_nvidia_system", lambda: False)
    monkeypatch.setattr(gpu, "is_rocm_system", lambda: False)
    monkeypatch.setattr(hardware, "IntelRAPL", lambda **options: rapl(**(options | {"rapl_dir": root})))
    clear_cache()
    yield domain / "energy_uj"
    clear_cache()


def count(counter: Path, microjoules: str) -> None:
    """Set a counter at once, so that no reader finds it empty."""
    new = counter.with_suffix(".new")
    new.write_text(microjoules)
    new.replace(counter)


def test_where_there_are_counters_they_measure_the_whole_machine(counters: Path) -> None:
    meter = CodeCarbonMeter(1, ram_power=RAM_W)
    meter.start(START)
    count(counters, "8000000")
    time.sleep(0.06)
    reading = read(meter, 1)
    count(counters, "9500000")
    time.sleep(0.06)
    after = read(meter, 2)
    meter.close()
    # 8 J - 1 J since the start, then 1.5 J more.
    assert [r.measured[0].cpu_j for r in (reading, after)] == [pytest.approx(7.0), pytest.approx(1.5)]
    assert {a.owner for a in reading.attributions} == {OVERHEAD, IDLE}
    measurement = meter.measurement()
    assert measurement.details["tracking_mode"] == "machine"
    assert measurement.details["cpu_power_w"] == "measured by counters"
    assert "RAPL" in measurement.method
    assert "is measured" in measurement.caveat


def test_a_stated_power_takes_the_place_of_counters(counters: Path) -> None:
    meter = CodeCarbonMeter(1, cpu_power=CPU_W, ram_power=RAM_W)
    assert meter.measurement().details["tracking_mode"] == "process"


def test_counters_of_the_machine_are_never_billed_to_one_process(
    counters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A processor that CodeCarbon's table does not know: it would go on to the counters, in every worker.
    monkeypatch.setattr(cpu.TDP, "_main", lambda self: ("unknown", None))
    clear_cache()
    with pytest.raises(EnergyMeterError, match="give cpu_power"):
        CodeCarbonMeter(1, mode=TrackingMode.PROCESS, ram_power=RAM_W).start(START)


def test_usage_keeps_its_place_in_time(meter: CodeCarbonMeter) -> None:
    read(meter, 5)
    probe = EnergySample(at(1), 1.0, 0.0, 0.0)
    first = Usage("a", 0, at(1), TRIAL, None, 0.1, probe)
    reading = read(meter, 6, first, replace(first, stream="b"))
    assert [a.sample for a in reading.attributions if a.sample.interval == at(1)] == [
        EnergySample(at(1), 2.0, 0.0, 0.0)
    ]
