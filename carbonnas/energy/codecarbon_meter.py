"""CodeCarbon as an energy meter.

Its figures have two sources. Where the machine has energy counters (RAPL, NVML) they see the whole node, so one tracker measures the
machine. Where there are none it models load, and then only the mode in which each process measures itself gives the same price to
every core, so each worker carries a tracker of its own.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.clock import monotonic_s
from carbon_sources.units import Watts
from carbonnas.energy.codecarbon_tracker import (
    CODECARBON_VERSION,
    Hardware,
    Tracker,
    TrackingMode,
    has_cpu_counters,
    has_gpu_counters,
    machine_memory_w,
)
from carbonnas.energy.meter import (
    Attribution,
    EnergyMeter,
    EnergySample,
    Measurement,
    MeterReading,
    ProbeFactory,
    Usage,
    WorkerProbe,
)
from carbonnas.energy.power_model import checked_watts
from carbonnas.energy.reading_window import ReadingWindow, ReadingWindows
from carbonnas.energy.split import NodeWork, merge, split_machine, split_processes
from carbonnas.errors import EnergyMeterError

_DEAD_PROBE_CPU_S = 2.0
"""Processor time in which a probe must have seen something; its resolution is a clock tick (10 ms)."""


class CodeCarbonMeter(EnergyMeter):
    """Measures a node with CodeCarbon.

    In process mode this process's tracker measures this process, the constant power of memory and any accelerators; each worker's
    probe measures its own processor time. In machine mode one tracker measures everything and is split by processor time and time in
    a slot. Joules are those of real time, also where the clock of the search runs faster.

    Args:
        slots: Slots of the node.
        mode: What to track; `auto` takes the machine where RAPL (if `cpu_power` is not given) or NVML can be read, else processes.
        cpu_power: Power of the fully loaded processor. Giving it turns the load model on and counters of the processor off; without
            it CodeCarbon looks the processor up in a table, which for virtual machines is far off.
        ram_power: Constant power of the node's memory; without it CodeCarbon's estimate from the size of the memory.

    Raises:
        ValueError: If a power is negative, not finite, or `cpu_power` is zero.
    """

    def __init__(
        self,
        slots: int,
        *,
        mode: TrackingMode = TrackingMode.AUTO,
        cpu_power: Watts | None = None,
        ram_power: Watts | None = None,
    ) -> None:
        if cpu_power is not None and checked_watts(cpu_power, "cpu_power") == 0:
            raise ValueError("cpu_power is the power of the loaded processor and can't be zero")
        self._slots = slots
        self._mode = mode
        self._cpu_w = cpu_power
        self._ram_w = None if ram_power is None else checked_watts(ram_power, "ram_power")
        self._windows = ReadingWindows()
        self._setup: _Setup | None = None
        self._closed = False
        self._read_at_s = 0.0
        self._read_cpu_s = 0.0
        self._total_j = 0.0
        self._memory_j = 0.0

    def start(self, now: datetime) -> None:
        setup = self._opened()
        self._windows.start(now)
        self._read_at_s, self._read_cpu_s = monotonic_s(), _own_cpu_s()
        setup.tracker.start()

    def read(self, now: datetime, usages: Sequence[Usage]) -> MeterReading | None:
        if self._closed or self._setup is None:
            raise EnergyMeterError("the energy meter is not running: it was closed or never started")
        window = self._windows.advance(now, usages)
        if window is None:
            return None
        drawn = self._setup.tracker.read()
        sample = EnergySample(window.interval, drawn.cpu_j, drawn.gpu_j, drawn.ram_j)
        work = self._work(window, self._setup.tracker.hardware)
        if self._setup.mode is TrackingMode.MACHINE:
            reading = MeterReading(window.reading_id, (sample,), split_machine(sample, work))
        else:
            reading = _with_workers(window.reading_id, sample, work, self._setup.tracker.hardware.cpu_w)
        self._total_j += reading.joules
        self._memory_j += drawn.ram_j
        return reading

    def close(self) -> None:
        if self._setup is not None and not self._closed:
            self._setup.tracker.close()
        self._closed = True

    def probe(self) -> ProbeFactory | None:
        """Return what measures each worker in process mode; in machine mode the node's tracker sees the workers from outside."""
        setup = self._opened()
        if setup.mode is TrackingMode.MACHINE:
            return None
        return CodeCarbonProbeFactory(_required_cpu_w(setup.tracker.hardware.cpu_w))

    def measurement(self) -> Measurement:
        """Say how energy is measured; looks at the hardware first if the meter was not started."""
        setup = self._opened()
        hardware = setup.tracker.hardware
        share = f"{self._memory_j / self._total_j:.0%}" if self._total_j > 0 else "not known yet"
        return Measurement(
            meter="codecarbon",
            method=_method(setup.mode, hardware),
            details={
                "codecarbon_version": CODECARBON_VERSION,
                "tracking_mode": setup.mode.value,
                "hardware": hardware.parts,
                "cpu_model": hardware.cpu_model,
                "cpu_power_w": _power(hardware.cpu_w, configured=self._cpu_w is not None),
                "cores": str(hardware.cores),
                "ram_power_w": _power(setup.ram_w, configured=self._ram_w is not None),
                "gpus": hardware.gpus or "none",
                "constant_share": share,
            },
            caveat=_caveat(setup.mode, hardware),
            modelled=hardware.cpu_w is not None,
        )

    def _opened(self) -> _Setup:
        if self._setup is None:
            mode = self._mode
            if mode is TrackingMode.AUTO:
                counted = (self._cpu_w is None and has_cpu_counters()) or has_gpu_counters()
                mode = TrackingMode.MACHINE if counted else TrackingMode.PROCESS
            ram_w = machine_memory_w() if self._ram_w is None else self._ram_w
            alone = mode is TrackingMode.PROCESS
            self._setup = _Setup(mode, ram_w, Tracker(mode, cpu_w=self._cpu_w, ram_w=ram_w, alone=alone))
        return self._setup

    def _work(self, window: ReadingWindow, hardware: Hardware) -> NodeWork:
        at_s, cpu_s = monotonic_s(), _own_cpu_s()
        work = NodeWork(
            usages=window.usages,
            slots=self._slots,
            cores=hardware.cores,
            real_s=at_s - self._read_at_s,
            own_cpu_s=cpu_s - self._read_cpu_s,
        )
        self._read_at_s, self._read_cpu_s = at_s, cpu_s
        return work


@dataclass(frozen=True, slots=True)
class _Setup:
    """The tracker that was chosen; `mode` is never `AUTO`."""

    mode: TrackingMode
    ram_w: float
    tracker: Tracker


@dataclass(frozen=True, slots=True)
class CodeCarbonProbeFactory(ProbeFactory):
    """Makes the probes of the workers.

    Attributes:
        cpu_w: Power of the fully loaded processor.
    """

    cpu_w: float

    def __call__(self) -> WorkerProbe:
        return CodeCarbonProbe(self.cpu_w)


class CodeCarbonProbe(WorkerProbe):
    """Measures the processor energy of the process it is started in, and of its children.

    The first reading also holds what the process used before `start`, imports above all, so take it before the first trial begins.
    CodeCarbon does not see what a child used before its first and after its last reading; what children that have ended used by the
    processor's account, priced as CodeCarbon prices it, is the least that all readings come to.
    Memory and accelerators are charged for the node as a whole, by its meter.

    Args:
        cpu_w: Power of the fully loaded processor.
    """

    def __init__(self, cpu_w: float) -> None:
        self._cpu_w = cpu_w
        self._tracker: Tracker | None = None
        self._drawn_j = self._told_j = 0.0
        self._closed = False

    def start(self) -> None:
        tracker = Tracker(TrackingMode.PROCESS, cpu_w=self._cpu_w, ram_w=0.0, alone=False)
        self._drawn_j = self._used_j(tracker)
        tracker.start()
        self._tracker = tracker

    def read(self) -> tuple[float, float]:
        if self._tracker is None or self._closed:
            raise EnergyMeterError("the worker's probe is not running: it was closed or never started")
        self._drawn_j += self._tracker.read().cpu_j
        total_j = max(self._drawn_j, self._used_j(self._tracker), self._told_j)
        new_j, self._told_j = total_j - self._told_j, total_j
        return new_j, 0.0

    def _used_j(self, tracker: Tracker) -> float:
        """Return the energy of the processor time of this process and of its children that have ended, since it began."""
        return sum(os.times()[:4]) * self._cpu_w / tracker.hardware.cores

    def close(self) -> None:
        if self._tracker is not None and not self._closed:
            self._tracker.close()
        self._closed = True


def _own_cpu_s() -> float:
    """Return the processor time of this process without its children, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _with_workers(reading_id: str, sample: EnergySample, work: NodeWork, cpu_w: float | None) -> MeterReading:
    probed: list[Attribution] = []
    for usage in work.usages:
        if usage.inline:
            continue
        if usage.probe is None:
            probed.append(Attribution(usage.owner, _modelled(usage, cpu_w, work.cores)))
            continue
        if usage.cpu_seconds > _DEAD_PROBE_CPU_S and usage.probe.cpu_j <= 0:
            raise EnergyMeterError(
                f"a worker used {usage.cpu_seconds:.1f} s of processor time and its probe measured nothing: CodeCarbon has stopped"
            )
        probed.append(Attribution(usage.owner, usage.probe))
    return MeterReading(
        reading_id,
        measured=(sample, *(attribution.sample for attribution in probed)),
        attributions=merge((*split_processes(sample, work), *probed)),
    )


def _modelled(usage: Usage, cpu_w: float | None, cores: int) -> EnergySample:
    """Return the energy of a worker that no probe has seen, such as one that was killed, by CodeCarbon's own model.

    CodeCarbon's process mode is linear: rated power times the share of all cores that the process used.
    """
    return EnergySample(usage.interval, usage.cpu_seconds * _required_cpu_w(cpu_w) / cores, 0.0, 0.0)


def _required_cpu_w(cpu_w: float | None) -> float:
    if cpu_w is None:
        raise EnergyMeterError("process mode needs the processor's power: set cpu_power in [energy]")
    return cpu_w


def _method(mode: TrackingMode, hardware: Hardware) -> str:
    gpus = " Accelerators are measured by their own counters (NVML or AMD SMI)." if hardware.gpus else ""
    if hardware.cpu_w is None:
        return f"CodeCarbon reads the machine's energy counters (RAPL or alike) and adds a constant power for memory.{gpus}"
    if mode is TrackingMode.MACHINE:
        return f"CodeCarbon models the processor from the load of the whole machine and adds a constant power for memory.{gpus}"
    return f"CodeCarbon models the processor from the processor time of each process and adds a constant power for memory.{gpus}"


def _caveat(mode: TrackingMode, hardware: Hardware) -> str:
    memory = "Memory is charged a constant power; constant_share is its share of the energy."
    if hardware.cpu_w is None:
        return f"The processor is measured; what else runs on the machine counts as idle. {memory}"
    if mode is TrackingMode.MACHINE:
        return f"The processor is modelled: load of other users of the machine is billed too, and cores differ in price. {memory}"
    return f"The processor is modelled and no better than its stated power; its idle power is left out. {memory}"


def _power(watts: float | None, *, configured: bool) -> str:
    if watts is None:
        return "measured by counters"
    return f"{watts:g} ({'configured' if configured else 'estimated by CodeCarbon'})"
