"""A CodeCarbon tracker that says when it does not work; the only module that imports CodeCarbon.

Only joules are taken from it: emissions are priced elsewhere.
"""

from __future__ import annotations

import enum
import logging
import math
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import psutil
from codecarbon import OfflineEmissionsTracker
from codecarbon.core import cpu, gpu
from codecarbon.core.util import count_cpus
from codecarbon.external.hardware import CPU, MODE_CPU_LOAD
from codecarbon.external.ram import RAM
from codecarbon.output_methods.base_output import BaseOutput
from codecarbon.output_methods.emissions_data import EmissionsData

from carbon_sources.clock import monotonic_s
from carbon_sources.units import J_PER_KWH
from carbonnas.errors import EnergyMeterError

CODECARBON_VERSION = version("codecarbon")

_FIRST_DELTA_S = 0.1
"""CodeCarbon takes no sample within 50 ms of another one; after this long the first joules must be there."""

_MEASURED_EVERY_S = 1.0
"""Between two measurements of a machine: its counters wrap around after minutes, and a power that is sampled is taken to have lasted since the one before."""

_SILENCE_S = 1.0
"""A machine always draws power: a tracker whose energy has not grown for this long is dead."""


def has_cpu_counters() -> bool:
    """Say whether the processor's energy counters (RAPL) can be read."""
    return bool(cpu.is_rapl_available())


def has_gpu_counters() -> bool:
    """Say whether there are accelerators that count their energy (NVML, AMD SMI)."""
    return bool(gpu.is_nvidia_system() or gpu.is_rocm_system())


def machine_memory_w() -> float:
    """Return CodeCarbon's estimate of the power of all memory of the node, in watts; it depends on its size alone."""
    return float(RAM(tracking_mode="machine").total_power().W)


class TrackingMode(enum.Enum):
    """What a tracker measures."""

    AUTO = "auto"
    """The machine where it has energy counters, else each process."""
    PROCESS = "process"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Joules:
    """Energy by component; `duration_s` is how long the tracker has run."""

    duration_s: float = 0.0
    cpu_j: float = 0.0
    gpu_j: float = 0.0
    ram_j: float = 0.0

    @property
    def total_j(self) -> float:
        """Energy of all components together."""
        return self.cpu_j + self.gpu_j + self.ram_j

    def since(self, before: Joules) -> Joules:
        """Return what was added since an earlier total."""
        return Joules(
            self.duration_s - before.duration_s,
            max(0.0, self.cpu_j - before.cpu_j),
            max(0.0, self.gpu_j - before.gpu_j),
            max(0.0, self.ram_j - before.ram_j),
        )


class _Received(BaseOutput):
    """Keeps the latest running total."""

    def __init__(self) -> None:
        self.latest = Joules()

    def live_out(self, total: EmissionsData, delta: EmissionsData) -> None:
        self.out(total, delta)

    def out(self, total: EmissionsData, delta: EmissionsData) -> None:  # noqa: ARG002 - CodeCarbon's signature
        received = Joules(
            total.duration, total.cpu_energy * J_PER_KWH, total.gpu_energy * J_PER_KWH, total.ram_energy * J_PER_KWH
        )
        if received.duration_s > self.latest.duration_s:
            self.latest = received


@dataclass(frozen=True, slots=True)
class Hardware:
    """What CodeCarbon found.

    Attributes:
        parts: Its own words for the parts that it tracks.
        cpu_model: Name of the processor.
        cpu_w: Power of the fully loaded processor that the load model uses; `None` where counters measure it.
        cores: Logical processors.
        gpus: Name and number of accelerators, empty without any.
    """

    parts: str
    cpu_model: str
    cpu_w: float | None
    cores: int
    gpus: str


class _ProcessWithoutChildren(psutil.Process):
    """A process without its children: they measure themselves."""

    def children(self, recursive: bool = False) -> list[psutil.Process]:  # noqa: ARG002, FBT001, FBT002 - psutil's signature
        return []


class Tracker:
    """One CodeCarbon tracker that says when it does not work.

    CodeCarbon's own timers stay off: a measurement of theirs that meets one of ours multiplies the power of a few milliseconds by the time
    since the measurement before, which on a busy machine is off by factors. A process is measured when it is read and at no other time; of a
    machine, whose counters wrap around and whose power may only be sampled, a thread takes a measurement every second between those.

    Args:
        mode: `PROCESS` or `MACHINE`.
        cpu_w: Power of the fully loaded processor for the load model; `None` to use counters or CodeCarbon's table.
        ram_w: Constant power of the node's memory; 0 leaves memory out.
        alone: Leave out the energy of child processes.

    It measures as soon as it is made, so that to start it takes no time; what it measured before the start is left out.

    Raises:
        EnergyMeterError: If CodeCarbon can't be set up, can't measure in this mode, or measures nothing.
    """

    def __init__(self, mode: TrackingMode, *, cpu_w: float | None, ram_w: float, alone: bool) -> None:
        # Before the constructor sets its own level, CodeCarbon greets at warning level.
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self._received = _Received()
        self._one_at_a_time = threading.Lock()
        self._closing = threading.Event()
        self._between = (
            threading.Thread(target=self._measure_between, daemon=True) if mode is TrackingMode.MACHINE else None
        )
        self._must_grow = mode is TrackingMode.MACHINE or ram_w > 0
        self._last = Joules()
        self._grown_at = monotonic_s()
        self._tracker = OfflineEmissionsTracker(**_arguments(mode, cpu_w, ram_w, self._received))
        try:
            found = self._tracker.get_detected_hardware()
            _keep_timers_off(self._tracker)
            parts = self._tracker._hardware  # noqa: SLF001 - no public way to learn the method and the power in use
        except Exception as error:
            raise EnergyMeterError(
                f"CodeCarbon {CODECARBON_VERSION} could not be set up ({error!r}); if a .codecarbon.config file lies in the home or"
                " working folder, check that it can be read"
            ) from error
        processors = [part for part in parts if isinstance(part, CPU)]
        if mode is TrackingMode.PROCESS:
            _require_load_model(processors)
        if alone:
            processors[0]._process = _ProcessWithoutChildren()  # noqa: SLF001 - CodeCarbon has no setting for it; checked just above
        modelled = [float(part._tdp) for part in processors if part._mode == MODE_CPU_LOAD]  # noqa: SLF001 - as above
        self.hardware = Hardware(
            parts=", ".join(part.description() for part in parts),
            cpu_model=str(found["cpu_model"]),
            cpu_w=math.fsum(modelled) if modelled else None,
            cores=count_cpus(),
            gpus=str(found["gpu_model"] or ""),
        )
        self._require_energy()

    def start(self) -> None:
        """Begin to count. Raises `EnergyMeterError` if CodeCarbon gives no values any more."""
        self._flush()
        self._last, self._grown_at = self._received.latest, monotonic_s()
        if self._between is not None:
            self._between.start()

    def read(self) -> Joules:
        """Return the energy since the reading before. Raises `EnergyMeterError` if it no longer grows."""
        self._flush()
        latest, before = self._received.latest, self._last
        if latest.total_j > before.total_j:
            self._grown_at = monotonic_s()
        elif self._must_grow and (silent_s := monotonic_s() - self._grown_at) > _SILENCE_S:
            raise EnergyMeterError(f"CodeCarbon has counted no energy for {silent_s:.0f} s: it has stopped measuring")
        self._last = latest
        return latest.since(before)

    def close(self) -> None:
        """Stop measuring; it can't be started again."""
        self._closing.set()
        if self._between is not None and self._between.is_alive():
            self._between.join()
        self._tracker.stop()

    def _require_energy(self) -> None:
        self._tracker.start()
        threading.Event().wait(_FIRST_DELTA_S)
        self._flush()
        if self._must_grow and self._received.latest.total_j <= 0:
            raise EnergyMeterError(f"CodeCarbon {CODECARBON_VERSION} started but measures no energy at all")

    def _measure_between(self) -> None:
        while not self._closing.wait(_MEASURED_EVERY_S):
            # What keeps it from measuring is told to whoever reads next.
            with suppress(EnergyMeterError):
                self._flush()

    def _flush(self) -> None:
        with self._one_at_a_time:
            told = self._tracker.flush()
        # flush swallows every error, and its None is the only sign that it did.
        if told is None or self._received.latest.duration_s <= 0:
            raise EnergyMeterError(
                f"CodeCarbon {CODECARBON_VERSION} gives no values: it did not start or has stopped, and does not say why"
            )


def _keep_timers_off(tracker: Any) -> None:
    for timer in (tracker._scheduler, tracker._scheduler_monitor_power):  # noqa: SLF001 - CodeCarbon has no setting for it
        timer.start = lambda: None


def _arguments(mode: TrackingMode, cpu_w: float | None, ram_w: float, output: BaseOutput) -> dict[str, Any]:
    """Return every argument of the tracker, so that no configuration file or environment variable is asked.

    The `save_to_*` flags are left out: `output_methods` overrides them, and giving them is deprecated.
    """
    return {
        "tracking_mode": mode.value,
        "force_cpu_power": cpu_w,
        "force_ram_power": ram_w,
        "force_mode_cpu_load": mode is TrackingMode.PROCESS,
        "measure_power_secs": 1,
        "api_call_interval": 1,
        "output_methods": [],
        "output_handlers": [output],
        "allow_multiple_runs": True,
        "log_level": "error",
        # Priced at nothing, so that no table and no service is asked for an intensity; a token that is empty but not None also
        # keeps an older setting of the same meaning from being read from the environment.
        "force_carbon_intensity_g_co2e_kwh": 0.0,
        "electricitymaps_api_token": "",
        "pue": 1.0,
        "wue": 0.0,
        "country_iso_code": "GBR",
        **dict.fromkeys(("region", "cloud_provider", "cloud_region", "country_2letter_iso_code", "gpu_ids"), None),
        **dict.fromkeys(("emissions_endpoint", "logging_logger", "metadata"), None),
        **dict.fromkeys(("api_endpoint", "api_key", "prometheus_url", "experiment_id", "logger_preamble"), ""),
        "project_name": "carbonnas",
        "experiment_name": "carbonnas",
        "output_dir": os.curdir,
        "output_file": "unused.csv",
        "on_csv_write": "append",
        "rapl_include_dram": False,
        "rapl_prefer_psys": False,
    }


def _require_load_model(processors: Sequence[CPU]) -> None:
    """Raise `EnergyMeterError` unless the load model is in use: counters would bill the whole machine to each process."""
    modes = [getattr(processor, "_mode", "unknown") for processor in processors]
    if modes != [MODE_CPU_LOAD] or not isinstance(getattr(processors[0], "_process", None), psutil.Process):
        raise EnergyMeterError(
            f"CodeCarbon {CODECARBON_VERSION} can't measure single processes here (processor modes: {modes}): give cpu_power, or use"
            " the mode machine"
        )
